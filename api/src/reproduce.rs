//! The command line that asks for a run once more, from what was asked. What the command line has no flag for is said
//! beside it; the request as JSON says everything.

use accelbench_core::exploration::{Axis, Exploration};
use accelbench_core::load::{Arrivals, OfferedLoad};
use accelbench_core::run::{PlatformSpec, RunSpec};
use accelbench_core::slo::Slo;
use accelbench_core::workload::{EosPolicy, Lengths};

/// The command, ready for a shell.
pub(crate) fn command(spec: &RunSpec) -> String {
    let mut words = vec!["accelbench".to_owned(), "run".to_owned()];
    let mut flag = |name: &str, value: String| words.push(format!("{name} {}", quoted(&value)));
    flag("--model", spec.model.to_string());
    flag("--instance", spec.instance_type.to_string());
    match &spec.platform {
        PlatformSpec::Local { engine } | PlatformSpec::Kubernetes { engine } => {
            flag("--engine", engine.to_string());
        }
        PlatformSpec::Endpoint { url } => flag("--endpoint", url.to_string()),
    }
    if let Some(revision) = &spec.revision {
        flag("--revision", revision.to_string());
    }
    if let Some(quantization) = spec.quantization {
        flag("--quantization", quantization.to_string());
    }
    flag("--tensor-parallel", spec.tensor_parallel.to_string());
    load(spec, &mut flag);
    workload(spec, &mut flag);
    let measurement = &spec.measurement;
    flag("--min-duration", measurement.min_duration_s.to_string());
    flag("--min-requests", measurement.min_requests.to_string());
    flag("--max-duration", measurement.max_duration_s.to_string());
    if measurement.ramp_up_s > 0.0 {
        flag("--ramp-up", measurement.ramp_up_s.to_string());
    }
    flag("--timeout", spec.timeout_s.to_string());
    if matches!(spec.platform, PlatformSpec::Kubernetes { .. }) {
        words.push("--kubernetes".to_owned());
    }
    if matches!(spec.exploration, Some(Exploration::Sweep { .. })) {
        words.push("--sweep".to_owned());
    }
    if spec.workload.eos == EosPolicy::Respect {
        words.push("--respect-eos".to_owned());
    }
    words.push("--wait".to_owned());
    words.join(" \\\n  ").replacen(" \\\n  run", " run", 1)
}

fn load(spec: &RunSpec, flag: &mut impl FnMut(&str, String)) {
    let list = |of: &dyn Fn(&OfferedLoad) -> Option<String>| {
        let texts: Vec<String> = spec.load_points.iter().filter_map(of).collect();
        (!texts.is_empty()).then(|| texts.join(","))
    };
    let mut arrivals = spec.load_points.iter().find_map(|load| Some(load.request_rate()?.arrivals));
    let given = [
        ("--concurrency", list(&|load| load.concurrency().map(|requests| requests.to_string()))),
        ("--rate", list(&|load| load.request_rate().map(|rate| rate.per_s.to_string()))),
        ("--replay", list(&|load| load.trace_speed().map(|speed| speed.to_string()))),
    ];
    for (name, texts) in given.into_iter().filter_map(|(name, texts)| Some((name, texts?))) {
        flag(name, texts);
    }
    let bounds = match spec.exploration {
        None => None,
        Some(Exploration::Sweep { max_concurrency, max_load_points }) => {
            Some((f64::from(max_concurrency.get()), max_load_points))
        }
        Some(Exploration::Search { over, max, max_load_points }) => {
            match over {
                Axis::Concurrency => flag("--search", "concurrency".to_owned()),
                Axis::RequestRate { arrivals: how } => {
                    flag("--search", "rate".to_owned());
                    arrivals = Some(how);
                }
            }
            Some((max, max_load_points))
        }
    };
    if let Some((max, most)) = bounds {
        flag("--max-load", max.to_string());
        flag("--max-load-points", most.to_string());
    }
    if let Some(arrivals) = arrivals.filter(|arrivals| *arrivals != Arrivals::default()) {
        let words = match arrivals {
            Arrivals::Gamma { burstiness } => format!("gamma:{burstiness}"),
            other => other.as_str().to_owned(),
        };
        flag("--arrivals", words);
    }
    for limit in spec.slo.iter().flat_map(Slo::limits) {
        flag("--slo", limit.to_string());
    }
}

fn workload(spec: &RunSpec, flag: &mut impl FnMut(&str, String)) {
    let workload = &spec.workload;
    flag("--dataset", workload.dataset.to_string());
    match &workload.lengths {
        Lengths::Fixed { input_tokens, output_tokens } => {
            flag("--input-len", input_tokens.to_string());
            flag("--output-len", output_tokens.to_string());
        }
        Lengths::AsInDataset { output_tokens } => flag("--output-len", output_tokens.to_string()),
        // Drawn from measured conversations without a flag; distributions stand in the JSON.
        Lengths::Table { .. } | Lengths::Distributed { .. } => {}
    }
    if workload.turns > 1 {
        flag("--turns", workload.turns.to_string());
    }
    if workload.shared_prefix_tokens > 0 {
        flag("--shared-prefix-len", workload.shared_prefix_tokens.to_string());
    }
    flag("--seed", workload.seed.to_string());
}

/// What the command does not say, so that only the JSON asks for exactly the same.
pub(crate) fn left_out(spec: &RunSpec) -> Option<&'static str> {
    matches!(spec.workload.lengths, Lengths::Distributed { .. }).then_some(
        "The distributions of lengths are in the JSON alone; give them with --input-len and --output-len.",
    )
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:,=".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{command, quoted};

    #[test]
    fn a_request_becomes_its_command() {
        let spec = json!({
            "model": "a/b", "instance_type": "g6e.xlarge", "platform": {"kind": "kubernetes"}, "tensor_parallel": 2,
            "load_points": [{"concurrency": 1}, {"concurrency": 8}, {"request_rate": {"per_s": 2.5}}],
            "slo": ["ttft_p95_ms<=500"],
            "workload": {"lengths": {"kind": "fixed", "input_tokens": 128, "output_tokens": 64}},
        });
        insta::assert_snapshot!(command(&serde_json::from_value(spec).unwrap()));
    }

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        assert_eq!(quoted("ttft_p95_ms<=500"), "'ttft_p95_ms<=500'");
        assert_eq!(quoted("it's; rm -rf"), r"'it'\''s; rm -rf'");
    }
}
