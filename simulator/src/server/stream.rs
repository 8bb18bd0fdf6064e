//! A streamed answer: server-sent events, each its own HTTP chunk.

use std::collections::VecDeque;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures::stream;

use super::answer::{Answer, failure_events};
use super::generate::{Generation, Step};
use super::job::Endpoint;

/// Begins the stream; the head is sent at once.
pub(super) fn respond(
    answer: Answer,
    generation: Generation,
    tokens_per_chunk: u32,
    early_role: bool,
) -> Response {
    let mut speech = Speech {
        answer,
        generation,
        tokens_per_chunk,
        role_due: false,
        ready: VecDeque::new(),
        phase: Phase::Speaking,
    };
    if early_role {
        speech.ready.push_back(speech.answer.role_event());
    } else {
        speech.role_due = speech.answer.job.endpoint == Endpoint::Chat;
    }
    let events = stream::unfold(speech, |mut speech| async {
        let event = speech.next_event().await?;
        Some((event, speech))
    });
    ([(CONTENT_TYPE, "text/event-stream; charset=utf-8")], Body::from_stream(events)).into_response()
}

/// An answer being streamed.
struct Speech {
    answer: Answer,
    generation: Generation,
    tokens_per_chunk: u32,
    /// Whether the role is to be told with the first token.
    role_due: bool,
    ready: VecDeque<Bytes>,
    phase: Phase,
}

/// Where the stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// More tokens are expected.
    Speaking,
    /// The connection breaks after what is ready.
    Cutting,
    /// The stream ends after what is ready.
    Ended,
}

impl Speech {
    async fn next_event(&mut self) -> Option<Result<Bytes, io::Error>> {
        if self.ready.is_empty() && self.phase == Phase::Speaking {
            self.speak().await;
        }
        if let Some(event) = self.ready.pop_front() {
            return Some(Ok(event));
        }
        match self.phase {
            Phase::Cutting => {
                self.phase = Phase::Ended;
                // Once more, for the events of the last call.
                tokio::task::yield_now().await;
                Some(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            Phase::Speaking | Phase::Ended => None,
        }
    }

    /// Collects the tokens of one chunk, and what follows the last.
    async fn speak(&mut self) {
        let mut text = String::new();
        for collected in 1..=self.tokens_per_chunk {
            let said_before = self.answer.said_tokens();
            match self.generation.next(said_before).await {
                Step::Token { last } => {
                    if std::mem::take(&mut self.role_due) {
                        self.ready.push_back(self.answer.role_event());
                    }
                    self.answer.say(&mut text);
                    if last || collected == self.tokens_per_chunk {
                        self.ready.push_back(self.answer.text_event(&text, last));
                    }
                    if last {
                        self.ready.extend(self.answer.closing_events());
                        self.phase = Phase::Ended;
                        return;
                    }
                }
                broken => {
                    self.break_off(broken, &text, collected > 1);
                    return;
                }
            }
        }
    }

    fn break_off(&mut self, step: Step, text: &str, has_text: bool) {
        if has_text {
            self.ready.push_back(self.answer.text_event(text, false));
        }
        if step == Step::Failure {
            self.ready.extend(failure_events());
            self.phase = Phase::Ended;
        } else {
            self.phase = Phase::Cutting;
        }
    }
}
