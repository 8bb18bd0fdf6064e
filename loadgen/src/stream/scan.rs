//! Reads the commonest event, one more token of a completion, without parsing its JSON. In JSON a quotation mark inside
//! a string is escaped, so that `"text":` can only be a key; an event that holds each key of interest once, and nothing
//! out of the ordinary, needs no closer look. Anything else is left to the parser.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Delta, Usage};

struct Keys {
    text: Finder<'static>,
    finish_reason: Finder<'static>,
    usage: Finder<'static>,
    prompt_tokens: Finder<'static>,
    completion_tokens: Finder<'static>,
    /// Keys whose events are left to the parser.
    unusual: [Finder<'static>; 2],
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    text: Finder::new("\"text\":"),
    finish_reason: Finder::new("\"finish_reason\":"),
    usage: Finder::new("\"usage\":"),
    prompt_tokens: Finder::new("\"prompt_tokens\":"),
    completion_tokens: Finder::new("\"completion_tokens\":"),
    unusual: [Finder::new("\"error\""), Finder::new("\"delta\"")],
});

/// The event, if it is one more token of an answer that goes on.
pub(super) fn token(data: &[u8]) -> Option<Delta> {
    let keys = &*KEYS;
    if !data.starts_with(b"{\"") || !data.ends_with(b"}") {
        return None;
    }
    // A text that is a string, be it empty, is a token unless the answer ends with it.
    let is_token = value(&keys.text, data)?.starts_with(b"\"")
        && value(&keys.finish_reason, data)?.starts_with(b"null")
        && keys.unusual.iter().all(|key| key.find(data).is_none());
    let usage = match keys.usage.find(data) {
        Some(_) => match value(&keys.usage, data)? {
            value if value.starts_with(b"null") => None,
            value => Some(usage(keys, value)?),
        },
        None => None,
    };
    is_token.then_some(Delta { shows_token: true, finished: false, usage })
}

fn usage(keys: &Keys, object: &[u8]) -> Option<Usage> {
    let prompt_tokens = number(value(&keys.prompt_tokens, object)?)?;
    let completion_tokens = number(value(&keys.completion_tokens, object)?)?;
    object.starts_with(b"{").then_some(Usage { prompt_tokens, completion_tokens })
}

/// What follows a key that stands in `data` exactly once.
fn value<'a>(key: &Finder<'_>, data: &'a [u8]) -> Option<&'a [u8]> {
    let rest = &data[key.find(data)? + key.needle().len()..];
    if key.find(rest).is_some() { None } else { Some(rest.trim_ascii_start()) }
}

/// The whole number at the beginning of `data`, if it is a small and plain one.
fn number(data: &[u8]) -> Option<u64> {
    let digits = data.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let leads_with_zero = digits > 1 && data[0] == b'0';
    let ends_in_order = matches!(data.get(digits), Some(b',' | b'}' | b' '));
    if !(1..=15).contains(&digits) || leads_with_zero || !ends_in_order {
        return None;
    }
    Some(data[..digits].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{Chunk, Delta, Usage};
    use super::token;

    #[test]
    fn the_chunks_of_vllm_and_llama_cpp_need_no_parser() {
        let vllm = br#"{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":" \"text\": ","logprobs":null,"finish_reason":null,"stop_reason":null}],"usage":{"prompt_tokens":9,"total_tokens":12,"completion_tokens":3}}"#;
        let usage = Some(Usage { prompt_tokens: 9, completion_tokens: 3 });
        assert_eq!(token(vllm), Some(Delta { shows_token: true, finished: false, usage }));
        let llama = br#"{"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":null}],"created":1,"model":"m"}"#;
        assert_eq!(token(llama), Some(Delta { shows_token: true, finished: false, usage: None }));
    }

    #[test]
    fn whatever_is_not_plainly_a_token_is_left_to_the_parser() {
        for data in [
            r#"{"choices":[{"text":"a","finish_reason":"stop"}]}"#,
            r#"{"choices":[{"text":null,"finish_reason":null}]}"#,
            r#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}"#,
            r#"{"choices":[{"text":"a","finish_reason":null},{"text":"b","finish_reason":null}]}"#,
            r#"{"choices":[{"text":"a","finish_reason":null}],"error":{"message":"died"}}"#,
            r#"{"choices":[{"text":"a","finish_reason":null}],"usage":{"prompt_tokens":1}}"#,
            r#"{"choices":[{"text":"a","finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":-1}}"#,
            r#"{"choices":[{"text":"a","finish_reason":null"#,
            r#"{"choices":[]}"#,
            "[DONE]",
            "",
        ] {
            assert_eq!(token(data.as_bytes()), None, "{data}");
        }
    }

    /// Texts that try to look like the keys.
    fn text() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            Just("\"text\":".to_owned()),
            Just("\",\"finish_reason\":\"stop\"".to_owned()),
            Just("\"usage\":{\"completion_tokens\":7}".to_owned()),
            Just("\"error\"".to_owned()),
            Just("\\".to_owned()),
            "\\PC{0,6}",
        ];
        proptest::collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat())
    }

    fn usage() -> impl Strategy<Value = Option<Value>> {
        let counts = (any::<u32>(), any::<u32>()).prop_map(|(prompt, completion)| {
            json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": 1, "prompt_tokens_details": null})
        });
        proptest::option::of(prop_oneof![Just(Value::Null), counts])
    }

    proptest! {
        #[test]
        fn what_is_read_without_the_parser_is_what_the_parser_reads(
            text in text(),
            model in text(),
            finish in proptest::option::of("stop|length"),
            usage in usage(),
            pretty: bool,
        ) {
            let mut event = json!({"model": model, "choices": [{"index": 0, "text": text, "finish_reason": finish}]});
            if let Some(usage) = usage {
                event["usage"] = usage;
            }
            let data = if pretty { serde_json::to_string_pretty(&event) } else { serde_json::to_string(&event) }.unwrap();
            if let Some(delta) = token(data.as_bytes()) {
                prop_assert_eq!(Chunk::parse(data.as_bytes()), Chunk::Delta(delta));
            } else {
                // Texts that hold a whole key are rare enough to be parsed.
                prop_assert!(pretty || finish.is_some() || [&text, &model].iter().any(|text| text.contains('"')));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            token(&data);
        }
    }
}
