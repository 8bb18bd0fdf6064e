use std::time::Duration;

use accelbench_core::load::ErrorClass;

use super::AnswerReader;
use crate::sample::{Answer, Asked, Failure};

/// Reads `lines`, each an event's data that arrives 10 ms after the one before.
fn read(lines: &[&str]) -> Result<Answer, Failure> {
    let mut reader =
        AnswerReader::new(Asked { input_tokens: None, output_tokens: 8, known_tokens: 0 }, false);
    for (index, line) in lines.iter().enumerate() {
        let at = Duration::from_millis(10 * (index as u64 + 1));
        reader.read(format!("data: {line}\n\n").as_bytes(), at)?;
    }
    reader.finish()
}

fn tokens(answer: &Answer) -> Vec<(u64, u32)> {
    answer.arrivals.iter().map(|arrival| (arrival.at().as_millis() as u64, arrival.tokens)).collect()
}

const TOKEN: &str = r#"{"choices":[{"text":"a","finish_reason":null}]}"#;
const EMPTY: &str = r#"{"choices":[{"text":"","finish_reason":null}]}"#;
const LAST: &str = r#"{"choices":[{"text":"z","finish_reason":"length"}]}"#;
const END: &str = r#"{"choices":[{"text":"","finish_reason":"stop"}]}"#;
const DONE: &str = "[DONE]";

fn usage(completion: u64) -> String {
    format!(r#"{{"choices":[],"usage":{{"prompt_tokens":9,"completion_tokens":{completion}}}}}"#)
}

fn counted(text: &str, finish: &str, completion: u64) -> String {
    format!(
        r#"{{"choices":[{{"text":"{text}","finish_reason":{finish}}}],"usage":{{"prompt_tokens":9,"completion_tokens":{completion}}}}}"#
    )
}

#[test]
fn one_token_a_chunk_is_exact_when_the_totals_agree() {
    let answer = read(&[TOKEN, EMPTY, LAST, &usage(3), DONE]).unwrap();
    assert_eq!(tokens(&answer), [(10, 1), (20, 1), (30, 1)]);
    assert!(answer.exact);
    assert_eq!((answer.ended_at.as_millis(), answer.input_tokens, answer.output_tokens), (30, 9, 3));
}

#[test]
fn the_token_that_ends_an_answer_counts() {
    let answer = read(&[TOKEN, TOKEN, END, &usage(3), DONE]).unwrap();
    assert_eq!(tokens(&answer), [(10, 1), (20, 1), (30, 1)]);
    assert!(answer.exact);
    let alone = read(&[END, &usage(1), DONE]).unwrap();
    assert_eq!((tokens(&alone), alone.exact), (vec![(10, 1)], true));
}

#[test]
fn usage_beside_the_finish_reason_alone_counts_no_token_twice() {
    let answer = read(&[TOKEN, TOKEN, &counted("", "\"length\"", 2), DONE]).unwrap();
    assert_eq!((tokens(&answer), answer.exact), (vec![(10, 1), (20, 1)], true));
}

#[test]
fn running_usage_tells_how_many_tokens_a_chunk_holds() {
    let lines =
        [counted("abcd", "null", 4), counted("", "null", 5), counted("fg", "\"length\"", 7), usage(7)];
    let lines: Vec<&str> = lines.iter().map(String::as_str).chain([DONE]).collect();
    let answer = read(&lines).unwrap();
    assert_eq!(tokens(&answer), [(10, 4), (20, 1), (30, 2)]);
    assert!(answer.exact);
}

#[test]
fn tokens_that_no_chunk_showed_belong_to_the_end() {
    let one = read(&[&counted("ab", "null", 2), END, &usage(3), DONE]).unwrap();
    assert_eq!((tokens(&one), one.exact), (vec![(10, 2), (20, 1)], true));
    let many = read(&[&counted("ab", "null", 2), END, &usage(6), DONE]).unwrap();
    assert_eq!((tokens(&many), many.exact), (vec![(10, 2), (20, 4)], false));
}

#[test]
fn without_a_running_count_several_tokens_a_chunk_are_spread() {
    let answer = read(&[TOKEN, LAST, &usage(8), DONE]).unwrap();
    assert_eq!((tokens(&answer), answer.exact), (vec![(10, 4), (20, 4)], false));
    let uneven = read(&[TOKEN, TOKEN, LAST, &usage(8), DONE]).unwrap();
    assert_eq!((tokens(&uneven), uneven.exact), (vec![(10, 2), (20, 3), (30, 3)], false));
    // The last chunk shows a token, so the one too many hides in any of them.
    let hidden = read(&[TOKEN, LAST, &usage(3), DONE]).unwrap();
    assert_eq!((tokens(&hidden), hidden.exact), (vec![(10, 1), (20, 2)], false));
    let fewer = read(&[TOKEN, EMPTY, LAST, &usage(2), DONE]).unwrap();
    assert_eq!((fewer.arrivals.iter().map(|arrival| arrival.tokens).sum::<u32>(), fewer.exact), (2, false));
}

#[test]
fn broken_answers_are_told_apart() {
    for (lines, class) in [
        (vec![TOKEN, LAST, &usage(2)], ErrorClass::Incomplete),
        (vec![TOKEN, &usage(1), DONE], ErrorClass::Incomplete),
        (vec![TOKEN, LAST, DONE], ErrorClass::Malformed),
        (vec![END, &usage(0), DONE], ErrorClass::NoTokens),
        (vec![TOKEN, "{oops", DONE], ErrorClass::Malformed),
        (vec![r#"{"error":{"message":"EngineCore died"}}"#, DONE], ErrorClass::ErrorEvent),
        (vec![DONE], ErrorClass::Incomplete),
        (vec![], ErrorClass::Incomplete),
    ] {
        assert_eq!(read(&lines).unwrap_err().class, class, "{lines:?}");
    }
}
