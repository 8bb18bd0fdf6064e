//! Several worker processes on one queue.

use accelbench_core::run::Verdict;
use accelbench_store::capacity;
use accelbench_tests::installation::{Installation, request};
use accelbench_tests::timeline::most_under_way;
use futures::future::join_all;

const RUNS: usize = 6;
const PLACES: i32 = 2;

#[tokio::test]
async fn places_priorities_and_schedules_hold_over_all_workers() {
    let mut installation = Installation::start().await.unwrap();
    let pool = installation.database.pool.clone();
    for group in ["*", "local"] {
        capacity::set_limit(&mut pool.acquire().await.unwrap(), group, PLACES).await.unwrap();
    }
    installation.offer_simulator().await.unwrap();
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(installation.submit(&request("simulator")).await.unwrap());
    }
    // The first two to arrive are the catalog's: people's runs, which came later, go before them.
    let catalog = "UPDATE runs SET priority = 'catalog' WHERE run_id = ANY($1::uuid[])";
    sqlx::query(catalog).bind(&runs[..2]).execute(&pool).await.unwrap();
    for _ in 0..3 {
        installation.start_worker(&[]).unwrap();
    }
    for run in join_all(runs.iter().map(|run_id| installation.finish(run_id))).await {
        assert_eq!(run.unwrap().phase.verdict(), Some(&Verdict::Succeeded));
    }

    assert_eq!(most_under_way(&pool).await.unwrap(), i64::from(PLACES), "runs under way at once");

    let order =
        "SELECT run_id::text FROM run_events WHERE phase = 'deploying' AND kind = 'phase' ORDER BY at";
    let order: Vec<String> = sqlx::query_scalar(order).fetch_all(&pool).await.unwrap();
    assert_eq!(order.len(), RUNS, "each run began once");
    assert!(order[..RUNS - 2].iter().all(|run_id| !runs[..2].contains(run_id)), "{order:?} {runs:?}");

    each_tick_was_enqueued_once(&installation).await;
}

async fn each_tick_was_enqueued_once(installation: &Installation) {
    let jobs = "SELECT count(*), count(DISTINCT job ->> 'due_at') FROM (
            SELECT convert_from(job, 'UTF8')::jsonb AS job FROM apalis.jobs WHERE job_type = 'schedules') jobs
        WHERE job ->> 'schedule' = 'sweep'";
    let pool = &installation.database.pool;
    let (enqueued, ticks): (i64, i64) = sqlx::query_as(jobs).fetch_one(pool).await.unwrap();
    assert!(enqueued >= 2, "the sweeper's schedule had {enqueued} ticks");
    assert_eq!(enqueued, ticks, "a tick was enqueued twice");
}
