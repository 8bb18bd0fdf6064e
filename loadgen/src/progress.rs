//! Tells the API once a second how far a load point is.

use std::time::Duration;

use accelbench_core::load::{LoadPlan, LoadProgress, LoadStage};

use crate::attack::Attack;
use crate::intake::Intake;

const INTERVAL: Duration = Duration::from_secs(1);

/// Tells until it is dropped.
pub(crate) async fn tell(intake: &Intake, plan: &LoadPlan, load_point_index: u32, attack: &Attack) {
    let mut previous = (attack.base.elapsed(), 0.0);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(progress) = look(plan, load_point_index, attack, &mut previous) else { return };
        intake.progress(&progress).await;
    }
}

/// Tells that prompts are being cut.
pub(crate) async fn tell_preparing(intake: &Intake, plan: &LoadPlan, load_point_index: u32) {
    let Some(&offered_load) = plan.load_points.get(load_point_index as usize) else { return };
    let progress = LoadProgress {
        load_point_index,
        load_point_count: plan.load_points.len() as u32,
        offered_load,
        stage: LoadStage::Preparing,
        fraction: 0.0,
        requests_completed: 0,
        requests_failed: 0,
        output_tokens_per_s: 0.0,
        ttft_p50_ms: None,
    };
    intake.progress(&progress).await;
}

fn look(
    plan: &LoadPlan,
    load_point_index: u32,
    attack: &Attack,
    previous: &mut (Duration, f64),
) -> Option<LoadProgress> {
    let now = attack.base.elapsed();
    let mut point = attack.point();
    point.look(now);
    let (stage, fraction) = point.progress(now);
    let answers =
        point.samples.iter().chain(&point.uncounted).filter_map(|sample| sample.outcome.as_ref().ok());
    let tokens: f64 = answers.map(|answer| answer.output_tokens as f64).sum();
    let mut ttft_ms: Vec<f64> = point
        .samples
        .iter()
        .filter_map(|sample| {
            Some(sample.outcome.as_ref().ok()?.first_token_at().saturating_sub(sample.sent_at))
        })
        .map(|ttft| ttft.as_secs_f64() * 1000.0)
        .collect();
    let tally = point.tally;
    drop(point);
    let rate = (tokens - previous.1) / (now.saturating_sub(previous.0)).as_secs_f64().max(1e-3);
    *previous = (now, tokens);
    Some(LoadProgress {
        load_point_index,
        load_point_count: plan.load_points.len() as u32,
        offered_load: *plan.load_points.get(load_point_index as usize)?,
        stage,
        fraction,
        requests_completed: tally.completed,
        requests_failed: tally.failed,
        output_tokens_per_s: rate.max(0.0),
        ttft_p50_ms: accelbench_core::stats::Summary::of(&mut ttft_ms).map(|summary| summary.p50),
    })
}
