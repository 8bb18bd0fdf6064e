//! The same statements without the server: pgbench, which comes with PostgreSQL.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

use super::population::Population;
use crate::latency::Percentiles;

/// Runs the scripts in turn by chance, from several clients at once, with statements prepared once as the server's are.
pub(super) async fn run(
    population: &Population,
    scripts: &[String],
    clients: usize,
    length: Duration,
) -> anyhow::Result<Percentiles> {
    let folder = tempfile::tempdir()?;
    let mut pgbench = Command::new(population.bin_directory.join("pgbench"));
    pgbench.args(["--no-vacuum", "--protocol", "prepared", "--log", "--log-prefix", "latency"]);
    pgbench.args(["--client", &clients.to_string(), "--time", &length.as_secs().to_string()]);
    for (number, script) in scripts.iter().enumerate() {
        let file = folder.path().join(format!("{number}.sql"));
        fs::write(&file, script)?;
        pgbench.arg("--file").arg(file);
    }
    pgbench.arg(&population.url).current_dir(folder.path()).stdin(Stdio::null());
    let done =
        pgbench.output().await.context("pgbench cannot be started; it comes with PostgreSQL's server")?;
    ensure!(done.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&done.stderr));
    let mut latencies_ms = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        let file = entry?.path();
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("latency")) {
            latencies_ms.extend(fs::read_to_string(file)?.lines().filter_map(latency_ms));
        }
    }
    Percentiles::of(latencies_ms)
}

/// Of a line of pgbench's log: client, transaction, microseconds, and more.
fn latency_ms(line: &str) -> Option<f64> {
    let microseconds: f64 = line.split(' ').nth(2)?.parse().ok()?;
    Some(microseconds / 1000.0)
}
