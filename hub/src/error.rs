//! Why a model could not be resolved. No variant holds a token, nor the address that a redirect led to: those of file
//! stores are signed.

use std::time::Duration;

use accelbench_core::model::ModelId;

use crate::refusal::Refusal;
use crate::resolved::Approval;

/// Why a model could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The base URL is of no use.
    #[error(
        "`{0}` cannot be the address of a Hugging Face Hub: give an http or https address without user name, query or fragment, such as https://huggingface.co"
    )]
    InvalidBaseUrl(String),
    /// The HTTP client could not be set up.
    #[error(
        "the HTTP client for the Hugging Face Hub could not be set up; check the machine's TLS certificates"
    )]
    Client(#[source] reqwest::Error),
    /// The revision is no name of a branch, tag or commit.
    #[error("`{0}` is not a revision: give the name of a branch or tag, or a commit hash")]
    InvalidRevision(String),
    /// Gated, and no token was given.
    #[error("{model} is gated: accept its terms at {page}{}, and give a Hugging Face token of that account", wait(*.approval))]
    TokenNeeded {
        /// The model.
        model: ModelId,
        /// Where its terms are.
        page: String,
        /// Who lets in, where the Hub says.
        approval: Option<Approval>,
    },
    /// Gated, and the token given does not open it.
    #[error(
        "the Hugging Face token given has no access to {model}, which is gated: accept its terms at {page} with the account of the token{}; a fine-grained token must also allow reading public gated repositories{}",
        wait(*.approval), quoted(.said.as_deref())
    )]
    AccessNotGranted {
        /// The model.
        model: ModelId,
        /// Where its terms are.
        page: String,
        /// Who lets in, where the Hub says.
        approval: Option<Approval>,
        /// What the Hub says.
        said: Option<String>,
    },
    /// Not gated, and yet not to be read.
    #[error("the Hugging Face Hub forbids reading {model}; check what the token may read in your Hugging Face settings{}", quoted(.said.as_deref()))]
    Forbidden {
        /// The model.
        model: ModelId,
        /// What the Hub says.
        said: Option<String>,
    },
    /// The token is wrong, revoked or expired.
    #[error(
        "the Hugging Face Hub refused the token given: it is wrong, revoked or expired; make a new one in your Hugging Face settings{}",
        quoted(.said.as_deref())
    )]
    TokenRefused {
        /// What the Hub says.
        said: Option<String>,
    },
    /// There is no such model, or it is private.
    #[error("{}", not_found(.model, *.token_given))]
    ModelNotFound {
        /// The model.
        model: ModelId,
        /// Whether a token was given.
        token_given: bool,
    },
    /// The repository has no such branch, tag or commit.
    #[error(
        "{model} has no revision `{revision}`; leave the revision out for its main branch, or see its commits on the Hub"
    )]
    RevisionNotFound {
        /// The model.
        model: ModelId,
        /// The revision asked for.
        revision: String,
    },
    /// The Hub switched the repository off.
    #[error("the Hugging Face Hub has disabled {model}; give another model")]
    Disabled {
        /// The model.
        model: ModelId,
    },
    /// No decoder language model.
    #[error("{model} {refusal}")]
    NotADecoder {
        /// The model.
        model: ModelId,
        /// Why not, and what to do.
        refusal: Refusal,
    },
    /// Too many requests.
    #[error("the Hugging Face Hub answers too many requests (429){}", after(*.retry_after))]
    RateLimited {
        /// When to come back, where the Hub says.
        retry_after: Option<Duration>,
    },
    /// The Hub answered something that is not its own.
    #[error(
        "{host} answered {what} that cannot be read: {why}; check that the address is that of a Hugging Face Hub, and that no proxy answers in its place"
    )]
    Malformed {
        /// Who answered.
        host: String,
        /// What was asked for.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The answer is longer than any real one.
    #[error(
        "{host} answered {what} of more than {limit_bytes} bytes, which no real one has; check the model's repository"
    )]
    TooLong {
        /// Who answered.
        host: String,
        /// What was asked for.
        what: &'static str,
        /// How much would have been read.
        limit_bytes: usize,
    },
    /// Nobody answered in time.
    #[error("{host} did not answer within {} s; try again, or check the network between here and there", .limit.as_secs_f64())]
    TimedOut {
        /// Who did not.
        host: String,
        /// How long was waited.
        limit: Duration,
    },
    /// There was no connection, or it broke.
    #[error(
        "{host}, or the file store that it points to, cannot be reached; check the network, the proxy settings and the address"
    )]
    Unreachable {
        /// Who cannot.
        host: String,
        /// Why, without addresses.
        #[source]
        source: reqwest::Error,
    },
    /// The Hub answered another error.
    #[error("{host} answered the status {status}{}; try again later", quoted(.said.as_deref()))]
    Failed {
        /// Who answered.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What the Hub says.
        said: Option<String>,
    },
}

fn wait(approval: Option<Approval>) -> &'static str {
    match approval {
        Some(Approval::Manual) => ", wait until its authors let you in",
        Some(Approval::Automatic) | None => "",
    }
}

fn quoted(said: Option<&str>) -> String {
    said.map(|said| format!(" (the Hub says: {said})")).unwrap_or_default()
}

fn after(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(pause) => format!("; try again in {} s", pause.as_secs_f64().ceil()),
        None => "; try again in some minutes, or give a token, whose limit is higher".to_owned(),
    }
}

/// The Hub says the same of repositories that are not there and of those that the asker may not know of.
fn not_found(model: &ModelId, token_given: bool) -> String {
    let way_out = if token_given {
        "check the spelling, and whether the account of the token may read it"
    } else {
        "check the spelling; if it is private, give a token of an account that may read it"
    };
    format!(
        "{model} is not on the Hugging Face Hub, or is private, which the Hub does not tell apart; {way_out}"
    )
}
