//! What can be known to be wrong with a request before any money is spent, from the request alone. What needs the
//! database (unknown model, instance type, engine, dataset) is checked where it is submitted.

use std::num::NonZeroU32;

use super::{PlatformSpec, RunSpec};
use crate::engine::EngineName;
use crate::exploration::{Axis, Exploration};
use crate::instance::InstanceTypeName;
use crate::load::{Measurement, OfferedLoad, RequestRate};
use crate::slo::Slo;
use crate::workload::InvalidWorkload;

/// Most load points of one run.
pub const MAX_LOAD_POINTS: usize = 32;

/// Most simultaneous requests of one load point.
pub const MAX_CONCURRENCY: u32 = 4096;

/// Longest time-out of a run, in seconds.
pub const MAX_TIMEOUT_S: u32 = 24 * 3600;

/// Why a request for a run is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidSpec {
    /// The text is no run id.
    #[error("`{0}` is not a run id; list the runs to find it")]
    RunId(String),
    /// There is no load point, or there are too many.
    #[error("{0} load points were given; give 1 to {MAX_LOAD_POINTS}")]
    LoadPointCount(usize),
    /// A load point is given twice.
    #[error("{0} is given twice; give each load point once")]
    LoadPointTwice(OfferedLoad),
    /// The request rate is out of range.
    #[error("{0} requests/s is not within 0.001 to 10000")]
    RequestRate(f64),
    /// The burstiness of the arrivals is out of range.
    #[error("burstiness {0} is not within 0.01 to 100; 1 is Poisson, less is burstier")]
    Burstiness(f64),
    /// The speed of a trace is out of range.
    #[error("speed {0} is not within 0.001 to 1000; 1 replays the trace as it was")]
    TraceSpeed(f64),
    /// Too many simultaneous requests.
    #[error("concurrency {0} is more than {MAX_CONCURRENCY}, which one load generator can hold")]
    Concurrency(u32),
    /// The lengths are impossible.
    #[error(transparent)]
    Workload(#[from] InvalidWorkload),
    /// The exploration is impossible.
    #[error("{0}")]
    Exploration(&'static str),
    /// The measured window is impossible.
    #[error("{0}")]
    Measurement(&'static str),
    /// The time-out is out of range.
    #[error("timeout_s is {0}; it must be 60 to {MAX_TIMEOUT_S}")]
    Timeout(u32),
    /// The most that may be spent is out of range.
    #[error("max_cost_usd is {0}; it must be above 0 and at most 1000000")]
    MaxCost(f64),
    /// The tensor parallel degree is out of range.
    #[error("tensor_parallel is {0}; it must be 1 to 64")]
    TensorParallel(u32),
    /// The endpoint cannot be called.
    #[error(
        "the endpoint `{0}` must be an http:// or https:// URL with a host and without user, password, query or fragment"
    )]
    Endpoint(String),
    /// A cluster has no engines of the operator's own.
    #[error("there is no engine `{0}` on a cluster; give vllm or simulator")]
    ClusterEngine(EngineName),
    /// The instance type does not go with the platform.
    #[error("instance type `{instance_type}` does not go with the {platform} platform: {hint}")]
    InstanceType {
        /// The instance type that was asked for.
        instance_type: InstanceTypeName,
        /// The platform that was asked for.
        platform: &'static str,
        /// What to ask for instead.
        hint: &'static str,
    },
}

impl RunSpec {
    /// Checks everything that the request itself shows.
    ///
    /// # Errors
    /// The first [`InvalidSpec`] found.
    pub fn validate(&self) -> Result<(), InvalidSpec> {
        self.workload.validate()?;
        match (self.exploration, self.load_points.is_empty()) {
            (None, _) => validate_load_points(&self.load_points)?,
            (Some(exploration), true) => validate_exploration(&exploration, self.slo.as_ref())?,
            (Some(_), false) => {
                return Err(InvalidSpec::Exploration(
                    "give load points or an exploration, not both; with an exploration, load_points is []",
                ));
            }
        }
        validate_measurement(&self.measurement)?;
        if !(60..=MAX_TIMEOUT_S).contains(&self.timeout_s) {
            return Err(InvalidSpec::Timeout(self.timeout_s));
        }
        if let Some(max_cost_usd) = self.max_cost_usd.filter(|most| !(*most > 0.0 && *most <= 1e6)) {
            return Err(InvalidSpec::MaxCost(max_cost_usd));
        }
        if !(1..=64).contains(&self.tensor_parallel) {
            return Err(InvalidSpec::TensorParallel(self.tensor_parallel));
        }
        self.validate_platform()
    }

    fn validate_platform(&self) -> Result<(), InvalidSpec> {
        let unsuitable = |hint| {
            Err(InvalidSpec::InstanceType {
                instance_type: self.instance_type.clone(),
                platform: self.platform.as_str(),
                hint,
            })
        };
        match &self.platform {
            PlatformSpec::Endpoint { url } => {
                let callable = matches!(url.scheme(), "http" | "https")
                    && url.host_str().is_some_and(|host| !host.is_empty())
                    && url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none();
                if !callable {
                    return Err(InvalidSpec::Endpoint(url.to_string()));
                }
                if self.instance_type == InstanceTypeName::local() {
                    return unsuitable("say which AWS instance type serves it, or `external`");
                }
                Ok(())
            }
            PlatformSpec::Local { engine } if engine.is_simulator() && !self.instance_type.is_aws() => {
                unsuitable("the simulator needs an AWS instance type to imitate, for instance g6e.xlarge")
            }
            PlatformSpec::Local { engine }
                if !engine.is_simulator() && self.instance_type != InstanceTypeName::local() =>
            {
                unsuitable("a real engine on this machine is measured as `local`")
            }
            PlatformSpec::Kubernetes { .. } if !self.instance_type.is_aws() => {
                unsuitable("say which AWS instance type the nodes are to be, for instance g6e.xlarge")
            }
            PlatformSpec::Kubernetes { engine }
                if !engine.is_simulator() && *engine != EngineName::vllm() =>
            {
                Err(InvalidSpec::ClusterEngine(engine.clone()))
            }
            PlatformSpec::Local { .. } | PlatformSpec::Kubernetes { .. } => Ok(()),
        }
    }
}

/// Checks load points and how long each is measured.
///
/// # Errors
/// The first [`InvalidSpec`] found.
pub fn validate_load(load_points: &[OfferedLoad], measurement: &Measurement) -> Result<(), InvalidSpec> {
    validate_load_points(load_points)?;
    validate_measurement(measurement)
}

fn validate_load_points(load_points: &[OfferedLoad]) -> Result<(), InvalidSpec> {
    if load_points.is_empty() || load_points.len() > MAX_LOAD_POINTS {
        return Err(InvalidSpec::LoadPointCount(load_points.len()));
    }
    for (index, load) in load_points.iter().enumerate() {
        validate_load_point(*load)?;
        if load_points[..index].contains(load) {
            return Err(InvalidSpec::LoadPointTwice(*load));
        }
    }
    Ok(())
}

/// Checks how load points are to be found.
///
/// # Errors
/// The first [`InvalidSpec`] found.
pub fn validate_exploration(exploration: &Exploration, slo: Option<&Slo>) -> Result<(), InvalidSpec> {
    let most = exploration.max_load_points() as usize;
    if !(1..=MAX_LOAD_POINTS).contains(&most) {
        return Err(InvalidSpec::LoadPointCount(most));
    }
    match *exploration {
        Exploration::Sweep { max_concurrency, .. } => {
            validate_load_point(OfferedLoad::Concurrency(max_concurrency))
        }
        Exploration::Search { .. } if slo.is_none() => {
            Err(InvalidSpec::Exploration("a search needs an SLO, for instance ttft_p95_ms<=500"))
        }
        Exploration::Search { max, .. } if !(1.0..=f64::from(MAX_CONCURRENCY)).contains(&max) => {
            Err(InvalidSpec::Exploration("the highest load of a search must be 1 to 4096"))
        }
        Exploration::Search { over: Axis::RequestRate { arrivals }, max, .. } => {
            validate_load_point(OfferedLoad::RequestRate(RequestRate { per_s: max, arrivals }))
        }
        Exploration::Search { over: Axis::Concurrency, .. } => Ok(()),
    }
}

pub(crate) fn validate_load_point(load: OfferedLoad) -> Result<(), InvalidSpec> {
    match load {
        OfferedLoad::Concurrency(requests) if requests.get() > MAX_CONCURRENCY => {
            Err(InvalidSpec::Concurrency(requests.get()))
        }
        OfferedLoad::RequestRate(rate) if !(0.001..=10_000.0).contains(&rate.per_s) => {
            Err(InvalidSpec::RequestRate(rate.per_s))
        }
        OfferedLoad::Trace(replay) if !(0.001..=1000.0).contains(&replay.speed) => {
            Err(InvalidSpec::TraceSpeed(replay.speed))
        }
        OfferedLoad::RequestRate(rate) => match rate.arrivals.burstiness() {
            Some(burstiness) if !(0.01..=100.0).contains(&burstiness) => {
                Err(InvalidSpec::Burstiness(burstiness))
            }
            _ => Ok(()),
        },
        OfferedLoad::Concurrency(_) | OfferedLoad::Trace(_) => Ok(()),
    }
}

fn validate_measurement(measurement: &Measurement) -> Result<(), InvalidSpec> {
    let Measurement { min_duration_s, min_requests, max_duration_s, ramp_up_s } = *measurement;
    if !(1.0..=3600.0).contains(&min_duration_s) {
        return Err(InvalidSpec::Measurement("measurement.min_duration_s must be 1 to 3600"));
    }
    if !(1..=1_000_000).contains(&min_requests) {
        return Err(InvalidSpec::Measurement("measurement.min_requests must be 1 to 1000000"));
    }
    if !(max_duration_s >= min_duration_s && max_duration_s <= 7200.0) {
        return Err(InvalidSpec::Measurement("measurement.max_duration_s must be min_duration_s to 7200"));
    }
    if !(0.0..=600.0).contains(&ramp_up_s) {
        return Err(InvalidSpec::Measurement("measurement.ramp_up_s must be 0 to 600"));
    }
    Ok(())
}

/// 1, 4 and 16 simultaneous requests.
pub(super) fn default_load_points() -> Vec<OfferedLoad> {
    [1, 4, 16].into_iter().filter_map(NonZeroU32::new).map(OfferedLoad::Concurrency).collect()
}

/// Two hours.
pub(super) fn default_timeout_s() -> u32 {
    2 * 3600
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::run::RunSpec;

    fn with(path: &str, value: Value) -> Result<(), String> {
        let mut spec = json!({
            "model": "meta-llama/Llama-3.1-8B", "instance_type": "g6e.xlarge",
            "platform": {"kind": "local", "engine": "simulator"},
            "workload": {"lengths": {"kind": "fixed", "input_tokens": 128, "output_tokens": 64}},
            "load_points": [{"concurrency": 1}, {"concurrency": 8}],
            "measurement": {"min_duration_s": 10.0},
        });
        match spec.pointer_mut(path) {
            Some(place) => *place = value,
            None => spec[path.trim_start_matches('/')] = value,
        }
        let spec: RunSpec = serde_json::from_value(spec).map_err(|error| error.to_string())?;
        spec.validate().map_err(|error| error.to_string())
    }

    #[test]
    fn a_sound_request_passes() {
        assert_eq!(with("/timeout_s", json!(7200)), Ok(()));
    }

    #[test]
    fn each_impossible_request_is_refused_with_its_reason() {
        for (path, value, part) in [
            ("/load_points", json!([]), "0 load points"),
            ("/load_points/1/concurrency", json!(1), "given twice"),
            ("/load_points/0/concurrency", json!(0), "nonzero"),
            ("/load_points/0", json!({"request_rate": {"per_s": 0.0}}), "0 requests/s is not within"),
            (
                "/load_points/0",
                json!({"request_rate": {"per_s": 1.0, "arrivals": {"kind": "gamma", "burstiness": -1}}}),
                "burstiness -1",
            ),
            (
                "/load_points/0",
                json!({"request_rate": {"per_s": 1.0, "arrivals": {"kind": "gamma"}}}),
                "burstiness",
            ),
            (
                "/load_points",
                json!([{"request_rate": {"per_s": 2.0}}, {"request_rate": {"per_s": 2.0, "arrivals": {"kind": "poisson"}}}]),
                "given twice",
            ),
            ("/load_points/0/concurrency", json!(100_000), "more than 4096"),
            ("/workload/lengths/input_tokens", json!(0), "input_tokens is 0"),
            ("/workload/lengths/output_tokens", json!(-1), "invalid value"),
            ("/measurement/min_duration_s", json!(0.0), "min_duration_s"),
            ("/measurement", json!({"min_duration_s": 20.0, "max_duration_s": 10.0}), "max_duration_s"),
            ("/measurement", json!({"min_duration_s": 20.0, "ramp_up_s": -1.0}), "ramp_up_s"),
            ("/timeout_s", json!(1), "timeout_s is 1"),
            ("/tensor_parallel", json!(0), "tensor_parallel is 0"),
            ("/max_cost_usd", json!(0), "max_cost_usd is 0"),
            ("/max_cost_usd", json!(-2.5), "max_cost_usd is -2.5"),
            ("/platform", json!({"kind": "endpoint", "url": "ftp://host/"}), "must be an http"),
            ("/platform", json!({"kind": "endpoint", "url": "http://user:pw@host/"}), "must be an http"),
            ("/platform", json!({"kind": "local", "engine": "vllm"}), "measured as `local`"),
            ("/instance_type", json!("local"), "instance type to imitate"),
            ("/platform", json!({"kind": "kubernetes", "engine": "llama"}), "no engine `llama` on a cluster"),
            ("/concurency", json!(5), "unknown field"),
        ] {
            let error = with(path, value.clone()).unwrap_err();
            assert!(error.contains(part), "{path} = {value}: {error}");
        }
    }
}
