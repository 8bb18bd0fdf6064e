//! What an answer says, for the next turn of a conversation.

use serde_json::Value;

use crate::stream::EventParser;

/// The text of a whole stream, completion or chat. What cannot be understood is left out: the answer as such was
/// understood when it came.
pub(super) fn of(stream: &[u8]) -> String {
    let mut text = String::new();
    // The same bytes went through the same parser before.
    let _ = EventParser::default().feed(stream, |data| {
        let Ok(event) = serde_json::from_slice::<Value>(data) else { return };
        let choice = &event["choices"][0];
        if let Some(part) = choice["text"].as_str().or_else(|| choice["delta"]["content"].as_str()) {
            text.push_str(part);
        }
    });
    text
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn completions_and_chats_are_put_together() {
        let completion = b"data: {\"choices\":[{\"text\":\" a\\n\"}]}\n\ndata: {\"choices\":[{\"text\":\"b\"}]}\n\ndata: [DONE]\n\n";
        assert_eq!(of(completion), " a\nb");
        let chat = b"data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
            data: {\"choices\":[{\"delta\":{\"content\":\"Yes\"}}]}\n\ndata: {\"choices\":[],\"usage\":{}}\n\n";
        assert_eq!(of(chat), "Yes");
    }
}
