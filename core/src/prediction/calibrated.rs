//! What the calibration gave: copied from the output of `the_committed_constants_are_what_the_calibration_gives`, which
//! fails when they no longer follow from the measurements.

use super::factors::{Calibration, Factors, Interval, Intervals};

/// The factors in use.
pub const CALIBRATED: Calibration = Calibration {
    factors: Factors {
        memory_efficiency: 0.7811,
        compute_efficiency: 0.1692,
        expert_prefill_share: 0.2242,
        neuron_compute_efficiency: 0.1344,
        layer_us: 11.57,
        expert_layer_us: 46.36,
        neuron_layer_us: 399.0,
        nvlink_reduce_us: 18.86,
        pcie_reduce_us: 47.06,
        neuron_link_reduce_us: 45.61,
        step_us: 2560.0,
        speed: [0.8661, 1.003, 1.199, 1.035, 1.0, 0.6538, 1.109],
    },
    measurements: [159, 91, 377, 138, 0, 58, 9],
    gpu: Intervals {
        throughput: Interval { low: 0.6708, high: 1.479 },
        ttft: Interval { low: 0.4355, high: 11.01 },
        tpot: Interval { low: 0.5089, high: 1.343 },
    },
    neuron: Intervals {
        throughput: Interval { low: 0.3535, high: 1.850 },
        ttft: Interval { low: 0.4346, high: 16.14 },
        tpot: Interval { low: 0.5231, high: 2.829 },
    },
};
