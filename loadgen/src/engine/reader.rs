//! Reads one answer: which read brought how many tokens, and whether the answer is complete. The number of tokens is
//! always the server's; what chunks show only decides to which read each token belongs.

use std::time::Duration;

use accelbench_core::load::ErrorClass;

use crate::sample::{Answer, Arrival, Asked, Failure};
use crate::stream::{Chunk, Delta, EventParser, Usage};

mod text;

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct AnswerReader {
    parser: EventParser,
    state: State,
    /// The stream itself, where the answer's text is wanted: it is read once more when nothing has to be in time.
    kept: Option<Vec<u8>>,
}

#[derive(Debug)]
struct State {
    asked: Asked,
    arrivals: Vec<Arrival>,
    /// The newest usage.
    usage: Option<Usage>,
    /// Tokens that the arrivals account for by running usage.
    running_tokens: u64,
    /// Whether any chunk with a token came without running usage: then only the total is known.
    uncounted: bool,
    finished_at: Option<Duration>,
    finish_shows_token: bool,
    done: bool,
    failure: Option<Failure>,
}

impl AnswerReader {
    /// Reads an answer; with `keeps_text`, what it says is kept.
    pub(super) fn new(asked: Asked, keeps_text: bool) -> Self {
        let state = State {
            asked,
            arrivals: Vec::with_capacity(asked.output_tokens.min(4096) as usize),
            usage: None,
            running_tokens: 0,
            uncounted: false,
            finished_at: None,
            finish_shows_token: false,
            done: false,
            failure: None,
        };
        Self { parser: EventParser::default(), state, kept: keeps_text.then(Vec::new) }
    }

    /// Takes the bytes of one read that returned at `read_at`.
    pub(super) fn read(&mut self, bytes: &[u8], read_at: Duration) -> Result<(), Failure> {
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        let state = &mut self.state;
        let fed = self.parser.feed(bytes, |data| state.take(Chunk::read(data), read_at));
        if let Some(failure) = self.state.failure.take() {
            return Err(failure);
        }
        fed.map_err(|error| Failure::new(ErrorClass::Malformed, error.to_string()))
    }

    /// Whether `[DONE]` was read: nothing of interest follows.
    pub(super) fn is_done(&self) -> bool {
        self.state.done
    }

    /// The complete answer, once the stream has ended.
    pub(super) fn finish(self) -> Result<Answer, Failure> {
        let answer = self.state.finish()?;
        Ok(Answer { text: self.kept.map(|stream| text::of(&stream)), ..answer })
    }
}

impl State {
    fn take(&mut self, chunk: Chunk, read_at: Duration) {
        match chunk {
            Chunk::Done => self.done = true,
            Chunk::Delta(delta) => self.take_delta(delta, read_at),
            Chunk::Error(message) => self.fail(
                ErrorClass::ErrorEvent,
                format!("the engine reported an error inside an answer: {message}"),
            ),
            Chunk::Malformed => {
                self.fail(ErrorClass::Malformed, "the answer's stream could not be understood".to_owned());
            }
        }
    }

    fn take_delta(&mut self, delta: Delta, read_at: Duration) {
        if delta.finished {
            self.finished_at = Some(read_at);
            self.finish_shows_token |= delta.shows_token;
        }
        self.usage = delta.usage.or(self.usage);
        match delta.usage {
            // Running usage says how many tokens this chunk brought, visible or not.
            Some(usage) if !self.uncounted && (delta.shows_token || delta.finished) => {
                let new = usage.completion_tokens.saturating_sub(self.running_tokens);
                self.running_tokens += new;
                if new > 0 {
                    self.arrivals.push(Arrival::new(read_at, new as u32));
                }
            }
            _ if delta.shows_token => {
                self.uncounted = true;
                self.arrivals.push(Arrival::new(read_at, 1));
            }
            _ => {}
        }
    }

    fn fail(&mut self, class: ErrorClass, message: String) {
        self.failure.get_or_insert(Failure { class, message });
    }

    fn finish(mut self) -> Result<Answer, Failure> {
        let Some(finished_at) = self.finished_at.filter(|_| self.done) else {
            let message = "an answer ended without a finish reason or without [DONE]";
            return Err(Failure::new(ErrorClass::Incomplete, message));
        };
        let Some(usage) = self.usage else {
            let message = "the engine sends no usage, so that tokens cannot be counted";
            return Err(Failure::new(ErrorClass::Malformed, message));
        };
        if usage.completion_tokens == 0 {
            return Err(Failure::new(ErrorClass::NoTokens, "an answer held no token"));
        }
        let exact = self.settle(usage.completion_tokens, finished_at);
        self.arrivals.shrink_to_fit();
        Ok(Answer {
            ended_at: self.arrivals.last().map_or(finished_at, |last| last.at().max(finished_at)),
            arrivals: self.arrivals,
            exact,
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
            asked: self.asked,
            text: None,
        })
    }

    /// Makes the arrivals account for all `tokens`; says whether each arrival's number is known.
    fn settle(&mut self, tokens: u64, finished_at: Duration) -> bool {
        let (counted, chunks) = (self.running_tokens, self.arrivals.len() as u64);
        if !self.uncounted && counted == tokens {
            return true;
        }
        if !self.uncounted && counted < tokens {
            // The end of an answer is a token too, whose chunk may tell no usage.
            self.arrivals.push(Arrival::new(finished_at, (tokens - counted) as u32));
            return tokens - counted == 1;
        }
        if tokens == chunks + 1 && !self.finish_shows_token {
            spread(&mut self.arrivals, chunks);
            self.arrivals.push(Arrival::new(finished_at, 1));
            return true;
        }
        spread(&mut self.arrivals, tokens);
        tokens == chunks
    }
}

/// Spreads `tokens` over the arrivals as evenly as whole tokens allow; an arrival that gets none is none.
fn spread(arrivals: &mut Vec<Arrival>, tokens: u64) {
    let chunks = arrivals.len() as u64;
    for (index, arrival) in arrivals.iter_mut().enumerate() {
        let upto = |index: u64| index * tokens / chunks;
        arrival.tokens = (upto(index as u64 + 1) - upto(index as u64)) as u32;
    }
    arrivals.retain(|arrival| arrival.tokens > 0);
}

#[cfg(test)]
mod recordings;
#[cfg(test)]
mod tests;
