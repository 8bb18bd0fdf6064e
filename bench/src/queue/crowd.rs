//! Whether runs that wait make others wait: the way of a job, and what a worker does with it first (it takes the run's lease
//! and looks who is next in line), without and with a crowd in the queue.

use std::io::{Write as _, stderr, stdout};
use std::time::{Duration, Instant};

use accelbench_core::run::{CapacityGroup, Priority, RunId, RunSpec};
use accelbench_store::queue::{self, Urgency};
use accelbench_store::runs::{self, NewRun};
use accelbench_store::{PgPool, capacity, datasets, lease};
use serde_json::json;

use super::{Contender, pickup_ms};
use crate::latency::Percentiles;

/// Places of the group; all are free.
const PLACES: i32 = 8;

/// A copy of the only run for each of the crowd, half of them of persons, with a tick that is due in an hour.
const CROWD: &str = "
    INSERT INTO runs SELECT (jsonb_populate_record(run, jsonb_build_object(
        'run_id', gen_random_uuid(), 'priority', CASE number % 2 WHEN 0 THEN 'person' ELSE 'catalog' END))).*
    FROM runs AS run, generate_series(1, $1) AS number;";
const TICKS: &str = "
    INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority)
    SELECT apalis.generate_ulid(), 'bench-ours', convert_to('0', 'UTF8'), 'Pending', 0, 25, now() + interval '1 hour', 10
    FROM generate_series(1, $1);";

pub(super) async fn measure(
    pool: &PgPool,
    ours: &mut Contender,
    jobs: u64,
    waiting: u32,
) -> anyhow::Result<()> {
    let run = submit(pool).await?;
    let alone = sample(pool, ours, jobs, run).await?;
    writeln!(stderr(), "putting {waiting} runs into the queue")?;
    for statement in [CROWD, TICKS] {
        sqlx::query(statement).bind(waiting.cast_signed()).execute(pool).await?;
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(pool).await?;
    let behind = sample(pool, ours, jobs, run).await?;
    let ratio = |with: Percentiles, without: Percentiles| {
        format!("{:.2} and {:.2} times", with.p50_ms / without.p50_ms, with.p99_ms / without.p99_ms)
    };
    writeln!(
        stdout(),
        "\nbehind {waiting} waiting runs (p50/p95/p99 in ms; p50 and p99 against an empty queue)\n\
         pickup of a job   {} to {}: {}\n\
         lease and line    {} to {}: {}",
        alone.0,
        behind.0,
        ratio(behind.0, alone.0),
        alone.1,
        behind.1,
        ratio(behind.1, alone.1),
    )?;
    Ok(())
}

/// The way of jobs, and the first statements of a worker.
async fn sample(
    pool: &PgPool,
    ours: &mut Contender,
    jobs: u64,
    run: RunId,
) -> anyhow::Result<(Percentiles, Percentiles)> {
    let (mut pickups_ms, mut claims_ms) = (Vec::new(), Vec::new());
    for number in 0..jobs {
        pickups_ms.push(pickup_ms(pool, ours, number).await?);
        claims_ms.push(claim_ms(pool, run).await?);
    }
    Ok((Percentiles::of(pickups_ms)?, Percentiles::of(claims_ms)?))
}

/// Taken back afterwards, so that the next one finds the same.
async fn claim_ms(pool: &PgPool, run: RunId) -> anyhow::Result<f64> {
    let mut transaction = pool.begin().await?;
    let begun = Instant::now();
    let taken = lease::take(&mut transaction, run, "bench", Duration::from_secs(8)).await?;
    anyhow::ensure!(taken.is_some(), "the run is somebody else's");
    capacity::wake_next_in_line(&mut transaction, &CapacityGroup("local".to_owned())).await?;
    let time = begun.elapsed();
    transaction.rollback().await?;
    Ok(time.as_secs_f64() * 1000.0)
}

async fn submit(pool: &PgPool) -> anyhow::Result<RunId> {
    let spec: RunSpec = serde_json::from_value(json!({
        "model": "meta-llama/Llama-3.1-8B", "instance_type": "g6e.xlarge",
        "platform": {"kind": "local", "engine": "simulator"}, "load_points": [{"concurrency": 1}],
    }))?;
    let mut connection = pool.acquire().await?;
    capacity::set_limit(&mut connection, "local", PLACES).await?;
    let dataset = datasets::find(&mut connection, &spec.workload.dataset).await?;
    let new = NewRun {
        spec: &spec,
        dataset_sha256: &dataset.sha256,
        priority: Priority::Person,
        submitted_by: None,
        hf_token_sealed: None,
        revision_absent_reason: None,
        idempotency_key: None,
    };
    let run_id = RunId::new();
    runs::submit(&mut connection, run_id, &new).await?;
    // Ticks of the queue that is not looked at here.
    queue::push_tick(&mut connection, run_id, Urgency::Asked, Duration::ZERO).await?;
    Ok(run_id)
}
