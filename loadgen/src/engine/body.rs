//! What a request asks of the engine.

use accelbench_core::dataset::{Content, Message};
use accelbench_core::workload::EosPolicy;
use serde::Serialize;

use super::Engine;
use crate::prompts::PreparedPrompt;

/// Seeds that every engine takes: some read them as 32 bits with a sign.
const MOST_SEED: u64 = i32::MAX as u64;

/// The body of `POST /v1/completions` or `POST /v1/chat/completions`.
#[derive(Debug, Serialize)]
pub(super) struct RequestBody<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'a [Message]>,
    max_tokens: u32,
    /// Sampling costs the same at every temperature; 0 makes repeats comparable.
    temperature: f32,
    seed: u64,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_eos: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_tokens: Option<u32>,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuous_usage_stats: Option<bool>,
}

impl<'a> RequestBody<'a> {
    pub(super) fn new(engine: &'a Engine, prompt: &'a PreparedPrompt) -> Self {
        let output_tokens = prompt.asked.output_tokens;
        let (text, messages) = match &prompt.content {
            Content::Text(text) => (Some(text.as_str()), None),
            Content::Messages(messages) => (None, Some(messages.as_slice())),
        };
        let to_the_asked_length = engine.eos == EosPolicy::Ignore;
        Self {
            model: &engine.model,
            prompt: text,
            messages,
            max_tokens: output_tokens,
            temperature: 0.0,
            seed: engine.seed & MOST_SEED,
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
                continuous_usage_stats: engine.running_usage.then_some(true),
            },
            ignore_eos: to_the_asked_length.then_some(true),
            min_tokens: to_the_asked_length.then_some(output_tokens),
        }
    }
}
