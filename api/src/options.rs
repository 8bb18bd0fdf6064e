//! The server's configuration.

use std::net::SocketAddr;

use accelbench_hub::{Hub, Timeouts};
use clap::Args;
use clap::builder::BoolishValueParser;
use url::Url;

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

    /// The Hugging Face Hub, or a mirror of it, that is asked for a model's commit and facts
    #[arg(
        long,
        env = "HF_ENDPOINT",
        default_value = "https://huggingface.co",
        value_name = "URL",
        value_parser = parse_hub_url
    )]
    pub hub_url: Url,

    /// Never ask the Hub: only models of the catalog can be run, and their commits are not known
    #[arg(long, env = "ACCELBENCH_OFFLINE", value_parser = BoolishValueParser::new())]
    pub offline: bool,
}

/// A wrong address is refused when the server starts, not with each request.
fn parse_hub_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no address: {error}"))?;
    Hub::new(&url, Timeouts::default()).map_err(|error| error.to_string())?;
    Ok(url)
}
