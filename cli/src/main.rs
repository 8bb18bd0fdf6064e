//! The one program of AccelBench. It asks a server (`run`, `query`, `runs`), is one (`up`, `serve`, `worker`), or plays a
//! part in a run (`loadgen`, `simulate`). Data goes to stdout, everything else to stderr.

use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap_complete::CompleteEnv;
use rustls::crypto::aws_lc_rs;

mod arguments;
mod client;
mod commands;
mod completer;
mod database;
mod exit;
mod home;
mod judgement;
mod known;
mod logging;
mod metrics;
mod output;
mod session;
mod settings;
mod shutdown;
mod suggestion;
mod tables;

fn main() -> ExitCode {
    // A shell that asks for completions is answered here, and the program ends.
    CompleteEnv::with_factory(arguments::grammar).var("ACCELBENCH_COMPLETE").complete();
    let matches = arguments::grammar().get_matches();
    let arguments = match arguments::Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

fn start(arguments: arguments::Arguments) -> anyhow::Result<()> {
    // The supervisor of a process waits for it and does nothing else: it needs no runtime and no log.
    if let arguments::Command::Supervise(options) = &arguments.command {
        return accelbench_worker::supervise::supervise(options);
    }
    if arguments.global.no_color {
        output::forbid_colours();
    }
    logging::start(&arguments);
    // Two cryptography providers are linked in by the dependencies; rustls asks for a choice. A second choice in one
    // process cannot happen, and would change nothing.
    let _ = aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(commands::dispatch(arguments));
    // Blocking work of a library must not keep a program from ending that has said what it had to say.
    runtime.shutdown_background();
    outcome
}
