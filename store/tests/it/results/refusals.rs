//! Rows that cannot be results: each is recorded as a worker does, and changed on its way into the table.

use accelbench_core::engine::EngineKind;
use accelbench_core::result::Origin;
use accelbench_store::{Error, Result, results};
use sqlx::AssertSqlSafe;

use crate::builders::{Store, constraint};
use crate::driver::provenance;

async fn record_changed(store: &Store, change: &str) -> Result<()> {
    let run_id = store.run_in("recording").await;
    let (lease, run) = store.take(run_id).await;
    let mut transaction = store.begin().await;
    let trigger = format!(
        "CREATE FUNCTION tamper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {change}; RETURN NEW; END $$;
         CREATE TRIGGER a_tamper BEFORE INSERT ON results FOR EACH ROW EXECUTE FUNCTION tamper();"
    );
    sqlx::raw_sql(AssertSqlSafe(trigger)).execute(&mut *transaction).await.unwrap();
    let provenance = provenance(&mut transaction, &run).await;
    results::record(&mut transaction, lease, &run, &provenance).await.map(drop)
}

#[tokio::test]
async fn nothing_is_absent_without_its_reason_or_present_with_one() {
    let store = Store::new().await;
    for column in [
        "revision",
        "engine_version",
        "engine_image_digest",
        "engine_arguments",
        "quantization",
        "accelerators_used",
        "ami",
        "driver_version",
        "availability_zone",
        "accelerator_utilization_percent",
        "accelerator_memory_peak_gib",
    ] {
        let silent = format!("NEW.{column} := NULL; NEW.absent_reasons := NEW.absent_reasons - '{column}'");
        assert_eq!(constraint(record_changed(&store, &silent).await), format!("{column}_or_reason"));
    }
    let both = record_changed(&store, "NEW.ami := 'ami-1'").await;
    assert_eq!(constraint(both), "ami_or_reason");
}

#[tokio::test]
async fn what_the_simulator_made_is_never_called_measured() {
    let store = Store::new().await;
    let run_id = store.run_in("recording").await;
    let (lease, run) = store.take(run_id).await;
    for (origin, engine) in [
        (Origin::Measured, EngineKind::Simulator),
        (Origin::Imported, EngineKind::Simulator),
        (Origin::Simulated, EngineKind::Vllm),
    ] {
        let mut transaction = store.begin().await;
        let mut provenance = provenance(&mut transaction, &run).await;
        (provenance.origin, provenance.engine) = (origin, engine);
        let refused = results::record(&mut transaction, lease, &run, &provenance).await;
        assert_eq!(constraint(refused), "simulated_is_said", "{origin:?} by {engine}");
    }
}

#[tokio::test]
async fn numbers_that_cannot_be_are_refused() {
    let store = Store::new().await;
    for (change, expected) in [
        ("NEW.ttft_p50_ms := NEW.ttft_p90_ms + 1", "ttft_in_order"),
        ("NEW.itl_p99_ms := 'NaN'", "itl_in_order"),
        ("NEW.tpot_mean_ms := 0", "tpot_in_order"),
        ("NEW.e2e_max_ms := 'Infinity'", "e2e_in_order"),
        ("NEW.output_tokens_per_s := 0", "results_output_tokens_per_s_check"),
        ("NEW.requests_per_s := 'NaN'", "results_requests_per_s_check"),
        ("NEW.requests_completed := 0", "results_requests_completed_check"),
        ("NEW.window_s := -1", "results_window_s_check"),
        ("NEW.finished_at := NEW.started_at - interval '1 second'", "results_check"),
        ("NEW.request_rate_per_s := 3; NEW.arrivals := 'poisson'", "one_offered_load"),
        ("NEW.arrivals := 'poisson'", "arrivals_of_a_rate"),
        ("NEW.arrivals_burstiness := 2", "burstiness_of_gamma"),
        ("NEW.concurrency := NULL", "one_offered_load"),
    ] {
        assert_eq!(constraint(record_changed(&store, change).await), expected, "{change}");
    }
    let missing = record_changed(&store, "NEW.ttft_p99_ms := NULL").await;
    let Err(Error::Database(sqlx::Error::Database(error))) = missing else { panic!("{missing:?}") };
    assert_eq!(error.code().as_deref(), Some("23502"), "{error}");
}

#[tokio::test]
async fn a_row_that_reads_back_differently_is_no_success() {
    let store = Store::new().await;
    for change in [
        "NEW.ttft_p50_ms := NEW.ttft_p90_ms",
        "NEW.itl_mean_ms := NEW.tpot_mean_ms",
        "NEW.tpot_p50_ms := NEW.itl_p50_ms",
        "NEW.e2e_p99_ms := NEW.e2e_p95_ms",
        "NEW.output_tokens_per_s := NEW.input_tokens_per_s",
        "NEW.requests_failed := 1",
        "NEW.concurrency := 2",
        "NEW.finished_at := NEW.finished_at + interval '1 millisecond'",
        "NEW.itl_basis := 'apportioned'",
        "NEW.engine_version := '0.2.0'",
        "NEW.validity := 'warn'",
        "NEW.loadgen_version := 'other'",
    ] {
        let outcome = record_changed(&store, change).await;
        let noticed = matches!(&outcome, Err(Error::Conflict(text)) if text.contains("read back"));
        assert!(noticed, "{change}: {outcome:?}");
    }
}
