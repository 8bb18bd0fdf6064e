//! Where a result comes from, as facts: what could not be known says why.

use accelbench_core::observed::Observed;
use accelbench_core::result::BenchmarkResult;

/// A fact, or the reason why it is not known.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: Result<String, String>,
}

/// Everything that is known of how a result came to be.
pub(super) fn facts(result: &BenchmarkResult) -> Vec<Fact> {
    let provenance = &result.provenance;
    let known = |name, value: String| Fact { name, value: Ok(value) };
    vec![
        known("Platform", provenance.platform.clone()),
        observed("Model revision", &provenance.revision),
        known("Engine", provenance.engine.to_string()),
        observed("Engine version", &provenance.engine_version),
        observed("Image digest", &provenance.engine_image_digest),
        observed("Engine arguments", &provenance.engine_arguments.clone().map(|words| words.join(" "))),
        observed("Precision", &provenance.quantization),
        known("Tensor parallel", provenance.tensor_parallel.to_string()),
        observed("Accelerators used", &provenance.accelerators_used),
        observed("Machine image", &provenance.ami),
        observed("Driver", &provenance.driver_version),
        observed("Availability zone", &provenance.availability_zone),
        known("Dataset", provenance.dataset_sha256.to_string()),
        known("Workload", provenance.workload_sha256.to_string()),
        known("Load generator", provenance.loadgen_version.clone()),
        observed("Accelerator utilisation, %", &result.report.accelerator_utilization_percent),
        observed("Accelerator memory peak, GiB", &result.report.accelerator_memory_peak_gib),
        observed("Accelerator power, W", &result.report.accelerator_power_w),
    ]
}

fn observed<T: ToString>(name: &'static str, value: &Observed<T>) -> Fact {
    let value = match value {
        Observed::Value(value) => Ok(value.to_string()),
        Observed::Absent(reason) => Err(reason.clone()),
    };
    Fact { name, value }
}
