//! What the roofline needs to know of an instance type's accelerators.

use serde::{Deserialize, Serialize};

use crate::fit::MissingFact;
use crate::instance::{AcceleratorKind, InstanceType};
use crate::model::Quantization;

/// Operations per byte of memory traffic, where the arithmetic rate is not published: as Hopper and Blackwell have.
const USUAL_FLOPS_PER_BYTE: f64 = 270.0;

/// Accelerators that share their kernels' quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generation {
    /// A10G and A100.
    Ampere,
    /// L4 and L40S.
    Ada,
    /// H100 and H200.
    Hopper,
    /// RTX PRO.
    BlackwellWorkstation,
    /// B200 and B300.
    Blackwell,
    /// Inferentia2 and Trainium.
    Neuron1,
    /// Trainium2.
    Neuron2,
    /// Not known: no factor of its own.
    Other,
}

/// How accelerators talk to one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// NVLink through switches.
    NvLink,
    /// PCIe through the host.
    Pcie,
    /// NeuronLink.
    NeuronLink,
}

/// One accelerator, with what it does at best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Machine {
    pub(super) generation: Generation,
    pub(super) link: Link,
    pub(super) bytes_per_s: f64,
    pub(super) flops_per_s: f64,
}

impl Generation {
    /// Those with a factor of their own, in the order of [`super::Factors::speed`].
    pub const ALL: [Self; 7] = [
        Self::Ampere,
        Self::Ada,
        Self::Hopper,
        Self::BlackwellWorkstation,
        Self::Blackwell,
        Self::Neuron1,
        Self::Neuron2,
    ];

    /// The generation of an accelerator by its name.
    #[must_use]
    pub fn of(accelerator_name: &str) -> Self {
        match accelerator_name {
            "A10G" | "A100" => Self::Ampere,
            "L4" | "L40S" => Self::Ada,
            "H100" | "H200" => Self::Hopper,
            "B200" | "B300" => Self::Blackwell,
            "Inferentia2" | "Trainium" => Self::Neuron1,
            "Trainium2" => Self::Neuron2,
            name if name.starts_with("RTX PRO") => Self::BlackwellWorkstation,
            _ => Self::Other,
        }
    }

    /// Whether it is made by AWS and served through Neuron.
    #[must_use]
    pub fn is_neuron(self) -> bool {
        matches!(self, Self::Neuron1 | Self::Neuron2)
    }

    /// How much faster it multiplies 8-bit floats than 16-bit ones.
    fn fp8_gain(self) -> f64 {
        match self {
            Self::Ampere | Self::Neuron1 | Self::Other => 1.0,
            Self::Ada | Self::Hopper | Self::BlackwellWorkstation | Self::Blackwell | Self::Neuron2 => 2.0,
        }
    }
}

impl Link {
    fn of(instance: &InstanceType) -> Self {
        let interconnect = instance.interconnect.as_deref().unwrap_or_default();
        if instance.accelerator_kind == AcceleratorKind::Neuron {
            Self::NeuronLink
        } else if interconnect.contains("NVLink") || interconnect.contains("NVSwitch") {
            Self::NvLink
        } else {
            Self::Pcie
        }
    }

    /// Bytes that an accelerator exchanges in a second, about.
    pub(super) fn bytes_per_s(self) -> f64 {
        match self {
            Self::NvLink => 300e9,
            Self::Pcie => 15e9,
            Self::NeuronLink => 100e9,
        }
    }
}

impl Machine {
    pub(super) fn of(instance: &InstanceType, quantization: Quantization) -> Result<Self, MissingFact> {
        let positive = |fact: Option<f64>| fact.filter(|value| value.is_finite() && *value > 0.0);
        let generation = instance.accelerator_name.as_deref().map_or(Generation::Other, Generation::of);
        let bandwidth = positive(instance.accelerator_bandwidth_gb_per_s);
        let bytes_per_s = bandwidth.ok_or(MissingFact::AcceleratorBandwidth)? * 1e9;
        let published = positive(instance.accelerator_bf16_tflops).map(|tflops| tflops * 1e12);
        let gain = if quantization == Quantization::Fp8 { generation.fp8_gain() } else { 1.0 };
        Ok(Self {
            generation,
            link: Link::of(instance),
            bytes_per_s,
            flops_per_s: gain * published.unwrap_or(bytes_per_s * USUAL_FLOPS_PER_BYTE),
        })
    }
}
