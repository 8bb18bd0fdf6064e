//! Where the Hub is, as an operator says it to whatever asks.

use clap::Args;
use clap::builder::BoolishValueParser;
use url::Url;

use crate::{Hub, HubError, Timeouts};

/// Which Hub is asked, if any.
#[derive(Debug, Clone, Args)]
pub struct HubOptions {
    /// The Hugging Face Hub, or a mirror of it, that is asked for a model's commit and facts
    #[arg(
        long,
        env = "HF_ENDPOINT",
        default_value = "https://huggingface.co",
        value_name = "URL",
        value_parser = parse_url
    )]
    pub hub_url: Url,

    /// Never ask the Hub: only models of the catalog can be run, and their commits are not known
    #[arg(long, env = "ACCELBENCH_OFFLINE", value_parser = BoolishValueParser::new())]
    pub offline: bool,
}

impl HubOptions {
    /// This Hub.
    #[must_use]
    pub fn asking(hub_url: Url) -> Self {
        Self { hub_url, offline: false }
    }

    /// No Hub.
    ///
    /// # Panics
    /// Never: the address is one.
    #[must_use]
    pub fn offline() -> Self {
        let hub_url = Url::parse("https://huggingface.co").expect("a constant address");
        Self { hub_url, offline: true }
    }

    /// The Hub, unless it is not to be asked.
    ///
    /// # Errors
    /// [`HubError::Client`] when no client can be made.
    pub fn connect(&self, timeouts: Timeouts) -> Result<Option<Hub>, HubError> {
        if self.offline { Ok(None) } else { Hub::new(&self.hub_url, timeouts).map(Some) }
    }
}

/// A wrong address is refused when the program starts, not with each request.
fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no address: {error}"))?;
    Hub::new(&url, Timeouts::default()).map_err(|error| error.to_string())?;
    Ok(url)
}
