//! The prompts of a load point: text of the dataset, cut to exactly the asked number of tokens, each beginning
//! differently so that a prefix cache cannot answer.

use accelbench_core::dataset::Prompt;
use accelbench_core::load::LoadPlan;
use accelbench_core::workload::Lengths;
use anyhow::Context as _;
use futures::StreamExt as _;
use futures::stream;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::engine::Engine;
use crate::engine::tokenizer::Tokenizer;
use crate::sample::Asked;

mod cut;
mod lengths;

/// How many prompts are cut at once.
const CUTTING_AT_ONCE: usize = 8;

/// A prompt ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedPrompt {
    pub(crate) text: String,
    pub(crate) asked: Asked,
}

/// Makes the prompts of a plan.
pub(crate) struct PromptSource<'a> {
    engine: &'a Engine,
    tokenizer: Option<Tokenizer>,
    plan: &'a LoadPlan,
    dataset: &'a [Prompt],
    /// The dataset's text in the order of the seed.
    corpus: Vec<char>,
}

impl<'a> PromptSource<'a> {
    pub(crate) async fn new(
        engine: &'a Engine,
        plan: &'a LoadPlan,
        dataset: &'a [Prompt],
    ) -> anyhow::Result<Self> {
        let as_is = matches!(plan.workload.lengths, Lengths::AsInDataset { .. });
        let tokenizer =
            if as_is { None } else { Some(Tokenizer::of(engine).await.context("prompts cannot be cut")?) };
        Ok(Self { engine, tokenizer, plan, dataset, corpus: corpus(dataset, plan.workload.seed) })
    }

    /// Whether the input lengths are cut by the engine's own count.
    pub(crate) fn is_exact(&self) -> bool {
        self.tokenizer.is_none_or(Tokenizer::is_exact)
    }

    /// Prepares `count` prompts for a load point; the same seed and load point give the same prompts.
    pub(crate) async fn prepare(
        &self,
        load_point_index: u32,
        count: usize,
    ) -> anyhow::Result<Vec<PreparedPrompt>> {
        let mut random = StdRng::seed_from_u64(self.plan.workload.seed ^ (u64::from(load_point_index) << 32));
        let Some(tokenizer) = self.tokenizer else { return Ok(self.as_in_dataset(&mut random, count)) };
        let wanted =
            lengths::draw(&self.plan.workload.lengths, self.plan.max_context_tokens, &mut random, count);
        let drafts: Vec<_> = wanted
            .into_iter()
            .map(|(input_tokens, output_tokens)| {
                let asked = Asked { input_tokens: Some(input_tokens), output_tokens };
                (asked, nonce(&mut random), random.random_range(0..self.corpus.len()))
            })
            .collect();
        let cutting = stream::iter(drafts).map(|(asked, nonce, start)| async move {
            let tokens = asked.input_tokens.unwrap_or(1) as usize;
            let text = cut::to_length(self.engine, tokenizer, &self.corpus, start, &nonce, tokens).await?;
            anyhow::Ok(PreparedPrompt { text, asked })
        });
        let cut: Vec<anyhow::Result<PreparedPrompt>> = cutting.buffered(CUTTING_AT_ONCE).collect().await;
        cut.into_iter().collect()
    }

    fn as_in_dataset(&self, random: &mut StdRng, count: usize) -> Vec<PreparedPrompt> {
        let Lengths::AsInDataset { output_tokens } = self.plan.workload.lengths else { return Vec::new() };
        let mut order: Vec<&Prompt> = self.dataset.iter().collect();
        order.shuffle(random);
        let prompt = |prompt: &Prompt| PreparedPrompt {
            text: prompt.prompt.clone(),
            asked: Asked { input_tokens: None, output_tokens: prompt.output_tokens.unwrap_or(output_tokens) },
        };
        order.into_iter().cycle().take(count).map(prompt).collect()
    }
}

/// The same prompt with another beginning, for when all prompts were used.
pub(crate) fn renew(prompt: &PreparedPrompt, round: usize) -> PreparedPrompt {
    if prompt.asked.input_tokens.is_none()
        || prompt.text.len() < NONCE_LENGTH
        || !prompt.text.is_char_boundary(NONCE_LENGTH)
    {
        return prompt.clone();
    }
    let mut random = StdRng::seed_from_u64(round as u64);
    let text = format!("{}{}", nonce(&mut random), &prompt.text[NONCE_LENGTH..]);
    PreparedPrompt { text, asked: prompt.asked }
}

const NONCE_LENGTH: usize = 10;

/// Ten characters that no other prompt begins with: letters alone, so that most tokenizers make equally many tokens
/// of each.
fn nonce(random: &mut StdRng) -> String {
    let letters: String =
        (0..NONCE_LENGTH - 1).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect();
    format!("{letters} ")
}

fn corpus(dataset: &[Prompt], seed: u64) -> Vec<char> {
    let mut texts: Vec<&str> = dataset.iter().map(|prompt| prompt.prompt.as_str()).collect();
    texts.shuffle(&mut StdRng::seed_from_u64(seed));
    texts.join("\n\n").chars().collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::{Asked, NONCE_LENGTH, PreparedPrompt, nonce, renew};

    #[test]
    fn a_renewed_prompt_begins_differently_and_is_as_long() {
        let text = format!("{}the rest", nonce(&mut StdRng::seed_from_u64(1)));
        let prompt = PreparedPrompt { text, asked: Asked { input_tokens: Some(5), output_tokens: 2 } };
        let renewed = renew(&prompt, 2);
        assert_eq!(renewed.text.len(), prompt.text.len());
        assert_ne!(renewed.text[..NONCE_LENGTH], prompt.text[..NONCE_LENGTH]);
        assert_ne!(renew(&prompt, 3).text, renewed.text);
        assert!(renewed.text.ends_with("the rest"));
    }

    #[test]
    fn a_prompt_of_the_dataset_is_sent_as_it_is() {
        let asked = Asked { input_tokens: None, output_tokens: 2 };
        let prompt = PreparedPrompt { text: "a question of some length".to_owned(), asked };
        assert_eq!(renew(&prompt, 2), prompt);
    }
}
