//! Many runs at once: the places of a family hold at every instant, all runs end, and nothing is left. How long an
//! accelerator idles around the load is measured on the way.

use accelbench_core::run::Verdict;
use accelbench_store::capacity;
use accelbench_tests::timeline::most_under_way;
use futures::future::join_all;
use serde_json::json;

use super::{Scene, print_line};

const RUNS: usize = 50;
const PLACES: i32 = 8;

#[tokio::test]
#[ignore = "needs a cluster: make test-cluster"]
async fn fifty_runs_on_three_workers_keep_to_eight_places() {
    let mut scene = Scene::new(json!({"loadgen_host": {"cpu_millicores": 10, "memory_mib": 32}})).await;
    let pool = scene.installation.database.pool.clone();
    capacity::set_limit(&mut pool.acquire().await.unwrap(), "kubernetes", PLACES).await.unwrap();
    let mut request = super::on_cluster();
    request["load_points"] = json!([{"concurrency": 1}]);
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(scene.installation.submit(&request).await.unwrap());
    }
    for _ in 0..3 {
        scene.start_worker();
    }
    for (run_id, run) in runs.iter().zip(join_all(runs.iter().map(|id| scene.installation.finish(id))).await)
    {
        let verdict = run.unwrap().phase;
        let events = scene.installation.events(run_id).await;
        assert_eq!(verdict.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    }
    assert_eq!(scene.cluster.objects(None).unwrap(), Vec::<String>::new());

    let most = most_under_way(&pool).await.unwrap();
    assert!(most <= i64::from(PLACES), "{most} runs were under way at once");
    let results: i64 = sqlx::query_scalar("SELECT count(*) FROM results").fetch_one(&pool).await.unwrap();
    assert_eq!(usize::try_from(results).unwrap(), RUNS);
    print_line(&format!(
        "MATRIX | {RUNS} runs on 3 workers | all succeeded | most at once: {most} of {PLACES} | -"
    ));
    idle(&pool).await;
}

/// From the engine's readiness as the worker noted it to the first request, and from the end of the measured window to
/// the order to remove the engine.
async fn idle(pool: &sqlx::PgPool) {
    let idle = "WITH moments AS (
            SELECT run_id,
                min(at) FILTER (WHERE phase = 'loading') AS ready,
                min(at) FILTER (WHERE phase = 'tearing_down') AS removed
            FROM run_events GROUP BY run_id),
        idle AS (
            SELECT extract(epoch FROM result.started_at - moments.ready)::float8
                    - (report.report ->> 'warmup_s')::float8 AS before,
                extract(epoch FROM moments.removed - result.finished_at)::float8 AS after
            FROM moments JOIN results AS result USING (run_id) JOIN load_reports AS report USING (run_id))
        SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY before),
            percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY after) FROM idle";
    let (before, after): (Vec<f64>, Vec<f64>) = sqlx::query_as(idle).fetch_one(pool).await.unwrap();
    print_line(&format!(
        "idle accelerator seconds, ready to first request: p50 {:.2}, p95 {:.2}",
        before[0], before[1]
    ));
    print_line(&format!(
        "idle accelerator seconds, window's end to removal: p50 {:.2}, p95 {:.2}",
        after[0], after[1]
    ));
}
