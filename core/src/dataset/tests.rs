use proptest::prelude::*;

use super::{Content, Dataset, InvalidDataset, LengthPair, Prompt};

fn prompts(bytes: &[u8]) -> Vec<Prompt> {
    match Dataset::parse(bytes).unwrap() {
        Dataset::Prompts(prompts) => prompts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn json_lines_are_read_line_by_line() {
    let prompts = prompts(b"{\"prompt\":\"a\",\"id\":7}\n\n{\"prompt\":\"b\",\"output_tokens\":5}\n");
    assert_eq!((prompts.len(), prompts[0].output_tokens, prompts[1].output_tokens), (2, None, Some(5)));
}

#[test]
fn messages_are_read_as_openai_has_them() {
    let line = br#"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]}"#;
    let prompts = prompts(line);
    assert_eq!(prompts[0].content.to_text(), "Be brief.\n\nHi");
    assert!(matches!(&prompts[0].content, Content::Messages(messages) if messages[1].role == "user"));
}

#[test]
fn share_gpt_gives_first_questions_with_their_answers() {
    let json = br#"[{"id": "x", "conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]},
        {"conversations": [{"from": "gpt", "value": "Hello"}]},
        {"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "How?"}]}]"#;
    let prompts = prompts(json);
    assert_eq!(prompts.len(), 2, "a conversation without a question is none");
    assert_eq!((prompts[0].content.to_text().as_ref(), prompts[0].answer.as_deref()), ("Why?", Some("So.")));
    assert_eq!((prompts[1].content.to_text().as_ref(), prompts[1].answer.as_deref()), ("How?", None));
}

#[test]
fn csv_gives_lengths_and_traces() {
    let pair = |input_tokens, output_tokens| LengthPair { input_tokens, output_tokens };
    let lengths = Dataset::parse(b"input_len,output_len,turns\n34,252,12\n8,9,1\n").unwrap();
    assert_eq!(lengths, Dataset::Lengths(vec![pair(34, 252), pair(8, 9)]));
    let Dataset::Trace(trace) = Dataset::parse(b"t_s,input_tokens,output_tokens\n5.5,1,2\n7,3,4\n").unwrap()
    else {
        panic!("it is a trace");
    };
    assert_eq!((trace[1].lengths, trace.len()), (pair(3, 4), 2));
    assert!((trace[0].at_s, trace[1].at_s) == (0.0, 1.5), "{trace:?}");
}

#[test]
fn errors_name_the_line_or_the_conversation() {
    for (bytes, expected) in [
        (&b"{\"prompt\":\"a\"}\n{oops\n"[..], "line 2: "),
        (b"\n{\"prompt\":\" \"}", "line 2: the prompt is empty"),
        (b"{\"text\":\"a\"}", "line 1: it has neither"),
        (b"{\"prompt\":\"a\",\"messages\":[]}", "line 1: it has both"),
        (b"{\"messages\":[{\"role\":\"user\"}]}", "line 1: missing field `content`"),
        (b"{\"prompt\":\"a\",\"output_tokens\":0}", "line 1: output_tokens is 0"),
        (b"{\"prompt\":\"a\",\"output_tokens\":-4}", "line 1: "),
        (b"[{\"conversations\":[]},\n{\"messages\":[]}]", "conversation 2: "),
        (b"[\n{]", "line 2: it is no JSON array"),
        (b"a,b\n1,2", "line 1: it is neither JSON nor a CSV header"),
        (b"input_tokens,output_tokens\n1,2\n1,x", "line 3: output_tokens is `x`"),
        (b"input_tokens,output_tokens\n0,2", "line 2: input_tokens is `0`"),
        (b"t_s,input_tokens,output_tokens\n2,1,2\n1,1,2", "line 3: t_s is 1; the moments"),
        (b"t_s,input_tokens,output_tokens\nnan,1,2", "line 2: t_s is nan"),
    ] {
        let error = Dataset::parse(bytes).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn nothing_and_no_text_are_refused() {
    assert_eq!(Dataset::parse(b"\n \n"), Err(InvalidDataset::Empty));
    assert_eq!(Dataset::parse(b"[]"), Err(InvalidDataset::Empty));
    assert_eq!(Dataset::parse(b"input_tokens,output_tokens\n"), Err(InvalidDataset::Empty));
    assert_eq!(Dataset::parse(b"{\"prompt\":\"\xff\"}"), Err(InvalidDataset::Encoding { at: 11 }));
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "[\\[{]?\\PC{0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Dataset::parse(text.as_bytes());
        let _ = Dataset::parse(&bytes);
    }
}
