//! How long a run would take. What happens on AWS before and after the measurement was not measured: these are assumptions
//! with wide intervals, and are shown apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LoadPointEstimate;
use crate::engine::profile::DeploymentPlan;
use crate::prediction::Estimated;
use crate::run::{PlatformSpec, RunSpec};

/// From the request for a node until it is ready, with its image pulled, in seconds.
const NODE_S: Estimated = Estimated { value: 300.0, low: 90.0, high: 900.0 };

/// From the last report until the node is gone and no longer paid, in seconds.
const TEARDOWN_S: Estimated = Estimated { value: 120.0, low: 30.0, high: 600.0 };

/// How fast weights arrive and are loaded, in GiB per second.
const LOADING_GIB_PER_S: Estimated = Estimated { value: 0.3, low: 0.1, high: 1.0 };

/// What an engine needs besides loading until it answers, in seconds.
const ENGINE_S: Estimated = Estimated { value: 90.0, low: 40.0, high: 240.0 };

/// What compiling for Neuron takes, in seconds.
const COMPILING_S: Estimated = Estimated { value: 1200.0, low: 300.0, high: 3600.0 };

/// A process on this machine, in seconds.
const LOCAL_S: Estimated = Estimated { value: 2.0, low: 1.0, high: 60.0 };

/// How long a run would take, part by part, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunTime {
    /// Until the engine is ready.
    pub startup_s: Estimated,
    /// Warm-ups and measurements of all load points.
    pub measuring_s: Estimated,
    /// Until nothing of the run is left.
    pub teardown_s: Estimated,
    /// Whether start and teardown are assumptions, as on a cluster: nothing of ours has measured them yet.
    pub assumed: bool,
    /// All of it. The run is ended at its time limit, whatever it does.
    pub total_s: Estimated,
    /// The time limit, which does not count the teardown.
    pub timeout_s: u32,
}

impl RunTime {
    pub(super) fn of(
        spec: &RunSpec,
        plan: Option<&DeploymentPlan>,
        load_points: &[LoadPointEstimate],
    ) -> Self {
        let assumed = matches!(spec.platform, PlatformSpec::Kubernetes { .. });
        let (startup_s, teardown_s) =
            if assumed { (on_a_cluster(plan), TEARDOWN_S) } else { (LOCAL_S, Estimated::default()) };
        let measuring_s = measuring(spec, load_points);
        let timeout = f64::from(spec.timeout_s);
        let ended = |part: fn(&Estimated) -> f64| {
            (part(&startup_s) + part(&measuring_s)).min(timeout) + part(&teardown_s)
        };
        let total_s = each(ended);
        Self { startup_s, measuring_s, teardown_s, assumed, total_s, timeout_s: spec.timeout_s }
    }
}

fn on_a_cluster(plan: Option<&DeploymentPlan>) -> Estimated {
    // The simulator has nothing to load.
    let Some(plan) = plan else { return NODE_S };
    let compiling = if plan.profile.compiles() { COMPILING_S } else { Estimated::default() };
    let loading = Estimated {
        value: plan.download_gib / LOADING_GIB_PER_S.value,
        low: plan.download_gib / LOADING_GIB_PER_S.high,
        high: plan.download_gib / LOADING_GIB_PER_S.low,
    };
    let engine = |part: fn(&Estimated) -> f64| part(&ENGINE_S) + part(&compiling) + part(&loading);
    // An engine that is not ready then is given up.
    let budget = f64::from(plan.startup_budget_s);
    Estimated {
        value: NODE_S.value + engine(|it| it.value).min(budget),
        low: NODE_S.low + engine(|it| it.low).min(budget),
        high: NODE_S.high + engine(|it| it.high).min(budget),
    }
}

/// All load points that there may be; an exploration mostly ends before the most that it is allowed.
fn measuring(spec: &RunSpec, load_points: &[LoadPointEstimate]) -> Estimated {
    let sum =
        |part: fn(&Estimated) -> f64| load_points.iter().map(|point| part(&point.measuring_s)).sum::<f64>();
    if spec.exploration.is_none() {
        return each(sum);
    }
    let most = f64::from(spec.most_load_points());
    let window = spec.measurement;
    let shown = (load_points.len() as f64).max(1.0);
    let mean = |part: fn(&Estimated) -> f64, otherwise: f64| {
        if load_points.is_empty() { otherwise } else { sum(part) / shown }
    };
    Estimated {
        value: mean(|it| it.value, f64::midpoint(window.min_duration_s, window.max_duration_s))
            * (most * 0.6),
        low: mean(|it| it.low, window.min_duration_s) * (most * 0.2).max(1.0),
        high: mean(|it| it.high, 2.0 * window.max_duration_s) * most,
    }
}

fn each(of: impl Fn(fn(&Estimated) -> f64) -> f64) -> Estimated {
    Estimated { value: of(|it| it.value), low: of(|it| it.low), high: of(|it| it.high) }
}
