//! Whole runs with the built program: success, and the death of workers in every phase.

use std::time::Instant;

use accelbench_core::run::Verdict;
use accelbench_tests::installation::{Installation, request};
use nix::sys::signal::{Signal, kill};
use serde_json::json;
use sqlx::AssertSqlSafe;

/// An engine that takes a moment to start, so that a test can act meanwhile.
fn slow_engine() -> String {
    let program = Installation::program().unwrap();
    format!(
        "slow={} simulate --host {{host}} --port {{port}} --model {{model}} --timing fixed --ttft-ms 20 --itl-ms 5 --start-delay-ms 1500",
        program.display()
    )
}

async fn succeeded_with_one_set_of_results(installation: &Installation, run_id: &str) {
    let run = installation.finish(run_id).await.unwrap();
    let events = installation.events(run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    let results = installation.results(run_id).await.unwrap();
    let concurrencies: Vec<_> =
        results.iter().map(|result| result["offered_load"]["concurrency"].clone()).collect();
    assert_eq!(concurrencies, [json!(1), json!(2)]);
    assert_eq!(installation.run_processes().unwrap(), Vec::<i32>::new(), "processes of the run are left");
    let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<_>>(), "the timeline has gaps");
}

#[tokio::test]
async fn a_run_goes_from_submit_to_results_and_leaves_nothing() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    succeeded_with_one_set_of_results(&installation, &run_id).await;

    let result = &installation.results(&run_id).await.unwrap()[0];
    assert_eq!(result["provenance"]["origin"], "simulated");
    assert_eq!(result["report"]["output_tokens"]["mean"], 8.0);
    assert_eq!(result["report"]["input_tokens"]["mean"], 16.0);
    let measured = installation.get("/api/v1/catalog").await.unwrap();
    assert_eq!(measured["items"], json!([]), "simulated results stand among measured ones");
    let simulated = installation.get("/api/v1/results?include_invalid=true&origin=simulated").await.unwrap();
    assert_eq!(simulated["results"].as_array().unwrap().len(), 2);
    let page = installation.get(&format!("/runs/{run_id}")).await.unwrap();
    assert!(page.as_str().unwrap().contains("SIMULATED"));
    let log = installation.get(&format!("/api/v1/runs/{run_id}/logs/loadgen")).await.unwrap();
    assert!(log.as_str().unwrap().contains("acknowledged"), "{log}");
}

#[tokio::test]
async fn a_run_at_a_request_rate_keeps_how_its_requests_arrived() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let mut request = request("simulator");
    let rate = json!({"per_s": 6.0, "arrivals": {"kind": "gamma", "burstiness": 4.0}});
    request["load_points"] = json!([{"request_rate": rate}]);
    let run_id = installation.submit(&request).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    let events = installation.events(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    let results = installation.results(&run_id).await.unwrap();
    assert_eq!(results[0]["offered_load"]["request_rate"], rate);
    let columns =
        "SELECT request_rate_per_s, arrivals, arrivals_burstiness, concurrency IS NULL FROM results";
    let row: (f64, String, f64, bool) =
        sqlx::query_as(columns).fetch_one(&installation.database.pool).await.unwrap();
    assert_eq!(row, (6.0, "gamma".to_owned(), 4.0, true));
    let page = installation.get(&format!("/runs/{run_id}")).await.unwrap();
    assert!(page.as_str().unwrap().contains("6 requests/s gamma 4"));
}

/// Holds the first step out of a phase in the middle of its transaction, for as long as a test needs to look and kill.
const HOLD: &str = "
    CREATE SEQUENCE holds;
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.phase = TG_ARGV[0] AND NEW.phase <> OLD.phase AND nextval('holds') = 1 THEN
            PERFORM pg_sleep(2);
        END IF;
        RETURN NEW;
    END $$;";

/// The worker is killed in the middle of the step that leaves `phase`: the phase's work is done, and its transaction is
/// open. Another worker carries on.
async fn survives_the_death_of_its_worker(phase: &str) {
    let mut installation = Installation::start().await.unwrap();
    let pool = installation.database.pool.clone();
    let trigger = format!(
        "{HOLD} CREATE TRIGGER hold BEFORE UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION hold('{phase}')"
    );
    sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&pool).await.unwrap();
    let engine = slow_engine();
    let first = installation.start_worker(&[&engine]).unwrap();
    let run_id = installation.submit(&request("slow")).await.unwrap();
    let held =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    installation
        .until("the step is held", async || {
            Ok(sqlx::query_scalar::<_, i64>(held).fetch_one(&pool).await? == 1)
        })
        .await
        .unwrap();
    kill(first, Signal::SIGKILL).unwrap();
    assert_eq!(installation.run(&run_id).await.unwrap().phase.as_str(), phase);
    takes_over(&mut installation, &run_id, &engine).await;
}

/// Another worker has the run within the length of a lease and a look, and takes it to its end.
#[expect(clippy::print_stderr, reason = "a figure for who reads the test's output")]
async fn takes_over(installation: &mut Installation, run_id: &str, engine: &str) {
    let killed_at = Instant::now();
    installation.start_worker(&[engine]).unwrap();
    let epoch = "SELECT epoch FROM runs WHERE run_id = $1::uuid";
    let lease = || sqlx::query_scalar::<_, i64>(epoch).bind(run_id).fetch_one(&installation.database.pool);
    let before = lease().await.unwrap();
    installation.until("another worker has the run", async || Ok(lease().await? > before)).await.unwrap();
    eprintln!("the run was resumed {:.1} s after its worker was killed", killed_at.elapsed().as_secs_f64());
    succeeded_with_one_set_of_results(installation, run_id).await;
}

#[tokio::test]
async fn a_worker_killed_while_claiming_a_place_costs_seconds() {
    survives_the_death_of_its_worker("queued").await;
}

#[tokio::test]
async fn a_worker_killed_while_deploying_costs_seconds() {
    survives_the_death_of_its_worker("deploying").await;
}

#[tokio::test]
async fn a_worker_killed_while_the_engine_starts_costs_seconds() {
    survives_the_death_of_its_worker("awaiting_ready").await;
}

#[tokio::test]
async fn a_worker_killed_after_the_load_costs_seconds() {
    survives_the_death_of_its_worker("loading").await;
}

#[tokio::test]
async fn a_worker_killed_while_the_load_is_on_costs_seconds() {
    let mut installation = Installation::start().await.unwrap();
    let engine = slow_engine();
    let first = installation.start_worker(&[&engine]).unwrap();
    let run_id = installation.submit(&request("slow")).await.unwrap();
    installation.reach(&run_id, "loading").await.unwrap();
    kill(first, Signal::SIGKILL).unwrap();
    assert_eq!(installation.run(&run_id).await.unwrap().phase.as_str(), "loading");
    takes_over(&mut installation, &run_id, &engine).await;
}

#[tokio::test]
async fn a_worker_killed_while_recording_costs_seconds() {
    survives_the_death_of_its_worker("recording").await;
}

#[tokio::test]
async fn a_worker_killed_while_tearing_down_costs_seconds() {
    survives_the_death_of_its_worker("tearing_down").await;
}

#[tokio::test]
async fn a_worker_that_is_told_to_end_leaves_its_run_to_another_at_once() {
    let mut installation = Installation::start().await.unwrap();
    let engine = slow_engine();
    let first = installation.start_worker(&[&engine]).unwrap();
    let run_id = installation.submit(&request("slow")).await.unwrap();
    installation.reach(&run_id, "awaiting_ready").await.unwrap();
    // Between two ticks nobody holds the run.
    let mut holder = None;
    while holder.is_none() {
        let owner = sqlx::query_scalar::<_, Option<String>>("SELECT lease_owner FROM runs");
        holder = owner.fetch_one(&installation.database.pool).await.unwrap();
    }
    installation.start_worker(&[&engine]).unwrap();
    let told_at = Instant::now();
    kill(first, Signal::SIGTERM).unwrap();
    let owned = "SELECT count(*) FROM runs WHERE lease_owner = $1";
    let gone = async || {
        let owned = sqlx::query_scalar::<_, i64>(owned).bind(&holder);
        Ok(owned.fetch_one(&installation.database.pool).await? == 0)
    };
    installation.until("the first worker has given the run back", gone).await.unwrap();
    eprintln!("the run was given back {} ms after SIGTERM", told_at.elapsed().as_millis());
    assert!(installation.run(&run_id).await.unwrap().phase.as_str() != "finished");
    succeeded_with_one_set_of_results(&installation, &run_id).await;
}

#[tokio::test]
async fn a_worker_that_wakes_up_after_losing_its_lease_changes_nothing() {
    let mut installation = Installation::start().await.unwrap();
    let engine = slow_engine();
    let sleeper = installation.start_worker(&[&engine]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    // Not before: a worker that is stopped while it starts a process holds the run's folder.
    installation
        .until("the load is on", async || Ok(installation.run(&run_id).await?.progress.is_some()))
        .await
        .unwrap();
    kill(sleeper, Signal::SIGSTOP).unwrap();
    installation.start_worker(&[&engine]).unwrap();
    let finished = installation.finish(&run_id).await;
    kill(sleeper, Signal::SIGCONT).unwrap();
    let before = installation.events(&run_id).await.unwrap();
    assert!(finished.is_ok(), "{before:#?}");
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert_eq!(installation.events(&run_id).await.unwrap(), before);
    succeeded_with_one_set_of_results(&installation, &run_id).await;
}

#[tokio::test]
async fn a_sweep_finds_its_load_points_and_concludes() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let mut request = request("simulator");
    request["load_points"] = json!([]);
    request["exploration"] = json!({"kind": "sweep", "max_concurrency": 4, "max_load_points": 4});
    request["slo"] = json!(["ttft_p50_ms<=10000"]);
    let run_id = installation.submit(&request).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    let events = installation.events(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    let results = installation.results(&run_id).await.unwrap();
    assert_eq!(run.load_point_count as usize, results.len());
    assert!((3..=4).contains(&results.len()), "{}", results.len());
    assert!(results.iter().all(|result| result["report"]["goodput"]["share"] == 1.0));
    let found = run.conclusion.unwrap().sentence;
    let page = installation.get(&format!("/runs/{run_id}")).await.unwrap();
    assert!(page.as_str().unwrap().contains("a sweep to saturation"), "{found}");
    assert!(events.iter().any(|event| event.message.contains(&found)), "{events:#?}");
}
