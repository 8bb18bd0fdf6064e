//! The engine's arguments. What must be the same for results to compare is the same in every profile: no cached
//! prefixes, a fixed seed, and sampling as the request says rather than as the model's repository suggests.

use serde_json::json;

use super::{DeploymentPlan, DeploymentRequest, ENGINE_PORT, PrefixCaching, ProfileName};

/// Smallest prompt for which a Neuron graph is compiled, in tokens.
const SMALLEST_BUCKET_TOKENS: u32 = 512;

/// Size of a block of the key-value cache of NxD Inference, in tokens.
const NXDI_BLOCK_TOKENS: u32 = 32;

/// All arguments after `vllm serve`.
pub(super) fn arguments(request: &DeploymentRequest<'_>, plan: &DeploymentPlan) -> Vec<String> {
    let model = request.model.model.as_str();
    let mut arguments = vec![model.to_owned()];
    let mut flag = |name: &str, value: &str| arguments.extend([format!("--{name}"), value.to_owned()]);
    if let Some(revision) = request.revision {
        flag("revision", revision.as_str());
        flag("tokenizer-revision", revision.as_str());
    }
    flag("served-model-name", model);
    flag("port", &ENGINE_PORT.to_string());
    flag("tensor-parallel-size", &plan.parallelism.tensor_parallel.to_string());
    if plan.parallelism.data_parallel > 1 {
        flag("data-parallel-size", &plan.parallelism.data_parallel.to_string());
    }
    flag("max-model-len", &plan.max_context_tokens.to_string());
    flag("max-num-seqs", &plan.max_sequences.to_string());
    flag("seed", "0");
    flag("generation-config", "vllm");
    let caching = match request.prefix_caching {
        PrefixCaching::On => "--enable-prefix-caching",
        PrefixCaching::Off => "--no-enable-prefix-caching",
    };
    arguments.push(caching.to_owned());
    arguments.extend(plan.precision.arguments.iter().cloned());
    arguments.extend(own(plan));
    arguments
}

/// What only one profile understands.
fn own(plan: &DeploymentPlan) -> Vec<String> {
    match plan.profile {
        ProfileName::VllmGpu => vec!["--gpu-memory-utilization".to_owned(), "0.90".to_owned()],
        ProfileName::VllmNeuron => neuron(plan),
        ProfileName::VllmNxdi => nxdi(plan),
    }
}

fn neuron(plan: &DeploymentPlan) -> Vec<String> {
    let buckets = json!({"neuron_config": {
        "num_batched_tokens_buckets": buckets(SMALLEST_BUCKET_TOKENS, plan.max_context_tokens),
        "num_seqs_buckets": buckets(1, plan.max_sequences),
    }});
    let batched = plan.max_context_tokens.to_string();
    ["--max-num-batched-tokens", &batched, "--additional-config", &buckets.to_string()]
        .map(str::to_owned)
        .to_vec()
}

fn nxdi(plan: &DeploymentPlan) -> Vec<String> {
    let buckets = json!({"override_neuron_config": {
        "context_encoding_buckets": buckets(SMALLEST_BUCKET_TOKENS, plan.max_context_tokens),
        "token_generation_buckets": buckets(SMALLEST_BUCKET_TOKENS, plan.max_context_tokens),
    }});
    let blocks = plan.max_sequences * plan.max_context_tokens.div_ceil(NXDI_BLOCK_TOKENS);
    [
        "--block-size",
        &NXDI_BLOCK_TOKENS.to_string(),
        "--num-gpu-blocks-override",
        &blocks.to_string(),
        "--additional-config",
        &buckets.to_string(),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Sizes for which graphs are compiled: each four times the one before, and the largest. More of them pad less and
/// compile longer.
fn buckets(smallest: u32, largest: u32) -> Vec<u32> {
    let steps = std::iter::successors(Some(smallest), |size| size.checked_mul(4));
    steps.take_while(|&size| size < largest).chain([largest]).collect()
}
