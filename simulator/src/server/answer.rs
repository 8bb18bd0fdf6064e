//! What is said in answer to one request, and how it is written down: the words and the events of its stream.

use std::sync::Arc;

use axum::body::Bytes;
use chrono::Utc;
use rand::RngExt as _;
use serde::Serialize;

use super::Simulator;
use super::job::{Endpoint, Job, UsageWish};
use super::refusal::Refusal;
use super::shape::{
    ChatChoice, ChatChunk, ChatExtras, ChatMessage, CompletionChoice, CompletionChunk, Delta, Event,
    RoleChunk, Usage, Whole,
};
use crate::metrics::Finish;
use crate::tokenizer;

const FINGERPRINT: &str = concat!("accelbench-simulator-", env!("CARGO_PKG_VERSION"));

/// One answer in the making.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) job: Job,
    simulator: Arc<Simulator>,
    id: String,
    created: i64,
    /// Tokens said so far.
    said_tokens: u32,
}

impl Answer {
    pub(super) fn new(simulator: Arc<Simulator>, mut job: Job) -> Self {
        let prefix = match job.endpoint {
            Endpoint::Completions => "cmpl",
            Endpoint::Chat => "chatcmpl",
        };
        // The number keeps ids apart where requests bring the same seed.
        let unique = job.random.random::<u64>() ^ job.number.rotate_left(32);
        Self {
            job,
            simulator,
            id: format!("{prefix}-{unique:016x}"),
            created: Utc::now().timestamp(),
            said_tokens: 0,
        }
    }

    pub(super) fn said_tokens(&self) -> u32 {
        self.said_tokens
    }

    /// Says the next token into `text`.
    pub(super) fn say(&mut self, text: &mut String) {
        self.said_tokens += 1;
        let is_end_mark = self.said_tokens >= self.job.output_tokens && self.job.finish == Finish::Stop;
        let empty_share = self.simulator.options.answers.empty_text_share;
        // Drawn in any case, so that the words do not depend on the share.
        let (choice, empty) = (self.job.random.random::<u64>(), self.job.random.random::<f64>());
        if !is_end_mark && empty >= empty_share {
            text.push_str(tokenizer::output_piece(choice));
        }
    }

    /// The event that opens a chat.
    pub(super) fn role_event(&self) -> Bytes {
        let mut event = self.event([RoleChunk::default()]);
        event.usage = self.usage_so_far(0);
        event.prompt_token_ids = Some(());
        event.prompt_text = Some(());
        to_event(&event)
    }

    /// An event with text; `last` says that it ends the answer.
    pub(super) fn text_event(&self, text: &str, last: bool) -> Bytes {
        let finish_reason = last.then(|| self.job.finish.as_str());
        let usage = self.usage_so_far(self.said_tokens);
        // Without a usage event the fingerprint comes with the end.
        let system_fingerprint = (last && self.job.usage == UsageWish::Nowhere).then_some(FINGERPRINT);
        match self.job.endpoint {
            Endpoint::Completions => to_event(&Event {
                usage,
                system_fingerprint,
                ..self.event([CompletionChunk {
                    index: 0,
                    text,
                    logprobs: (),
                    finish_reason,
                    stop_reason: (),
                    prompt_token_ids: (),
                    token_ids: (),
                }])
            }),
            Endpoint::Chat => to_event(&Event {
                usage,
                system_fingerprint,
                ..self.event([ChatChunk {
                    index: 0,
                    delta: Delta { content: text },
                    logprobs: (),
                    finish_reason,
                    stop_reason: last.then_some(()),
                    token_ids: (),
                }])
            }),
        }
    }

    /// The events after the last text.
    pub(super) fn closing_events(&self) -> impl Iterator<Item = Bytes> {
        let usage = (self.job.usage != UsageWish::Nowhere).then(|| {
            let none: [(); 0] = [];
            let mut event = self.event(none);
            event.usage = Some(Usage::new(self.job.prompt_tokens, self.said_tokens));
            event.system_fingerprint = Some(FINGERPRINT);
            to_event(&event)
        });
        usage.into_iter().chain([done()])
    }

    /// The body of an answer that is not streamed.
    pub(super) fn whole(&self, text: &str) -> Vec<u8> {
        let finish_reason = self.job.finish.as_str();
        match self.job.endpoint {
            Endpoint::Completions => to_json(&self.envelope(
                "text_completion",
                CompletionChoice {
                    index: 0,
                    text,
                    logprobs: (),
                    finish_reason,
                    stop_reason: (),
                    token_ids: (),
                    prompt_logprobs: (),
                    prompt_token_ids: (),
                    routed_experts: (),
                },
                None,
            )),
            Endpoint::Chat => to_json(&self.envelope(
                "chat.completion",
                ChatChoice {
                    index: 0,
                    message: ChatMessage::new(text),
                    logprobs: (),
                    finish_reason,
                    stop_reason: (),
                    token_ids: (),
                    routed_experts: (),
                },
                Some(ChatExtras::default()),
            )),
        }
    }

    fn envelope<C>(&self, object: &'static str, choice: C, chat: Option<ChatExtras>) -> Whole<'_, C> {
        Whole {
            id: &self.id,
            object,
            created: self.created,
            model: &self.simulator.options.model,
            choices: [choice],
            service_tier: (),
            system_fingerprint: FINGERPRINT,
            usage: Usage::whole(self.job.prompt_tokens, self.said_tokens),
            chat,
            kv_transfer_params: (),
            ec_transfer_params: (),
            metrics: (),
        }
    }

    fn event<C>(&self, choices: C) -> Event<'_, C> {
        Event {
            id: &self.id,
            object: match self.job.endpoint {
                Endpoint::Completions => "text_completion",
                Endpoint::Chat => "chat.completion.chunk",
            },
            created: self.created,
            model: &self.simulator.options.model,
            choices,
            usage: None,
            system_fingerprint: None,
            prompt_token_ids: None,
            prompt_text: None,
        }
    }

    fn usage_so_far(&self, tokens: u32) -> Option<Usage> {
        (self.job.usage == UsageWish::InEveryChunk).then(|| Usage::so_far(self.job.prompt_tokens, tokens))
    }
}

/// The two events with which a dying engine ends a stream.
pub(super) fn failure_events() -> [Bytes; 2] {
    [to_event(&Refusal::engine_failure().body()), done()]
}

fn done() -> Bytes {
    Bytes::from_static(b"data: [DONE]\n\n")
}

fn to_event(value: &impl Serialize) -> Bytes {
    let mut event = b"data: ".to_vec();
    event.append(&mut to_json(value));
    event.extend_from_slice(b"\n\n");
    Bytes::from(event)
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strings and numbers under string keys are always JSON")
}
