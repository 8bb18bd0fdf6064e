//! What the engine's log says: the cause of an end that a restart would only repeat, or how far a start is.

use accelbench_core::engine::profile::ProfileName;

use super::EngineObservation;
use super::evidence::{holds_any, quote};

/// A cause that can be read off a log.
struct Cause {
    /// One of these is in a line, in lower case.
    marks: &'static [&'static str],
    /// What it means and what to do, with `{model}` filled in.
    sentence: &'static str,
}

/// Causes, the most telling first: an engine that runs out of memory says a lot more on its way.
const CAUSES: [Cause; 16] = [
    Cause {
        marks: &["gatedrepoerror", "cannot access gated repo", "is restricted. you must have access"],
        sentence: "Hugging Face does not let this token (or nobody without one) download {model}: accept its licence at https://huggingface.co/{model}, and give a token of that account",
    },
    // Before what follows: for a model that does not exist, the Hub says "Invalid username or password" as well.
    Cause {
        marks: &["repositorynotfounderror", "revisionnotfounderror", "is not a valid model identifier"],
        sentence: "Hugging Face has no such model or revision as {model}: check its name, and give a token if it is private",
    },
    Cause {
        marks: &["invalid user token", "invalid username or password", "401 client error: unauthorized"],
        sentence: "Hugging Face does not know the token that was given: make a new one in its settings, with the right to read",
    },
    Cause {
        marks: &["403 client error: forbidden"],
        sentence: "Hugging Face refuses the download of {model} to this token: ask for access at https://huggingface.co/{model}",
    },
    Cause {
        marks: &[
            "larger than the available kv cache memory",
            "larger than the maximum number of tokens that can be stored",
        ],
        sentence: "the workload's longest request does not fit beside the weights: shorten it, raise tensor_parallel, quantise, or choose more accelerator memory",
    },
    Cause {
        marks: &["no available memory for the cache blocks"],
        sentence: "the weights leave no accelerator memory for requests: raise tensor_parallel, quantise, or choose more accelerator memory",
    },
    Cause {
        marks: &["cuda out of memory", "torch.outofmemoryerror", "cuda error: out of memory"],
        sentence: "the engine ran out of GPU memory: raise tensor_parallel, quantise, or choose more accelerator memory",
    },
    Cause {
        marks: &["free memory on device"],
        sentence: "something else holds the GPUs' memory: make sure that nothing shares the node, and run it again",
    },
    Cause {
        // Of Neuron's runtime: `Failed to allocate 1.000GB (alignment: none, usage: tensors) on ND 0:NC 0`.
        marks: &["tensors) on nd ", "nrt_resource"],
        sentence: "the model does not fit into the memory of its NeuronCores: raise tensor_parallel, or choose more chips",
    },
    Cause {
        marks: &[
            "unknown quantization method",
            "is not supported for the current gpu",
            "is not supported in this platform",
            "does not match the quantization method specified",
            "quantization is currently not supported",
        ],
        sentence: "the engine does not support this quantisation here: leave it out, or choose a model that is published in another",
    },
    Cause {
        marks: &["are not supported for now", "has no vllm implementation"],
        sentence: "the engine does not know the architecture of {model}: choose another model",
    },
    Cause {
        marks: &["trust_remote_code=true"],
        sentence: "{model} wants to run code of its repository, which AccelBench does not allow: choose a model without",
    },
    Cause {
        marks: &["must be divisible by tensor parallel size", "is not divisible by tensor parallel"],
        sentence: "the attention heads of {model} cannot be split so: choose a tensor_parallel that divides their number",
    },
    Cause {
        marks: &["no space left on device"],
        sentence: "the engine's disk is full: choose an instance type with more",
    },
    Cause {
        marks: &["unrecognized arguments", "no such option"],
        sentence: "the image's engine is older or newer than its profile: set the image that the profile names",
    },
    Cause {
        marks: &[
            "failed to infer device type",
            "cuda driver version is insufficient",
            "no cuda-capable device",
        ],
        sentence: "the engine finds no accelerator that it can use: check the node's driver and device plug-in",
    },
];

/// Lines that only mention what would be a cause, such as a dump of the settings.
const HARMLESS: [&str; 2] = ["non-default args", "llm engine (v"];

/// Why the engine ended or is about to, if its log says so for certain.
pub(super) fn cause(seen: &EngineObservation<'_>) -> Option<String> {
    let telling = |line: &&str| !holds_any(line, &HARMLESS);
    let lines: Vec<&str> = seen.log_tail.lines().filter(telling).collect();
    let found = CAUSES.iter().find_map(|cause| {
        let line = lines.iter().rev().find(|line| holds_any(line, cause.marks))?;
        Some((cause, *line))
    });
    let (cause, line) = found?;
    Some(format!("{} ({})", cause.sentence.replace("{model}", seen.model), quote(line)))
}

/// What is said of an engine that starts, by the last line that tells.
const STAGES: [(&[&str], &str); 5] = [
    (&["application startup complete", "uvicorn running"], "the engine listens and is about to be ready"),
    (&["capturing cuda graph", "graph capturing"], "the engine records its CUDA graphs"),
    (&["torch.compile", "compiling a graph"], "the engine compiles its kernels"),
    (&["checkpoint shards", "loading weights", "starting to load model"], "the engine loads the weights"),
    (&["downloading", "fetching", "weights not found in cache"], "the engine downloads the weights"),
];

/// What Neuron's compiler, or the engine for it, says.
const COMPILER: [&str; 6] =
    ["neuronx-cc", "neuron-cc", "compiler status", "generating hlo", "compiling", "neff"];

/// How far an engine is that runs and does not answer yet.
pub(super) fn progress(seen: &EngineObservation<'_>) -> String {
    let last = seen.log_tail.lines().rev().find_map(|line| {
        let compiles = seen.profile.is_some_and(ProfileName::compiles) && holds_any(line, &COMPILER);
        let compiling =
            "the model is compiled for its NeuronCores, which takes minutes to more than half an hour the first time";
        let stage = STAGES.iter().find(|(marks, _)| holds_any(line, marks)).map(|&(_, stage)| stage);
        let stage = if compiles { Some(compiling) } else { stage };
        Some((stage?, line))
    });
    match last {
        Some((stage, line)) => format!("{stage} ({})", quote(line)),
        None => "the engine runs and does not answer yet".to_owned(),
    }
}
