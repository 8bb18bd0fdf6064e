//! The metrics port: everything that the documents, alerts and the dashboard name is there, tells the truth, and nothing is
//! shown that they do not name.

use std::collections::BTreeSet;

use accelbench_core::run::Verdict;
use accelbench_tests::database::TestDatabase;
use accelbench_tests::installation::{Installation, request};
use accelbench_tests::outage::Cable;

/// Every metric and who shows it; deploy/checks holds alerts, dashboard and documents against the same file.
const SHOWN: &str = include_str!("metrics.txt");

/// A price list that was never looked at shows nothing; this notes that a look failed.
const FAILED_LOOK: &str = "INSERT INTO price_refreshes (source, region, offers, changed, error)
    VALUES ('AWS Price List', 'us-east-1', 0, 0, 'no credentials')";

struct Page(String);

impl Page {
    async fn of(url: &str) -> Self {
        Self(reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap())
    }

    /// The value of the one series that begins with this text.
    fn value(&self, series: &str) -> f64 {
        let line = self.0.lines().find(|line| line.starts_with(&format!("{series} ")));
        let line = line.ok_or_else(|| format!("{series} is not shown:\n{}", self.0)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    fn names(&self) -> BTreeSet<&str> {
        let types = self.0.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split(' ').next()).collect()
    }
}

fn shown_by(parts: &[&str]) -> BTreeSet<&'static str> {
    let lines = SHOWN.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(_, part)| parts.contains(part)).map(|(name, _)| name).collect()
}

#[tokio::test]
async fn servers_and_workers_show_what_is_documented() {
    let mut installation = Installation::start().await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    let run = installation.finish(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded));
    sqlx::query(FAILED_LOOK).execute(&installation.database.pool).await.unwrap();

    let server = Page::of(&installation.metrics_url("server").await.unwrap()).await;
    assert_eq!(server.names(), shown_by(&["all", "server", "prices"]));
    assert!((server.value("accelbench_runs{phase=\"finished\"}") - 1.0).abs() < f64::EPSILON);
    assert!(server.value("accelbench_queue_depth").abs() < f64::EPSILON);
    assert!((server.value("accelbench_workers_alive") - 1.0).abs() < f64::EPSILON);
    let failed = "accelbench_price_look_failed{source=\"AWS Price List\",region=\"us-east-1\"}";
    assert!((server.value(failed) - 1.0).abs() < f64::EPSILON);
    let answers = "accelbench_http_request_duration_seconds_count{route=\"/api/v1/runs/{run_id}\",method=\"GET\",status=\"200\"}";
    assert!(server.value(answers) >= 1.0, "the route is the pattern");

    let worker = Page::of(&installation.metrics_url("worker").await.unwrap()).await;
    assert_eq!(worker.names(), shown_by(&["all", "worker"]));
    assert!(
        (worker.value("accelbench_runs_finished_total{verdict=\"succeeded\"}") - 1.0).abs() < f64::EPSILON
    );
    let loading = "accelbench_run_phase_duration_seconds";
    assert!((worker.value(&format!("{loading}_count{{phase=\"loading\"}}")) - 1.0).abs() < f64::EPSILON);
    assert!(
        worker.value(&format!("{loading}_sum{{phase=\"loading\"}}")) >= 2.0,
        "two load points of a second"
    );
    assert!(worker.value("accelbench_ticks_total{outcome=\"done\"}") >= 5.0);
    assert!(
        worker.value("accelbench_spent_usd_total{phase=\"loading\"}").abs() < f64::EPSILON,
        "this machine is free"
    );

    let public = reqwest::get(format!("{}/metrics", installation.url)).await.unwrap();
    assert_eq!(public.status(), 404, "the pages' own port has no metrics");
}

#[tokio::test]
async fn a_database_that_is_away_is_shown_and_restarts_nothing() {
    let database = TestDatabase::create().await.unwrap();
    let (cable, url) = Cable::to(&database.url).await.unwrap();
    let mut installation = Installation::start_on(database, url).await.unwrap();
    installation.start_worker(&[]).unwrap();
    let server = installation.metrics_url("server").await.unwrap();
    let worker = installation.metrics_url("worker").await.unwrap();
    let status = async |url: &str, path: &str| reqwest::get(format!("{url}{path}")).await.unwrap().status();
    assert_eq!(status(&worker, "/readyz").await, 200);

    cable.cut();
    installation
        .until("the worker says that it is not ready", async || Ok(status(&worker, "/readyz").await == 503))
        .await
        .unwrap();
    assert_eq!(status(&worker, "/healthz").await, 200);
    let page = Page::of(&server).await;
    assert!(page.value("accelbench_database_up").abs() < f64::EPSILON);
    assert!(!page.0.contains("\naccelbench_queue_depth "), "what is not known is not shown as it was");

    cable.mend();
    installation
        .until("it is ready again", async || Ok(status(&worker, "/readyz").await == 200))
        .await
        .unwrap();
}
