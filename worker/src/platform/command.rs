//! The command that starts an engine: pure functions of what is known of the run.

use std::net::IpAddr;

use accelbench_core::model::Revision;
use accelbench_core::run::PlatformSpec;

use crate::platform::{PlatformError, RunContext};

/// The operator's command with its placeholders filled in.
pub(super) fn named(context: &RunContext, port: u16) -> Result<Vec<String>, PlatformError> {
    let spec = &context.run.spec;
    if context.engine_command.is_empty() {
        let PlatformSpec::Local { engine } = &spec.platform else {
            return Err(PlatformError::Refused("the run asks for no local engine".to_owned()));
        };
        return Err(PlatformError::Refused(format!(
            "no worker offers the engine `{engine}` any more; start one with --engine {engine}=COMMAND"
        )));
    }
    // Where the commit is not known, the branch is what its newest is of.
    let revision = spec.revision.as_ref().map_or("main", Revision::as_str);
    let fill = |part: &String| {
        part.replace("{host}", "127.0.0.1")
            .replace("{port}", &port.to_string())
            .replace("{model}", spec.model.as_str())
            .replace("{revision}", revision)
            .replace("{tensor_parallel}", &spec.tensor_parallel.to_string())
    };
    Ok(context.engine_command.iter().map(fill).collect())
}

/// The arguments of our program that make it the simulator, told where to listen and what to imitate.
pub(super) fn simulator(context: &RunContext, host: IpAddr, port: u16) -> Result<Vec<String>, PlatformError> {
    let (spec, model, instance) = (&context.run.spec, &context.model, &context.instance);
    let unknown = |what: &str, of: &str| {
        PlatformError::Refused(format!("the simulator cannot imitate this: the {what} of {of} is not known"))
    };
    let of_model = |value: Option<f64>, what| value.ok_or_else(|| unknown(what, spec.model.as_str()));
    let of_instance =
        |value: Option<f64>, what| value.ok_or_else(|| unknown(what, spec.instance_type.as_str()));

    let total = of_model(model.params_total_b, "number of parameters")?;
    let mut command = vec!["simulate".to_owned()];
    let mut flag = |name: &str, value: String| command.extend([format!("--{name}"), value]);
    flag("host", host.to_string());
    flag("port", port.to_string());
    flag("model", spec.model.to_string());
    flag("timing", "roofline".to_owned());
    flag("params-b", total.to_string());
    flag("active-params-b", model.params_active_b.unwrap_or(total).to_string());
    flag("layers", of_model(model.layers.map(f64::from), "number of layers")?.to_string());
    flag(
        "kv-bytes-per-token",
        of_model(model.kv_cache_bytes_per_token, "size of the key-value cache")?.to_string(),
    );
    flag(
        "weight-bytes",
        spec.quantization.map_or(2.0, accelbench_core::model::Quantization::bytes_per_weight).to_string(),
    );
    if let Some(tokens) = model.max_context_tokens {
        flag("max-context", tokens.to_string());
    }
    flag(
        "accelerator-bandwidth-gb-s",
        of_instance(instance.accelerator_bandwidth_gb_per_s, "memory bandwidth")?.to_string(),
    );
    flag("accelerator-tflops", of_instance(instance.accelerator_bf16_tflops, "compute rate")?.to_string());
    flag("accelerator-memory-gib", of_instance(instance.accelerator_memory_gib, "memory")?.to_string());
    flag("accelerators", spec.tensor_parallel.to_string());
    flag("seed", spec.workload.seed.to_string());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use serde_json::json;

    use super::{named, simulator};
    use crate::platform::RunContext;
    use crate::platform::examples::context;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn context_with(engine_command: &[&str]) -> RunContext {
        let mut context = context(json!({"kind": "local", "engine": "llama"}));
        context.engine_command = engine_command.iter().map(|&part| part.to_owned()).collect();
        context
    }

    #[test]
    fn placeholders_are_filled_in() {
        let mut context =
            context_with(&["--bind={host}:{port}", "{model}@{revision}", "-tp", "{tensor_parallel}"]);
        let command = named(&context, 4711).unwrap();
        assert_eq!(command, ["--bind=127.0.0.1:4711", "meta-llama/Llama-3.1-8B@main", "-tp", "1"]);
        context.run.spec.revision = Some("0123456789abcdef0123456789abcdef01234567".parse().unwrap());
        let command = named(&context, 4711).unwrap();
        assert_eq!(command[1], "meta-llama/Llama-3.1-8B@0123456789abcdef0123456789abcdef01234567");
    }

    #[test]
    fn an_engine_that_nobody_offers_is_refused_by_name() {
        let error = named(&context_with(&[]), 1).unwrap_err().to_string();
        assert!(error.contains("`llama`"), "{error}");
    }

    #[test]
    fn the_simulator_is_told_the_facts_and_refuses_to_guess() {
        let mut context = context(json!({"kind": "local", "engine": "simulator"}));
        let command = simulator(&context, LOOPBACK, 4711).unwrap().join(" ");
        assert!(
            command.contains("--params-b 8.03 ") && command.contains("--accelerator-tflops 362"),
            "{command}"
        );
        context.model.layers = None;
        let error = simulator(&context, LOOPBACK, 4711).unwrap_err().to_string();
        assert!(error.contains("number of layers of meta-llama/Llama-3.1-8B"), "{error}");
    }
}
