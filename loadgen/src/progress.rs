//! Tells once a second how far a load point is.

use std::time::Duration;

use accelbench_core::load::{LoadPlan, LoadProgress, LoadStage};

use crate::attack::Attack;
use crate::sink::LoadSink;

const INTERVAL: Duration = Duration::from_secs(1);

/// Tells until it is dropped, or until nobody wants the load any more, which comes back.
pub(crate) async fn tell(
    sink: &impl LoadSink,
    plan: &LoadPlan,
    load_point_index: u32,
    attack: &Attack,
) -> anyhow::Error {
    let mut previous = (attack.base.elapsed(), 0);
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(unwanted) = sink.progress(&look(plan, load_point_index, attack, &mut previous)).await {
            return unwanted;
        }
    }
}

/// The progress while prompts are being cut.
pub(crate) fn preparing(plan: &LoadPlan, load_point_index: u32) -> LoadProgress {
    LoadProgress {
        load_point_index,
        load_point_count: expected_points(plan),
        offered_load: plan.load_points[load_point_index as usize],
        stage: LoadStage::Preparing,
        fraction: 0.0,
        requests_completed: 0,
        requests_failed: 0,
        output_tokens_per_s: 0.0,
        ttft_p50_ms: None,
        tpot_p50_ms: None,
    }
}

/// An exploration may end before its last load point.
fn expected_points(plan: &LoadPlan) -> u32 {
    let known = plan.load_points.len() as u32;
    plan.exploration.map_or(known, |exploration| exploration.max_load_points().max(known))
}

fn look(
    plan: &LoadPlan,
    load_point_index: u32,
    attack: &Attack,
    previous: &mut (Duration, u64),
) -> LoadProgress {
    let now = attack.base.elapsed();
    let mut point = attack.point();
    // A window closes on time even when no request begins or ends.
    point.look(now);
    let (stage, fraction) = point.progress(now);
    let tally = point.tally;
    let (ttft_p50_ms, tpot_p50_ms) = (point.so_far.ttft_p50_ms(), point.so_far.tpot_p50_ms());
    drop(point);
    let tokens = tally.output_tokens.saturating_sub(previous.1) as f64;
    let seconds = now.saturating_sub(previous.0).as_secs_f64().max(1e-3);
    *previous = (now, tally.output_tokens);
    LoadProgress {
        stage,
        fraction,
        requests_completed: tally.completed,
        requests_failed: tally.failed,
        output_tokens_per_s: tokens / seconds,
        ttft_p50_ms,
        tpot_p50_ms,
        ..preparing(plan, load_point_index)
    }
}
