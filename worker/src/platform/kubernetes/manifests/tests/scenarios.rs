//! Runs whose manifests are looked at.

use std::net::SocketAddr;

use accelbench_core::engine::profile::{DeploymentRequest, PrefixCaching, choose};
use accelbench_core::instance::InstanceType;
use accelbench_core::model::{Model, Quantization, Revision};
use accelbench_core::run::RunId;
use accelbench_core::secret::HfToken;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::platform::kubernetes::KubernetesOptions;
use crate::platform::kubernetes::manifests::{
    EngineContainer, EngineSite, Manifest, RunObjects, RunToken, Tenure, lease,
};
use crate::platform::kubernetes::options::{ApiPeer, NodePool, NodeSharing};

pub(super) const HF_TOKEN: &str = "hf_ThisMustNeverBeShown";
pub(super) const RUN_TOKEN: &str = "run-token-never-shown";

/// All objects of one run.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) manifests: Vec<Manifest>,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let small = || model("meta-llama/Llama-3.1-8B", 8.03);
    let large = || model("meta-llama/Llama-3.1-70B-Instruct", 70.554);
    vec![
        scenario("8b-on-g6e-xlarge", &small(), &instance("g6e.xlarge", "L40S", 1, 44.703, 4, 32.0), None),
        scenario(
            "70b-fp8-on-p5-48xlarge",
            &large(),
            &instance("p5.48xlarge", "H100", 8, 80.0, 192, 2048.0),
            Some(Quantization::Fp8),
        ),
        scenario(
            "70b-on-trn2-48xlarge",
            &large(),
            &instance("trn2.48xlarge", "Trainium2", 16, 96.0, 192, 2048.0),
            None,
        ),
        scenario(
            "8b-on-inf2-48xlarge",
            &small(),
            &instance("inf2.48xlarge", "Inferentia2", 12, 32.0, 192, 768.0),
            None,
        ),
        simulator(),
    ]
}

pub(super) fn run_id() -> RunId {
    RunId::from(Uuid::from_u128(0x0199_b1a2_c3d4_7000_8000_0000_0000_0001))
}

fn scenario(
    name: &'static str,
    model: &Model,
    instance: &InstanceType,
    quantization: Option<Quantization>,
) -> Scenario {
    let revision: Revision = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    let plan = choose(&DeploymentRequest {
        model,
        revision: Some(&revision),
        instance,
        quantization,
        tensor_parallel: None,
        context_tokens: 2048,
        sequences: 16,
        prefix_caching: PrefixCaching::Off,
    })
    .unwrap();
    let mut options = options();
    options.priority_class = Some("accelbench-run".to_owned());
    options.loadgen_service_account = Some("accelbench-loadgen".to_owned());
    let port = options.metrics_ports[&plan.profile.profile().metrics];
    let site = EngineSite {
        zone: Some("us-east-1b".to_owned()),
        exporter: Some(SocketAddr::from(([10, 0, 12, 7], port))),
    };
    let container = EngineContainer::vllm(&plan, &instance.instance_type, &options);
    objects(name, &container, &options, Some(&HfToken::new(HF_TOKEN).unwrap()), &site)
}

/// As on a small cluster: no pools, no zones, the API outside.
fn simulator() -> Scenario {
    let mut options = options();
    options.loadgen_pool = NodePool { labels: [].into(), taints: [].into() };
    options.loadgen_nodes = NodeSharing::Allowed;
    options.api = ApiPeer::Addresses { cidr: "10.250.0.254/32".to_owned(), port: 8080 };
    let arguments = ["simulate", "--host", "0.0.0.0", "--port", "8000", "--model", "meta-llama/Llama-3.1-8B"];
    let container = EngineContainer::simulator(arguments.map(str::to_owned).to_vec(), &options);
    objects("simulator", &container, &options, None, &EngineSite::default())
}

fn objects(
    name: &'static str,
    container: &EngineContainer,
    options: &KubernetesOptions,
    hf_token: Option<&HfToken>,
    site: &EngineSite,
) -> Scenario {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let tenure = Tenure {
        holder: "worker-1",
        renewed_at: at("2026-11-24T16:00:00.25Z"),
        deadline_at: at("2026-11-24T18:00:00Z"),
    };
    let anchor = Manifest::Lease(lease(run_id(), &tenure, options));
    let lease_uid = "8f14e45f-ceea-467f-a0e6-1c5a2b3d4e5f";
    let run = RunObjects { run_id: run_id(), lease_uid, timeout_s: 7200, hf_token, options };
    let api_url = "http://accelbench-api.accelbench.svc.cluster.local:8080/".parse().unwrap();
    let token = RunToken::new(RUN_TOKEN.to_owned());
    let manifests = [anchor]
        .into_iter()
        .chain(run.engine(container))
        .chain(run.loadgen(&api_url, &token, site))
        .collect();
    Scenario { name, manifests }
}

fn options() -> KubernetesOptions {
    KubernetesOptions::new("registry.test/accelbench:0.1.0".parse().unwrap())
}

fn model(name: &str, params_b: f64) -> Model {
    serde_json::from_value(json!({
        "model": name, "family": "llama", "params_total_b": params_b, "params_active_b": params_b, "layers": null,
        "kv_cache_bytes_per_token": null, "max_context_tokens": 131_072, "gated": true, "licence": null,
        "source": "test",
    }))
    .unwrap()
}

fn instance(
    name: &str,
    accelerator: &str,
    count: i32,
    accelerator_gib: f64,
    vcpu: i32,
    memory_gib: f64,
) -> InstanceType {
    let family = name.split('.').next();
    let kind = if accelerator.contains("ium") || accelerator.starts_with("Inf") { "neuron" } else { "gpu" };
    serde_json::from_value(json!({
        "instance_type": name, "family": family, "accelerator_kind": kind, "accelerator_name": accelerator,
        "accelerator_count": count, "accelerator_memory_gib": accelerator_gib,
        "accelerator_bandwidth_gb_per_s": null, "accelerator_bf16_tflops": null, "interconnect": null,
        "vcpu": vcpu, "memory_gib": memory_gib, "source": "test",
    }))
    .unwrap()
}
