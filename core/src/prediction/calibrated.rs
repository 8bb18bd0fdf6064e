//! What the calibration gave: copied from the output of `the_committed_constants_are_what_the_calibration_gives`, which
//! fails when they no longer follow from the measurements.

use super::factors::{Calibration, Factors, Interval, Intervals};

/// The factors in use.
pub const CALIBRATED: Calibration = Calibration {
    factors: Factors {
        memory_efficiency: 0.7594,
        compute_efficiency: 0.4254,
        expert_prefill_share: 0.09762,
        neuron_compute_efficiency: 0.1294,
        layer_us: 11.36,
        expert_layer_us: 43.82,
        neuron_layer_us: 381.9,
        nvlink_reduce_us: 21.77,
        pcie_reduce_us: 44.21,
        neuron_link_reduce_us: 48.40,
        step_us: 2182.0,
        input_layer_us: 363.7,
        speed: [0.8607, 1.006, 1.162, 1.051, 1.0, 0.6703, 1.085],
    },
    measurements: [159, 91, 377, 138, 0, 58, 9],
    gpu: Intervals {
        throughput: Interval { low: 0.6714, high: 1.425 },
        ttft: Interval { low: 0.4531, high: 10.96 },
        tpot: Interval { low: 0.4989, high: 1.286 },
    },
    neuron: Intervals {
        throughput: Interval { low: 0.4772, high: 1.893 },
        ttft: Interval { low: 0.3092, high: 7.689 },
        tpot: Interval { low: 0.5169, high: 2.138 },
    },
};
