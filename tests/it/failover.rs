//! A database with a reader and a failover, as Aurora has them, on two real servers.

use std::path::Path;

use accelbench_core::run::Verdict;
use accelbench_tests::database::TestDatabase;
use accelbench_tests::installation::{Installation, request};
use accelbench_tests::outage::Cable;
use accelbench_tests::replicas::Replicas;
use serde_json::json;
use tokio::process::Command;

#[tokio::test]
async fn a_run_survives_the_loss_of_the_writer_with_each_result_once() {
    let replicas = Replicas::start().await.unwrap();
    let (cable, url) = Cable::to(&replicas.primary_url()).await.unwrap();
    let database = TestDatabase::at(&url).await.unwrap();
    let mut installation = Installation::start_on(database, url).await.unwrap();
    installation.start_worker(&[]).unwrap();
    let run_id = installation.submit(&request("simulator")).await.unwrap();
    installation.reach(&run_id, "loading").await.unwrap();

    replicas.lose_primary().unwrap();
    cable.cut();
    // The name leads to the new writer before it is one: what comes too early is refused and tried again.
    cable.redirect(&replicas.replica_url()).unwrap();
    cable.mend();
    replicas.promote().unwrap();

    let run = installation.finish(&run_id).await.unwrap();
    let events = installation.events(&run_id).await.unwrap();
    assert_eq!(run.phase.verdict(), Some(&Verdict::Succeeded), "{events:#?}");
    let results = installation.results(&run_id).await.unwrap();
    let points: Vec<_> = results.iter().map(|result| &result["offered_load"]["concurrency"]).collect();
    assert_eq!(points, [&json!(1), &json!(2)]);
    let phases: Vec<_> = events.iter().filter(|event| event.message.contains("a place is free")).collect();
    assert_eq!(phases.len(), 1, "no step was done twice: {events:#?}");
}

#[tokio::test]
async fn the_catalog_is_read_from_a_reader_that_is_there_and_not_behind() {
    let replicas = Replicas::start().await.unwrap();
    let database = TestDatabase::at(&replicas.primary_url()).await.unwrap();
    let reader = ["--database-reader-url", &replicas.replica_url(), "--database-reader-lag", "5"];
    let url = replicas.primary_url();
    let mut installation = Installation::start_with_arguments(database, url, &reader).await.unwrap();
    installation.start_worker(&[]).unwrap();
    let metrics = installation.metrics_url("server").await.unwrap();
    let shows = async |line: &str| {
        let page = reqwest::get(format!("{metrics}/metrics")).await?.text().await?;
        Ok(page.lines().any(|shown| shown == line))
    };
    let used = "accelbench_database_reader_used 1";
    let unused = "accelbench_database_reader_used 0";
    installation.until("the reader is asked", async || shows(used).await).await.unwrap();
    // A reader counts the looks at its tables by itself; a moment late.
    let mut replica = replicas.replica().await.unwrap();
    let looks = "SELECT (seq_scan + coalesce(idx_scan, 0))::bigint FROM pg_stat_user_tables WHERE relname = 'catalog_results'";
    let before: i64 = sqlx::query_scalar(looks).fetch_one(&mut replica).await.unwrap();
    let asked = async || {
        installation.get("/api/v1/catalog").await?;
        let mut replica = replicas.replica().await?;
        Ok(sqlx::query_scalar::<_, i64>(looks).fetch_one(&mut replica).await? > before)
    };
    installation.until("the catalog is read from the reader", asked).await.unwrap();

    // It falls behind: each commit still reaches it, and is not shown there.
    sqlx::query("SELECT pg_wal_replay_pause()").execute(&mut replica).await.unwrap();
    installation.until("a reader that is behind is left alone", async || shows(unused).await).await.unwrap();
    installation.get("/api/v1/catalog").await.unwrap();
    sqlx::query("SELECT pg_wal_replay_resume()").execute(&mut replica).await.unwrap();
    installation.until("it is asked again", async || shows(used).await).await.unwrap();

    // It goes away, and takes the promise to wait for it along.
    let alone = "ALTER SYSTEM SET synchronous_standby_names = ''";
    sqlx::query(alone).execute(&installation.database.pool).await.unwrap();
    sqlx::query("SELECT pg_reload_conf()").execute(&installation.database.pool).await.unwrap();
    replicas.lose_replica().unwrap();
    installation.get("/api/v1/catalog").await.unwrap();
    installation.until("a reader that is away is left alone", async || shows(unused).await).await.unwrap();
    installation.get("/api/v1/catalog").await.unwrap();
}

#[tokio::test]
async fn only_a_certificate_of_the_named_authority_for_the_named_host_is_taken() {
    let replicas = Replicas::start().await.unwrap();
    let migrate = async |url: &str| {
        let mut command = Command::new(Installation::program().unwrap());
        let output =
            command.args(["migrate", "--database-patience", "3", "--database-url", url]).output().await;
        let output = output.unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for (host, authority) in [
        ("127.0.0.1", replicas.stranger()),
        ("localhost", replicas.authority()),
        ("127.0.0.1", Path::new("/nowhere.pem").to_owned()),
    ] {
        let (done, said) = migrate(&replicas.primary_url_as(host, &authority)).await;
        assert!(!done, "{host} {}: {said}", authority.display());
        assert!(!said.contains("a-password"), "{said}");
    }
    let (done, said) = migrate(&replicas.primary_url()).await;
    assert!(done, "{said}");

    let (done, said) = migrate(&replicas.replica_url()).await;
    assert!(!done, "a reader takes no migrations");
    assert!(said.contains("reader") || said.contains("timed out"), "{said}");
}
