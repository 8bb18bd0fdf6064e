//! Works through a plan: one load point after the other, a report for each.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use accelbench_core::dataset::Dataset;
use accelbench_core::exploration::Step;
use accelbench_core::load::{LoadPlan, LoadReport, OfferedLoad, SCHEMA_VERSION};
use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};

use crate::access::Access;
use crate::attack::Attack;
use crate::engine::Engine;
use crate::intake::{Intake, RunOver};
use crate::metrics::{Sampler, Sources};
use crate::options::{LoadgenOptions, run_token};
use crate::point::Point;
use crate::progress;
use crate::prompts::PromptSource;
use crate::ramp_up::RampUp;
use crate::recorder::{self, Circumstances};
use crate::sink::LoadSink;

/// Measures every load point of a run's plan that has no report yet. Success means that every report was acknowledged.
///
/// # Errors
/// What kept a load point from being measured, or a report from being taken; the API was told.
pub async fn run(options: LoadgenOptions) -> anyhow::Result<()> {
    run_with_token(&options, run_token()?).await
}

/// [`run`] with the run's token given instead of taken from the environment.
///
/// # Errors
/// As [`run`].
pub async fn run_with_token(options: &LoadgenOptions, token: String) -> anyhow::Result<()> {
    let intake = Intake::new(options, token)?;
    let outcome = work(&intake, options).await;
    match &outcome {
        Ok(()) => {}
        Err(error) if error.is::<RunOver>() => {
            tracing::warn!(reason = format!("{error:#}"), "the load is not wanted any more");
        }
        Err(error) => {
            let reason = format!("{error:#}");
            tracing::error!(reason, "the load cannot be measured");
            if let Err(untold) = intake.failure(&reason).await {
                tracing::warn!(error = format!("{untold:#}"), "the API could not be told");
            }
        }
    }
    outcome
}

async fn work(intake: &Intake, options: &LoadgenOptions) -> anyhow::Result<()> {
    let (plan, dataset) = intake.plan().await?;
    let access = Access::open(Duration::from_secs(options.request_timeout_s));
    measure(&plan, &dataset, &access, intake).await
}

/// Measures the load points of `plan` that have no report yet, with prompts of `dataset`, and then those that its
/// exploration finds.
///
/// # Errors
/// What kept a load point from being measured, in words for the person who asked for it, or an error of the sink.
pub async fn measure(
    plan: &LoadPlan,
    dataset: &Dataset,
    access: &Access,
    sink: &impl LoadSink,
) -> anyhow::Result<()> {
    ensure!(
        plan.schema_version == SCHEMA_VERSION,
        "the plan has schema version {}, this load generator reads {SCHEMA_VERSION}; use the same release on both sides",
        plan.schema_version
    );
    plan.workload.validate_dataset(dataset, &plan.kinds_of_load())?;
    let engine = Engine::connect(plan, dataset, access).await?;
    let source = PromptSource::new(&engine, plan, dataset).await?;
    for index in (0..plan.load_points.len() as u32).filter(|index| !plan.reported.contains(index)) {
        deliver_point(sink, plan, &engine, &source, index).await?;
    }
    let Some(exploration) = plan.exploration else { return Ok(()) };
    // An exploration adds load points as it goes.
    let (mut plan, mut measured) = (plan.clone(), plan.explored.clone());
    plan.load_points = measured.iter().map(|report| report.offered_load).collect();
    loop {
        match exploration.next(plan.slo.as_ref(), &measured) {
            Step::Done(conclusion) => return sink.conclusion(&conclusion).await,
            Step::Measure(load) => plan.load_points.push(load),
        }
        let index = plan.load_points.len() as u32 - 1;
        measured.push(deliver_point(sink, &plan, &engine, &source, index).await?);
    }
}

async fn deliver_point(
    sink: &impl LoadSink,
    plan: &LoadPlan,
    engine: &Engine,
    source: &PromptSource<'_>,
    index: u32,
) -> anyhow::Result<LoadReport> {
    sink.progress(&progress::preparing(plan, index)).await?;
    let report = measure_point(sink, plan, engine, source, index).await?;
    report
        .validate(plan)
        .context("the report contradicts itself, which is a defect of the load generator")?;
    sink.report(&report).await?;
    tracing::info!(
        load_point = index,
        output_tokens_per_s = report.output_tokens_per_s,
        "a report was acknowledged"
    );
    Ok(report)
}

async fn measure_point(
    sink: &impl LoadSink,
    plan: &LoadPlan,
    engine: &Engine,
    source: &PromptSource<'_>,
    index: u32,
) -> anyhow::Result<LoadReport> {
    let load = plan.load_points[index as usize];
    let wanted = wanted_prompts(plan, load);
    let prompts = source.prepare(index, wanted).await?;
    let (base, base_utc, resent_before) = (Instant::now(), Utc::now(), engine.resent());
    let attack = Attack {
        engine: engine.clone(),
        prompts: Arc::new(prompts),
        point: Arc::new(Mutex::new(Point::new(load, plan.measurement))),
        base,
        turns: plan.workload.turns,
        max_context_tokens: plan.max_context_tokens,
        ramp_up: RampUp::over(plan.measurement.ramp_up_s),
    };
    let sampler = Sampler::start(Sources::of(plan)?, base);
    let loop_lag = tokio::select! {
        ended = attack.run_apart(load, plan.workload.seed) => ended?,
        unwanted = progress::tell(sink, plan, index, &attack) => return Err(unwanted),
    };
    let point = attack.point();
    let commonest = point.commonest_failure().unwrap_or("no request failed");
    let Some(window) = point.window() else {
        bail!("{load}: one request after the other failed; the commonest error: {commonest}");
    };
    let about = Circumstances {
        load_point_index: index,
        base: base_utc,
        loop_lag_p99: loop_lag.p99(window),
        busy_share: loop_lag.busy_share(window),
        clock_drift: clock_drift(base, base_utc),
        looks: sampler.looks(window),
        exact_input: source.is_exact(),
        fresh_prompts: source.fresh_prompts(index, wanted),
        resent: engine.resent() - resent_before,
        replayed: load.trace_speed().map(|_| (attack.prompts.len(), source.dataset_len())),
        due: load
            .trace_speed()
            .and_then(|_| attack.schedule(load, plan.workload.seed))
            .map(|schedule| schedule.due_in(window)),
    };
    recorder::report(plan, &point, &about)
        .with_context(|| format!("{load}; the commonest error: {commonest}"))
}

/// How much further the wall clock went since `base` than the monotonic one.
fn clock_drift(base: Instant, base_utc: DateTime<Utc>) -> TimeDelta {
    let monotonic = TimeDelta::from_std(base.elapsed()).unwrap_or(TimeDelta::MAX);
    (Utc::now() - base_utc) - monotonic
}

/// Prompts that a load point will need, about.
fn wanted_prompts(plan: &LoadPlan, load: OfferedLoad) -> usize {
    let measured = plan.measurement.min_requests as usize * 2;
    match load {
        OfferedLoad::Concurrency(requests) => measured + 4 * requests.get() as usize,
        OfferedLoad::RequestRate(rate) => {
            measured.max((rate.per_s * plan.measurement.min_duration_s * 2.0) as usize)
        }
        // As many as there are.
        OfferedLoad::Trace(_) => usize::MAX,
    }
}
