//! Completions that only the server knows: models, instance types, runs, results. A shell waits for them, so that a
//! server that does not answer within a second offers none.

use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::client::Client;
use crate::settings::{Flags, Key, Settings};

const PATIENCE: Duration = Duration::from_secs(1);

/// Ids of models.
pub(crate) fn models() -> ArgValueCandidates {
    ArgValueCandidates::new(|| names("models", "models", "model"))
}

/// Names of instance types.
pub(crate) fn instances() -> ArgValueCandidates {
    ArgValueCandidates::new(|| names("instances", "instances", "instance_type"))
}

/// Ids of runs, the newest first.
pub(crate) fn runs() -> ArgValueCandidates {
    ArgValueCandidates::new(|| names("runs", "runs", "id"))
}

/// Ids of results, the newest first.
pub(crate) fn results() -> ArgValueCandidates {
    ArgValueCandidates::new(|| names("results", "results", "id"))
}

fn names(path: &str, list: &str, name: &str) -> Vec<CompletionCandidate> {
    let answer = ask(path).unwrap_or_default();
    let items = answer[list].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item[name].as_str()).map(CompletionCandidate::new).collect()
}

/// What cannot be asked has no candidates; a shell is no place for messages.
fn ask(path: &str) -> Option<Value> {
    let settings = Settings::read(&Flags::default()).ok()?;
    let client = Client::new(settings.get(Key::Server)?.value.parse().ok()?).ok()?;
    let runtime = Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { timeout(PATIENCE, client.get(path, &[])).await.ok()?.ok() })
}
