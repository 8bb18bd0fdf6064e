//! The command line as it is written.

use accelbench_loadgen::LoadgenOptions;
use accelbench_simulator::SimulatorOptions;
use accelbench_worker::supervise::SuperviseOptions;
use clap::{Parser, Subcommand, ValueEnum};
use url::Url;

use crate::commands::{
    bench, catalog, doctor, down, estimate, export, fit, import, manifests, migrate, models, prices, query,
    reap, recommend, run, runs, serve, up, worker,
};
use crate::logging::LogFormat;

/// Which AWS accelerated instance should serve an open LLM, at what speed and at what cost
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Address of the AccelBench server
    #[arg(
        long,
        global = true,
        env = "ACCELBENCH_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) server: Url,

    /// Form of the output
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,

    /// Form of log lines on stderr
    #[arg(long, global = true, env = "ACCELBENCH_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub(crate) log_format: LogFormat,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Form of what goes to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs: the server's own JSON
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start AccelBench on this machine: database, server and worker in one process
    Up(Box<up::UpOptions>),
    /// Stop what `accelbench up` started
    Down(down::DownOptions),
    /// Look at everything that an installation needs, and say what to do about what is wrong
    Doctor(Box<doctor::DoctorOptions>),
    /// Benchmark a model: submit a run, and wait for its results with --wait
    Run(Box<run::RunOptions>),
    /// Measure any OpenAI-compatible server from here, without an AccelBench server
    Bench(Box<bench::BenchOptions>),
    /// Look results up
    Query(Box<query::QueryOptions>),
    /// See what keeping the catalog fresh takes
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Find the cheapest configuration that keeps an SLO at a load
    Recommend(Box<recommend::RecommendOptions>),
    /// Estimate how fast a model would be on an instance type, and what a run would take and cost
    Estimate(estimate::EstimateOptions),
    /// Say in numbers whether a model fits an instance type, and what would fit instead
    Fit(fit::FitOptions),
    /// Write results in the form of another tool
    Export(export::ExportOptions),
    /// Take over what another load generator measured, shown apart from our own results
    Import(Box<import::ImportOptions>),
    /// Show the objects of a run on a cluster, without their secrets
    Manifests(manifests::ManifestsOptions),
    /// List and show models, and add one by its name on the Hugging Face Hub
    Models(models::ModelsOptions),
    /// Show what instances cost
    Prices(prices::PricesOptions),
    /// List, show and cancel runs
    Runs(runs::RunsOptions),
    /// Serve the web pages and the REST API
    Serve(serve::ServeOptions),
    /// Work on runs
    Worker(Box<worker::WorkerCommandOptions>),
    /// Bring the database to this version's schema
    Migrate(migrate::MigrateOptions),
    /// Generate the load of one run; started by a worker
    Loadgen(LoadgenOptions),
    /// End runs on a cluster whose deadline has passed or whose worker is gone; for a CronJob
    Reap(reap::ReapOptions),
    /// Play an inference engine, without an accelerator
    Simulate(Box<SimulatorOptions>),
    /// Wait for a process and note how it ended; started by a worker
    #[command(hide = true)]
    Supervise(SuperviseOptions),
}

impl Command {
    /// Whether this is a long-running part of the system, which logs, rather than a question of a person.
    pub(crate) fn is_service(&self) -> bool {
        !matches!(
            self,
            Self::Bench(_)
                | Self::Catalog(_)
                | Self::Doctor(_)
                | Self::Down(_)
                | Self::Estimate(_)
                | Self::Export(_)
                | Self::Fit(_)
                | Self::Import(_)
                | Self::Manifests(_)
                | Self::Models(_)
                | Self::Recommend(_)
                | Self::Run(_)
                | Self::Query(_)
                | Self::Prices(_)
                | Self::Runs(_)
                | Self::Migrate(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_command_line_is_free_of_contradictions() {
        Arguments::command().debug_assert();
    }
}
