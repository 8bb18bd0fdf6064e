//! Bodies of requests, as far as the simulator reads them; other fields (temperature, `top_p`, ...) are accepted.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;
use crate::tokenizer;

/// Body of a completion or chat completion.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Body {
    pub(super) model: Option<String>,
    pub(super) prompt: Option<Prompt>,
    pub(super) messages: Option<Vec<Message>>,
    pub(super) max_tokens: Option<i64>,
    pub(super) max_completion_tokens: Option<i64>,
    pub(super) min_tokens: Option<i64>,
    pub(super) ignore_eos: Option<bool>,
    pub(super) stream: Option<bool>,
    pub(super) stream_options: Option<StreamOptions>,
    pub(super) n: Option<i64>,
    pub(super) seed: Option<i64>,
}

/// The prompt of a completion.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Prompt {
    Text(String),
    Tokens(Vec<u32>),
    Texts(Vec<String>),
    TokenLists(Vec<Vec<u32>>),
}

/// A message of a chat.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    text: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: Option<bool>,
    pub(super) continuous_usage_stats: Option<bool>,
}

/// Reads a body, or says what is wrong with it.
pub(super) fn read<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refusal> {
    let bytes = body
        .map_err(|rejection| Refusal::new(rejection.status(), "BadRequestError", &rejection.body_text()))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::bad_request(None, &format!("the body is no valid request: {error}")))
}

impl Prompt {
    /// Counts the tokens of the one prompt.
    pub(super) fn count_tokens(&self) -> Result<usize, Refusal> {
        let count = match self {
            Self::Text(text) => tokenizer::count(text),
            // An empty array is read as token ids.
            Self::Tokens(tokens) => tokens.len(),
            Self::Texts(texts) if texts.len() == 1 => tokenizer::count(&texts[0]),
            Self::TokenLists(lists) if lists.len() == 1 => lists[0].len(),
            Self::Texts(_) | Self::TokenLists(_) => {
                return Err(Refusal::bad_request(
                    Some("prompt"),
                    "the simulator takes one prompt a request; send several requests",
                ));
            }
        };
        if count == 0 {
            return Err(Refusal::bad_request(Some("prompt"), "The prompt cannot be empty."));
        }
        Ok(count)
    }
}

/// The text that the chat template of the simulated model makes of messages.
pub(super) fn chat_prompt(messages: &[Message]) -> Result<String, Refusal> {
    if messages.is_empty() {
        return Err(Refusal::bad_request(Some("messages"), "messages cannot be empty."));
    }
    let mut prompt = String::new();
    for message in messages {
        prompt.extend(["<|", &message.role, "|>\n", &message.text(), "\n"]);
    }
    prompt.push_str("<|assistant|>\n");
    Ok(prompt)
}

impl Message {
    fn text(&self) -> String {
        match &self.content {
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts.iter().map(|part| part.text.as_str()).collect(),
            None => String::new(),
        }
    }
}
