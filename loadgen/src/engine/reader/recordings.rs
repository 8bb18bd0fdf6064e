//! Whole answers of real engines: each gives the tokens that its usage tells, wherever reads end.

use std::time::Duration;

use accelbench_core::load::ErrorClass;
use proptest::prelude::*;

use super::AnswerReader;
use crate::sample::{Answer, Asked, Failure};

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/samples/", $name, ".sse"))
    };
}

/// Recording, tokens of the prompt and of the answer by its usage, and whether each chunk's tokens are known.
const ANSWERS: [(&[u8], u64, u64, bool); 6] = [
    (recording!("llamacpp-completions"), 4, 10, true),
    (recording!("llamacpp-completions-eos"), 4, 1, true),
    (recording!("vllm-completions-eos"), 3, 1, true),
    (recording!("vllm-chat-eos"), 16, 1, true),
    (recording!("vllm-chat-running-usage"), 22, 10, true),
    // 19 chunks with text held 40 tokens.
    (recording!("vllm-chat"), 22, 40, false),
];

fn read(reads: &[&[u8]]) -> Result<Answer, Failure> {
    let mut reader =
        AnswerReader::new(Asked { input_tokens: None, output_tokens: 40, known_tokens: 0 }, false);
    for (index, bytes) in reads.iter().enumerate() {
        reader.read(bytes, Duration::from_millis(index as u64))?;
    }
    reader.finish()
}

#[test]
fn each_answer_gives_the_tokens_that_its_usage_tells() {
    for (recording, input_tokens, output_tokens, exact) in ANSWERS {
        let answer = read(&[recording]).unwrap();
        assert_eq!(
            (answer.input_tokens, answer.output_tokens, answer.exact),
            (input_tokens, output_tokens, exact)
        );
        let arrived: u32 = answer.arrivals.iter().map(|arrival| arrival.tokens).sum();
        assert_eq!(u64::from(arrived), output_tokens);
    }
}

#[test]
fn an_engine_killed_in_the_middle_of_an_answer_is_an_error_although_it_answers_done() {
    assert_eq!(read(&[recording!("vllm-engine-killed")]).unwrap_err().class, ErrorClass::ErrorEvent);
}

#[test]
fn an_answer_without_usage_cannot_be_counted() {
    assert_eq!(read(&[recording!("vllm-completions-no-usage")]).unwrap_err().class, ErrorClass::Malformed);
}

#[test]
fn an_answer_that_breaks_off_anywhere_is_incomplete() {
    for (recording, ..) in ANSWERS {
        let done = recording.len() - "data: [DONE]\n\n".len();
        for end in (0..done).step_by(7) {
            assert_eq!(read(&[&recording[..end]]).unwrap_err().class, ErrorClass::Incomplete, "at {end}");
        }
    }
}

proptest! {
    #[test]
    fn where_reads_end_changes_no_count(
        which in 0..ANSWERS.len(),
        cuts in proptest::collection::vec(0usize..10_000, 0..40),
    ) {
        let recording = ANSWERS[which].0;
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (recording.len() + 1)).collect();
        cuts.extend([0, recording.len()]);
        cuts.sort_unstable();
        let reads: Vec<&[u8]> = cuts.windows(2).map(|pair| &recording[pair[0]..pair[1]]).collect();
        let (whole, split) = (read(&[recording]).unwrap(), read(&reads).unwrap());
        let counts = |answer: &Answer| answer.arrivals.iter().map(|arrival| arrival.tokens).collect::<Vec<_>>();
        prop_assert_eq!(counts(&whole), counts(&split));
        prop_assert_eq!((whole.output_tokens, whole.exact), (split.output_tokens, split.exact));
    }
}
