//! Plan, progress and reports between a run and its load generator.

use std::num::NonZeroU32;

use accelbench_core::exploration::Conclusion;
use accelbench_core::load::{LoadPlan, LoadProgress, LoadStage, OfferedLoad, examples};
use accelbench_core::run::{RunId, Verdict};
use accelbench_store::intake::{self, PlanOfRun, Receipt};
use accelbench_store::{Error, events};

use serde_json::json;

use crate::builders::{MODEL, Request, Store, constraint, raw, spec};

#[tokio::test]
async fn the_plan_exists_while_the_run_is_loading() {
    let store = Store::new().await;
    for (phase, coming) in
        [("queued", true), ("awaiting_ready", true), ("recording", false), ("finished", false)]
    {
        let run_id = store.run_in(phase).await;
        let plan = intake::plan(&mut *store.connection().await, run_id).await.unwrap();
        assert_eq!(matches!(plan, PlanOfRun::Coming), coming, "{phase}");
        assert_eq!(matches!(plan, PlanOfRun::Over), !coming, "{phase}");
    }
    let run_id = store.run_in("loading").await;
    let plan = intake::plan(&mut *store.connection().await, run_id).await.unwrap().now().unwrap();
    let spec = store.run(run_id).await.spec;
    assert_eq!((plan.run_id, plan.served_model_name.as_str()), (run_id, MODEL));
    assert_eq!((plan.load_points, plan.workload), (spec.load_points, spec.workload));
    assert_eq!((plan.max_context_tokens, plan.reported), (Some(4096), vec![]));
}

#[tokio::test]
async fn a_restarted_load_generator_learns_what_was_acknowledged() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let reports = store.reports(run_id).await;
    let mut connection = store.connection().await;
    intake::put_report(&mut connection, run_id, &reports[1]).await.unwrap();
    let plan = intake::plan(&mut connection, run_id).await.unwrap().now().unwrap();
    assert_eq!(plan.reported, [1]);
}

#[tokio::test]
async fn a_report_is_kept_and_wakes_a_worker() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let reports = store.reports(run_id).await;
    let ticks = store.ticks(run_id).await;
    let mut connection = store.connection().await;
    for (index, report) in reports.iter().enumerate() {
        let receipt = intake::put_report(&mut connection, run_id, report).await.unwrap();
        assert_eq!(receipt, Receipt::New);
        assert_eq!(intake::report_count(&mut connection, run_id).await.unwrap(), index + 1);
    }
    assert_eq!(intake::reports(&mut connection, run_id).await.unwrap(), reports);
    assert_eq!(store.ticks(run_id).await, ticks + 2);
    let events = events::list_after(&mut connection, run_id, 0, 100).await.unwrap();
    let last = &events.last().unwrap().message;
    assert!(last.starts_with("report for concurrency 4 arrived: 824 output tokens/s"), "{last}");
}

#[tokio::test]
async fn a_report_that_was_not_committed_is_not_there() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let report = store.reports(run_id).await.remove(0);
    let before = store.footprint(run_id).await;
    let mut transaction = store.begin().await;
    intake::put_report(&mut transaction, run_id, &report).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(store.footprint(run_id).await, before);
    let mut connection = store.connection().await;
    assert_eq!(intake::put_report(&mut connection, run_id, &report).await.unwrap(), Receipt::New);
}

#[tokio::test]
async fn the_same_report_is_acknowledged_again_even_after_the_end() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let report = store.reports(run_id).await.remove(0);
    let mut connection = store.connection().await;
    intake::put_report(&mut connection, run_id, &report).await.unwrap();
    let before = store.footprint(run_id).await;
    assert_eq!(intake::put_report(&mut connection, run_id, &report).await.unwrap(), Receipt::Same);
    assert_eq!(store.footprint(run_id).await, before);

    store.end(run_id, &Verdict::Cancelled).await;
    store.bring_to(run_id, "finished").await;
    let before = store.footprint(run_id).await;
    assert_eq!(intake::put_report(&mut connection, run_id, &report).await.unwrap(), Receipt::Same);
    assert_eq!(store.footprint(run_id).await, before);
}

#[tokio::test]
async fn one_report_sent_many_times_at_once_is_kept_once() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let report = store.reports(run_id).await.remove(0);
    let sent = (0..6).map(|_| async {
        let mut transaction = store.begin().await;
        let receipt = intake::put_report(&mut transaction, run_id, &report).await.unwrap();
        transaction.commit().await.unwrap();
        receipt
    });
    let receipts = futures::future::join_all(sent).await;
    assert_eq!(receipts.iter().filter(|receipt| **receipt == Receipt::New).count(), 1, "{receipts:?}");
}

#[tokio::test]
async fn another_report_for_the_same_load_point_is_a_conflict() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let report = store.reports(run_id).await.remove(0);
    let mut connection = store.connection().await;
    intake::put_report(&mut connection, run_id, &report).await.unwrap();
    let mut better = report.clone();
    better.output_tokens_per_s *= 2.0;
    let refused = intake::put_report(&mut connection, run_id, &better).await;
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text.contains("load point 0")), "{refused:?}");
    assert_eq!(intake::reports(&mut connection, run_id).await.unwrap(), [report]);
}

#[tokio::test]
async fn a_late_report_is_a_conflict() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let report = store.reports(run_id).await.remove(0);
    store.end(run_id, &Verdict::Cancelled).await;
    let before = store.footprint(run_id).await;
    let refused = intake::put_report(&mut *store.connection().await, run_id, &report).await;
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text.contains("tearing_down")), "{refused:?}");
    assert_eq!(store.footprint(run_id).await, before);
}

#[tokio::test]
async fn a_report_for_no_load_point_or_no_run_is_refused() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let mut report = store.reports(run_id).await.remove(0);
    for (index, expected) in [
        (2, "report_while_loading"),
        (31, "report_while_loading"),
        (32, "report_while_loading"),
        (u32::MAX, "load_reports_load_point_index_check"),
    ] {
        report.load_point_index = index;
        let refused = intake::put_report(&mut *store.connection().await, run_id, &report).await;
        assert_eq!(constraint(refused), expected, "{index}");
    }
    let refused = intake::put_report(&mut *store.connection().await, RunId::new(), &report).await;
    assert!(matches!(refused, Err(Error::NotFound { what: "run", .. })), "{refused:?}");
}

#[tokio::test]
async fn reports_are_never_changed() {
    let store = Store::new().await;
    let run_id = store.run_in("recording").await;
    for change in ["UPDATE load_reports SET received_at = now()", "DELETE FROM load_reports"] {
        let sql = format!("{change} WHERE run_id = $1");
        let outcome = raw(&mut *store.connection().await, sql, run_id).await;
        assert_eq!(constraint(outcome), "load_reports_append_only");
    }
}

fn progress() -> LoadProgress {
    LoadProgress {
        load_point_index: 1,
        load_point_count: 2,
        offered_load: OfferedLoad::Concurrency(4.try_into().unwrap()),
        stage: LoadStage::Measuring,
        fraction: 0.5,
        requests_completed: 120,
        requests_failed: 0,
        output_tokens_per_s: 800.0,
        ttft_p50_ms: Some(99.5),
        tpot_p50_ms: None,
    }
}

#[tokio::test]
async fn progress_is_noted_while_loading_and_forgotten_at_the_end() {
    let store = Store::new().await;
    let run_id = store.run_in("awaiting_ready").await;
    let mut connection = store.connection().await;
    assert!(!intake::set_progress(&mut connection, run_id, &progress()).await.unwrap());
    store.bring_to(run_id, "loading").await;
    assert!(intake::set_progress(&mut connection, run_id, &progress()).await.unwrap());
    assert_eq!(store.run(run_id).await.progress, Some(progress()));
    store.bring_to(run_id, "finished").await;
    assert!(!intake::set_progress(&mut connection, run_id, &progress()).await.unwrap());
    assert_eq!(store.run(run_id).await.progress, None);
}

#[tokio::test]
async fn the_first_reason_for_giving_up_stays() {
    let store = Store::new().await;
    let run_id = store.run_in("loading").await;
    let ticks = store.ticks(run_id).await;
    let mut connection = store.connection().await;
    assert_eq!(intake::failure(&mut connection, run_id).await.unwrap(), None);
    assert!(intake::set_failure(&mut connection, run_id, "no prompt fits").await.unwrap());
    assert_eq!(store.ticks(run_id).await, ticks + 1);
    intake::set_failure(&mut connection, run_id, "something else").await.unwrap();
    assert_eq!(intake::failure(&mut connection, run_id).await.unwrap().as_deref(), Some("no prompt fits"));
    let queued = store.run_in("queued").await;
    assert!(!intake::set_failure(&mut connection, queued, "too early").await.unwrap());
}

fn exploring() -> Request {
    let sweep = json!({"kind": "sweep", "max_concurrency": 64, "max_load_points": 5});
    Request { spec: spec(&json!({"load_points": [], "exploration": sweep})), ..Request::default() }
}

fn conclusion(sentence: &str) -> Conclusion {
    Conclusion { sentence: sentence.to_owned(), load: None }
}

#[tokio::test]
async fn an_exploration_has_the_load_points_that_it_concludes_with() {
    let store = Store::new().await;
    let run_id = store.submit(&exploring()).await;
    store.bring_to(run_id, "loading").await;
    let mut connection = store.connection().await;
    let plan = intake::plan(&mut connection, run_id).await.unwrap().now().unwrap();
    assert_eq!((store.run(run_id).await.load_point_count, plan.explored.len()), (5, 0));
    for index in 0..2 {
        let mut grown = plan.clone();
        grown.load_points = vec![OfferedLoad::Concurrency(NonZeroU32::MIN); 2];
        let report = examples::report(&grown, index);
        report.validate(&plan).unwrap();
        intake::put_report(&mut connection, run_id, &report).await.unwrap();
    }
    let plan = intake::plan(&mut connection, run_id).await.unwrap().now().unwrap();
    assert_eq!((plan.explored.len(), store.run(run_id).await.has_all_reports(2)), (2, false));
    assert!(intake::set_conclusion(&mut connection, run_id, &conclusion("enough")).await.unwrap());
    // Told again, it is taken again, and the first one stays.
    assert!(intake::set_conclusion(&mut connection, run_id, &conclusion("other")).await.unwrap());
    let run = store.run(run_id).await;
    assert_eq!((run.load_point_count, run.conclusion.unwrap().sentence.as_str()), (2, "enough"));
    let refused = intake::put_report(
        &mut connection,
        run_id,
        &examples::report(
            &LoadPlan { load_points: vec![OfferedLoad::Concurrency(NonZeroU32::MIN); 3], ..plan },
            2,
        ),
    )
    .await;
    assert_eq!(constraint(refused), "report_while_loading");
}

#[tokio::test]
async fn only_an_exploration_concludes_and_only_once() {
    let store = Store::new().await;
    let (plain, exploring) = (store.run_in("loading").await, store.submit(&exploring()).await);
    let mut connection = store.connection().await;
    assert!(!intake::set_conclusion(&mut connection, exploring, &conclusion("early")).await.unwrap());
    let refused = intake::set_conclusion(&mut connection, plain, &conclusion("x")).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    store.bring_to(exploring, "loading").await;
    let report = store.reports(plain).await.remove(0);
    intake::put_report(&mut connection, plain, &report).await.unwrap();
    for (run_id, change, expected) in [
        (plain, "conclusion = '{}', load_point_count = 1", "only_an_exploration_concludes"),
        (plain, "load_point_count = 3", "concluded_once"),
        (exploring, "load_point_count = 1", "concluded_once"),
        (exploring, "conclusion = '{}'", "concluded_once"),
        (exploring, "phase = 'recording'", "concluded_before_recording"),
    ] {
        let refused =
            raw(&mut connection, format!("UPDATE runs SET {change} WHERE run_id = $1"), run_id).await;
        assert_eq!(constraint(refused), expected, "{change}");
    }
}
