//! What must hold when a round is over: no run lost, none double, one set of results or one reason, nothing left on the
//! machine, never more under way than may be.

use std::time::Duration;

use sqlx::FromRow;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::faults::Fault;
use super::system::{CAP, System};
use crate::timeline::most_under_way;

/// How long what a run left may take to go.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the runs ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) verdicts: Vec<String>,
    pub(super) violations: Vec<String>,
}

#[derive(Debug, FromRow)]
struct Outcome {
    run_id: Uuid,
    engine: Option<String>,
    verdict: Option<String>,
    verdict_reason: Option<String>,
    load_point_count: i32,
    results: i64,
    load_points: i64,
    endings: i64,
    last_phase: Option<String>,
}

pub(super) async fn check(system: &System, runs: &[Uuid], faults: &[Fault]) -> anyhow::Result<Ended> {
    let outcomes = "SELECT run_id, spec -> 'platform' ->> 'engine' AS engine, verdict, verdict_reason, load_point_count,
            (SELECT count(*) FROM results WHERE results.run_id = runs.run_id) AS results,
            (SELECT count(DISTINCT load_point_index) FROM results WHERE results.run_id = runs.run_id) AS load_points,
            (SELECT count(*) FROM run_events WHERE run_events.run_id = runs.run_id
                AND kind = 'phase' AND phase = 'finished') AS endings,
            (SELECT phase FROM run_events WHERE run_events.run_id = runs.run_id AND kind = 'phase'
                ORDER BY sequence DESC LIMIT 1) AS last_phase
        FROM runs WHERE run_id = ANY($1)";
    let outcomes: Vec<Outcome> = sqlx::query_as(outcomes).bind(runs).fetch_all(system.pool()).await?;
    let mut ended = Ended::default();
    if outcomes.len() != runs.len() {
        ended.violations.push(format!("{} of {} runs are there", outcomes.len(), runs.len()));
    }
    for outcome in outcomes {
        ended.violations.extend(wrong(&outcome));
        ended.violations.extend(without_cause(&outcome, faults));
        ended.verdicts.push(called(&outcome));
    }
    ended.violations.extend(left_over(system).await?);
    ended.violations.extend(over_the_cap(system).await?);
    Ok(ended)
}

fn called(outcome: &Outcome) -> String {
    match outcome.verdict.as_deref() {
        Some("failed") if outcome.engine.as_deref() == Some("broken") => "failed (broken engine)".to_owned(),
        verdict => verdict.unwrap_or("not ended").to_owned(),
    }
}

fn wrong(outcome: &Outcome) -> Option<String> {
    let verdict = outcome.verdict.as_deref();
    let whole = (i64::from(outcome.load_point_count), i64::from(outcome.load_point_count));
    let results = (outcome.results, outcome.load_points);
    let right = match verdict {
        Some("succeeded") => results == whole && outcome.verdict_reason.is_none(),
        Some("failed") => results == (0, 0) && outcome.verdict_reason.is_some(),
        Some("cancelled") => results == (0, 0),
        _ => false,
    };
    let told = outcome.endings == 1 && outcome.last_phase.as_deref() == Some("finished");
    (!right || !told).then(|| format!("run {} came out wrong: {outcome:?}", outcome.run_id))
}

/// An engine that works serves its run to the end, whatever happens around it.
fn without_cause(outcome: &Outcome, faults: &[Fault]) -> Option<String> {
    let broken = outcome.engine.as_deref() == Some("broken");
    let failed = outcome.verdict.as_deref() == Some("failed");
    let excused = broken || faults.iter().any(|fault| fault.excuses_a_failure());
    (failed && !excused).then(|| format!("a run failed without cause: {outcome:?}"))
}

/// Processes and folders of runs; the reaper may take a moment.
async fn left_over(system: &System) -> anyhow::Result<Option<String>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let (processes, folders) = (system.installation.run_processes()?, system.installation.run_folders()?);
        if processes.is_empty() && folders.is_empty() {
            return Ok(None);
        }
        if Instant::now() > until {
            return Ok(Some(format!("processes {processes:?} and folders {folders:?} are left")));
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Of all runs so far, by their timelines.
async fn over_the_cap(system: &System) -> anyhow::Result<Option<String>> {
    let most = most_under_way(system.pool()).await?;
    Ok((most > i64::from(CAP)).then(|| format!("{most} runs were under way at once, {CAP} may be")))
}
