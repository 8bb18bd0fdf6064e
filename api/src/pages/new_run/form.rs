//! The form that submits a run, as a browser sends it: texts, empty where nothing was entered.

use accelbench_core::dataset::Sha256Hex;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::ApiError;
use crate::submission::Submission;

mod load;

/// What was entered. The token is taken and never shown again.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct RunForm {
    pub(crate) model: String,
    pub(crate) instance_type: String,
    /// An engine of the workers' own machine, or `kubernetes:` with one of the cluster.
    pub(crate) engine: String,
    pub(crate) endpoint: String,
    /// `points`, `sweep` or `search`.
    pub(crate) load: String,
    pub(crate) concurrency: String,
    pub(crate) requests_per_s: String,
    pub(crate) max_concurrency: String,
    pub(crate) slo: String,
    pub(crate) input_tokens: String,
    pub(crate) output_tokens: String,
    pub(crate) min_duration_s: String,
    pub(crate) min_requests: String,
    pub(crate) timeout_min: String,
    pub(crate) dataset: String,
    pub(crate) quantization: String,
    pub(crate) tensor_parallel: String,
    pub(crate) revision: String,
    pub(crate) hf_token: String,
    pub(crate) submitted_by: String,
    /// Differs with each form that is shown, so that sending one twice starts one run.
    pub(crate) nonce: String,
    /// The most that the run may cost, as it was named beside the form when the person pressed the button.
    pub(crate) agreed: String,
    /// The run that measured the same already, when the person was shown it.
    pub(crate) seen_run: String,
}

/// Where a run is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    ThisMachine,
    Endpoint,
    Kubernetes,
}

/// Before the name of an engine on the cluster.
const ON_CLUSTER: &str = "kubernetes:";

impl Default for RunForm {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            model: String::new(),
            instance_type: String::new(),
            engine: text("simulator"),
            endpoint: String::new(),
            load: text("points"),
            concurrency: text("1, 4, 16"),
            requests_per_s: String::new(),
            max_concurrency: text("256"),
            slo: String::new(),
            input_tokens: String::new(),
            output_tokens: String::new(),
            min_duration_s: text("60"),
            min_requests: text("200"),
            timeout_min: text("120"),
            dataset: text("standard"),
            quantization: String::new(),
            tensor_parallel: String::new(),
            revision: String::new(),
            hf_token: String::new(),
            submitted_by: String::new(),
            nonce: String::new(),
            agreed: String::new(),
            seen_run: String::new(),
        }
    }
}

impl RunForm {
    /// The same entries on a new form. An address carries no token.
    pub(crate) fn fresh(self) -> Self {
        let empty = String::new;
        let nonce = Uuid::now_v7().to_string();
        Self { nonce, hf_token: empty(), agreed: empty(), seen_run: empty(), ..self }
    }

    /// Where the run is to be served.
    pub(crate) fn place(&self) -> Place {
        match (self.endpoint.trim().is_empty(), self.engine.starts_with(ON_CLUSTER)) {
            (false, _) => Place::Endpoint,
            (true, true) => Place::Kubernetes,
            (true, false) => Place::ThisMachine,
        }
    }

    /// How long the run may take at most; as usual where the entry cannot be read.
    pub(crate) fn timeout_s(&self) -> u32 {
        self.timeout_min.trim().parse().map_or(7200, |minutes: u32| minutes.saturating_mul(60))
    }

    /// The request that the form asks for.
    pub(crate) fn submission(&self) -> Result<Submission, ApiError> {
        let mut request = json!({
            "model": self.model.trim(),
            "instance_type": self.instance_type(),
            "platform": self.platform(),
            "load_points": self.load_points()?,
            "workload": {"dataset": self.dataset.trim(), "lengths": self.lengths()?},
            "measurement": self.measurement()?,
            "timeout_s": number("timeout_min", &self.timeout_min)?.saturating_mul(60),
            "submitted_by": self.submitted_by.trim(),
            "hf_token": self.hf_token,
        });
        for (name, text) in [("quantization", &self.quantization), ("revision", &self.revision)] {
            if !text.trim().is_empty() {
                request[name] = json!(text.trim());
            }
        }
        if !self.tensor_parallel.trim().is_empty() {
            request["tensor_parallel"] = json!(number("tensor_parallel", &self.tensor_parallel)?);
        }
        if let Some(exploration) = self.exploration()? {
            request["exploration"] = exploration;
        }
        if !self.slo.trim().is_empty() {
            request["slo"] = self.slo.split(',').map(|limit| json!(limit.trim())).collect();
        }
        serde_json::from_value(request).map_err(|error| ApiError::unprocessable(error.to_string()))
    }

    /// The same form with the same entries gives the same key: a second click starts no second run.
    pub(crate) fn idempotency_key(&self, submission: &Submission) -> String {
        let request = json!([self.nonce, submission.spec]);
        format!("form-{}", Sha256Hex::of(request.to_string().as_bytes()))
    }

    fn platform(&self) -> Value {
        match self.place() {
            Place::Endpoint => json!({"kind": "endpoint", "url": self.endpoint.trim()}),
            Place::Kubernetes => {
                json!({"kind": "kubernetes", "engine": self.engine.trim_start_matches(ON_CLUSTER)})
            }
            Place::ThisMachine => json!({"kind": "local", "engine": self.engine}),
        }
    }

    fn instance_type(&self) -> &str {
        match (self.instance_type.trim(), self.place()) {
            ("", Place::ThisMachine) if self.engine == "simulator" => "g6e.xlarge",
            ("", Place::ThisMachine) => "local",
            ("", Place::Endpoint) => "external",
            (given, _) => given,
        }
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

    use super::{Place, RunForm};

    fn form(change: impl FnOnce(&mut RunForm)) -> RunForm {
        let mut form = RunForm { model: " a/b ".to_owned(), ..RunForm::default().fresh() };
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
            ("g6e.xlarge", "kubernetes:vllm", "", "g6e.xlarge"),
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

    #[test]
    fn a_curve_can_be_found_or_given_by_rates() {
        let sweep = form(|form| form.load = "sweep".to_owned()).submission().unwrap().spec;
        assert!(sweep.load_points.is_empty());
        let found = json!({"kind": "sweep", "max_concurrency": 256, "max_load_points": 12});
        assert_eq!(json!(sweep.exploration), found);
        let rates = form(|form| {
            (form.concurrency, form.requests_per_s) = (String::new(), "0.5 2".to_owned());
        });
        let rates = rates.submission().unwrap().spec;
        assert_eq!(rates.load_points.len(), 2);
        assert!(rates.load_points.iter().all(|load| load.is_open()));
    }

    #[test]
    fn a_search_looks_for_the_limits_that_were_entered() {
        let search = form(|form| {
            (form.load, form.slo) = ("search".to_owned(), "ttft_p95_ms<=500, itl_p95_ms<=50".to_owned());
        });
        let spec = search.submission().unwrap().spec;
        assert_eq!(spec.slo.unwrap().to_string(), "ttft_p95_ms<=500 and itl_p95_ms<=50");
        assert_eq!(json!(spec.exploration)["over"], json!({"kind": "concurrency"}));
    }

    #[test]
    fn a_cluster_is_an_engine_with_its_place() {
        let form = form(|form| form.engine = "kubernetes:vllm".to_owned());
        assert_eq!((form.place(), form.timeout_s()), (Place::Kubernetes, 7200));
        assert_eq!(form.platform(), json!({"kind": "kubernetes", "engine": "vllm"}));
    }
}
