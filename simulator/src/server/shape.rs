//! The JSON of answers, key by key in vLLM's order. A field of type `()` is always null, one of type `Option<()>` is
//! null or absent.

use serde::Serialize;

/// An event of a stream.
#[derive(Debug, Serialize)]
pub(super) struct Event<'a, C> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: C,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system_fingerprint: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prompt_token_ids: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prompt_text: Option<()>,
}

/// Token counts.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Usage {
    prompt_tokens: u32,
    total_tokens: u32,
    completion_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens_details: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens_details: Option<()>,
}

/// A piece of a streamed completion.
#[derive(Debug, Serialize)]
pub(super) struct CompletionChunk<'a> {
    pub(super) index: u32,
    pub(super) text: &'a str,
    pub(super) logprobs: (),
    pub(super) finish_reason: Option<&'static str>,
    pub(super) stop_reason: (),
    pub(super) prompt_token_ids: (),
    pub(super) token_ids: (),
}

/// The first piece of a streamed chat.
#[derive(Debug, Default, Serialize)]
pub(super) struct RoleChunk {
    index: u32,
    delta: RoleDelta,
    logprobs: (),
    finish_reason: (),
}

#[derive(Debug, Serialize)]
struct RoleDelta {
    role: &'static str,
    content: &'static str,
}

/// A piece of a streamed chat; `stop_reason` only where it ends.
#[derive(Debug, Serialize)]
pub(super) struct ChatChunk<'a> {
    pub(super) index: u32,
    pub(super) delta: Delta<'a>,
    pub(super) logprobs: (),
    pub(super) finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<()>,
    pub(super) token_ids: (),
}

#[derive(Debug, Serialize)]
pub(super) struct Delta<'a> {
    pub(super) content: &'a str,
}

/// An answer that is not streamed.
#[derive(Debug, Serialize)]
pub(super) struct Whole<'a, C> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: i64,
    pub(super) model: &'a str,
    pub(super) choices: [C; 1],
    pub(super) service_tier: (),
    pub(super) system_fingerprint: &'static str,
    pub(super) usage: Usage,
    #[serde(flatten)]
    pub(super) chat: Option<ChatExtras>,
    pub(super) kv_transfer_params: (),
    pub(super) ec_transfer_params: (),
    pub(super) metrics: (),
}

/// What only a chat answer has.
#[derive(Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are vLLM's keys")]
pub(super) struct ChatExtras {
    prompt_logprobs: (),
    prompt_token_ids: (),
    prompt_text: (),
}

/// The choice of a completion.
#[derive(Debug, Serialize)]
pub(super) struct CompletionChoice<'a> {
    pub(super) index: u32,
    pub(super) text: &'a str,
    pub(super) logprobs: (),
    pub(super) finish_reason: &'static str,
    pub(super) stop_reason: (),
    pub(super) token_ids: (),
    pub(super) prompt_logprobs: (),
    pub(super) prompt_token_ids: (),
    pub(super) routed_experts: (),
}

/// The choice of a chat.
#[derive(Debug, Serialize)]
pub(super) struct ChatChoice<'a> {
    pub(super) index: u32,
    pub(super) message: ChatMessage<'a>,
    pub(super) logprobs: (),
    pub(super) finish_reason: &'static str,
    pub(super) stop_reason: (),
    pub(super) token_ids: (),
    pub(super) routed_experts: (),
}

#[derive(Debug, Serialize)]
pub(super) struct ChatMessage<'a> {
    role: &'static str,
    content: &'a str,
    refusal: (),
    annotations: (),
    audio: (),
    function_call: (),
    reasoning: (),
}

impl Usage {
    /// Counts as the last event of a stream has them.
    pub(super) fn new(prompt_tokens: u32, completion_tokens: u32) -> Self {
        Self {
            prompt_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            completion_tokens,
            prompt_tokens_details: None,
            completion_tokens_details: None,
        }
    }

    /// Counts as each event of a stream has them, where that was asked for.
    pub(super) fn so_far(prompt_tokens: u32, completion_tokens: u32) -> Self {
        Self { completion_tokens_details: Some(()), ..Self::new(prompt_tokens, completion_tokens) }
    }

    /// Counts as an answer has them that is not streamed.
    pub(super) fn whole(prompt_tokens: u32, completion_tokens: u32) -> Self {
        Self { prompt_tokens_details: Some(()), ..Self::so_far(prompt_tokens, completion_tokens) }
    }
}

impl Default for RoleDelta {
    fn default() -> Self {
        Self { role: "assistant", content: "" }
    }
}

impl<'a> ChatMessage<'a> {
    pub(super) fn new(content: &'a str) -> Self {
        Self {
            role: "assistant",
            content,
            refusal: (),
            annotations: (),
            audio: (),
            function_call: (),
            reasoning: (),
        }
    }
}
