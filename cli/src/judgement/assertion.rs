//! Conditions such as `ttft_p95<500ms`.

use std::fmt;
use std::str::FromStr;

use accelbench_core::load::LoadReport;
use accelbench_core::metric::Metric;

use super::Judgement;

/// What each load point must keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Assertion {
    quantity: Quantity,
    relation: Relation,
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantity {
    Metric(Metric),
    /// Failed requests among all, 0 to 1.
    ErrorShare,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    AtMost,
    Below,
    AtLeast,
    Above,
}

/// The longer signs first: `<=` begins like `<`.
const RELATIONS: [(&str, Relation); 4] =
    [("<=", Relation::AtMost), (">=", Relation::AtLeast), ("<", Relation::Below), (">", Relation::Above)];

impl Assertion {
    /// Holds it against a load point.
    pub(crate) fn judge(&self, report: &LoadReport) -> Judgement {
        let judgement = |holds, sentence| Judgement {
            load: report.offered_load.to_string(),
            condition: self.to_string(),
            holds,
            sentence,
        };
        if let Quantity::Metric(Metric::Latency(_, statistic)) = self.quantity
            && !report.supports(statistic)
        {
            let (least, completed) = (statistic.least_requests(), report.requests_completed);
            return judgement(
                false,
                format!(
                    "{self} cannot be judged: it takes {least} requests, {completed} were completed; raise --min-requests"
                ),
            );
        }
        let value = match self.quantity {
            Quantity::Metric(metric) => report.value(metric),
            Quantity::ErrorShare => report.error_share(),
        };
        let holds = match self.relation {
            Relation::AtMost => value <= self.limit,
            Relation::Below => value < self.limit,
            Relation::AtLeast => value >= self.limit,
            Relation::Above => value > self.limit,
        };
        judgement(holds, format!("{self}, and it is {}", self.quantity.written(value)))
    }
}

impl Quantity {
    fn written(self, value: f64) -> String {
        match self {
            Self::Metric(Metric::Latency(..)) => format!("{value:.2} ms"),
            Self::Metric(_) => format!("{value:.2}"),
            Self::ErrorShare => format!("{:.2} %", 100.0 * value),
        }
    }

    /// The factor that leads from a unit to ours.
    fn factor(self, unit: &str) -> Option<f64> {
        match (self, unit) {
            (Self::Metric(Metric::Latency(..)), "ms" | "") | (Self::Metric(_) | Self::ErrorShare, "") => {
                Some(1.0)
            }
            (Self::Metric(Metric::Latency(..)), "s") => Some(1000.0),
            (Self::Metric(Metric::Latency(..)), "us") => Some(0.001),
            (Self::ErrorShare, "%") => Some(0.01),
            _ => None,
        }
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign =
            RELATIONS.iter().find(|(_, relation)| *relation == self.relation).map_or("", |(sign, _)| sign);
        match self.quantity {
            Quantity::Metric(metric) => write!(formatter, "{metric}{sign}{}", self.limit),
            Quantity::ErrorShare => write!(formatter, "error_share{sign}{}", self.limit),
        }
    }
}

impl FromStr for Assertion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example =
            "write for instance ttft_p95<500ms, itl_p99<=0.1s, output_tokens_per_s>=1000 or error_share<1%";
        let wrong = |problem: String| format!("{problem}; {example}");
        let found = RELATIONS.iter().find_map(|(sign, relation)| Some((text.split_once(sign)?, *relation)));
        let ((name, limit), relation) = found.ok_or_else(|| wrong(format!("`{text}` compares nothing")))?;
        let name = name.trim();
        let quantity = if name == "error_share" {
            Quantity::ErrorShare
        } else {
            // People leave the unit out of the name, and write it behind the number.
            let metric = name.parse().or_else(|_unknown| format!("{name}_ms").parse());
            Quantity::Metric(metric.map_err(|_unknown| wrong(format!("there is no metric `{name}`")))?)
        };
        let limit = limit.trim();
        let end = limit.find(|letter: char| !(letter.is_ascii_digit() || ".-+".contains(letter)));
        let (number, unit) = limit.split_at(end.unwrap_or(limit.len()));
        let number: Option<f64> = number.parse().ok().filter(|number: &f64| number.is_finite());
        let factor = quantity.factor(unit.trim());
        let (number, factor) =
            number.zip(factor).ok_or_else(|| wrong(format!("`{limit}` is no limit of {name}")))?;
        Ok(Self { quantity, relation, limit: number * factor })
    }
}

#[cfg(test)]
mod tests {
    use super::Assertion;

    #[test]
    fn people_write_units_where_they_like() {
        for (text, written) in [
            ("ttft_p95<500ms", "ttft_p95_ms<500"),
            ("ttft_p95_ms <= 0.5s", "ttft_p95_ms<=500"),
            ("itl_p99<40", "itl_p99_ms<40"),
            ("output_tokens_per_s>=1000", "output_tokens_per_s>=1000"),
            ("error_share<1%", "error_share<0.01"),
        ] {
            assert_eq!(text.parse::<Assertion>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_an_example() {
        for wrong in
            ["ttft_p95", "ttft_p98<1", "ttft_p95<", "ttft_p95<5%", "requests_per_s>2ms", "e2e_p50<inf"]
        {
            assert!(wrong.parse::<Assertion>().unwrap_err().contains("ttft_p95<500ms"), "{wrong}");
        }
    }
}
