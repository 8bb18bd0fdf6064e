//! How soon and how fast jobs are taken from the queue: ours beside apalis as it comes and a queue of plain SQL, in turns on
//! one database, and ours once more behind a crowd of waiting runs. Database and workers share the machine.

use std::io::{Write as _, stderr, stdout};
use std::time::{Duration, Instant};

use accelbench_embedded_postgres::{Cluster, ClusterOptions, Installation};
use accelbench_store::{PgPool, connect, migrate, seed};
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use rand::RngExt as _;

use crate::latency::Percentiles;

mod apalis_queue;
mod crowd;
mod plain_sql;

/// Jobs that one worker has in hand at once.
const CONCURRENCY: usize = 8;

/// How much is measured.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct QueueOptions {
    /// Jobs whose way is timed, of each queue
    #[arg(long, default_value_t = 1000)]
    jobs: u64,
    /// Jobs that are put in at once and drained, of each queue
    #[arg(long, default_value_t = 5000)]
    burst: u64,
    /// Runs that wait while ours is measured once more
    #[arg(long, default_value_t = 100_000)]
    waiting: u32,
}

/// A queue with a worker that does nothing but tell which job it took.
enum Contender {
    Apalis(apalis_queue::Running),
    PlainSql(plain_sql::Running),
}

impl Contender {
    fn name(&self) -> &'static str {
        match self {
            Self::Apalis(running) => running.name,
            Self::PlainSql(_) => "plain SQL (SKIP LOCKED, NOTIFY)",
        }
    }

    async fn push(&self, pool: &PgPool, number: u64) -> anyhow::Result<()> {
        match self {
            Self::Apalis(running) => running.push(pool, number).await,
            Self::PlainSql(_) => plain_sql::push(pool, number).await,
        }
    }

    /// The next job that was taken, and when.
    async fn taken(&mut self) -> anyhow::Result<(u64, Instant)> {
        let taken = match self {
            Self::Apalis(running) => running.taken.recv(),
            Self::PlainSql(running) => running.taken.recv(),
        };
        let taken = tokio::time::timeout(Duration::from_mins(2), taken).await;
        taken.ok().flatten().ok_or_else(|| anyhow::anyhow!("a job was never taken"))
    }
}

struct Outcome {
    name: String,
    pickup: Percentiles,
    put_in_per_s: f64,
    drained_per_s: f64,
}

pub(crate) fn run(options: QueueOptions) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(options))
}

async fn measure(options: QueueOptions) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let installation = Installation::find_for(folder.path())?;
    // Durable, as in earnest: each commit reaches the disk.
    let cluster = Cluster::start(&installation, &ClusterOptions::new(folder.path().join("postgres"))).await?;
    let pool = connect(&cluster.database_url(), 40).await?;
    migrate(&pool).await?;
    seed::seed(&pool).await?;
    let mut contenders = vec![
        Contender::Apalis(apalis_queue::ours(&pool)),
        Contender::Apalis(apalis_queue::buffered(&pool)),
        Contender::PlainSql(plain_sql::start(&pool).await?),
    ];
    // Workers register.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let pickups = pickups(&pool, &mut contenders, options.jobs).await?;
    let mut outcomes = Vec::new();
    for (contender, pickup) in contenders.iter_mut().zip(pickups) {
        writeln!(stderr(), "draining {} jobs: {}", options.burst, contender.name())?;
        let (put_in_per_s, drained_per_s) = burst(&pool, contender, options.burst).await?;
        outcomes.push(Outcome { name: contender.name().to_owned(), pickup, put_in_per_s, drained_per_s });
    }
    writeln!(stdout(), "{}", table(&outcomes))?;
    let [ours, ..] = &mut contenders[..] else { return Ok(()) };
    crowd::measure(&pool, ours, options.jobs, options.waiting).await?;
    drop(contenders);
    pool.close().await;
    Ok(cluster.stop().await?)
}

/// The time from before a job is put in until a worker has it, with all queues idle, in turns.
async fn pickups(pool: &PgPool, contenders: &mut [Contender], jobs: u64) -> anyhow::Result<Vec<Percentiles>> {
    writeln!(stderr(), "timing {jobs} jobs of each queue")?;
    let mut latencies_ms: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for number in 0..jobs {
        for (contender, latencies_ms) in contenders.iter_mut().zip(&mut latencies_ms) {
            latencies_ms.push(pickup_ms(pool, contender, number).await?);
        }
    }
    latencies_ms.into_iter().map(Percentiles::of).collect()
}

async fn pickup_ms(pool: &PgPool, contender: &mut Contender, number: u64) -> anyhow::Result<f64> {
    // Not in step with whatever looks again by the clock.
    tokio::time::sleep(Duration::from_micros(rand::rng().random_range(2000..12_000))).await;
    let begun = Instant::now();
    contender.push(pool, number).await?;
    let (taken, at) = contender.taken().await?;
    anyhow::ensure!(taken == number, "job {taken} came for {number}");
    Ok(at.duration_since(begun).as_secs_f64() * 1000.0)
}

/// How many jobs a second one client puts in, each in a transaction of its own, and how many a worker takes meanwhile
/// and afterwards, from the first to the last.
async fn burst(pool: &PgPool, contender: &mut Contender, jobs: u64) -> anyhow::Result<(f64, f64)> {
    let begun = Instant::now();
    for number in 0..jobs {
        contender.push(pool, number).await?;
    }
    let put_in = begun.elapsed();
    let mut last = begun;
    for _ in 0..jobs {
        last = last.max(contender.taken().await?.1);
    }
    let per_s = |time: Duration| jobs as f64 / time.as_secs_f64();
    Ok((per_s(put_in), per_s(last.duration_since(begun))))
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header([
        "queue",
        "pickup p50/p95/p99 in ms",
        "/ plain SQL p50",
        "/ plain SQL p99",
        "put in per s",
        "done per s",
    ]);
    let plain = outcomes.last().map(|outcome| outcome.pickup);
    for Outcome { name, pickup, put_in_per_s, drained_per_s } in outcomes {
        let ratio = |of: fn(&Percentiles) -> f64| {
            plain.as_ref().map(|plain| format!("{:.2}", of(pickup) / of(plain))).unwrap_or_default()
        };
        table.add_row([
            name.clone(),
            pickup.to_string(),
            ratio(|it| it.p50_ms),
            ratio(|it| it.p99_ms),
            format!("{put_in_per_s:.0}"),
            format!("{drained_per_s:.0}"),
        ]);
    }
    table
}
