//! Counts tokens with the engine's own tokenizer, over HTTP. Where an engine offers none, the relation of characters to
//! tokens is learned from the usage of a few small requests, and a check later says how well that held.

use serde_json::{Value, json};

use super::Engine;
use crate::prompts::Corpus;

/// How tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Tokenizer {
    /// `POST /tokenize` with a prompt, as vLLM has it.
    Vllm,
    /// `POST /tokenize` with a content, as llama.cpp has it.
    LlamaCpp,
    /// Characters for each token, learned from usage.
    Calibrated {
        /// Characters for each token.
        characters_per_token: f64,
        /// Tokens that the engine adds to every prompt.
        overhead_tokens: f64,
    },
}

const SENTENCE: &str = "The quick brown fox jumps over the lazy dog.";

/// Pieces of text from which the relation of characters to tokens is learned, and their lengths in characters.
const PIECES: usize = 4;
const SHORT_CHARACTERS: usize = 100;
const LONG_CHARACTERS: usize = 700;

impl Tokenizer {
    /// Finds out how this engine's tokens can be counted; `corpus` is the text that will be cut.
    pub(crate) async fn of(engine: &Engine, corpus: &Corpus) -> anyhow::Result<Self> {
        for tokenizer in [Self::Vllm, Self::LlamaCpp] {
            if tokenizer.count(engine, SENTENCE).await.is_some_and(|tokens| tokens > 0) {
                return Ok(tokenizer);
            }
        }
        Self::calibrate(engine, corpus).await
    }

    /// How many tokens the engine makes of `text`; `None` when it does not say.
    pub(crate) async fn count(self, engine: &Engine, text: &str) -> Option<usize> {
        match self {
            Self::Vllm => {
                let body = json!({"model": engine.model, "prompt": text});
                let (_, answer) =
                    engine.post("tokenize", &body).await.filter(|(status, _)| status.is_success())?;
                answer.get("count")?.as_u64().map(|count| count as usize)
            }
            Self::LlamaCpp => {
                let body = json!({"content": text, "add_special": true});
                let (_, answer) =
                    engine.post("tokenize", &body).await.filter(|(status, _)| status.is_success())?;
                answer.get("tokens")?.as_array().map(Vec::len)
            }
            Self::Calibrated { characters_per_token, overhead_tokens } => {
                Some((text.chars().count() as f64 / characters_per_token + overhead_tokens).round() as usize)
            }
        }
    }

    /// Whether counts are the engine's own.
    pub(crate) fn is_exact(self) -> bool {
        !matches!(self, Self::Calibrated { .. })
    }

    /// Sends a short and a longer piece of the text that will be cut, from several places of it.
    async fn calibrate(engine: &Engine, corpus: &Corpus) -> anyhow::Result<Self> {
        let (mut short_tokens, mut long_tokens) = (0.0, 0.0);
        for piece in 0..PIECES {
            let start = corpus.len() * piece / PIECES;
            short_tokens += usage_of(engine, &corpus.text("", start, SHORT_CHARACTERS)).await?;
            long_tokens += usage_of(engine, &corpus.text("", start, LONG_CHARACTERS)).await?;
        }
        anyhow::ensure!(long_tokens > short_tokens, "the engine counts no more tokens for a longer prompt");
        let more_characters = ((LONG_CHARACTERS - SHORT_CHARACTERS) * PIECES) as f64;
        let characters_per_token = more_characters / (long_tokens - short_tokens);
        let of_text = SHORT_CHARACTERS as f64 / characters_per_token;
        let overhead_tokens = (short_tokens / PIECES as f64 - of_text).max(0.0);
        Ok(Self::Calibrated { characters_per_token, overhead_tokens })
    }
}

async fn usage_of(engine: &Engine, prompt: &str) -> anyhow::Result<f64> {
    let body = json!({"model": engine.model, "prompt": prompt, "max_tokens": 1});
    let answer = engine.post("v1/completions", &body).await;
    let (status, answer) = answer.ok_or_else(|| anyhow::anyhow!("the engine does not answer"))?;
    answer.pointer("/usage/prompt_tokens").and_then(Value::as_f64).ok_or_else(|| {
        anyhow::anyhow!(
            "the engine ({status}) has no /tokenize and tells no usage, so that tokens cannot be counted"
        )
    })
}
