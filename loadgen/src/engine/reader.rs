//! Reads one answer: which read brought how many tokens, and whether the answer is complete.

use std::time::Duration;

use accelbench_core::load::ErrorClass;

use crate::sample::{Answer, Arrival, Asked, Failure};
use crate::stream::{Chunk, Delta, EventParser, Usage};

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct AnswerReader {
    parser: EventParser,
    state: State,
}

#[derive(Debug)]
struct State {
    asked: Asked,
    arrivals: Vec<Arrival>,
    /// The newest usage, and how many tokens the arrivals account for.
    usage: Option<Usage>,
    counted: u64,
    /// Whether any chunk with a token came without a running count.
    uncounted: bool,
    /// The reads that brought tokens without a count.
    finished_at: Option<Duration>,
    done: bool,
    failure: Option<Failure>,
}

impl AnswerReader {
    pub(super) fn new(asked: Asked) -> Self {
        let state = State {
            asked,
            arrivals: Vec::with_capacity(asked.output_tokens.min(4096) as usize),
            usage: None,
            counted: 0,
            uncounted: false,
            finished_at: None,
            done: false,
            failure: None,
        };
        Self { parser: EventParser::default(), state }
    }

    /// Takes the bytes of one read that returned at `read_at`.
    pub(super) fn read(&mut self, bytes: &[u8], read_at: Duration) -> Result<(), Failure> {
        let state = &mut self.state;
        let fed = self.parser.feed(bytes, |data| state.take(Chunk::read(data), read_at));
        if let Err(error) = fed {
            return Err(Failure { class: ErrorClass::Malformed, message: error.to_string() });
        }
        self.state.failure.take().map_or(Ok(()), Err)
    }

    /// The complete answer, once the stream has ended.
    pub(super) fn finish(self) -> Result<Answer, Failure> {
        self.state.finish()
    }
}

impl State {
    fn take(&mut self, chunk: Chunk, read_at: Duration) {
        match chunk {
            Chunk::Done => self.done = true,
            Chunk::Delta(delta) => self.take_delta(delta, read_at),
            Chunk::Error(message) => {
                self.fail(
                    ErrorClass::ErrorEvent,
                    format!("the engine reported an error inside an answer: {message}"),
                );
            }
            Chunk::Malformed => {
                self.fail(ErrorClass::Malformed, "the answer's stream could not be understood".to_owned());
            }
        }
    }

    fn take_delta(&mut self, delta: Delta, read_at: Duration) {
        if delta.finished {
            self.finished_at = Some(read_at);
        }
        match delta.usage {
            // A running count says how many tokens this chunk brought, visible or not.
            Some(usage) if delta.shows_token || delta.finished => {
                let new = usage.completion_tokens.saturating_sub(self.counted);
                self.counted = self.counted.max(usage.completion_tokens);
                self.usage = Some(usage);
                self.arrive(read_at, new as f64);
            }
            Some(usage) => self.usage = Some(usage),
            None if delta.shows_token => {
                self.uncounted = true;
                self.arrive(read_at, 1.0);
            }
            None => {}
        }
    }

    fn arrive(&mut self, at: Duration, tokens: f64) {
        if tokens > 0.0 {
            self.arrivals.push(Arrival { at, tokens });
        }
    }

    fn fail(&mut self, class: ErrorClass, message: String) {
        self.failure.get_or_insert(Failure { class, message });
    }

    fn finish(mut self) -> Result<Answer, Failure> {
        let failure = |class, message: &str| Err(Failure { class, message: message.to_owned() });
        let Some(finished_at) = self.finished_at.filter(|_| self.done) else {
            return failure(ErrorClass::Incomplete, "an answer ended without a finish reason or [DONE]");
        };
        let Some(usage) = self.usage else {
            return failure(
                ErrorClass::Malformed,
                "the engine sends no usage, so that tokens cannot be counted",
            );
        };
        if usage.completion_tokens == 0 || self.arrivals.is_empty() {
            return failure(ErrorClass::NoTokens, "an answer held no token");
        }
        let exact = !self.uncounted || self.one_token_a_chunk(usage);
        if self.uncounted {
            self.spread(usage, finished_at);
        }
        let last = self.arrivals.last().map_or(finished_at, |arrival| arrival.at);
        Ok(Answer {
            ended_at: finished_at.max(last),
            arrivals: self.arrivals,
            exact,
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
            asked: self.asked,
        })
    }

    /// Without a running count: one token a chunk, if the totals agree. The token that ends an answer may have no chunk
    /// with text of its own.
    fn one_token_a_chunk(&self, usage: Usage) -> bool {
        let chunks = self.arrivals.len() as u64;
        usage.completion_tokens == chunks || usage.completion_tokens == chunks + 1
    }

    /// Makes the arrivals account for all tokens: the ending token belongs to the read that brought the end; if chunks
    /// held several tokens each, they are taken to have held equally many.
    fn spread(&mut self, usage: Usage, finished_at: Duration) {
        let (chunks, tokens) = (self.arrivals.len() as u64, usage.completion_tokens);
        if tokens == chunks + 1 {
            self.arrivals.push(Arrival { at: finished_at, tokens: 1.0 });
        } else if tokens != chunks {
            let each = tokens as f64 / chunks as f64;
            self.arrivals.iter_mut().for_each(|arrival| arrival.tokens = each);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use accelbench_core::load::ErrorClass;

    use super::AnswerReader;
    use crate::sample::{Answer, Asked, Failure};

    /// Reads `lines`, each an event's data that arrives 10 ms after the one before.
    fn read(lines: &[&str]) -> Result<Answer, Failure> {
        let mut reader = AnswerReader::new(Asked { input_tokens: None, output_tokens: 8 });
        for (index, line) in lines.iter().enumerate() {
            let at = Duration::from_millis(10 * (index as u64 + 1));
            reader.read(format!("data: {line}\n\n").as_bytes(), at)?;
        }
        reader.finish()
    }

    fn tokens(answer: &Answer) -> Vec<(u64, f64)> {
        answer.arrivals.iter().map(|arrival| (arrival.at.as_millis() as u64, arrival.tokens)).collect()
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
        assert_eq!(tokens(&answer), [(10, 1.0), (20, 1.0), (30, 1.0)]);
        assert!(answer.exact);
        assert_eq!((answer.ended_at.as_millis(), answer.input_tokens, answer.output_tokens), (30, 9, 3));
    }

    #[test]
    fn the_token_that_ends_an_answer_counts() {
        let answer = read(&[TOKEN, TOKEN, END, &usage(3), DONE]).unwrap();
        assert_eq!(tokens(&answer), [(10, 1.0), (20, 1.0), (30, 1.0)]);
        assert!(answer.exact);
    }

    #[test]
    fn running_usage_tells_how_many_tokens_a_chunk_holds() {
        let lines =
            [counted("abcd", "null", 4), counted("", "null", 5), counted("fg", "\"length\"", 7), usage(7)];
        let lines: Vec<&str> = lines.iter().map(String::as_str).chain([DONE]).collect();
        let answer = read(&lines).unwrap();
        assert_eq!(tokens(&answer), [(10, 4.0), (20, 1.0), (30, 2.0)]);
        assert!(answer.exact);
    }

    #[test]
    fn without_a_running_count_several_tokens_a_chunk_are_spread() {
        let answer = read(&[TOKEN, LAST, &usage(8), DONE]).unwrap();
        assert_eq!(tokens(&answer), [(10, 4.0), (20, 4.0)]);
        assert!(!answer.exact);
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
}
