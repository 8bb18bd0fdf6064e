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

    /// Largest body that is taken where no dataset is sent, in KiB
    #[arg(long, env = "ACCELBENCH_MAX_BODY_KIB", default_value_t = 2048, value_name = "KIB")]
    pub max_body_kib: u32,

    /// Requests per second that one client address may make, ten seconds' worth of them at once; 0 counts none
    #[arg(long, env = "ACCELBENCH_MAX_REQUESTS_PER_S", default_value_t = 100, value_name = "NUMBER")]
    pub max_requests_per_s: u32,

    /// Proxies before the server that add to X-Forwarded-For; clients are told apart by what the outermost of them saw
    #[arg(long, env = "ACCELBENCH_TRUSTED_PROXIES", default_value_t = 0, value_name = "NUMBER")]
    pub trusted_proxies: u8,

    /// AWS region of the cluster, whose prices estimates are made with
    #[arg(long, env = "ACCELBENCH_REGION", default_value = "us-east-1")]
    pub region: String,

    /// Which Hub tells of models
    #[command(flatten)]
    pub hub: HubOptions,
}
