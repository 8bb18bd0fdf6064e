//! The server's configuration.

use std::net::SocketAddr;

use accelbench_hub::HubOptions;
use clap::Args;

/// How the server serves.
#[derive(Debug, Clone, Args)]
pub struct ApiOptions {
    /// Address to listen on; AccelBench has no users of its own, so keep it private
    #[arg(long, env = "ACCELBENCH_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub bind: SocketAddr,

    /// Largest dataset that is taken, in MiB
    #[arg(long, env = "ACCELBENCH_MAX_DATASET_MIB", default_value_t = 32, value_name = "MIB")]
    pub max_dataset_mib: u32,

    /// AWS region of the cluster, whose prices estimates are made with
    #[arg(long, env = "ACCELBENCH_REGION", default_value = "us-east-1")]
    pub region: String,

    /// Which Hub tells of models
    #[command(flatten)]
    pub hub: HubOptions,
}
