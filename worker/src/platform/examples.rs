//! A run's context with plausible facts, for tests.

use accelbench_core::run::{Phase, Priority, Run, RunId};
use chrono::Utc;
use serde_json::{Value, json};

use super::RunContext;

#[expect(clippy::needless_pass_by_value, reason = "tests write the value in place")]
pub(crate) fn context(platform: Value) -> RunContext {
    let local = platform["engine"] != "simulator";
    let instance = if local { "local" } else { "g6e.xlarge" };
    let spec = json!({"model": "meta-llama/Llama-3.1-8B", "instance_type": instance, "platform": platform});
    RunContext {
        run: Run {
            id: RunId::new(),
            spec: serde_json::from_value(spec).unwrap(),
            phase: Phase::Deploying,
            priority: Priority::Person,
            submitted_by: None,
            created_at: Utc::now(),
            phase_since: Utc::now(),
            deadline_at: None,
            cancel_requested_at: None,
            attempts: 1,
            parked_reason: None,
            endpoint: None,
            progress: None,
            load_point_count: 1,
            conclusion: None,
            revision_absent_reason: None,
        },
        model: serde_json::from_value(json!({
            "model": "meta-llama/Llama-3.1-8B", "family": "llama", "params_total_b": 8.03, "params_active_b": 8.03,
            "layers": 32, "kv_cache_bytes_per_token": 131_072.0, "max_context_tokens": 131_072, "gated": true,
            "licence": null, "source": "test",
        }))
        .unwrap(),
        instance: serde_json::from_value(json!({
            "instance_type": instance, "family": "g6e", "accelerator_kind": "gpu", "accelerator_name": "L40S",
            "accelerator_count": 1, "accelerator_memory_gib": 44.7, "accelerator_bandwidth_gb_per_s": 864.0,
            "accelerator_bf16_tflops": 362.0, "interconnect": null, "vcpu": 4, "memory_gib": 32.0, "source": "test",
        }))
        .unwrap(),
        engine_command: Vec::new(),
        hf_token: None,
    }
}
