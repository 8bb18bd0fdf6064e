//! The engine's share of its host. What Kubernetes keeps for itself follows rules that EKS and Karpenter publish; the
//! engine asks for most of the rest, so that nothing else fits beside it, and leaves room for the node's own daemons.

use serde::{Deserialize, Serialize};

use crate::instance::InstanceType;

/// The share of what is allocatable that the engine asks for.
const SHARE: f64 = 0.85;

/// The share of a host's memory that Karpenter expects its hypervisor to keep.
const HYPERVISOR_SHARE: f64 = 0.075;

/// Processor and memory that the engine asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostShare {
    /// Processors, in thousandths.
    pub cpu_millicores: u32,
    /// Memory, in MiB.
    pub memory_mib: u64,
}

impl HostShare {
    /// Most of what the host of an instance type can give, if its size is known.
    #[must_use]
    pub fn most_of(instance: &InstanceType) -> Option<Self> {
        let vcpu = instance.vcpu.filter(|&vcpu| vcpu > 0)? as u32;
        let memory_mib = instance.memory_gib? * 1024.0;
        let cpu_millicores = (f64::from(allocatable_cpu_millicores(vcpu)) * SHARE) as u32;
        let memory_mib = (allocatable_memory_mib(vcpu, memory_mib) * SHARE).max(0.0) as u64;
        Some(Self { cpu_millicores, memory_mib })
    }
}

/// EKS keeps 6 % of the first core, 1 % of the second, 0.5 % of the next two and 0.25 % of all others.
fn allocatable_cpu_millicores(vcpu: u32) -> u32 {
    let kept_for_core = |core: u32| match core {
        0 => 60.0,
        1 => 10.0,
        2 | 3 => 5.0,
        _ => 2.5,
    };
    let kept: f64 = (0..vcpu).map(kept_for_core).sum();
    vcpu * 1000 - kept as u32
}

/// EKS keeps 255 MiB, 11 MiB for each pod that a node may hold, and 100 MiB before it evicts.
fn allocatable_memory_mib(vcpu: u32, memory_mib: f64) -> f64 {
    // The most pods of any accelerated instance type of that size; the exact number depends on its network cards.
    let most_pods = match vcpu {
        0..8 => 58.0,
        8..48 => 254.0,
        _ => 737.0,
    };
    memory_mib * (1.0 - HYPERVISOR_SHARE) - 255.0 - 11.0 * most_pods - 100.0
}

#[cfg(test)]
mod tests {
    use super::{allocatable_cpu_millicores, allocatable_memory_mib};

    /// Karpenter 1.14's table of allocatable resources: instance type, vCPU, GiB, millicores, MiB.
    const KARPENTER: [(&str, u32, f64, u32, f64); 7] = [
        ("g5.xlarge", 4, 16.0, 3920, 14162.0),
        ("g6e.xlarge", 4, 32.0, 3920, 29317.0),
        ("g5.8xlarge", 32, 128.0, 31850, 118_312.0),
        ("g7.2xlarge", 8, 32.0, 7910, 27161.0),
        ("g5.12xlarge", 48, 192.0, 47810, 173_400.0),
        ("inf2.48xlarge", 192, 768.0, 191_450, 718_987.0),
        ("p5.48xlarge", 192, 2048.0, 191_450, 1_938_410.0),
    ];

    #[test]
    fn what_is_allocatable_is_never_overestimated_and_hardly_under() {
        for (instance_type, vcpu, gib, millicores, mib) in KARPENTER {
            assert_eq!(allocatable_cpu_millicores(vcpu), millicores, "{instance_type}");
            let estimate = allocatable_memory_mib(vcpu, gib * 1024.0);
            assert!(estimate <= mib + 1.0 && estimate > 0.92 * mib, "{instance_type}: {estimate}");
        }
    }
}
