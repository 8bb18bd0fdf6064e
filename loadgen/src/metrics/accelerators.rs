//! The metrics of NVIDIA's DCGM exporter and of AWS's neuron-monitor.

use accelbench_core::observed::Observed;

use super::Succeeded;
use super::counters::{growth, max, mean, observed};
use super::scrape::Page;

const MIB_PER_GIB: f64 = 1024.0;
const BYTES_PER_GIB: f64 = 1024.0 * 1024.0 * 1024.0;

/// What the exporters of an instance say at one moment, over all its accelerators; what they do not say is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct AcceleratorLook {
    /// Mean share of time in which they worked, in percent.
    pub(crate) utilization_percent: Option<f64>,
    tensor_active_percent: Option<f64>,
    memory_gib: Option<f64>,
    power_w: Option<f64>,
    energy_j: Option<f64>,
}

/// The metrics of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AcceleratorMetrics {
    pub(crate) utilization_percent: Observed<f64>,
    pub(crate) tensor_active_percent: Observed<f64>,
    pub(crate) memory_peak_gib: Observed<f64>,
    pub(crate) power_w: Observed<f64>,
    /// Energy by the counter, in joules and for how many seconds.
    pub(crate) energy: Option<(f64, f64)>,
}

/// Reads the pages of all exporters of an instance.
pub(super) fn look(pages: &[Page]) -> Result<AcceleratorLook, String> {
    if pages.is_empty() {
        return Err("no exporter of accelerator metrics was named".to_owned());
    }
    let over_pages = |of: &dyn Fn(&Page) -> Option<f64>| -> Option<f64> {
        pages.iter().filter_map(of).reduce(|sum, value| sum + value)
    };
    let mean_of = |of: &dyn Fn(&Page) -> Option<f64>| {
        let known = pages.iter().filter(|page| of(page).is_some()).count();
        Some(over_pages(of)? / known as f64)
    };
    let look = AcceleratorLook {
        utilization_percent: mean_of(&utilization_percent),
        tensor_active_percent: mean_of(&|page| Some(100.0 * page.mean("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE")?)),
        memory_gib: over_pages(&memory_gib),
        power_w: over_pages(&|page| page.sum("DCGM_FI_DEV_POWER_USAGE")),
        energy_j: over_pages(&|page| Some(page.sum("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")? / 1000.0)),
    };
    if look == AcceleratorLook::default() {
        return Err("the exporter says nothing that is known of DCGM or neuron-monitor".to_owned());
    }
    Ok(look)
}

/// The share of time in which anything was computed. `DCGM_FI_DEV_GPU_UTIL` is no substitute where profiling counters
/// are there: it is near 100 % for any decode.
fn utilization_percent(page: &Page) -> Option<f64> {
    page.mean("DCGM_FI_PROF_GR_ENGINE_ACTIVE")
        .or_else(|| page.mean("neuroncore_utilization_ratio"))
        .map(|share| 100.0 * share)
        .or_else(|| page.mean("DCGM_FI_DEV_GPU_UTIL"))
}

fn memory_gib(page: &Page) -> Option<f64> {
    let on_device =
        || page.sum_where("neuron_runtime_memory_used_bytes", "memory_location=\"neuron_device\"");
    page.sum("DCGM_FI_DEV_FB_USED")
        .map(|mib| mib / MIB_PER_GIB)
        .or_else(|| on_device().map(|bytes| bytes / BYTES_PER_GIB))
}

/// The metrics of a window.
pub(super) fn over(looks: &Succeeded<AcceleratorLook>) -> AcceleratorMetrics {
    let Succeeded { looks, reason } = looks;
    let reason =
        if looks.is_empty() { reason.as_str() } else { "the exporter of the accelerators does not say it" };
    AcceleratorMetrics {
        utilization_percent: observed(mean(looks, |look| look.utilization_percent), reason),
        tensor_active_percent: observed(mean(looks, |look| look.tensor_active_percent), reason),
        memory_peak_gib: observed(max(looks, |look| look.memory_gib), reason),
        power_w: observed(mean(looks, |look| look.power_w), reason),
        energy: growth(looks, |look| look.energy_j),
    }
}
