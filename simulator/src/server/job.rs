//! From a request's body to the work that the engine is given, or the reason why not.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::Simulator;
use super::body::{Body, chat_prompt};
use super::refusal::Refusal;
use crate::fault::Fault;
use crate::metrics::Finish;
use crate::tokenizer;

/// vLLM's default length of a completion; a chat may go on to the end of the context.
const COMPLETION_MAX_TOKENS: i64 = 16;
/// Tells the random choices of one request apart: its fault, its length and text.
const FAULT_SALT: u64 = 0x00FA_0175;
const ANSWER_SALT: u64 = 0x00A1_155E;

/// Which of the two APIs was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Completions,
    Chat,
}

/// An accepted request.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) endpoint: Endpoint,
    /// Number of the request, which is the sequence's id in the engine.
    pub(super) number: u64,
    pub(super) prompt_tokens: u32,
    pub(super) output_tokens: u32,
    pub(super) finish: Finish,
    pub(super) stream: bool,
    pub(super) usage: UsageWish,
    pub(super) fault: Option<Fault>,
    /// Chooses the words.
    pub(super) random: Xoshiro256PlusPlus,
}

/// Where a stream tells how many tokens there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsageWish {
    Nowhere,
    AtTheEnd,
    InEveryChunk,
}

/// How long an answer may and must be.
struct Lengths {
    min_tokens: u32,
    max_tokens: u32,
}

impl Job {
    /// Accepts a request.
    pub(super) fn accept(simulator: &Simulator, endpoint: Endpoint, body: &Body) -> Result<Self, Refusal> {
        check_model(simulator, body.model.as_deref())?;
        if body.n.is_some_and(|n| n != 1) {
            return Err(Refusal::bad_request(
                Some("n"),
                "the simulator gives one choice a request; leave n at 1",
            ));
        }
        if body.stream_options.is_some() && body.stream != Some(true) {
            return Err(Refusal::bad_request(
                Some("stream_options"),
                "Stream options can only be defined when `stream=True`.",
            ));
        }
        let prompt_tokens = count_prompt(endpoint, body)?;
        let (prompt_tokens, lengths) = Lengths::of(simulator.max_context, endpoint, body, prompt_tokens)?;
        let number = simulator.next_number();
        let seed = simulator.options.seed;
        // A request with its own seed gets the same answer each time, as from a real engine.
        let answer_seed = body
            .seed
            .map_or_else(|| mix(seed, number, ANSWER_SALT), |own| mix(seed, own as u64, !ANSWER_SALT));
        let mut random = Xoshiro256PlusPlus::seed_from_u64(answer_seed);
        let mean_tokens = simulator.options.answers.mean_output_tokens;
        let (output_tokens, finish) = if body.ignore_eos.unwrap_or_default() {
            (lengths.max_tokens, Finish::Length)
        } else {
            lengths.draw(mean_tokens, &mut random)
        };
        let fault_seed = mix(seed, number, FAULT_SALT);
        Ok(Self {
            endpoint,
            number,
            prompt_tokens,
            output_tokens,
            finish,
            stream: body.stream.unwrap_or_default(),
            usage: UsageWish::of(body),
            fault: Fault::draw(&simulator.options.faults, fault_seed, output_tokens),
            random,
        })
    }
}

/// Refuses a model that is not served; no model means the served one.
pub(super) fn check_model(simulator: &Simulator, asked: Option<&str>) -> Result<(), Refusal> {
    let served = simulator.options.model.as_str();
    match asked {
        Some(asked) if asked != served => Err(Refusal::unknown_model(asked, served)),
        _ => Ok(()),
    }
}

fn count_prompt(endpoint: Endpoint, body: &Body) -> Result<usize, Refusal> {
    match (endpoint, &body.prompt, &body.messages) {
        (Endpoint::Completions, Some(prompt), _) => prompt.count_tokens(),
        (Endpoint::Chat, _, Some(messages)) => Ok(tokenizer::count(&chat_prompt(messages)?)),
        (Endpoint::Completions, None, _) => Err(Refusal::bad_request(Some("prompt"), "prompt is missing")),
        (Endpoint::Chat, _, None) => Err(Refusal::bad_request(Some("messages"), "messages is missing")),
    }
}

impl UsageWish {
    fn of(body: &Body) -> Self {
        let Some(options) = &body.stream_options else {
            return Self::Nowhere;
        };
        match (options.include_usage, options.continuous_usage_stats) {
            (Some(true), Some(true)) => Self::InEveryChunk,
            (Some(true), _) => Self::AtTheEnd,
            _ => Self::Nowhere,
        }
    }
}

impl Lengths {
    /// The bounds of the answer, and the prompt's tokens in the engine's type.
    fn of(
        max_context: u32,
        endpoint: Endpoint,
        body: &Body,
        prompt_tokens: usize,
    ) -> Result<(u32, Self), Refusal> {
        let context = i64::from(max_context);
        let prompt = i64::try_from(prompt_tokens).unwrap_or(i64::MAX);
        let asked = match endpoint {
            Endpoint::Completions => body.max_tokens,
            Endpoint::Chat => body.max_completion_tokens.or(body.max_tokens),
        };
        let max_tokens = asked.unwrap_or(match endpoint {
            Endpoint::Completions => COMPLETION_MAX_TOKENS.min(context.saturating_sub(prompt).max(1)),
            Endpoint::Chat => context.saturating_sub(prompt).max(1),
        });
        let min_tokens = body.min_tokens.unwrap_or(0);
        check_lengths(context, prompt, min_tokens, max_tokens)?;
        let narrow = |tokens: i64| u32::try_from(tokens).unwrap_or(u32::MAX);
        let lengths = Self { min_tokens: narrow(min_tokens), max_tokens: narrow(max_tokens) };
        Ok((narrow(prompt), lengths))
    }

    /// Where the model stops by itself: after a geometric length, unless the limit comes first.
    fn draw(&self, mean_tokens: u32, random: &mut Xoshiro256PlusPlus) -> (u32, Finish) {
        let goes_on = 1.0 - 1.0 / f64::from(mean_tokens);
        let uniform: f64 = random.random();
        let drawn = 1.0 + ((1.0 - uniform).ln() / goes_on.ln()).floor();
        let stops_at = (drawn as u32).max(self.min_tokens).max(1);
        if stops_at <= self.max_tokens { (stops_at, Finish::Stop) } else { (self.max_tokens, Finish::Length) }
    }
}

fn check_lengths(context: i64, prompt: i64, min_tokens: i64, max_tokens: i64) -> Result<(), Refusal> {
    let refuse = |param, message: String| Err(Refusal::bad_request(Some(param), &message));
    if max_tokens < 1 {
        return refuse("max_tokens", format!("max_tokens must be at least 1, got {max_tokens}."));
    }
    if max_tokens > context {
        return refuse(
            "max_tokens",
            format!(
                "max_tokens={max_tokens} cannot be greater than max_model_len={context}. Please request fewer output \
                 tokens. (parameter=max_tokens, value={max_tokens})"
            ),
        );
    }
    if prompt.saturating_add(max_tokens) > context {
        return refuse(
            "input_tokens",
            format!(
                "This model's maximum context length is {context} tokens. However, you requested {max_tokens} output \
                 tokens and your prompt contains {prompt} input tokens. Please reduce the length of the input prompt \
                 or the number of requested output tokens. (parameter=input_tokens, value={prompt})"
            ),
        );
    }
    if !(0..=max_tokens).contains(&min_tokens) {
        return refuse(
            "min_tokens",
            format!("min_tokens must be between 0 and max_tokens={max_tokens}, got {min_tokens}."),
        );
    }
    Ok(())
}

/// Makes one seed of three numbers.
fn mix(seed: u64, number: u64, salt: u64) -> u64 {
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03) ^ salt
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::{Lengths, check_lengths};
    use crate::metrics::Finish;

    #[test]
    fn lengths_are_geometric_and_within_bounds() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let lengths = Lengths { min_tokens: 0, max_tokens: 1_000_000 };
        let drawn: Vec<_> = (0..10_000).map(|_| lengths.draw(50, &mut random)).collect();
        let mean = drawn.iter().map(|(length, _)| f64::from(*length)).sum::<f64>() / 10_000.0;
        assert!((48.0..52.0).contains(&mean), "{mean}");
        let tight = Lengths { min_tokens: 40, max_tokens: 60 };
        for _ in 0..1000 {
            let (length, finish) = tight.draw(50, &mut random);
            assert!((40..=60).contains(&length));
            assert!(finish == Finish::Stop || length == 60);
        }
        assert_eq!(tight.draw(1, &mut random), (40, Finish::Stop));
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for (prompt, min_tokens, max_tokens, possible) in [
            (10, 0, 90, true),
            (10, 0, 91, false),
            (10, 0, 0, false),
            (10, 0, -1, false),
            (10, -1, 5, false),
            (10, 6, 5, false),
            (10, 5, 5, true),
            (i64::MAX, 0, 5, false),
            (10, 0, i64::MAX, false),
        ] {
            assert_eq!(check_lengths(100, prompt, min_tokens, max_tokens).is_ok(), possible);
        }
    }
}
