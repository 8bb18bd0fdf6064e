//! The question as it stands in the address: texts, so that what was entered wrong can be shown again.

use accelbench_core::cost::OutputWeight;
use accelbench_core::metric::Statistic;
use accelbench_core::recommendation::Lengths;
use accelbench_store::models::Coverage;
use serde::{Deserialize, Serialize};

use crate::decision::{Asked, Evidence, Workload};
use crate::error::ApiError;
use crate::pricing::{PriceParts, Pricing};
use crate::rest::recommendations::question;

/// What was entered; what was left out is what most people ask first.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct QuestionForm {
    pub(crate) model: Option<String>,
    pub(crate) input_tokens: Option<String>,
    pub(crate) output_tokens: Option<String>,
    /// Limits in milliseconds.
    pub(crate) ttft_ms: Option<String>,
    pub(crate) itl_ms: Option<String>,
    pub(crate) e2e_ms: Option<String>,
    /// The statistic that is limited, for instance `p95`.
    pub(crate) statistic: Option<String>,
    pub(crate) requests_per_s: Option<String>,
    #[serde(flatten)]
    pub(crate) pricing: PriceParts,
}

/// The limit of an example: that a whole answer takes no longer than this, in milliseconds.
const EXAMPLE_E2E_MS: &str = "30000";

impl QuestionForm {
    /// With what was left out. A visitor who asks nothing yet sees the model of which most is known, with limits that what
    /// was published can be held against.
    pub(crate) fn completed(mut self, models: &[Coverage]) -> Self {
        let asks_nothing = self.model.is_none();
        self.model = self.model.or_else(|| models.first().map(|known| known.model.clone()));
        let or = |given: Option<String>, usual: &str| given.or_else(|| Some(usual.to_owned()));
        if asks_nothing && self.ttft_ms.is_none() && self.itl_ms.is_none() {
            self.e2e_ms = or(self.e2e_ms, EXAMPLE_E2E_MS);
        }
        self.statistic = or(self.statistic, if asks_nothing { "p90" } else { "p95" });
        self.input_tokens = or(self.input_tokens, "512");
        self.output_tokens = or(self.output_tokens, "512");
        self.requests_per_s = or(self.requests_per_s, "1");
        self
    }

    /// The question, or what is wrong with it.
    pub(crate) fn asked(&self, pricing: &Pricing) -> Result<Asked, ApiError> {
        let model = self.model.clone().ok_or_else(|| {
            ApiError::unprocessable("no model was named").with_hint("choose one of those that are known")
        })?;
        let lengths = Lengths {
            input_tokens: number("input_tokens", self.input_tokens.as_deref())?,
            output_tokens: number("output_tokens", self.output_tokens.as_deref())?,
        };
        let requests_per_s = number("requests_per_s", self.requests_per_s.as_deref())?;
        Ok(Asked {
            model,
            question: question(&self.slo()?, requests_per_s, OutputWeight::default())?,
            pricing: pricing.clone(),
            evidence: Evidence::MeasuredElsePublished,
            workload: Workload::Nearest(lengths),
        })
    }

    /// The limits in the words of the API.
    fn slo(&self) -> Result<String, ApiError> {
        let statistic = self.statistic.as_deref().unwrap_or("p95");
        let mut limits = Vec::new();
        for (latency, entered) in [("ttft", &self.ttft_ms), ("itl", &self.itl_ms), ("e2e", &self.e2e_ms)] {
            if entered.is_some() {
                let at_most_ms = number(&format!("{latency}_ms"), entered.as_deref())?;
                limits.push(format!("{latency}_{statistic}_ms<={at_most_ms}"));
            }
        }
        if limits.is_empty() {
            let error =
                ApiError::unprocessable("no limit was given, so that the slowest would be the cheapest");
            return Err(error.with_hint(
                "say how long the first token, a gap between tokens or the whole answer may take",
            ));
        }
        Ok(limits.join(","))
    }

    /// The statistics that can be limited.
    pub(crate) fn statistics(&self) -> impl Iterator<Item = (&'static str, bool)> {
        Statistic::ALL.into_iter().map(|it| (it.as_str(), self.statistic.as_deref() == Some(it.as_str())))
    }
}

fn number(field: &str, text: Option<&str>) -> Result<f64, ApiError> {
    let text = text.unwrap_or_default();
    let parsed: Option<f64> = text.trim().parse().ok();
    parsed
        .filter(|value| value.is_finite() && *value > 0.0)
        .ok_or_else(|| ApiError::unprocessable(format!("{field}: `{text}` is no number above 0")))
}

#[cfg(test)]
mod tests {
    use accelbench_store::models::Coverage;

    use super::QuestionForm;
    use crate::pricing::PriceParts;

    fn known(model: &str) -> Coverage {
        Coverage {
            model: model.to_owned(),
            measured: 0,
            measured_instance_types: 0,
            published: 9,
            published_instance_types: 3,
        }
    }

    fn slo(form: QuestionForm) -> Result<String, String> {
        let form = form.completed(&[known("a/b")]);
        let asked = form.asked(&PriceParts::default().pricing().unwrap());
        asked.map(|asked| format!("{}: {}", asked.model, asked.question.slo)).map_err(|error| error.detail)
    }

    #[test]
    fn a_visitor_who_asks_nothing_sees_an_example() {
        assert_eq!(slo(QuestionForm::default()), Ok("a/b: e2e_p90_ms<=30000".to_owned()));
    }

    #[test]
    fn limits_are_those_that_were_entered() {
        let text = |text: &str| Some(text.to_owned());
        let form = QuestionForm {
            model: text("c/d"),
            ttft_ms: text("500"),
            itl_ms: text("40"),
            ..Default::default()
        };
        assert_eq!(slo(form.clone()), Ok("c/d: ttft_p95_ms<=500 and itl_p95_ms<=40".to_owned()));
        let wrong = QuestionForm { itl_ms: text("fast"), ..form.clone() };
        assert_eq!(slo(wrong), Err("itl_ms: `fast` is no number above 0".to_owned()));
        let none = QuestionForm { ttft_ms: None, itl_ms: None, ..form };
        assert!(slo(none).unwrap_err().contains("no limit"));
    }
}
