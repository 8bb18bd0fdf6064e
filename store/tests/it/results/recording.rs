//! Recording: each load point once, all of a run together, in the transaction that ends the recording.

use accelbench_core::run::{Phase, Transition, Verdict};
use accelbench_core::validity::Outcome;
use accelbench_store::{Error, intake, results};

use crate::builders::{Store, constraint, raw};
use crate::driver::{advance, provenance};

#[tokio::test]
async fn each_load_point_becomes_one_result() {
    let store = Store::new().await;
    let run_id = store.run_in("recording").await;
    let (lease, run) = store.take(run_id).await;
    let mut transaction = store.begin().await;
    let provenance = provenance(&mut transaction, &run).await;
    let recorded = results::record(&mut transaction, lease, &run, &provenance).await.unwrap();
    transaction.commit().await.unwrap();

    assert_eq!(store.run(run_id).await.phase, Phase::TearingDown(Verdict::Succeeded));
    assert_eq!(store.results(run_id).await, recorded);
    let reports = intake::reports(&mut *store.connection().await, run_id).await.unwrap();
    assert_eq!((recorded.len(), reports.len()), (2, 2));
    for (result, report) in recorded.iter().zip(&reports) {
        assert_eq!((&result.report, result.offered_load), (report, report.offered_load));
        assert_eq!((&result.provenance, result.run_id), (&provenance, run_id));
        assert_eq!((result.validity, result.superseded_by), (Outcome::Pass, None));
    }
}

#[tokio::test]
async fn results_are_recorded_once() {
    let store = Store::new().await;
    let run_id = store.run_in("recording").await;
    let (lease, run) = store.take(run_id).await;
    let mut transaction = store.begin().await;
    let provenance = provenance(&mut transaction, &run).await;
    results::record(&mut transaction, lease, &run, &provenance).await.unwrap();
    transaction.commit().await.unwrap();

    let again = results::record(&mut *store.connection().await, lease, &run, &provenance).await;
    assert!(matches!(again, Err(Error::LeaseLost(_))), "{again:?}");
    // Nor with a new lease.
    let (lease, run) = store.take(run_id).await;
    let again = results::record(&mut *store.connection().await, lease, &run, &provenance).await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    assert_eq!(store.results(run_id).await.len(), 2);
}

#[tokio::test]
async fn a_recording_rolled_back_leaves_no_result() {
    let store = Store::new().await;
    let run_id = store.run_in("recording").await;
    let (lease, run) = store.take(run_id).await;
    let before = store.footprint(run_id).await;
    let mut transaction = store.begin().await;
    let provenance = provenance(&mut transaction, &run).await;
    results::record(&mut transaction, lease, &run, &provenance).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(store.footprint(run_id).await, before);
}

#[tokio::test]
async fn a_missing_report_is_a_conflict() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let (lease, run) = store.take(run_id).await;
    advance(&mut *store.connection().await, lease, &run, Transition::Loaded).await.unwrap();
    let (lease, run) = store.take(run_id).await;
    let mut transaction = store.begin().await;
    let provenance = provenance(&mut transaction, &run).await;
    let refused = results::record(&mut transaction, lease, &run, &provenance).await;
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text.contains("0 of 2")), "{refused:?}");
}

#[tokio::test]
async fn success_without_results_cannot_be_written() {
    let store = Store::new().await;
    let run_id = store.run_in("recording").await;
    let (lease, run) = store.take(run_id).await;
    let mut transaction = store.begin().await;
    let refused = advance(&mut transaction, lease, &run, Transition::Recorded).await;
    assert_eq!(constraint(refused), "success_has_results");
}

/// SQL that gives the results of a finished run to the run `$1`.
async fn copy_results(store: &Store) -> String {
    let columns: String = sqlx::query_scalar(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
         WHERE attrelid = 'results'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
    )
    .fetch_one(store.pool())
    .await
    .unwrap();
    format!(
        "INSERT INTO results ({columns}) SELECT {columns} FROM (
             SELECT (jsonb_populate_record(
                 results, jsonb_build_object('result_id', gen_random_uuid(), 'run_id', $1::uuid))).*
             FROM results WHERE load_point_index <= 1 AND run_id <> $1) AS copied"
    )
}

#[tokio::test]
async fn failure_with_results_cannot_be_written() {
    let store = Store::new().await;
    let copy = copy_results(&store).await;
    store.run_in("finished").await;
    let run_id = store.run_in("recording").await;
    for end in ["verdict = 'failed', verdict_reason = 'x'", "verdict = 'cancelled'"] {
        let mut transaction = store.begin().await;
        assert_eq!(raw(&mut transaction, copy.as_str(), run_id).await.unwrap(), 2);
        let end = format!("UPDATE runs SET phase = 'tearing_down', {end} WHERE run_id = $1");
        assert_eq!(constraint(raw(&mut transaction, end, run_id).await), "failure_has_no_results");
    }
}

#[tokio::test]
async fn half_of_the_results_are_no_success() {
    let store = Store::new().await;
    let copy = copy_results(&store).await;
    store.run_in("finished").await;
    let run_id = store.run_in("recording").await;
    let mut transaction = store.begin().await;
    raw(&mut transaction, copy.replace("<= 1", "= 1"), run_id).await.unwrap();
    let success = "UPDATE runs SET phase = 'tearing_down', verdict = 'succeeded' WHERE run_id = $1";
    assert_eq!(constraint(raw(&mut transaction, success, run_id).await), "success_has_results");
}

#[tokio::test]
async fn results_come_into_being_only_while_their_run_records() {
    let store = Store::new().await;
    let copy = copy_results(&store).await;
    store.run_in("finished").await;
    for phase in ["queued", "loading", "tearing_down", "finished"] {
        let run_id = store.run_in(phase).await;
        let refused = raw(&mut *store.connection().await, copy.as_str(), run_id).await;
        assert_eq!(constraint(refused), "result_while_recording", "{phase}");
    }
}

#[tokio::test]
async fn a_load_point_has_one_result_and_one_report() {
    let store = Store::new().await;
    let copy = copy_results(&store).await;
    store.run_in("finished").await;
    let run_id = store.run_in("recording").await;
    let mut transaction = store.begin().await;
    raw(&mut transaction, copy.as_str(), run_id).await.unwrap();
    let twice = raw(&mut transaction, copy.as_str(), run_id).await;
    assert_eq!(constraint(twice), "results_run_id_load_point_index_key");
    transaction.rollback().await.unwrap();

    let unreported = copy
        .replace("'run_id', $1::uuid", "'run_id', $1::uuid, 'load_point_index', 7")
        .replace("<= 1", "= 1");
    let refused = raw(&mut *store.connection().await, unreported, run_id).await;
    assert_eq!(constraint(refused), "results_run_id_load_point_index_fkey");
}
