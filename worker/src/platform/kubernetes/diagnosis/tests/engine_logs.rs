//! What is read off engines' logs.

use accelbench_core::engine::profile::ProfileName;
use serde_json::json;

use super::{assert_fatal, assert_pending, container, seen};
use crate::platform::kubernetes::diagnosis::engine;

/// Logs of engines that will never serve, with a part of what is said of them.
const CAUSES: [(&str, &str); 17] = [
    (
        "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-6)\n\nCannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json.\nAccess to model meta-llama/Llama-3.1-8B is restricted. You must have access to it and be authenticated to access it. Please log in.",
        "accept its licence at https://huggingface.co/meta-llama/Llama-3.1-8B",
    ),
    (
        "huggingface_hub.errors.GatedRepoError: 403 Client Error. (Request ID: Root=1-6)\nAccess to model a/b is restricted and you are not in the authorized list.",
        "accept its licence",
    ),
    (
        "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-6)\n\nRepository Not Found for url: https://huggingface.co/api/models/a/b.\nInvalid username or password.",
        "no such model or revision",
    ),
    ("requests.exceptions.HTTPError: Invalid user token.", "make a new one"),
    // recorded: vllm-project/vllm 27508, vllm-omni 946
    (
        "(EngineCore_DP0 pid=6804) ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.",
        "leave no accelerator memory for requests",
    ),
    // recorded: xorbitsai/inference 4926
    (
        "(EngineCore_DP0 pid=494) ValueError: To serve at least one request with the models's max seq len (262144), (36.0 GiB KV cache is needed, which is larger than the available KV cache memory (6.94 GiB). Based on the available memory, the estimated maximum model length is 50512.",
        "longest request does not fit",
    ),
    // recorded: ovg-project/kvcached 29
    (
        "ValueError: Free memory on device (59.32/79.15 GiB) on startup is less than desired GPU memory utilization (0.9, 71.24 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
        "something else holds the GPUs' memory",
    ),
    (
        "(Worker_TP0 pid=7) ERROR torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity of 22.05 GiB",
        "ran out of GPU memory",
    ),
    (
        "ERROR  TDRV:log_dev_mem  Failed to allocate 1.000GB (alignment: none, usage: tensors) on ND 0:NC 0",
        "memory of its NeuronCores",
    ),
    (
        "ValueError: The quantization method modelopt_fp4 is not supported for the current GPU. Minimum capability: 100. Current capability: 80.",
        "does not support this quantisation",
    ),
    (
        "pydantic_core.ValidationError: Value error, Unknown quantization method: fp7.",
        "does not support this quantisation",
    ),
    (
        "ValueError: Model architectures ['XForCausalLM'] are not supported for now.",
        "architecture of meta-llama/Llama-3.1-8B",
    ),
    (
        "ValueError: The repository a/b contains custom code which must be executed. Please pass the argument `trust_remote_code=True` to allow custom code to be run.",
        "code of its repository",
    ),
    (
        "ValueError: Total number of attention heads (40) must be divisible by tensor parallel size (16).",
        "divides their number",
    ),
    ("OSError: [Errno 28] No space left on device", "disk is full"),
    ("vllm: error: unrecognized arguments: --fast", "older or newer than its profile"),
    ("RuntimeError: Failed to infer device type", "device plug-in"),
];

#[test]
fn certain_causes_end_the_run_before_the_engine_is_restarted() {
    for (log, part) in CAUSES {
        for state in [json!({"running": {}}), json!({"terminated": {"exitCode": 1}})] {
            let pod = container(json!({"state": state}));
            assert_fatal(&engine(&seen(Some(&pod), &[], &format!("INFO hello\n{log}\n"))), part);
        }
    }
}

#[test]
fn what_only_mentions_a_cause_is_none() {
    let pod = container(json!({"state": {"running": {}}}));
    for log in [
        // recorded: vllm-project/vllm 30031, shortened
        "(EngineCore_DP0 pid=7130) INFO 12-04 23:05:33 [core.py:93] Initializing a V1 LLM engine (v0.12.0) with config: model='a/b', trust_remote_code=False, dtype=torch.bfloat16, quantization=None",
        "INFO [utils.py:253] non-default args: {'model_tag': 'a/b', 'trust_remote_code=True': 1}",
        "WARNING The argument `trust_remote_code` is to be used with Auto classes. It has no effect here and is ignored.",
    ] {
        assert_pending(&engine(&seen(Some(&pod), &[], log)), "does not answer yet");
    }
}

#[test]
fn a_start_is_told_stage_by_stage() {
    let pod = container(json!({"state": {"running": {}}}));
    for (line, part) in [
        (
            "Loading safetensors checkpoint shards:  45% Completed | 5/11 [00:04<00:05,  1.1it/s]",
            "loads the weights (Loading",
        ),
        (
            "(Worker pid=9) INFO [backends.py:136] torch.compile takes 17.00 s in total",
            "compiles its kernels",
        ),
        ("Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  12%|#", "records its CUDA graphs"),
        ("INFO:     Application startup complete.", "about to be ready"),
        ("something else", "does not answer yet"),
    ] {
        assert_pending(&engine(&seen(Some(&pod), &[], &format!("INFO hello\n{line}\n"))), part);
    }
}

#[test]
fn a_slow_compilation_for_neuron_is_no_fault() {
    let pod = container(json!({"state": {"running": {}}}));
    let log = "INFO Starting to load model\n2026-11-24 16:00:00.000450: 1486537 INFO ||NEURON_CC_WRAPPER||: Call compiler with cmd: neuronx-cc compile --target=trn2\n.....\n";
    let mut seen = seen(Some(&pod), &[], log);
    seen.profile = Some(ProfileName::VllmNeuron);
    assert_pending(&engine(&seen), "more than half an hour the first time");
}

#[test]
fn quotations_are_short() {
    let pod = container(json!({"state": {"running": {}}}));
    let log = format!("CUDA out of memory {}", "x".repeat(10_000));
    assert!(engine(&seen(Some(&pod), &[], &log)).sentence().len() < 600);
}
