//! Asking for the end of a run, in each of its phases.

use accelbench_core::run::{EventKind, Verdict};
use accelbench_store::events;
use accelbench_store::runs::{self, Cancellation};

use crate::builders::Store;
use crate::driver::EARLY_PHASES;

#[tokio::test]
async fn a_run_is_cancelled_in_every_phase_before_its_teardown() {
    let store = Store::new().await;
    for phase in EARLY_PHASES {
        let run_id = store.run_in(phase).await;
        let ticks = store.ticks(run_id).await;
        let mut connection = store.connection().await;
        for expected in [Cancellation::Requested, Cancellation::AlreadyRequested] {
            let outcome = runs::request_cancel(&mut connection, run_id).await.unwrap();
            assert_eq!(outcome, expected, "{phase}");
        }
        let run = store.run(run_id).await;
        assert!(run.cancel_requested_at.is_some(), "{phase}");
        assert_eq!((run.phase.as_str(), store.ticks(run_id).await), (phase, ticks + 1), "one tick, no step");
        let events = events::list_after(&mut connection, run_id, 0, 100).await.unwrap();
        let asked = events.iter().filter(|event| event.kind == EventKind::CancelRequested).count();
        assert_eq!(asked, 1, "{phase}");

        store.end(run_id, &Verdict::Cancelled).await;
        store.bring_to(run_id, "finished").await;
        assert_eq!(store.run(run_id).await.phase.verdict(), Some(&Verdict::Cancelled));
        assert!(store.results(run_id).await.is_empty());
    }
}

#[tokio::test]
async fn a_run_is_cancelled_while_a_worker_holds_it() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    store.take(run_id).await;
    let outcome = runs::request_cancel(&mut *store.connection().await, run_id).await.unwrap();
    assert_eq!(outcome, Cancellation::Requested);
}

#[tokio::test]
async fn a_run_whose_end_is_decided_cannot_be_cancelled() {
    let store = Store::new().await;
    for phase in ["tearing_down", "finished"] {
        let run_id = store.run_in(phase).await;
        let before = store.footprint(run_id).await;
        let outcome = runs::request_cancel(&mut *store.connection().await, run_id).await.unwrap();
        assert_eq!(outcome, Cancellation::TooLate, "{phase}");
        assert_eq!(store.footprint(run_id).await, before, "{phase}");
    }
}
