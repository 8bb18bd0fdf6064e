//! The guard of the PostgreSQL server that all tests share: `test-postgres <state directory> <idle limit in ms>`.
//!
//! Starts an empty, undurable server, publishes its URL, and stops it once no client has been connected for the
//! time given. Tests start it; there is nothing to start by hand.

use std::env;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use accelbench_embedded_postgres::{Cluster, ClusterOptions, Durability, Installation, stop_orphan};
use accelbench_tests::database::{ADMIN_DATABASE, STAY_LOCK, StateDirectory, leftovers};
use anyhow::{Context as _, bail};
use chrono::Utc;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

/// How often a guard tries to become the only one: a client that looks whether there is one holds the lock for an
/// instant.
const LOCK_ATTEMPTS: u32 = 10;

/// The pause between two of these attempts.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause between two looks at who is connected.
const LONGEST_POLL: Duration = Duration::from_secs(1);

/// The pause between two sweeps for databases of killed tests.
const SWEEP_PAUSE: Duration = Duration::from_mins(10);

/// Enough for one test per core and all that they start.
const MAX_CONNECTIONS: u16 = 300;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = env::args_os().skip(1);
    let directory =
        arguments.next().map_or_else(StateDirectory::default_path, |path| Ok(PathBuf::from(path)))?;
    let directory = StateDirectory::open(&directory)?;
    let idle_limit_ms = arguments.next().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(30_000);

    let Some(_guard) = become_the_guard(&directory).await? else {
        return Ok(());
    };
    directory.clear_log()?;
    directory.withdraw()?;
    let cluster = start_afresh(&directory).await?;
    let outcome = serve(&directory, cluster, Duration::from_millis(idle_limit_ms)).await;
    directory.withdraw()?;
    outcome
}

async fn become_the_guard(directory: &StateDirectory) -> anyhow::Result<Option<File>> {
    for _ in 0..LOCK_ATTEMPTS {
        if let Some(lock) = directory.try_guard()? {
            return Ok(Some(lock));
        }
        sleep(LOCK_PAUSE).await;
    }
    Ok(None)
}

/// Without what an earlier server left: databases of killed tests, old templates, and whatever a crash of the
/// machine made of an undurable cluster. A new cluster takes half a second.
async fn start_afresh(directory: &StateDirectory) -> anyhow::Result<Cluster> {
    let data_directory = directory.data_directory();
    stop_orphan(&data_directory).await?;
    match fs::remove_dir_all(&data_directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).context("cannot clear the data");
        }
        _ => {}
    }
    let installation = Installation::obtain(directory.path()).await?;
    let options = ClusterOptions {
        durability: Durability::None,
        max_connections: MAX_CONNECTIONS,
        ..ClusterOptions::new(data_directory)
    };
    Ok(Cluster::start(&installation, &options).await?)
}

/// Until nobody needs the server any more, somebody tells us to end, or the server ends by itself.
async fn serve(directory: &StateDirectory, mut cluster: Cluster, idle_limit: Duration) -> anyhow::Result<()> {
    let url = cluster.database_url();
    let options: PgConnectOptions = url.parse()?;
    let mut admin = PgConnection::connect_with(&options.database(ADMIN_DATABASE)).await?;
    directory.publish(&url)?;

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = wait_until_idle(&mut admin, idle_limit) => outcome?,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        status = cluster.wait() => bail!("the server ended by itself: {}", status?),
    }
    directory.withdraw()?;
    // The lock that clients are waiting for goes with the server, and they with it: so they start a new one.
    cluster.stop().await?;
    Ok(())
}

/// Returns holding [`STAY_LOCK`], which no client then has or gets.
async fn wait_until_idle(admin: &mut PgConnection, idle_limit: Duration) -> anyhow::Result<()> {
    let poll = LONGEST_POLL.min(idle_limit / 4);
    let mut last_seen = Instant::now();
    let mut last_sweep = Instant::now();
    loop {
        sleep(poll).await;
        if count_clients(admin).await? > 0 {
            last_seen = Instant::now();
        }
        if last_seen.elapsed() >= idle_limit && is_free_to_stop(admin).await? {
            return Ok(());
        }
        if last_sweep.elapsed() >= SWEEP_PAUSE {
            leftovers::sweep(admin, Utc::now()).await?;
            last_sweep = Instant::now();
        }
    }
}

async fn count_clients(admin: &mut PgConnection) -> anyhow::Result<i64> {
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    );
    Ok(count.fetch_one(admin).await?)
}

async fn is_free_to_stop(admin: &mut PgConnection) -> anyhow::Result<bool> {
    Ok(sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(STAY_LOCK).fetch_one(admin).await?)
}
