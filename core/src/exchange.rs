//! Reports in the forms of other tools, for those who compare with them, and what such tools measured.

use serde_json::Value;

use crate::load::LoadReport;

pub mod import;
mod llm_d;
mod vllm;

/// A form that other tools read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The file that `vllm bench serve --save-result` writes.
    Vllm,
    /// The benchmark report of llm-d, version 0.2.1.
    LlmD,
}

impl Form {
    /// A report in this form. `model` is the name under which the model was served. Percentiles that too few requests
    /// carry are left out.
    #[must_use]
    pub fn export(self, report: &LoadReport, model: &str) -> Value {
        match self {
            Self::Vllm => vllm::export(report, model),
            Self::LlmD => llm_d::export(report, model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Form;
    use crate::load::examples::{plan, report};

    /// The keys of a file of vLLM 0.32 that was written without --save-detailed, but for the lists of single requests.
    const VLLM_KEYS: [&str; 20] = [
        "date",
        "endpoint_type",
        "backend",
        "label",
        "model_id",
        "tokenizer_id",
        "num_prompts",
        "request_rate",
        "burstiness",
        "max_concurrency",
        "duration",
        "completed",
        "failed",
        "total_input_tokens",
        "total_output_tokens",
        "request_throughput",
        "request_goodput",
        "output_throughput",
        "total_token_throughput",
        "mean_e2el_ms",
    ];

    #[test]
    fn vllm_s_keys_are_all_there() {
        let mut report = report(&plan(), 0);
        report.requests_completed = 2000;
        let json = Form::Vllm.export(&report, "m");
        for key in VLLM_KEYS {
            assert!(json.get(key).is_some(), "{key}");
        }
        for latency in ["ttft", "tpot", "itl", "e2el"] {
            for statistic in ["mean", "median", "std", "p50", "p90", "p95", "p99"] {
                let key = format!("{statistic}_{latency}_ms");
                assert!(json[&key].as_f64().is_some_and(|value| value > 0.0), "{key}: {}", json[&key]);
            }
        }
        assert_eq!((&json["request_rate"], &json["max_concurrency"]), (&"inf".into(), &1.into()));
        assert_eq!((&json["median_ttft_ms"], &json["model_id"]), (&100.0.into(), &"m".into()));
    }

    #[test]
    fn percentiles_without_support_are_left_out() {
        let report = report(&plan(), 0);
        assert_eq!(Form::Vllm.export(&report, "m").get("p99_ttft_ms"), None);
        let json = Form::LlmD.export(&report, "m");
        let ttft = &json["results"]["request_performance"]["aggregate"]["latency"]["time_to_first_token"];
        assert_eq!((ttft.get("p99"), &ttft["p95"], &ttft["units"]), (None, &0.17.into(), &"s".into()));
    }

    #[test]
    fn llm_d_s_units_are_seconds_and_its_series_have_moments() {
        let json = Form::LlmD.export(&report(&plan(), 0), "m");
        assert_eq!(json["version"], "0.2.1");
        let performance = &json["results"]["request_performance"];
        assert_eq!(performance["aggregate"]["requests"]["total"], 240);
        assert_eq!(performance["aggregate"]["throughput"]["output_token_rate"]["mean"], 824.0);
        let series = &performance["time_series"]["throughput"]["output_token_rate"]["series"];
        assert_eq!((series.as_array().unwrap().len(), &series[0]["value"]), (60, &824.0.into()));
        assert!(series[1]["ts"].as_str().unwrap() > series[0]["ts"].as_str().unwrap());
    }
}
