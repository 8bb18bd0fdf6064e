//! Prompts as JSON.

use serde::Deserialize;
use serde_json::Value;

use super::{Content, InvalidDataset, Message, Prompt};

#[derive(Deserialize)]
struct Line {
    prompt: Option<String>,
    messages: Option<Vec<Message>>,
    output_tokens: Option<u32>,
}

#[derive(Deserialize)]
struct Conversation {
    conversations: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    from: String,
    value: String,
}

/// One prompt a line.
pub(super) fn lines(text: &str) -> Result<Vec<Prompt>, InvalidDataset> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            let prompt = serde_json::from_str(line).map_err(|error| error.to_string()).and_then(prompt);
            prompt.map_err(|problem| InvalidDataset::Line { line: index + 1, problem })
        })
        .collect()
}

fn prompt(line: Line) -> Result<Prompt, String> {
    let content = match (line.prompt, line.messages) {
        (Some(prompt), None) => Content::Text(prompt),
        (None, Some(messages)) => Content::Messages(messages),
        (Some(_), Some(_)) => {
            return Err("it has both a `prompt` and `messages`; keep one of them".to_owned());
        }
        (None, None) => return Err("it has neither a `prompt` nor `messages`".to_owned()),
    };
    if content.to_text().trim().is_empty() {
        return Err("the prompt is empty".to_owned());
    }
    if line.output_tokens == Some(0) {
        return Err("output_tokens is 0; leave it out or ask for at least 1".to_owned());
    }
    Ok(Prompt { content, output_tokens: line.output_tokens, answer: None })
}

/// An array of conversations: the first question of each that has one, with the answer to it. Conversations without a
/// question are common there, and skipped.
pub(super) fn share_gpt(text: &str) -> Result<Vec<Prompt>, InvalidDataset> {
    let conversations: Vec<Value> = serde_json::from_str(text).map_err(|error| InvalidDataset::Line {
        line: error.line(),
        problem: format!("it is no JSON array of conversations: {error}"),
    })?;
    let read = |(index, value): (usize, Value)| match serde_json::from_value(value) {
        Ok(conversation) => first_question(conversation).map(Ok),
        Err(error) => Some(Err(InvalidDataset::Conversation {
            conversation: index + 1,
            problem: format!("{error}; ShareGPT's have `conversations` with `from` and `value`"),
        })),
    };
    conversations.into_iter().enumerate().filter_map(read).collect()
}

fn first_question(conversation: Conversation) -> Option<Prompt> {
    let mut turns = conversation.conversations.into_iter();
    let question = turns.find(|turn| matches!(turn.from.as_str(), "human" | "user"))?;
    let answer = turns.next().map(|turn| turn.value).filter(|answer| !answer.trim().is_empty());
    let asks = !question.value.trim().is_empty();
    asks.then_some(Prompt { content: Content::Text(question.value), output_tokens: None, answer })
}
