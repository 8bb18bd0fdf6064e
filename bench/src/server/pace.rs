//! When the chunks of an answer are due and what they say, in the form of vLLM's stream.

use clap::Args;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, LogNormal};

const HEAD: &str = "HTTP/1.1 200 OK\r\nserver: precise\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";

/// The times and the shape of all answers.
#[derive(Debug, Clone, Args)]
pub(crate) struct Pace {
    /// Time to first token
    #[arg(long, default_value_t = 100.0)]
    pub(crate) ttft_ms: f64,
    /// Time between tokens
    #[arg(long, default_value_t = 20.0)]
    pub(crate) itl_ms: f64,
    /// Standard deviation of the logarithm of both times
    #[arg(long, default_value_t = 0.0)]
    pub(crate) sigma: f64,
    /// Tokens of a chunk
    #[arg(long, default_value_t = 1)]
    pub(crate) tokens_per_chunk: u32,
    /// Share of tokens whose text is held back
    #[arg(long, default_value_t = 0.0)]
    pub(crate) empty_share: f64,
    /// A chunk with the role and no token is sent with the head of the answer
    #[arg(long)]
    pub(crate) early_role: bool,
    /// Each chunk says how many tokens there were so far, as vLLM does when it is asked to
    #[arg(long)]
    pub(crate) running_usage: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Completion {
        tokens: u32,
    },
    /// Something that this server does not have.
    Other,
}

impl Asked {
    pub(super) fn read(path: &str, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let number = |name: &str| {
            let rest = text.split_once(&format!("\"{name}\":"))?.1;
            rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
        };
        match number("max_tokens") {
            Some(tokens) if path == "/v1/completions" => Self::Completion { tokens },
            _ => Self::Other,
        }
    }
}

/// A chunk, as bytes on the wire.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) tokens: u32,
    /// When the next one is due; `None` when this was the last.
    pub(super) next_due: Option<u64>,
}

/// An answer that is being written.
pub(crate) struct Answer {
    pace: Pace,
    random: Xoshiro256PlusPlus,
    said: u32,
    tokens: u32,
    due: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Refusing,
    Role,
    First,
    Speaking,
}

impl Pace {
    /// The answer to a request that arrived at `arrived`, and when its first chunk is due.
    pub(super) fn answer(&self, asked: Asked, arrived: u64, seed: u64) -> (u64, Answer) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let due = arrived + self.draw(self.ttft_ms, &mut random);
        let answer = |stage, tokens| Answer { pace: self.clone(), random, said: 0, tokens, due, stage };
        match asked {
            Asked::Other => (arrived, answer(Stage::Refusing, 0)),
            Asked::Completion { tokens } if self.early_role => (arrived, answer(Stage::Role, tokens)),
            Asked::Completion { tokens } => (due, answer(Stage::First, tokens)),
        }
    }

    fn draw(&self, median_ms: f64, random: &mut Xoshiro256PlusPlus) -> u64 {
        let factor = LogNormal::new(0.0, self.sigma).map_or(1.0, |factors| factors.sample(random));
        (median_ms * 1e6 * if self.sigma > 0.0 { factor } else { 1.0 }) as u64
    }
}

impl Answer {
    pub(super) fn next(&mut self) -> Chunk {
        match self.stage {
            Stage::Refusing => Chunk {
                bytes: b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
                tokens: 0,
                next_due: None,
            },
            Stage::Role => {
                self.stage = Stage::Speaking;
                let mut bytes = HEAD.as_bytes().to_vec();
                event(
                    &mut bytes,
                    r#"{"id":"cmpl-0","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
                );
                Chunk { bytes, tokens: 0, next_due: Some(self.due) }
            }
            Stage::First => {
                self.stage = Stage::Speaking;
                self.speak(HEAD.as_bytes().to_vec())
            }
            Stage::Speaking => self.speak(Vec::with_capacity(320)),
        }
    }

    fn speak(&mut self, mut bytes: Vec<u8>) -> Chunk {
        let tokens = self.pace.tokens_per_chunk.min(self.tokens - self.said);
        self.said += tokens;
        let last = self.said == self.tokens;
        let empty = self.random.random_bool(self.pace.empty_share) && !last;
        let text = if empty { String::new() } else { " token".repeat(tokens as usize) };
        let finish = if last { "\"length\"" } else { "null" };
        let usage = if self.pace.running_usage { self.usage() } else { "null".to_owned() };
        event(
            &mut bytes,
            &format!(
                r#"{{"id":"cmpl-9f0e6f7a3ad34c3f","object":"text_completion","created":1795487700,"model":"precise","choices":[{{"index":0,"text":"{text}","logprobs":null,"finish_reason":{finish},"stop_reason":null}}],"usage":{usage}}}"#
            ),
        );
        if last {
            let usage = self.usage();
            event(
                &mut bytes,
                &format!(
                    r#"{{"id":"cmpl-9f0e6f7a3ad34c3f","object":"text_completion","choices":[],"usage":{usage}}}"#
                ),
            );
            event(&mut bytes, "[DONE]");
            bytes.extend_from_slice(b"0\r\n\r\n");
            return Chunk { bytes, tokens, next_due: None };
        }
        for _ in 0..self.pace.tokens_per_chunk {
            self.due += self.pace.draw(self.pace.itl_ms, &mut self.random);
        }
        Chunk { bytes, tokens, next_due: Some(self.due) }
    }

    fn usage(&self) -> String {
        format!(
            r#"{{"prompt_tokens":64,"total_tokens":{},"completion_tokens":{}}}"#,
            64 + self.said,
            self.said
        )
    }
}

/// An event as an HTTP chunk of its own.
fn event(bytes: &mut Vec<u8>, data: &str) {
    bytes.extend_from_slice(format!("{:x}\r\ndata: {data}\n\n\r\n", data.len() + 8).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Asked, Pace};

    fn pace() -> Pace {
        Pace {
            ttft_ms: 100.0,
            itl_ms: 20.0,
            sigma: 0.0,
            tokens_per_chunk: 1,
            empty_share: 0.0,
            early_role: false,
            running_usage: false,
        }
    }

    #[test]
    fn tokens_are_due_at_their_moments() {
        let (first, mut answer) = pace().answer(Asked::Completion { tokens: 3 }, 1_000, 0);
        let chunks: Vec<_> = (0..3).map(|_| answer.next()).collect();
        assert_eq!(first, 100_001_000);
        assert_eq!(chunks[0].next_due, Some(120_001_000));
        assert_eq!((chunks[1].next_due, chunks[2].next_due), (Some(140_001_000), None));
        assert!(chunks[2].bytes.ends_with(b"data: [DONE]\n\n\r\n0\r\n\r\n"));
    }

    #[test]
    fn a_chunk_of_four_waits_for_four() {
        let pace = Pace { tokens_per_chunk: 4, ..pace() };
        let (_, mut answer) = pace.answer(Asked::Completion { tokens: 6 }, 0, 0);
        let (first, last) = (answer.next(), answer.next());
        assert_eq!((first.tokens, first.next_due, last.tokens), (4, Some(180_000_000), 2));
    }

    #[test]
    fn requests_are_read_for_what_they_ask() {
        let body = br#"{"prompt":"x","max_tokens":64,"stream":true}"#;
        assert_eq!(Asked::read("/v1/completions", body), Asked::Completion { tokens: 64 });
        assert_eq!(Asked::read("/tokenize", body), Asked::Other);
    }
}
