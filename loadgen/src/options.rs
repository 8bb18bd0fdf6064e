//! The load generator's configuration. The token comes from the environment alone: flags are seen by everybody.

use accelbench_core::run::RunId;
use clap::Args;
use url::Url;

/// Which run to work for.
#[derive(Debug, Clone, Args)]
pub struct LoadgenOptions {
    /// Address of the API
    #[arg(long, env = "ACCELBENCH_API_URL")]
    pub api_url: Url,

    /// The run
    #[arg(long, env = "ACCELBENCH_RUN_ID")]
    pub run_id: RunId,

    /// A request that takes longer than this counts as failed, in seconds
    #[arg(long, env = "ACCELBENCH_REQUEST_TIMEOUT_S", default_value_t = 600)]
    pub request_timeout_s: u64,
}

/// The token that admits to this run.
pub(crate) fn run_token() -> anyhow::Result<String> {
    std::env::var("ACCELBENCH_RUN_TOKEN").map_err(|_absent| {
        anyhow::anyhow!(
            "ACCELBENCH_RUN_TOKEN is not set; the load generator is started by a worker, which sets it"
        )
    })
}
