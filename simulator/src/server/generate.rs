//! The two endpoints that generate.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::answer::Answer;
use super::job::{Endpoint, Job};
use super::refusal::Refusal;
use super::{Simulator, body, stream, whole};
use crate::clock::{EngineHandle, Token};
use crate::engine::Sequence;
use crate::fault::{Fault, Incident};
use crate::metrics::Finish;

/// `POST /v1/completions`.
pub(super) async fn completions(
    State(simulator): State<Arc<Simulator>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    generate(simulator, Endpoint::Completions, body).await
}

/// `POST /v1/chat/completions`.
pub(super) async fn chat(
    State(simulator): State<Arc<Simulator>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    generate(simulator, Endpoint::Chat, body).await
}

async fn generate(
    simulator: Arc<Simulator>,
    endpoint: Endpoint,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let job = Job::accept(&simulator, endpoint, &body::read(body)?)?;
    let incident = match job.fault {
        Some(Fault::Refuse) => {
            simulator.engine.metrics().count(Finish::Error);
            return Err(Refusal::engine_failure());
        }
        Some(Fault::During { token, what }) => Some((token, what)),
        None => None,
    };
    let generation = Generation::begin(&simulator, &job, incident);
    let streamed = job.stream;
    let early_role = endpoint == Endpoint::Chat && simulator.options.answers.early_role;
    let tokens_per_chunk = simulator.options.answers.tokens_per_chunk;
    let answer = Answer::new(simulator, job);
    if streamed {
        Ok(stream::respond(answer, generation, tokens_per_chunk, early_role))
    } else {
        whole::respond(answer, generation).await
    }
}

/// The engine's side of one answer. Dropping it, which is what a client that goes away causes, frees the sequence.
#[derive(Debug)]
pub(super) struct Generation {
    tokens: UnboundedReceiver<Token>,
    incident: Option<(u32, Incident)>,
    engine: EngineHandle,
    id: u64,
    ended: bool,
}

/// What a generation comes to next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A token.
    Token { last: bool },
    /// The answer fails in words.
    Failure,
    /// The connection breaks: by fault, or because the engine died.
    Cut,
}

impl Generation {
    fn begin(simulator: &Simulator, job: &Job, incident: Option<(u32, Incident)>) -> Self {
        let (sender, tokens) = mpsc::unbounded_channel();
        let sequence =
            Sequence { id: job.number, prompt_tokens: job.prompt_tokens, output_tokens: job.output_tokens };
        simulator.engine.submit(sequence, job.finish, sender);
        Self { tokens, incident, engine: simulator.engine.clone(), id: job.number, ended: false }
    }

    /// Waits for what comes after `said_tokens`.
    pub(super) async fn next(&mut self, said_tokens: u32) -> Step {
        let Some(token) = self.tokens.recv().await else {
            self.ended = true;
            return Step::Cut;
        };
        self.ended = token.last;
        match self.incident.take_if(|(at, _)| *at <= said_tokens) {
            None => Step::Token { last: token.last },
            Some((_, Incident::Stall(length))) => {
                tokio::time::sleep(length).await;
                Step::Token { last: token.last }
            }
            Some((_, Incident::ErrorEvent)) => {
                self.end(Finish::Error);
                Step::Failure
            }
            Some((_, Incident::Cut)) => {
                self.end(Finish::Error);
                // Lets the server write out what it holds before the connection goes.
                tokio::task::yield_now().await;
                Step::Cut
            }
        }
    }

    fn end(&mut self, finish: Finish) {
        if !std::mem::replace(&mut self.ended, true) {
            self.engine.end(self.id, finish);
        }
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.end(Finish::Abort);
    }
}
