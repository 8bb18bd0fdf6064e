//! One command a file; the dispatcher only chooses.

use crate::arguments::{Arguments, Command};
use crate::client::Client;

pub(crate) mod bench;
pub(crate) mod catalog;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod estimate;
pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod import;
mod load;
pub(crate) mod manifests;
pub(crate) mod migrate;
pub(crate) mod models;
pub(crate) mod prices;
mod progress;
pub(crate) mod query;
pub(crate) mod reap;
pub(crate) mod recommend;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod serve;
mod token;
pub(crate) mod up;
pub(crate) mod worker;

pub(crate) async fn dispatch(arguments: Arguments) -> anyhow::Result<()> {
    let client = Client::new(arguments.server)?;
    let output = arguments.output;
    match arguments.command {
        Command::Up(options) => up::up(*options).await,
        Command::Doctor(options) => doctor::doctor(&client, output, *options).await,
        Command::Down(options) => down::down(options).await,
        Command::Run(options) => run::run(&client, output, *options).await,
        Command::Query(options) => query::query(&client, output, *options).await,
        Command::Catalog(command) => catalog::catalog(&client, output, command).await,
        Command::Prices(options) => prices::prices(&client, output, options).await,
        Command::Bench(options) => bench::bench(output, *options).await,
        Command::Export(options) => export::export(&client, options).await,
        Command::Estimate(options) => estimate::estimate(&client, output, options).await,
        Command::Fit(options) => fit::fit(&client, output, options).await,
        Command::Import(options) => import::import(&client, output, *options).await,
        Command::Recommend(options) => recommend::recommend(&client, output, *options).await,
        Command::Reap(options) => reap::reap(options).await,
        Command::Runs(options) => runs::runs(&client, output, options).await,
        Command::Serve(options) => serve::serve(options).await,
        Command::Worker(options) => worker::worker(*options).await,
        Command::Manifests(options) => manifests::manifests(&client, options).await,
        Command::Models(options) => models::models(&client, output, options).await,
        Command::Migrate(options) => migrate::migrate(options).await,
        Command::Loadgen(options) => accelbench_loadgen::run(options).await,
        Command::Simulate(options) => simulate(*options).await,
        Command::Supervise(options) => accelbench_worker::supervise::supervise(&options),
    }
}

async fn simulate(options: accelbench_simulator::SimulatorOptions) -> anyhow::Result<()> {
    let listener = accelbench_simulator::bind(&options).await?;
    tracing::info!(address = %listener.local_addr()?, "the simulator listens");
    accelbench_simulator::serve(options, listener, crate::shutdown::wait()).await?;
    Ok(())
}
