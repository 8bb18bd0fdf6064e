//! An answer that is not streamed.

use std::io;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures::stream;

use super::answer::Answer;
use super::generate::{Generation, Step};
use super::refusal::Refusal;

/// Waits for all tokens and answers with the whole text.
pub(super) async fn respond(mut answer: Answer, mut generation: Generation) -> Result<Response, Refusal> {
    let mut text = String::new();
    loop {
        match generation.next(answer.said_tokens()).await {
            Step::Token { last } => {
                answer.say(&mut text);
                if last {
                    let body = answer.whole(&text);
                    return Ok(([(CONTENT_TYPE, "application/json")], body).into_response());
                }
            }
            Step::Failure => return Err(Refusal::engine_failure()),
            // A body that fails at once makes the server drop the connection without an answer.
            Step::Cut => {
                let broken: io::Result<Vec<u8>> = Err(io::ErrorKind::ConnectionAborted.into());
                let body = Body::from_stream(stream::iter([broken]));
                return Ok(([(CONTENT_TYPE, "application/json")], body).into_response());
            }
        }
    }
}
