//! Service level objectives: limits that latencies must keep, and what of the throughput counts as good.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::LoadReport;
use crate::metric::{Latency, Metric, Statistic};
use crate::model::text_in_json;

/// Limits, all of which must be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Limit>", into = "Vec<Limit>")]
pub struct Slo(Vec<Limit>);

/// A limit of a latency, written for instance `ttft_p95_ms<=500`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Limit {
    latency: Latency,
    statistic: Statistic,
    at_most_ms: f64,
}

/// The part of the throughput that keeps the limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goodput {
    /// The limits that requests were held against.
    pub slo: Slo,
    /// Completed requests per second that each kept every limit by themselves.
    pub requests_per_s: f64,
    /// Their share of all requests that began in the window, failed ones included, 0 to 1.
    pub share: f64,
}

/// Whether a load point keeps the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every limit is kept.
    Met,
    /// A limit is broken, or requests fail.
    Missed,
}

/// Why limits are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSlo {
    /// The text is no limit.
    #[error(
        "`{0}` is no limit of a latency; write for instance ttft_p95_ms<=500, with ttft, itl, tpot or e2e"
    )]
    Limit(String),
    /// There is none.
    #[error("an SLO needs at least one limit, for instance ttft_p95_ms<=500")]
    Empty,
}

/// More failed requests than this keep no SLO, whatever the latencies of the others.
pub const MOST_FAILED: f64 = 0.01;

impl Slo {
    /// Takes limits.
    ///
    /// # Errors
    /// [`InvalidSlo::Empty`].
    pub fn new(limits: Vec<Limit>) -> Result<Self, InvalidSlo> {
        if limits.is_empty() { Err(InvalidSlo::Empty) } else { Ok(Self(limits)) }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.0
    }

    /// Whether the load point of a report keeps the limits.
    #[must_use]
    pub fn verdict(&self, report: &LoadReport) -> Verdict {
        let kept = self.0.iter().all(|limit| report.value(limit.metric()) <= limit.at_most_ms);
        if kept && report.error_share() <= MOST_FAILED { Verdict::Met } else { Verdict::Missed }
    }

    /// The requests that a report needs so that each limit's percentile means something.
    #[must_use]
    pub fn least_requests(&self) -> u64 {
        self.0.iter().map(|limit| limit.statistic.least_requests()).max().unwrap_or(0)
    }
}

impl Limit {
    /// The metric that is limited.
    #[must_use]
    pub fn metric(&self) -> Metric {
        Metric::Latency(self.latency, self.statistic)
    }

    /// The latency that is limited.
    #[must_use]
    pub fn latency(&self) -> Latency {
        self.latency
    }

    /// The statistic that is limited.
    #[must_use]
    pub fn statistic(&self) -> Statistic {
        self.statistic
    }

    /// The limit, in milliseconds.
    #[must_use]
    pub fn at_most_ms(&self) -> f64 {
        self.at_most_ms
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}<={}", self.metric(), self.at_most_ms)
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&limits.join(" and "))
    }
}

impl std::str::FromStr for Limit {
    type Err = InvalidSlo;

    fn from_str(text: &str) -> Result<Self, InvalidSlo> {
        let wrong = || InvalidSlo::Limit(text.to_owned());
        let (metric, limit) = text.split_once("<=").ok_or_else(wrong)?;
        let at_most_ms: f64 = limit.trim().parse().map_err(|_no_number| wrong())?;
        match metric.trim().parse() {
            Ok(Metric::Latency(latency, statistic)) if at_most_ms.is_finite() && at_most_ms > 0.0 => {
                Ok(Self { latency, statistic, at_most_ms })
            }
            _ => Err(wrong()),
        }
    }
}

text_in_json!(Limit, InvalidSlo);

impl TryFrom<Vec<Limit>> for Slo {
    type Error = InvalidSlo;

    fn try_from(limits: Vec<Limit>) -> Result<Self, InvalidSlo> {
        Self::new(limits)
    }
}

impl From<Slo> for Vec<Limit> {
    fn from(slo: Slo) -> Self {
        slo.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{InvalidSlo, Limit, Slo, Verdict};
    use crate::load::ErrorClass;
    use crate::load::examples::{plan, report};

    fn slo(limits: &[&str]) -> Slo {
        Slo::new(limits.iter().map(|limit| limit.parse().unwrap()).collect()).unwrap()
    }

    #[test]
    fn limits_are_written_as_they_are_read() {
        let limit: Limit = "ttft_p95_ms <= 500".parse().unwrap();
        assert_eq!(limit.to_string(), "ttft_p95_ms<=500");
        assert_eq!(serde_json::to_string(&slo(&["itl_p99_ms<=40.5"])).unwrap(), r#"["itl_p99_ms<=40.5"]"#);
        for wrong in
            ["ttft_p95_ms", "ttft_p95_ms<=", "ttft_p95_ms<=-1", "ttft_p95_ms<=inf", "requests_per_s<=1"]
        {
            assert_eq!(wrong.parse::<Limit>(), Err(InvalidSlo::Limit(wrong.to_owned())));
        }
        assert_eq!(Slo::new(Vec::new()), Err(InvalidSlo::Empty));
    }

    #[test]
    fn every_limit_must_be_kept_and_requests_must_not_fail() {
        let mut report = report(&plan(), 0);
        assert_eq!(slo(&["ttft_p50_ms<=100", "e2e_p95_ms<=7140"]).verdict(&report), Verdict::Met);
        assert_eq!(slo(&["ttft_p50_ms<=100", "e2e_p95_ms<=7139"]).verdict(&report), Verdict::Missed);
        report.requests_failed = BTreeMap::from([(ErrorClass::Timeout, 10)]);
        assert_eq!(slo(&["ttft_p50_ms<=100"]).verdict(&report), Verdict::Missed);
        assert_eq!(slo(&["ttft_p50_ms<=100", "itl_p99_ms<=1"]).least_requests(), 1000);
    }
}
