//! What to deploy, and what of it follows from a run.

use serde::{Deserialize, Serialize};

use crate::exploration::{Axis, Exploration};
use crate::instance::InstanceType;
use crate::model::{Model, Quantization, Revision};
use crate::run::RunSpec;
use crate::workload::{LengthTable, Lengths, Workload};

/// Requests that one replica computes at once where an open loop does not say how many.
const USUAL_SEQUENCES: u32 = 256;

/// The context where the dataset's lengths are not known beforehand, in tokens.
const USUAL_CONTEXT_TOKENS: u32 = 32_768;

/// The longest pair of lengths in the ShareGPT table, in tokens.
const LONGEST_SHAREGPT_PAIR_TOKENS: u32 = 2048;

/// What a chat template and the difference between two tokenizers may add, in tokens.
const TEMPLATE_TOKENS: u32 = 256;

/// What to deploy.
#[derive(Debug, Clone)]
pub struct DeploymentRequest<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its commit.
    pub revision: Option<&'a Revision>,
    /// The instance type.
    pub instance: &'a InstanceType,
    /// How the weights are to be stored; `None` is as they come.
    pub quantization: Option<Quantization>,
    /// Over how many units one replica is to be split; `None` is as few as hold the weights.
    pub tensor_parallel: Option<u32>,
    /// The longest prompt with its answer, in tokens.
    pub context_tokens: u32,
    /// Most requests at once.
    pub sequences: u32,
    /// Whether prompts may be answered from a cache.
    pub prefix_caching: PrefixCaching,
}

/// Whether the engine keeps what it computed for the beginnings of prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefixCaching {
    /// The workload is about it: prompts share a beginning, or follow on one another.
    On,
    /// Every prompt is computed.
    Off,
}

impl<'a> DeploymentRequest<'a> {
    /// What a run asks for.
    #[must_use]
    pub fn of_run(spec: &'a RunSpec, model: &'a Model, instance: &'a InstanceType) -> Self {
        let shares = spec.workload.shared_prefix_tokens > 0 || spec.workload.turns > 1;
        Self {
            model,
            revision: spec.revision.as_ref(),
            instance,
            quantization: spec.quantization,
            tensor_parallel: Some(spec.tensor_parallel),
            context_tokens: longest_request_tokens(&spec.workload),
            sequences: most_requests_at_once(spec),
            prefix_caching: if shares { PrefixCaching::On } else { PrefixCaching::Off },
        }
    }

    /// What a question of fit asks for: requests of at most so many tokens, prompt and answer together.
    #[must_use]
    pub fn of_context(
        model: &'a Model,
        instance: &'a InstanceType,
        context_tokens: u32,
        sequences: u32,
    ) -> Self {
        Self {
            model,
            revision: None,
            instance,
            quantization: None,
            tensor_parallel: None,
            // The engine's context has it already.
            context_tokens: context_tokens.saturating_sub(TEMPLATE_TOKENS),
            sequences,
            prefix_caching: PrefixCaching::Off,
        }
    }

    /// Room for the longest request in whole thousands, which keeps the number of compiled shapes small; never more
    /// than the model knows.
    #[must_use]
    pub fn max_context_tokens(&self) -> u32 {
        let needed = self.context_tokens.saturating_add(TEMPLATE_TOKENS).next_multiple_of(1024);
        let most = self.model.max_context_tokens.filter(|&tokens| tokens > 0);
        most.map_or(needed, |most| needed.min(most as u32))
    }
}

/// The longest prompt with its answer that a workload can bring, in tokens.
fn longest_request_tokens(workload: &Workload) -> u32 {
    let once = match workload.lengths {
        Lengths::Fixed { input_tokens, output_tokens } => input_tokens.saturating_add(output_tokens),
        Lengths::Distributed { input, output } => input.bounds().1.saturating_add(output.bounds().1),
        Lengths::Table { table: LengthTable::Sharegpt } => LONGEST_SHAREGPT_PAIR_TOKENS,
        Lengths::AsInDataset { .. } => USUAL_CONTEXT_TOKENS,
    };
    once.saturating_mul(workload.turns)
}

/// The most users of a closed loop, or the usual number where requests come by themselves.
fn most_requests_at_once(spec: &RunSpec) -> u32 {
    let explored = spec.exploration.map(|exploration| match exploration {
        Exploration::Sweep { max_concurrency, .. } => Some(max_concurrency.get()),
        Exploration::Search { over: Axis::Concurrency, max, .. } => Some(max as u32),
        Exploration::Search { over: Axis::RequestRate { .. }, .. } => None,
    });
    let given = spec.load_points.iter().map(|load| load.concurrency());
    given.chain(explored).map(|requests| requests.unwrap_or(USUAL_SEQUENCES)).max().unwrap_or(USUAL_SEQUENCES)
}
