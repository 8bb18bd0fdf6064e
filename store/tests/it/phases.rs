//! The life of a run as the database knows it, tried from every phase to every other in raw SQL: it allows what core
//! allows and nothing else.

use accelbench_core::run::{Phase, RunId, Transition, Verdict};
use accelbench_store::{Error, PgConnection, Result};

use crate::builders::{Store, constraint, raw};

fn verdicts() -> [Verdict; 3] {
    [Verdict::Succeeded, Verdict::failed("the engine exited"), Verdict::Cancelled]
}

fn phases() -> Vec<Phase> {
    let mut phases =
        vec![Phase::Queued, Phase::Deploying, Phase::AwaitingReady, Phase::Loading, Phase::Recording];
    phases.extend(verdicts().map(Phase::TearingDown));
    phases.extend(verdicts().map(Phase::Finished));
    phases
}

/// Where core lets a run go from here.
fn allowed(from: &Phase) -> Vec<Phase> {
    let mut transitions = vec![
        Transition::Claim,
        Transition::Deployed,
        Transition::Ready,
        Transition::Loaded,
        Transition::Recorded,
        Transition::TornDown,
    ];
    transitions.extend(verdicts().map(Transition::End));
    transitions.into_iter().filter_map(|transition| from.clone().next(transition).ok()).collect()
}

async fn run_in(store: &Store, phase: &Phase) -> RunId {
    match phase.verdict() {
        None | Some(Verdict::Succeeded) => store.run_in(phase.as_str()).await,
        Some(verdict) => store.ended_run_in(phase.as_str(), verdict).await,
    }
}

/// The bare step, with all that could stand in its way besides the order of the phases made good.
async fn force(connection: &mut PgConnection, run_id: RunId, to: &Phase) -> Result<u64> {
    let text = |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    let sql = format!(
        "UPDATE runs SET phase = '{}', verdict = {}, verdict_reason = {}, endpoint = coalesce(endpoint, '{{}}'),
         lease_owner = NULL, lease_until = NULL, hf_token_sealed = NULL WHERE run_id = $1",
        to.as_str(),
        text(to.verdict().map(Verdict::as_str)),
        text(to.verdict().and_then(Verdict::reason)),
    );
    raw(connection, sql, run_id).await
}

#[tokio::test]
async fn the_database_allows_the_steps_that_core_allows_and_no_other() {
    let store = Store::new().await;
    let mut refused = 0;
    for from in phases() {
        let run_id = run_in(&store, &from).await;
        assert_eq!(store.run(run_id).await.phase, from);
        let allowed = allowed(&from);
        for to in phases().into_iter().filter(|to| *to != from) {
            let mut transaction = store.begin().await;
            let outcome = force(&mut transaction, run_id, &to).await;
            transaction.rollback().await.unwrap();
            if to == Phase::TearingDown(Verdict::Succeeded) && from == Phase::Recording {
                // Core allows it once the results are written, and here are none.
                assert_eq!(constraint(outcome), "success_has_results");
            } else if allowed.contains(&to) {
                assert!(outcome.is_ok(), "{from} to {to}: {outcome:?}");
            } else {
                let Err(Error::Database(sqlx::Error::Database(error))) = &outcome else {
                    panic!("{from} to {to}: {outcome:?}");
                };
                assert_eq!(error.code().as_deref(), Some("23514"), "{from} to {to}: {error}");
                refused += 1;
            }
        }
    }
    // 11 states: 110 pairs, less 4 steps ahead, 10 early ends, 3 ends of a teardown and the success without results.
    assert_eq!(refused, 110 - 4 - 10 - 3 - 1);
}

#[tokio::test]
async fn phase_verdict_and_reason_go_together() {
    let store = Store::new().await;
    let queued = store.run_in("queued").await;
    let awaiting = store.run_in("awaiting_ready").await;
    for (run_id, change, expected) in [
        (queued, "phase = 'tearing_down'", "verdict_exactly_at_the_end"),
        (queued, "verdict = 'cancelled'", "phase_order"),
        (queued, "phase = 'deploying', verdict = 'cancelled'", "verdict_exactly_at_the_end"),
        (queued, "phase = 'tearing_down', verdict = 'failed'", "failure_has_a_reason"),
        (
            queued,
            "phase = 'tearing_down', verdict = 'cancelled', verdict_reason = 'x'",
            "failure_has_a_reason",
        ),
        (queued, "phase = 'lost'", "phase_order"),
        (awaiting, "phase = 'loading'", "load_needs_an_endpoint"),
        (awaiting, "lease_owner = 'x'", "lease_is_whole"),
        (awaiting, "parked_reason = 'x'", "only_a_teardown_parks"),
        (awaiting, "epoch = epoch - 1", "epoch_grows"),
    ] {
        let mut transaction = store.begin().await;
        let sql = format!("UPDATE runs SET {change} WHERE run_id = $1");
        assert_eq!(constraint(raw(&mut transaction, sql, run_id).await), expected, "{change}");
    }
}

#[tokio::test]
async fn a_run_begins_as_queued_and_stays() {
    let store = Store::new().await;
    let run_id = store.run_in("deploying").await;
    let copy = "INSERT INTO runs
        SELECT (jsonb_populate_record(runs, jsonb_build_object('run_id', gen_random_uuid()))).*
        FROM runs WHERE run_id = $1";
    let mut connection = store.connection().await;
    assert_eq!(constraint(raw(&mut connection, copy, run_id).await), "phase_order");
    let delete = "DELETE FROM runs WHERE run_id = $1";
    assert_eq!(constraint(raw(&mut connection, delete, run_id).await), "runs_append_only");
}

#[tokio::test]
async fn a_finished_run_holds_no_token_and_no_lease() {
    let store = Store::new().await;
    let run_id = store.run_in("tearing_down").await;
    for held in ["hf_token_sealed = '\\x01'", "lease_owner = 'x', lease_until = now()", "parked_reason = 'x'"]
    {
        let sql = format!("UPDATE runs SET phase = 'finished', {held} WHERE run_id = $1");
        let outcome = raw(&mut *store.connection().await, sql, run_id).await;
        assert_eq!(constraint(outcome), "finished_holds_nothing", "{held}");
    }
}
