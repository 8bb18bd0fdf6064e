//! A round: some runs are submitted, some things go wrong, everything is mended, and all must have come out right.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::RngExt as _;
use rand::rngs::StdRng;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::faults::Fault;
use super::invariants;
use super::system::System;
use crate::installation::request;

/// How long runs may take to end once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_mins(4);

/// What happened in a round.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) faults: Vec<Fault>,
    pub(super) verdicts: Vec<String>,
    pub(super) violations: Vec<String>,
}

pub(super) async fn play(system: &mut System, random: &mut StdRng) -> anyhow::Result<Round> {
    let mut round = Round::default();
    let mut runs = Vec::new();
    for _ in 0..random.random_range(2..=4) {
        let engine = if random.random_bool(0.15) { "broken" } else { "simulator" };
        runs.push(submit(system, random, engine).await?);
    }
    let cancelled = random.random_bool(0.3).then(|| runs[random.random_range(0..runs.len())]);
    for _ in 0..random.random_range(1..=3) {
        sleep(Duration::from_millis(random.random_range(0..3000))).await;
        let fault = Fault::choose(system, random);
        fault.inject(system, random).await.with_context(|| format!("{fault:?} cannot be injected"))?;
        round.faults.push(fault);
    }
    system.recover().await?;
    if let Some(run) = cancelled {
        cancel(system, run).await?;
    }
    round.violations.extend(finish(system, &runs).await);
    let ended = invariants::check(system, &runs, &round.faults).await?;
    round.verdicts = ended.verdicts;
    round.violations.extend(ended.violations);
    round.violations.extend(system.history.violations());
    Ok(round)
}

/// Submits a run as an impatient client does: the same request again and again, to any server, until one takes it.
async fn submit(system: &System, random: &mut StdRng, engine: &str) -> anyhow::Result<Uuid> {
    let mut body = request(engine);
    body["measurement"]["min_duration_s"] = json!(random.random_range(1.0..2.0));
    let key = Uuid::from_u128(random.random()).to_string();
    let client = Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
    let until = Instant::now() + Duration::from_mins(2);
    let mut answers: BTreeMap<Uuid, StatusCode> = BTreeMap::new();
    // Once more than is needed.
    let mut more = random.random_range(0..2);
    let mut said = String::new();
    while answers.is_empty() || more > 0 {
        ensure!(Instant::now() < until, "no server takes a run: {said}");
        let server = &system.servers[random.random_range(0..system.servers.len())];
        let asked = client.post(format!("{server}/api/v1/runs")).header("idempotency-key", &key).json(&body);
        let Ok(answer) = asked.send().await else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let status = answer.status();
        said = answer.text().await.unwrap_or_default();
        if status.is_success() {
            more -= i32::from(!answers.is_empty());
            let run: Value = serde_json::from_str(&said)?;
            answers.insert(run["id"].as_str().context("no id")?.parse()?, status);
        } else {
            ensure!(status.is_server_error() || said.contains("engine"), "{status}: {said}");
            sleep(Duration::from_millis(100)).await;
        }
    }
    ensure!(answers.len() == 1, "a request became several runs: {answers:?}");
    answers.into_keys().next().context("no run")
}

async fn cancel(system: &System, run: Uuid) -> anyhow::Result<()> {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let (status, answer) =
            system.installation.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await?;
        // One that has ended cannot be cancelled.
        if status.is_success() || status == StatusCode::CONFLICT {
            return Ok(());
        }
        ensure!(Instant::now() < until, "{run} cannot be cancelled: {status} {answer}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the runs have ended; those that do not are violations.
async fn finish(system: &System, runs: &[Uuid]) -> Vec<String> {
    let until = Instant::now() + PATIENCE;
    let open = "SELECT run_id, phase, coalesce(parked_reason, last_error) FROM runs \
                WHERE run_id = ANY($1) AND phase <> 'finished'";
    loop {
        let rows: Result<Vec<(Uuid, String, Option<String>)>, _> =
            sqlx::query_as(open).bind(runs).fetch_all(system.pool()).await;
        match rows {
            Ok(rows) if rows.is_empty() => return Vec::new(),
            Ok(rows) if Instant::now() > until => {
                return rows.into_iter().map(|row| format!("a run did not end: {row:?}")).collect();
            }
            Err(error) if Instant::now() > until => return vec![format!("the database is gone: {error}")],
            Ok(_) | Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults.iter().map(|fault| format!("{fault:?}")).collect();
        write!(formatter, "{}; {}", faults.join(", "), self.verdicts.join(", "))?;
        for violation in &self.violations {
            write!(formatter, "\n  VIOLATION: {violation}")?;
        }
        Ok(())
    }
}
