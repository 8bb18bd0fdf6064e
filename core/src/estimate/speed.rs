//! How fast each load point would be, by [`crate::prediction`], and how long it would be measured.

use std::num::NonZeroU32;

use super::LoadPointEstimate;
use crate::engine::profile::DeploymentPlan;
use crate::exploration::{Axis, Exploration};
use crate::fit::{KvCachePrecision, ModelFacts, Split};
use crate::instance::InstanceType;
use crate::load::{Measurement, OfferedLoad};
use crate::model::{Model, Quantization};
use crate::observed::Observed;
use crate::prediction::{Estimated, Estimates, Serving, predict};
use crate::run::RunSpec;
use crate::workload::Workload;

/// Steps in which the number of requests under way settles that an open loop keeps.
const SETTLING_STEPS: u32 = 30;

/// The most requests under way that are reckoned with.
const MOST_UNDER_WAY: f64 = 4096.0;

/// The warm-up as a share of the window: it ends by itself, at the latest after the window's length.
const WARM_UP_SHARE: Estimated = Estimated { value: 0.4, low: 0.1, high: 1.0 };

/// Cutting prompts to length before a load point, in seconds; an assumption.
const PREPARING_S: Estimated = Estimated { value: 5.0, low: 1.0, high: 60.0 };

/// The load points that are given, or what an exploration might find.
pub(super) fn load_points(
    spec: &RunSpec,
    model: &Model,
    instance: &InstanceType,
    plan: Option<&DeploymentPlan>,
) -> Vec<LoadPointEstimate> {
    let facts = ModelFacts::from(model);
    let serving = serving(spec, plan);
    let loads = if spec.load_points.is_empty() { explored(spec) } else { spec.load_points.clone() };
    let each = loads.into_iter().map(|offered_load| {
        let speed = match &serving {
            Observed::Value(serving) => speed(&facts, instance, serving, offered_load),
            Observed::Absent(reason) => Observed::Absent(reason.clone()),
        };
        LoadPointEstimate { offered_load, measuring_s: measuring_s(&spec.measurement, &speed), speed }
    });
    each.collect()
}

/// Every second step of what a sweep may double through.
fn explored(spec: &RunSpec) -> Vec<OfferedLoad> {
    let most = match spec.exploration {
        Some(Exploration::Sweep { max_concurrency, .. }) => max_concurrency.get(),
        Some(Exploration::Search { over: Axis::Concurrency, max, .. }) => max as u32,
        Some(Exploration::Search { over: Axis::RequestRate { .. }, .. }) | None => return Vec::new(),
    };
    let steps = [1, 4, 16, 64, 256, 1024, 4096].into_iter().filter(|&step| step <= most);
    steps.filter_map(NonZeroU32::new).map(OfferedLoad::Concurrency).collect()
}

/// How the model would be served, with one request at once.
fn serving(spec: &RunSpec, plan: Option<&DeploymentPlan>) -> Observed<Serving> {
    let Some((input_tokens, cached_input_share, output_tokens)) = mean_lengths(&spec.workload) else {
        return Observed::absent("the lengths of the requests are the dataset's");
    };
    let (quantization, accelerators, replicas) = match plan {
        // The estimate counts chips, whatever their number of cores.
        Some(plan) => {
            let replicas = plan.parallelism.data_parallel.max(1);
            (plan.precision.quantization, plan.parallelism.chips_used.div_ceil(replicas), replicas)
        }
        None => (spec.quantization.unwrap_or(Quantization::Bf16), spec.tensor_parallel, 1),
    };
    Observed::Value(Serving {
        quantization,
        kv_cache: KvCachePrecision::Bf16,
        split: Split::tensor_parallel(accelerators),
        replicas,
        input_tokens,
        cached_input_share,
        output_tokens,
        concurrency: 1.0,
    })
}

/// Mean input, the share of it that a prefix cache knows, and mean output. A later turn repeats all that was said before.
fn mean_lengths(workload: &Workload) -> Option<(f64, f64, f64)> {
    let (question, answer) = workload.lengths.means()?;
    let turns = f64::from(workload.turns);
    let input = question * f64::midpoint(turns, 1.0) + answer * (turns - 1.0) / 2.0;
    let cached = (input - question).max(f64::from(workload.shared_prefix_tokens).min(input));
    Some((input, if input > 0.0 { cached / input } else { 0.0 }, answer))
}

fn speed(
    facts: &ModelFacts,
    instance: &InstanceType,
    serving: &Serving,
    load: OfferedLoad,
) -> Observed<Estimates> {
    let at = |concurrency: f64| predict(facts, instance, &Serving { concurrency, ..*serving });
    let estimates = match load {
        OfferedLoad::Concurrency(requests) => at(f64::from(requests.get())),
        OfferedLoad::RequestRate(rate) => open_loop(rate.per_s, at),
        OfferedLoad::Trace(_) => return Observed::absent("the load is the trace's"),
    };
    estimates.map_or_else(|error| Observed::absent(error.to_string()), Observed::Value)
}

/// By Little's law as many requests are under way as arrive while one of them lasts.
fn open_loop<E>(requests_per_s: f64, at: impl Fn(f64) -> Result<Estimates, E>) -> Result<Estimates, E> {
    let mut under_way = 1.0;
    for _ in 0..SETTLING_STEPS {
        let wanted = requests_per_s * at(under_way)?.e2e_ms.value / 1e3;
        under_way = f64::midpoint(under_way, wanted).clamp(1.0, MOST_UNDER_WAY);
    }
    at(under_way)
}

/// The window lasts as long as the fewest requests take, within its bounds; before it come prompts and a warm-up, after it
/// the last requests.
fn measuring_s(measurement: &Measurement, speed: &Observed<Estimates>) -> Estimated {
    let Measurement { min_duration_s, min_requests, max_duration_s, ramp_up_s } = *measurement;
    let window = |requests_per_s: f64| {
        (f64::from(min_requests) / requests_per_s).clamp(min_duration_s, max_duration_s.max(min_duration_s))
    };
    let (window, drain_s) = match speed {
        Observed::Value(estimates) => {
            let rate = estimates.requests_per_s;
            let drain = estimates.e2e_ms;
            let windows =
                Estimated { value: window(rate.value), low: window(rate.high), high: window(rate.low) };
            (windows, Estimated { value: drain.value / 1e3, low: drain.low / 1e3, high: drain.high / 1e3 })
        }
        Observed::Absent(_) => {
            let value = f64::midpoint(min_duration_s, max_duration_s);
            (Estimated { value, low: min_duration_s, high: max_duration_s }, Estimated::default())
        }
    };
    let of = |part: fn(&Estimated) -> f64| {
        part(&PREPARING_S) + ramp_up_s + part(&window) * (1.0 + part(&WARM_UP_SHARE)) + part(&drain_s)
    };
    Estimated { value: of(|it| it.value), low: of(|it| it.low), high: of(|it| it.high) }
}
