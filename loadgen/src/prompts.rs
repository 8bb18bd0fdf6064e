//! The prompts of a load point: text of the dataset, cut to exactly the asked number of tokens, each beginning
//! differently so that a prefix cache cannot answer.

use std::borrow::Cow;

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

mod corpus;
mod cut;
mod lengths;
mod nonce;

pub(crate) use corpus::Corpus;
use nonce::{NONCE_LENGTH, Nonces};

/// How many prompts are cut at once.
const CUTTING_AT_ONCE: usize = 8;

/// Most prompts that are prepared for a load point; when they are used up they come again with other beginnings.
const MOST_PROMPTS: usize = 2048;

/// Most tokens that are prepared for a load point: the engine's tokenizer takes seconds for each million.
const MOST_TOKENS: u64 = 1_000_000;

/// This many prompts are prepared however long they are.
const LEAST_PROMPTS: usize = 64;

/// A prompt ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedPrompt {
    pub(crate) text: String,
    pub(crate) asked: Asked,
}

/// The prompts of a load point.
#[derive(Debug)]
pub(crate) struct PreparedPrompts {
    prompts: Vec<PreparedPrompt>,
    /// Where prompts begin with a nonce; those of a dataset are sent as they are.
    nonces: Option<Nonces>,
}

/// Makes the prompts of a plan.
pub(crate) struct PromptSource<'a> {
    engine: &'a Engine,
    plan: &'a LoadPlan,
    dataset: &'a [Prompt],
    /// What cutting needs, unless prompts are sent as they are.
    cutter: Option<(Tokenizer, Corpus)>,
}

impl<'a> PromptSource<'a> {
    pub(crate) async fn new(
        engine: &'a Engine,
        plan: &'a LoadPlan,
        dataset: &'a [Prompt],
    ) -> anyhow::Result<Self> {
        let cutter = if matches!(plan.workload.lengths, Lengths::AsInDataset { .. }) {
            None
        } else {
            let corpus = Corpus::new(dataset, plan.workload.seed);
            let tokenizer = Tokenizer::of(engine, &corpus).await.context("prompts cannot be cut")?;
            Some((tokenizer, corpus))
        };
        Ok(Self { engine, plan, dataset, cutter })
    }

    /// Whether the input lengths are cut by the engine's own count.
    pub(crate) fn is_exact(&self) -> bool {
        self.cutter.as_ref().is_none_or(|(tokenizer, _)| tokenizer.is_exact())
    }

    /// How many requests of a load point can have a prompt that was never sent before; `None` for any number. `wanted`
    /// is what each load point asked for.
    pub(crate) fn fresh_prompts(&self, load_point_index: u32, wanted: usize) -> Option<usize> {
        let used = load_point_index as usize * wanted.min(MOST_PROMPTS);
        if self.cutter.is_some() { None } else { Some(self.dataset.len().saturating_sub(used)) }
    }

    /// Prepares about `wanted` prompts for a load point. The seed decides lengths and texts; lengths come in the same
    /// order at each load point, so that load points differ in their load alone.
    pub(crate) async fn prepare(
        &self,
        load_point_index: u32,
        wanted: usize,
    ) -> anyhow::Result<PreparedPrompts> {
        let wanted = wanted.min(MOST_PROMPTS);
        let Some((tokenizer, corpus)) = &self.cutter else {
            return Ok(PreparedPrompts {
                prompts: self.as_in_dataset(load_point_index, wanted),
                nonces: None,
            });
        };
        let seed = self.plan.workload.seed;
        let lengths = self.lengths(&mut StdRng::seed_from_u64(seed), wanted);
        let mut random = StdRng::seed_from_u64(seed ^ (u64::from(load_point_index + 1) << 32));
        let nonces = Nonces::new(self.plan.run_id, load_point_index);
        let drafts: Vec<_> = lengths
            .into_iter()
            .enumerate()
            .map(|(request, asked)| (asked, nonces.get(request), random.random_range(0..corpus.len())))
            .collect();
        let cutting = stream::iter(drafts).map(|(asked, nonce, start)| async move {
            let tokens = asked.input_tokens.unwrap_or(1) as usize;
            let text = cut::to_length(self.engine, *tokenizer, corpus, start, &nonce, tokens).await?;
            anyhow::Ok(PreparedPrompt { text, asked })
        });
        let cut: Vec<anyhow::Result<PreparedPrompt>> = cutting.buffered(CUTTING_AT_ONCE).collect().await;
        let prompts = cut.into_iter().collect::<anyhow::Result<_>>()?;
        Ok(PreparedPrompts { prompts, nonces: Some(nonces) })
    }

    fn lengths(&self, random: &mut StdRng, count: usize) -> Vec<Asked> {
        let drawn = lengths::draw(&self.plan.workload.lengths, self.plan.max_context_tokens, random, count);
        let mut tokens = 0;
        drawn
            .into_iter()
            .enumerate()
            .take_while(|(index, (input_tokens, _))| {
                tokens += u64::from(*input_tokens);
                tokens <= MOST_TOKENS || *index < LEAST_PROMPTS
            })
            .map(|(_, (input_tokens, output_tokens))| Asked {
                input_tokens: Some(input_tokens),
                output_tokens,
            })
            .collect()
    }

    /// The dataset in the order of the seed; each load point begins where the one before may have ended.
    fn as_in_dataset(&self, load_point_index: u32, count: usize) -> Vec<PreparedPrompt> {
        let Lengths::AsInDataset { output_tokens } = self.plan.workload.lengths else { return Vec::new() };
        let mut order: Vec<&Prompt> = self.dataset.iter().collect();
        order.shuffle(&mut StdRng::seed_from_u64(self.plan.workload.seed));
        let prompt = |prompt: &Prompt| PreparedPrompt {
            text: prompt.prompt.clone(),
            asked: Asked { input_tokens: None, output_tokens: prompt.output_tokens.unwrap_or(output_tokens) },
        };
        let start = load_point_index as usize * count % order.len().max(1);
        order.into_iter().cycle().skip(start).take(count).map(prompt).collect()
    }
}

impl PreparedPrompts {
    /// The prompt of a request; when all were used, they come again with other beginnings.
    pub(crate) fn get(&self, request: usize) -> Cow<'_, PreparedPrompt> {
        let prompt = &self.prompts[request % self.prompts.len()];
        match self.nonces {
            Some(nonces) if request >= self.prompts.len() => Cow::Owned(renew(prompt, &nonces.get(request))),
            _ => Cow::Borrowed(prompt),
        }
    }
}

/// The same prompt with another beginning. A prompt that is no longer than its nonce stays what it is: no prefix cache
/// holds so little.
fn renew(prompt: &PreparedPrompt, nonce: &str) -> PreparedPrompt {
    let rest = prompt.text.get(NONCE_LENGTH..);
    let text = rest.map_or_else(|| prompt.text.clone(), |rest| format!("{nonce}{rest}"));
    PreparedPrompt { text, asked: prompt.asked }
}

#[cfg(test)]
mod tests;
