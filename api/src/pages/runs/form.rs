//! The form that submits a run, as a browser sends it: texts, empty where nothing was entered.

use accelbench_core::dataset::Sha256Hex;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::ApiError;
use crate::submission::Submission;

/// What was entered. The token is taken and never shown again.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct RunForm {
    pub(crate) model: String,
    pub(crate) instance_type: String,
    pub(crate) engine: String,
    pub(crate) endpoint: String,
    pub(crate) concurrency: String,
    pub(crate) input_tokens: String,
    pub(crate) output_tokens: String,
    pub(crate) min_duration_s: String,
    pub(crate) min_requests: String,
    pub(crate) dataset: String,
    pub(crate) quantization: String,
    pub(crate) tensor_parallel: String,
    pub(crate) revision: String,
    pub(crate) hf_token: String,
    pub(crate) submitted_by: String,
    /// Differs with each form that is shown, so that sending one twice starts one run.
    pub(crate) nonce: String,
}

impl Default for RunForm {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            model: String::new(),
            instance_type: String::new(),
            engine: text("simulator"),
            endpoint: String::new(),
            concurrency: text("1, 4, 16"),
            input_tokens: String::new(),
            output_tokens: String::new(),
            min_duration_s: text("60"),
            min_requests: text("200"),
            dataset: text("standard"),
            quantization: String::new(),
            tensor_parallel: text("1"),
            revision: String::new(),
            hf_token: String::new(),
            submitted_by: String::new(),
            nonce: Uuid::now_v7().to_string(),
        }
    }
}

impl RunForm {
    /// The request that the form asks for.
    pub(crate) fn submission(&self) -> Result<Submission, ApiError> {
        let mut request = json!({
            "model": self.model.trim(),
            "instance_type": self.instance_type(),
            "platform": self.platform(),
            "tensor_parallel": number("tensor_parallel", &self.tensor_parallel)?,
            "load_points": self.load_points()?,
            "workload": {"dataset": self.dataset.trim(), "lengths": self.lengths()?},
            "measurement": self.measurement()?,
            "submitted_by": self.submitted_by.trim(),
            "hf_token": self.hf_token,
        });
        for (name, text) in [("quantization", &self.quantization), ("revision", &self.revision)] {
            if !text.trim().is_empty() {
                request[name] = json!(text.trim());
            }
        }
        serde_json::from_value(request).map_err(|error| ApiError::unprocessable(error.to_string()))
    }

    /// The same form with the same entries gives the same key: a second click starts no second run.
    pub(crate) fn idempotency_key(&self, submission: &Submission) -> String {
        let request = json!([self.nonce, submission.spec]);
        format!("form-{}", Sha256Hex::of(request.to_string().as_bytes()))
    }

    fn platform(&self) -> Value {
        match self.endpoint.trim() {
            "" => json!({"kind": "local", "engine": self.engine}),
            url => json!({"kind": "endpoint", "url": url}),
        }
    }

    fn instance_type(&self) -> &str {
        match (self.instance_type.trim(), self.endpoint.trim(), self.engine.as_str()) {
            ("", "", "simulator") => "g6e.xlarge",
            ("", "", _) => "local",
            ("", _, _) => "external",
            (given, _, _) => given,
        }
    }

    fn load_points(&self) -> Result<Vec<Value>, ApiError> {
        let texts = self.concurrency.split([',', ';', ' ']).filter(|text| !text.is_empty());
        texts.map(|text| Ok(json!({"concurrency": number("concurrency", text)?}))).collect()
    }

    fn measurement(&self) -> Result<Value, ApiError> {
        let min_duration_s = decimal("min_duration_s", &self.min_duration_s)?;
        Ok(json!({
            "min_duration_s": min_duration_s,
            "min_requests": number("min_requests", &self.min_requests)?,
            "max_duration_s": 600.0_f64.max(min_duration_s),
        }))
    }

    fn lengths(&self) -> Result<Value, ApiError> {
        Ok(match (self.input_tokens.trim(), self.output_tokens.trim()) {
            ("", "") => json!({"kind": "table", "table": "sharegpt"}),
            ("", output) => {
                json!({"kind": "as_in_dataset", "output_tokens": number("output_tokens", output)?})
            }
            (_, "") => {
                let problem = "output_tokens: give it together with the input tokens, or leave both empty";
                return Err(ApiError::unprocessable(problem));
            }
            (input, output) => json!({
                "kind": "fixed", "input_tokens": number("input_tokens", input)?,
                "output_tokens": number("output_tokens", output)?,
            }),
        })
    }
}

fn number(field: &str, text: &str) -> Result<u32, ApiError> {
    let parsed = text.trim().parse();
    parsed
        .map_err(|_not_a_number| ApiError::unprocessable(format!("{field}: `{text}` is not a whole number")))
}

fn decimal(field: &str, text: &str) -> Result<f64, ApiError> {
    let parsed: Option<f64> = text.trim().parse().ok().filter(|value: &f64| value.is_finite());
    parsed.ok_or_else(|| ApiError::unprocessable(format!("{field}: `{text}` is not a number")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::RunForm;

    fn form(change: impl FnOnce(&mut RunForm)) -> RunForm {
        let mut form = RunForm { model: " a/b ".to_owned(), ..RunForm::default() };
        change(&mut form);
        form
    }

    #[test]
    fn what_is_left_empty_follows_from_the_rest() {
        for (instance, engine, endpoint, expected) in [
            ("", "simulator", "", "g6e.xlarge"),
            ("", "vllm", "", "local"),
            ("", "simulator", "http://engine:8000", "external"),
            ("p5.48xlarge", "simulator", "", "p5.48xlarge"),
        ] {
            let form = form(|form| {
                (form.instance_type, form.engine, form.endpoint) =
                    (instance.to_owned(), engine.to_owned(), endpoint.to_owned());
            });
            let spec = form.submission().unwrap().spec;
            assert_eq!((spec.instance_type.as_str(), spec.model.as_str()), (expected, "a/b"));
        }
    }

    #[test]
    fn lengths_are_fixed_or_measured_or_the_datasets() {
        for (input, output, expected) in [
            ("", "", json!({"kind": "table", "table": "sharegpt"})),
            ("", "64", json!({"kind": "as_in_dataset", "output_tokens": 64})),
            ("128", "64", json!({"kind": "fixed", "input_tokens": 128, "output_tokens": 64})),
        ] {
            let form =
                form(|form| (form.input_tokens, form.output_tokens) = (input.to_owned(), output.to_owned()));
            assert_eq!(json!(form.submission().unwrap().spec.workload.lengths), expected);
        }
    }

    #[test]
    fn bad_entries_are_named() {
        for (form, detail) in [
            (form(|form| form.input_tokens = "128".to_owned()), "output_tokens: give it together"),
            (
                form(|form| form.concurrency = "1, many".to_owned()),
                "concurrency: `many` is not a whole number",
            ),
            (form(|form| form.min_duration_s = "inf".to_owned()), "min_duration_s: `inf` is not a number"),
            (form(|form| form.model = "a b".to_owned()), "model: `a b` is not a model id"),
        ] {
            let error = form.submission().unwrap_err();
            assert!(error.detail.contains(detail), "{}", error.detail);
        }
    }

    #[test]
    fn only_the_same_entries_on_the_same_form_are_the_same_request() {
        let key = |form: &RunForm| form.idempotency_key(&form.submission().unwrap());
        let first = form(|_| {});
        assert_eq!(key(&first), key(&first));
        assert_ne!(key(&first), key(&form(|_| {})));
        let changed = form(|form| {
            form.nonce.clone_from(&first.nonce);
            form.concurrency = "2".to_owned();
        });
        assert_ne!(key(&first), key(&changed));
    }
}
