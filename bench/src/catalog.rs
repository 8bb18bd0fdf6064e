//! How fast the catalog answers: the ten most used questions over HTTP on a synthetic catalog, beside the same SQL sent
//! by pgbench, and again while results are recorded. Server, database and client share the machine.

use std::io::{Write as _, stderr, stdout};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use crate::latency::Percentiles;

mod plain_sql;
mod population;
mod questions;
mod requests;
mod statements;
mod writes;

use population::Population;
use questions::Question;
use requests::Server;

/// How large the catalog is, and how it is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct CatalogOptions {
    /// Results in the catalog's database, 20 a run
    #[arg(long, default_value_t = 1_000_000)]
    results: u64,
    /// Runs of each configuration, of which the last is current
    #[arg(long, default_value_t = 10)]
    repeats: u64,
    /// How long each question is asked in each way, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Clients that ask at once
    #[arg(long, default_value_t = 2)]
    clients: usize,
    /// Results that are recorded per second during the third part
    #[arg(long, default_value_t = 200)]
    inserts_per_s: u32,
    /// Only questions whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Where the database is kept for the next time; without it, it is made anew and removed
    #[arg(long)]
    data_directory: Option<PathBuf>,
}

/// What one question came to, over HTTP, in plain SQL, and over HTTP while results are recorded.
struct Outcome {
    name: &'static str,
    http: Percentiles,
    sql: Percentiles,
    while_recording: Option<Percentiles>,
}

pub(crate) fn run(options: &CatalogOptions) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(options))
}

async fn measure(options: &CatalogOptions) -> anyhow::Result<()> {
    let population = Population::prepare(options).await?;
    let server = Server::start(&population.url).await?;
    writeln!(stdout(), "{}", population.summary().await?)?;
    let questions = questions::all(&server).await?;
    let chosen: Vec<&Question> =
        questions.iter().filter(|question| question.name.contains(&options.only)).collect();
    let length = Duration::from_secs(options.seconds);
    let mut outcomes = Vec::new();
    for question in &chosen {
        writeln!(stderr(), "measuring: {}", question.name)?;
        let scripts = statements::of(&population, &server, question).await?;
        let http = server.ask(question, options.clients, length).await?;
        let sql = plain_sql::run(&population, &scripts, options.clients, length).await?;
        outcomes.push(Outcome { name: question.name, http, sql, while_recording: None });
    }
    let writer = writes::start(&population, options.inserts_per_s).await?;
    for (question, outcome) in chosen.iter().zip(&mut outcomes) {
        writeln!(stderr(), "measuring while results are recorded: {}", question.name)?;
        outcome.while_recording = Some(server.ask(question, options.clients, length).await?);
    }
    let recorded_per_s = writer.stop().await?;
    writeln!(stdout(), "{}\n{recorded_per_s:.0} results/s were recorded meanwhile", table(&outcomes))?;
    server.stop().await?;
    population.stop().await
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header([
        "p50/p95/p99 in ms",
        "HTTP",
        "SQL",
        "HTTP/SQL p50",
        "HTTP/SQL p99",
        "HTTP while recording",
        "/ alone p50",
        "/ alone p99",
        "answers",
    ]);
    for Outcome { name, http, sql, while_recording } in outcomes {
        let ratio = |one: f64, other: f64| format!("{:.2}", one / other);
        let recording = while_recording.as_ref();
        table.add_row([
            (*name).to_owned(),
            http.to_string(),
            sql.to_string(),
            ratio(http.p50_ms, sql.p50_ms),
            ratio(http.p99_ms, sql.p99_ms),
            recording.map(ToString::to_string).unwrap_or_default(),
            recording.map(|it| ratio(it.p50_ms, http.p50_ms)).unwrap_or_default(),
            recording.map(|it| ratio(it.p99_ms, http.p99_ms)).unwrap_or_default(),
            http.count.to_string(),
        ]);
    }
    table
}
