//! The prompts of a load point: text of the dataset, cut to exactly the asked number of tokens, each beginning
//! differently so that a prefix cache cannot answer.

use std::borrow::Cow;

use accelbench_core::dataset::{Content, Dataset, LengthPair, Prompt, STANDARD};
use accelbench_core::load::{LoadPlan, OfferedLoad};
use accelbench_core::workload::{Lengths, MAX_TOKENS};
use anyhow::{Context as _, bail};
use futures::StreamExt as _;
use futures::stream;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::arrivals::Schedule;
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

/// The least that has an inter-token latency.
const MIN_OUTPUT: u32 = 2;

/// Tells the beginning that all prompts share apart from those of load points.
const SHARED_NONCE: u32 = u32::MAX / 2;

/// This many prompts are prepared however long they are.
const LEAST_PROMPTS: usize = 64;

/// A prompt ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreparedPrompt {
    pub(crate) content: Content,
    pub(crate) asked: Asked,
    /// Whether it belongs to a conversation, which its answer becomes a part of.
    pub(crate) is_turn: bool,
}

/// The prompts of a load point.
#[derive(Debug)]
pub(crate) struct PreparedPrompts {
    prompts: Vec<PreparedPrompt>,
    /// Where prompts are told apart by a nonce; those of a dataset are sent as they are.
    told_apart: Option<ToldApart>,
    /// When each is due, in seconds, where the dataset is a trace.
    moments_s: Option<Vec<f64>>,
}

/// How prompts are told apart.
#[derive(Debug, Clone, Copy)]
struct ToldApart {
    nonces: Nonces,
    /// Bytes that all prompts begin with, before the nonce.
    shared_bytes: usize,
}

/// Makes the prompts of a plan.
pub(crate) struct PromptSource<'a> {
    engine: &'a Engine,
    plan: &'a LoadPlan,
    dataset: &'a Dataset,
    /// What cutting needs, unless prompts are sent as they are.
    cutter: Option<Cutter>,
}

struct Cutter {
    tokenizer: Tokenizer,
    corpus: Corpus,
    /// What all prompts begin with.
    shared: String,
}

impl<'a> PromptSource<'a> {
    pub(crate) async fn new(
        engine: &'a Engine,
        plan: &'a LoadPlan,
        dataset: &'a Dataset,
    ) -> anyhow::Result<Self> {
        let as_it_is = matches!(plan.workload.lengths, Lengths::AsInDataset { .. });
        let cutter = match dataset {
            Dataset::Prompts(_) if as_it_is => None,
            Dataset::Prompts(prompts) => Some(Cutter::new(engine, plan, prompts).await?),
            Dataset::Lengths(_) | Dataset::Trace(_) => match Dataset::parse(STANDARD)? {
                Dataset::Prompts(prompts) => Some(Cutter::new(engine, plan, &prompts).await?),
                Dataset::Lengths(_) | Dataset::Trace(_) => bail!("the standard dataset holds no text"),
            },
        };
        Ok(Self { engine, plan, dataset, cutter })
    }

    /// Prompts, pairs of lengths or requests of the dataset.
    pub(crate) fn dataset_len(&self) -> usize {
        self.dataset.len()
    }

    /// Whether the input lengths are cut by the engine's own count.
    pub(crate) fn is_exact(&self) -> bool {
        self.cutter.as_ref().is_none_or(|cutter| cutter.tokenizer.is_exact())
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
        match (&self.cutter, self.dataset) {
            (Some(cutter), _) => self.cut(cutter, load_point_index, wanted).await,
            (None, Dataset::Prompts(prompts)) => self.as_in_dataset(prompts, load_point_index, wanted).await,
            (None, Dataset::Lengths(_) | Dataset::Trace(_)) => bail!("lengths need text to be cut from"),
        }
    }

    async fn cut(
        &self,
        cutter: &Cutter,
        load_point_index: u32,
        wanted: usize,
    ) -> anyhow::Result<PreparedPrompts> {
        let seed = self.plan.workload.seed;
        let lengths = self.lengths(&mut StdRng::seed_from_u64(seed), wanted);
        let mut random = StdRng::seed_from_u64(seed ^ (u64::from(load_point_index + 1) << 32));
        let nonces = Nonces::new(self.plan.run_id, load_point_index);
        let drafts: Vec<_> = lengths
            .into_iter()
            .enumerate()
            .map(|(request, asked)| (asked, nonces.get(request), random.random_range(0..cutter.corpus.len())))
            .collect();
        let cutting = stream::iter(drafts).map(|(asked, nonce, start)| async move {
            let tokens = asked.input_tokens.unwrap_or(1) as usize;
            let beginning = format!("{}{nonce}", cutter.shared);
            let text = cutter.to_length(self.engine, start, &beginning, tokens).await?;
            anyhow::Ok(PreparedPrompt { content: Content::Text(text), asked, is_turn: false })
        });
        let cut: Vec<anyhow::Result<PreparedPrompt>> = cutting.buffered(CUTTING_AT_ONCE).collect().await;
        let prompts: Vec<PreparedPrompt> = cut.into_iter().collect::<anyhow::Result<_>>()?;
        let moments_s = match self.dataset {
            Dataset::Trace(requests) => {
                Some(requests.iter().take(prompts.len()).map(|request| request.at_s).collect())
            }
            Dataset::Prompts(_) | Dataset::Lengths(_) => None,
        };
        let told_apart = Some(ToldApart { nonces, shared_bytes: cutter.shared.len() });
        Ok(PreparedPrompts { prompts, told_apart, moments_s })
    }

    fn lengths(&self, random: &mut StdRng, count: usize) -> Vec<Asked> {
        let max_context_tokens = self.plan.max_context_tokens;
        let fit =
            |pair: &LengthPair| lengths::fit((pair.input_tokens, pair.output_tokens), max_context_tokens);
        let drawn: Vec<(u32, u32)> = match self.dataset {
            Dataset::Prompts(_) => {
                lengths::draw(&self.plan.workload.lengths, max_context_tokens, random, count)
            }
            Dataset::Lengths(pairs) => {
                let mut pairs: Vec<&LengthPair> = pairs.iter().collect();
                pairs.shuffle(random);
                pairs.into_iter().cycle().take(count).map(fit).collect()
            }
            Dataset::Trace(requests) => {
                requests.iter().take(count).map(|request| fit(&request.lengths)).collect()
            }
        };
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
                known_tokens: self.plan.workload.shared_prefix_tokens.min(input_tokens),
            })
            .collect()
    }

    /// The dataset in the order of the seed; each load point begins where the one before may have ended.
    async fn as_in_dataset(
        &self,
        prompts: &[Prompt],
        load_point_index: u32,
        count: usize,
    ) -> anyhow::Result<PreparedPrompts> {
        let mut order: Vec<&Prompt> = prompts.iter().collect();
        order.shuffle(&mut StdRng::seed_from_u64(self.plan.workload.seed));
        let start = load_point_index as usize * count % order.len().max(1);
        let chosen: Vec<&Prompt> = order.into_iter().cycle().skip(start).take(count).collect();
        let counts_answers =
            chosen.iter().any(|prompt| prompt.output_tokens.is_none() && prompt.answer.is_some());
        let tokenizer = if counts_answers {
            let corpus = Corpus::new(prompts, self.plan.workload.seed);
            Some(
                Tokenizer::of(self.engine, &corpus)
                    .await
                    .context("the dataset's answers cannot be counted")?,
            )
        } else {
            None
        };
        let preparing = stream::iter(chosen).map(|prompt| async move {
            let output_tokens = self.output_tokens(prompt, tokenizer).await;
            PreparedPrompt {
                content: prompt.content.clone(),
                asked: Asked { input_tokens: None, output_tokens, known_tokens: 0 },
                is_turn: false,
            }
        });
        let prompts = preparing.buffered(CUTTING_AT_ONCE).collect().await;
        Ok(PreparedPrompts { prompts, told_apart: None, moments_s: None })
    }

    /// The dataset's number, else the length of the dataset's answer, else the workload's number.
    async fn output_tokens(&self, prompt: &Prompt, tokenizer: Option<Tokenizer>) -> u32 {
        let Lengths::AsInDataset { output_tokens } = self.plan.workload.lengths else { return MIN_OUTPUT };
        let counted = match (prompt.output_tokens, &prompt.answer, tokenizer) {
            (Some(tokens), ..) => return tokens,
            (None, Some(answer), Some(tokenizer)) => tokenizer.count(self.engine, answer).await,
            _ => None,
        };
        counted.map_or(output_tokens, |tokens| (tokens as u32).clamp(MIN_OUTPUT, MAX_TOKENS))
    }
}

impl Cutter {
    async fn new(engine: &Engine, plan: &LoadPlan, prompts: &[Prompt]) -> anyhow::Result<Self> {
        let corpus = Corpus::new(prompts, plan.workload.seed);
        let tokenizer = Tokenizer::of(engine, &corpus).await.context("prompts cannot be cut")?;
        let mut cutter = Self { tokenizer, corpus, shared: String::new() };
        let tokens = plan.workload.shared_prefix_tokens as usize;
        if tokens > 0 {
            // Another one in each run: an engine that still runs may know that of the last.
            let nonce = Nonces::new(plan.run_id, SHARED_NONCE).get(0);
            cutter.shared = cutter.to_length(engine, 0, &nonce, tokens).await? + " ";
        }
        Ok(cutter)
    }

    async fn to_length(
        &self,
        engine: &Engine,
        start: usize,
        beginning: &str,
        tokens: usize,
    ) -> anyhow::Result<String> {
        cut::to_length(engine, self.tokenizer, &self.corpus, start, beginning, tokens).await
    }
}

impl PreparedPrompts {
    /// How many were prepared.
    pub(crate) fn len(&self) -> usize {
        self.prompts.len()
    }

    /// The prompt of a request; when all were used, they come again with other beginnings.
    pub(crate) fn get(&self, request: usize) -> Cow<'_, PreparedPrompt> {
        let prompt = &self.prompts[request % self.prompts.len()];
        match self.told_apart {
            Some(told_apart) if request >= self.prompts.len() => {
                Cow::Owned(told_apart.renew(prompt, request))
            }
            _ => Cow::Borrowed(prompt),
        }
    }

    /// When the requests of a trace are due.
    pub(crate) fn replay(&self, load: OfferedLoad) -> Option<Schedule> {
        Some(Schedule::replay(self.moments_s.clone()?, load.trace_speed()?))
    }
}

impl ToldApart {
    /// The same prompt with another nonce. A prompt that is no longer than its nonce stays what it is: no prefix cache
    /// holds so little.
    fn renew(self, prompt: &PreparedPrompt, request: usize) -> PreparedPrompt {
        let mut renewed = prompt.clone();
        if let Content::Text(text) = &mut renewed.content {
            let (from, to) = (self.shared_bytes, self.shared_bytes + NONCE_LENGTH);
            if text.is_char_boundary(from) && text.is_char_boundary(to) && text.len() >= to {
                text.replace_range(from..to, &self.nonces.get(request));
            }
        }
        renewed
    }
}

#[cfg(test)]
mod tests;
