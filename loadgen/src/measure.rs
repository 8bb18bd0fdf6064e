//! Works through a plan: one load point after the other, a report for each.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use accelbench_core::dataset::Prompt;
use accelbench_core::load::{LoadPlan, LoadReport};
use anyhow::{Context as _, bail};
use chrono::Utc;

use crate::attack::Attack;
use crate::engine::Engine;
use crate::intake::Intake;
use crate::loop_lag::LoopLag;
use crate::options::{LoadgenOptions, run_token};
use crate::point::Point;
use crate::progress;
use crate::prompts::PromptSource;
use crate::recorder::{self, Circumstances};

/// Most prompts that are prepared for a load point; when they are used up they come again with other beginnings.
const MOST_PROMPTS: usize = 2048;

/// Measures every load point of a run's plan that has no report yet. Success means that every report was acknowledged.
///
/// # Errors
/// What kept a load point from being measured, or a report from being taken; the API was told.
pub async fn run(options: LoadgenOptions) -> anyhow::Result<()> {
    let intake = Intake::new(&options, run_token()?)?;
    let (plan, prompts) = intake.plan().await?;
    let outcome = measure_all(&intake, &plan, &prompts, Duration::from_secs(options.request_timeout_s)).await;
    if let Err(error) = &outcome {
        let reason = format!("{error:#}");
        tracing::error!(reason, "the load cannot be measured");
        if let Err(untold) = intake.failure(&reason).await {
            tracing::warn!(error = format!("{untold:#}"), "the API could not be told");
        }
    }
    outcome
}

async fn measure_all(
    intake: &Intake,
    plan: &LoadPlan,
    dataset: &[Prompt],
    request_timeout: Duration,
) -> anyhow::Result<()> {
    let engine = Engine::new(plan, request_timeout)?;
    let source = PromptSource::new(&engine, plan, dataset).await?;
    for index in (0..plan.load_points.len() as u32).filter(|index| !plan.reported.contains(index)) {
        progress::tell_preparing(intake, plan, index).await;
        let report = measure(intake, plan, &engine, &source, index).await?;
        report
            .validate(plan)
            .context("the report contradicts itself, which is a defect of the load generator")?;
        intake.report(&report).await?;
        tracing::info!(
            load_point = index,
            output_tokens_per_s = report.output_tokens_per_s,
            "a report was acknowledged"
        );
    }
    Ok(())
}

async fn measure(
    intake: &Intake,
    plan: &LoadPlan,
    engine: &Engine,
    source: &PromptSource<'_>,
    index: u32,
) -> anyhow::Result<LoadReport> {
    let concurrency = plan.load_points[index as usize].concurrency() as usize;
    let wanted = plan.measurement.min_requests as usize * 2 + 4 * concurrency;
    let prompts = source.prepare(index, wanted.min(MOST_PROMPTS)).await?;
    let attack = Attack {
        engine: engine.clone(),
        prompts: Arc::new(prompts),
        point: Arc::new(Mutex::new(Point::new(concurrency, plan.measurement))),
        base: Instant::now(),
    };
    let base = Utc::now();
    let loop_lag = LoopLag::start();
    tokio::select! {
        ended = attack.run(concurrency) => ended?,
        () = progress::tell(intake, plan, index, &attack) => bail!("the load point is not in the plan"),
    }
    let about = Circumstances {
        load_point_index: index,
        base,
        loop_lag_p99: loop_lag.p99(),
        exact_input: source.is_exact(),
    };
    let point = attack.point();
    if !point.is_over() {
        bail!("concurrency {concurrency}: the load ended before its time");
    }
    if point.window().is_none() {
        let last = point.last_failure().unwrap_or("for an unknown reason");
        bail!("concurrency {concurrency}: one request after the other failed; the last one: {last}");
    }
    recorder::report(plan, &point, about).with_context(|| {
        format!("concurrency {concurrency}: {}", point.last_failure().unwrap_or("no request failed, yet"))
    })
}
