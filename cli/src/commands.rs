//! One command a file; the dispatcher only chooses.

use crate::arguments::{Arguments, Command};
use crate::exit::Failure;
use crate::session::Session;

pub(crate) mod bench;
pub(crate) mod catalog;
pub(crate) mod compare;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod cost;
pub(crate) mod datasets;
mod deployment;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod estimate;
pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod follow;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod instances;
mod load;
pub(crate) mod man;
pub(crate) mod manifests;
pub(crate) mod mcp;
pub(crate) mod migrate;
pub(crate) mod models;
pub(crate) mod open;
pub(crate) mod prices;
mod progress;
pub(crate) mod query;
pub(crate) mod reap;
pub(crate) mod recommend;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod serve;
mod token;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod worker;

pub(crate) async fn dispatch(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { global, command } = arguments;
    if let Some(url) = global.server.as_ref().filter(|_| !command.asks_a_server()) {
        return Err(Failure::Usage {
            message: format!("--server {url} says nothing here: this command asks no server"),
            hint: Some(
                "leave --server out; `up` and `serve` take the address to listen on from --bind".to_owned(),
            ),
        }
        .into());
    }
    match command {
        Command::Up(options) => up::up(*options).await,
        Command::Down(options) => down::down(options).await,
        Command::Reap(options) => reap::reap(options).await,
        Command::Serve(options) => serve::serve(options).await,
        Command::Worker(options) => worker::worker(*options).await,
        Command::Migrate(options) => migrate::migrate(options).await,
        Command::Loadgen(options) => accelbench_loadgen::run(options).await,
        Command::Simulate(options) => simulate(*options).await,
        Command::Supervise(options) => accelbench_worker::supervise::supervise(&options),
        Command::Help(options) => help::help(&options),
        Command::Man(options) => man::man(&options),
        Command::Completion(options) => completion::completion(&options),
        asking => {
            let makes_context = matches!(&asking, Command::Config(command) if command.makes_context());
            ask(&Session::open(&global, makes_context)?, asking).await
        }
    }
}

/// The commands that show something in the form that was asked for.
async fn ask(session: &Session, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run(options) => run::run(session, *options).await,
        Command::Bench(options) => bench::bench(&session.output, *options).await,
        Command::Query(options) => query::query(session, *options).await,
        Command::Recommend(options) => recommend::recommend(session, *options).await,
        Command::Compare(options) => compare::compare(session, options).await,
        Command::Estimate(options) => estimate::estimate(session, options).await,
        Command::Fit(options) => fit::fit(session, options).await,
        Command::Doctor(options) => doctor::doctor(session, *options).await,
        Command::Cost(options) => cost::cost(session, options).await,
        Command::Runs(options) => runs::runs(session, options).await,
        Command::Results(options) => results::results(session, options).await,
        Command::Models(options) => models::models(session, options).await,
        Command::Instances(options) => instances::instances(session, options).await,
        Command::Datasets(options) => datasets::datasets(session, options).await,
        Command::Prices(options) => prices::prices(session, options).await,
        Command::Catalog(command) => catalog::catalog(session, command).await,
        Command::Export(options) => export::export(session, options).await,
        Command::Import(options) => import::import(session, *options).await,
        Command::Manifests(options) => manifests::manifests(session, options).await,
        Command::Open(options) => open::open(session, options).await,
        Command::Mcp(options) => mcp::mcp(session, options).await,
        Command::Config(command) => config::config(session, command),
        Command::Version(options) => version::version(session, options).await,
        // The dispatcher has taken the others, which ask nobody.
        other => anyhow::bail!("{other:?} was given to nobody; this is a fault of the program"),
    }
}

async fn simulate(options: accelbench_simulator::SimulatorOptions) -> anyhow::Result<()> {
    let listener = accelbench_simulator::bind(&options).await?;
    tracing::info!(address = %listener.local_addr()?, "the simulator listens");
    accelbench_simulator::serve(options, listener, crate::shutdown::wait()).await?;
    Ok(())
}
