//! Benchmarks that print what was measured beside what was true. Nothing here passes or fails; see `make bench-fidelity`.

use clap::{Parser, Subcommand};

mod catalog;
mod client;
mod differences;
mod fidelity;
mod latency;
mod queue;
mod server;
mod truth;

#[derive(Debug, Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare what the load generator reports with what a server of precise times saw
    Fidelity(fidelity::FidelityOptions),
    /// Compare simulated engines that are equal or not, and count the verdicts
    Differences(differences::DifferenceOptions),
    /// Ask a large catalog its most used questions, over HTTP and in plain SQL
    Catalog(catalog::CatalogOptions),
    /// Put jobs into queues on PostgreSQL and time them, ours beside others
    Queue(queue::QueueOptions),
    /// Serve tokens at precise moments and write down when they went; started by the benchmark
    #[command(hide = true)]
    Server(server::ServerOptions),
    /// Generate the load of one condition; started by the benchmark
    #[command(hide = true)]
    Client(client::ClientOptions),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Fidelity(options) => fidelity::run(&options),
        Command::Differences(options) => differences::run(&options),
        Command::Catalog(options) => catalog::run(&options),
        Command::Queue(options) => queue::run(options),
        Command::Server(options) => server::run(&options),
        Command::Client(options) => client::run(&options),
    }
}
