//! The command line as it is written.

use std::path::PathBuf;

use accelbench_loadgen::LoadgenOptions;
use accelbench_simulator::SimulatorOptions;
use accelbench_worker::supervise::SuperviseOptions;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use url::Url;

use crate::commands::{
    bench, catalog, compare, completion, config, cost, datasets, doctor, down, estimate, export, fit, help,
    import, instances, man, manifests, mcp, migrate, models, open, prices, query, reap, recommend, results,
    run, runs, serve, up, version, worker,
};
use crate::logging::LogFormat;
use crate::output::Format;

mod examples;

/// Which AWS accelerated instance should serve an open LLM, at what speed and at what cost
#[derive(Debug, Parser)]
#[command(
    name = "accelbench",
    version,
    propagate_version = true,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalOptions,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Address of the AccelBench server [default: that of the settings, or http://127.0.0.1:8080]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<Url>,
    /// Set of settings to use; `accelbench config contexts` lists them
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// File of your settings [default: accelbench/config.toml in your configuration folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Form of the output [default: table]
    #[arg(short, long, global = true, value_enum, value_name = "FORM")]
    pub(crate) output: Option<Format>,
    /// JSON with these fields alone, or with all; dots lead into nested ones
    #[arg(long, global = true, value_name = "FIELD,...", value_delimiter = ',', num_args = 0..=1, default_missing_value = "")]
    pub(crate) json: Option<Vec<String>>,
    /// What this jq expression makes of the JSON
    #[arg(long, global = true, value_name = "EXPRESSION")]
    pub(crate) jq: Option<String>,
    /// No colours, on a terminal either
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Form of log lines on stderr
    #[arg(long, global = true, env = "ACCELBENCH_LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto)]
    pub(crate) log_format: LogFormat,
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
    /// Find the cheapest configuration that keeps an SLO at a load
    Recommend(Box<recommend::RecommendOptions>),
    /// Put results side by side, with what chance may have made
    Compare(compare::CompareOptions),
    /// Estimate how fast a model would be on an instance type, and what a run would take and cost
    Estimate(estimate::EstimateOptions),
    /// Say in numbers whether a model fits an instance type, and what would fit instead
    Fit(fit::FitOptions),
    /// Reckon what serving costs, from a result or from numbers of your own
    Cost(cost::CostOptions),
    /// List, show, watch and cancel runs
    Runs(runs::RunsOptions),
    /// List and show results
    Results(results::ResultsOptions),
    /// List and show models, and add one by its name on the Hugging Face Hub
    Models(models::ModelsOptions),
    /// List and show instance types
    Instances(instances::InstancesOptions),
    /// List, check and add datasets
    Datasets(datasets::DatasetsOptions),
    /// Show what instances cost
    Prices(prices::PricesOptions),
    /// See what keeping the catalog fresh takes
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Write results in the form of another tool
    Export(export::ExportOptions),
    /// Take over what another load generator measured, shown apart from our own results
    Import(Box<import::ImportOptions>),
    /// Show the objects of a run on a cluster, without their secrets
    Manifests(manifests::ManifestsOptions),
    /// Open the web page of a run, a result, a model or an instance type
    Open(open::OpenOptions),
    /// Answer the questions of an agent from the catalog, by the Model Context Protocol on stdin and stdout
    Mcp(mcp::McpOptions),
    /// Read and write settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print what a shell needs to complete this program's words
    Completion(completion::CompletionOptions),
    /// Print the manual page, or write one for each command
    Man(man::ManOptions),
    /// Show the versions of this program and of the server
    Version(version::VersionOptions),
    /// Explain a command, or a topic: exit-codes, environment, formatting
    Help(help::HelpOptions),
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
        matches!(
            self,
            Self::Up(_)
                | Self::Serve(_)
                | Self::Worker(_)
                | Self::Loadgen(_)
                | Self::Reap(_)
                | Self::Simulate(_)
                | Self::Supervise(_)
        )
    }

    /// Whether this asks a server; --server says nothing to the others.
    pub(crate) fn asks_a_server(&self) -> bool {
        !self.is_service() && !matches!(self, Self::Down(_) | Self::Migrate(_) | Self::Bench(_))
    }
}

/// The whole grammar, with its examples.
pub(crate) fn grammar() -> clap::Command {
    examples::add(Arguments::command())
}

#[cfg(test)]
mod tests;
