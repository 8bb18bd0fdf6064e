//! What one event of a completion stream means. Engines differ: the role chunk holds no token, an empty text may be one
//! (bytes that are held back), the last token may share its chunk with the finish reason, usage comes in a chunk of its
//! own or beside a token or in every chunk, and an error may stand inside an answer that began with 200.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::scan;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// `[DONE]`: the stream ends in order, which does not mean that the request succeeded.
    Done,
    /// The engine reports an error in its own words.
    Error(String),
    /// A part of the answer.
    Delta(Delta),
    /// Not understood.
    Malformed,
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delta {
    /// Whether at least one token stands in the chunk, as far as the chunk itself shows.
    pub shows_token: bool,
    /// Whether the answer ends here.
    pub finished: bool,
    /// Token counts, where the chunk carries them.
    pub usage: Option<Usage>,
}

/// Token counts by the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// Tokens of the answer so far.
    #[serde(default)]
    pub completion_tokens: u64,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(default, borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    delta: Option<Message<'a>>,
    #[serde(default)]
    finish_reason: Option<Value>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    reasoning_content: Option<Cow<'a, str>>,
}

impl Chunk {
    /// Reads the data of one event.
    #[must_use]
    pub fn read(data: &[u8]) -> Self {
        scan::token(data).map_or_else(|| Self::parse(data), Self::Delta)
    }

    /// Reads the data of one event with the JSON parser.
    pub(super) fn parse(data: &[u8]) -> Self {
        if data.trim_ascii() == b"[DONE]" {
            return Self::Done;
        }
        let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else { return Self::Malformed };
        if let Some(error) = event.error {
            return Self::Error(words(&error));
        }
        let Some(choices) = event.choices else { return Self::Malformed };
        let finished = choices
            .iter()
            .any(|choice| choice.finish_reason.as_ref().is_some_and(|reason| !reason.is_null()));
        let shows_token = choices.iter().any(|choice| choice.shows_token(finished));
        Self::Delta(Delta { shows_token, finished, usage: event.usage })
    }
}

impl Choice<'_> {
    /// An empty text without a finish reason is a token whose bytes are held back; with one it is the mere end.
    fn shows_token(&self, finished: bool) -> bool {
        let shows = |text: &str| !text.is_empty() || !finished;
        if let Some(text) = &self.text {
            return shows(text);
        }
        let Some(message) = &self.delta else { return false };
        let thought = message.reasoning_content.as_deref().is_some_and(|text| !text.is_empty());
        match &message.content {
            // The role chunk: nothing has been generated for it.
            Some(text) if message.role.is_some() => !text.is_empty() || thought,
            Some(text) => shows(text) || thought,
            None => thought,
        }
    }
}

fn words(error: &Value) -> String {
    let message = error.get("message").unwrap_or(error);
    message.as_str().map_or_else(|| message.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Chunk, Delta, Usage};

    fn delta(data: &str) -> Delta {
        match Chunk::read(data.as_bytes()) {
            Chunk::Delta(delta) => delta,
            other => panic!("{data}: {other:?}"),
        }
    }

    #[test]
    fn tokens_are_told_from_what_only_looks_like_one() {
        for (data, shows_token, finished) in [
            (r#"{"choices":[{"text":" day","finish_reason":null}]}"#, true, false),
            (r#"{"choices":[{"text":"","finish_reason":null}]}"#, true, false),
            (r#"{"choices":[{"text":"","finish_reason":"stop"}]}"#, false, true),
            (r#"{"choices":[{"text":"x","finish_reason":"length"}]}"#, true, true),
            (
                r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
                false,
                false,
            ),
            (
                r#"{"choices":[{"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#,
                false,
                false,
            ),
            (r#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}"#, true, false),
            (r#"{"choices":[{"delta":{"content":""},"finish_reason":null}]}"#, true, false),
            (r#"{"choices":[{"delta":{"reasoning_content":"hm"},"finish_reason":null}]}"#, true, false),
            (r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, false, true),
            (r#"{"choices":[]}"#, false, false),
        ] {
            let delta = delta(data);
            assert_eq!((delta.shows_token, delta.finished), (shows_token, finished), "{data}");
        }
    }

    #[test]
    fn usage_is_read_wherever_it_stands() {
        let usage = Some(Usage { prompt_tokens: 9, completion_tokens: 40 });
        assert_eq!(
            delta(r#"{"choices":[],"usage":{"prompt_tokens":9,"total_tokens":49,"completion_tokens":40}}"#)
                .usage,
            usage
        );
        assert_eq!(
            delta(r#"{"choices":[{"text":"a","finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":40}}"#).usage,
            usage
        );
        assert_eq!(delta(r#"{"choices":[],"usage":null}"#).usage, None);
    }

    #[test]
    fn errors_inside_a_good_answer_are_errors() {
        let killed = br#"{"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}}"#;
        assert_eq!(Chunk::read(killed), Chunk::Error("EngineCore encountered an issue.".to_owned()));
        assert_eq!(Chunk::read(b" [DONE]"), Chunk::Done);
        for data in ["", "{", "[]", "{}", "null", "\u{0}", r#"{"choices":7}"#] {
            assert_eq!(Chunk::read(data.as_bytes()), Chunk::Malformed, "{data}");
        }
    }
}
