//! What EC2 says of instance types (DescribeInstanceTypes), and what of it is learnt: sizes that are new, and the virtual
//! CPUs and memory of those that are known. Of accelerators it tells number, name and memory, and not all of it right
//! (512 GiB for each chip of trn2), so that what is known of them stays, and a contradiction is said.

use accelbench_core::instance::{InstanceType, InstanceTypeName};
use anyhow::ensure;
use chrono::NaiveDate;
use serde::Deserialize;

use super::{Ec2, Items, Page};

const ACTION: &str = "DescribeInstanceTypes";

/// Two tables round the same memory differently.
const SAME_MEMORY_GIB: f64 = 1.0;

/// What the answers add to what is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Learnt {
    /// Instance types that are new, or of which something is new.
    pub news: Vec<InstanceType>,
    /// Where EC2 contradicts what is known of accelerators, in sentences.
    pub contradictions: Vec<String>,
}

/// What EC2 says of an instance type.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    instance_type: InstanceTypeName,
    v_cpu_info: VCpus,
    memory_info: Memory,
    #[serde(default)]
    gpu_info: Gpus,
    #[serde(default)]
    neuron_info: NeuronDevices,
}

#[derive(Debug, Deserialize)]
struct VCpus {
    #[serde(rename = "defaultVCpus")]
    default: i32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Memory {
    #[serde(rename = "sizeInMiB")]
    mib: f64,
}

#[derive(Debug, Default, Deserialize)]
struct Gpus {
    #[serde(default)]
    gpus: Items<Accelerator>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NeuronDevices {
    #[serde(default)]
    neuron_devices: Items<Accelerator>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accelerator {
    count: i32,
    name: String,
    memory_info: Memory,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    instance_type_set: Items<Told>,
    next_token: Option<String>,
}

impl Page for Answer {
    fn next_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

impl Memory {
    fn gib(self) -> f64 {
        self.mib / 1024.0
    }
}

impl Told {
    fn accelerator(&self) -> Option<&Accelerator> {
        self.neuron_info.neuron_devices.item.first().or_else(|| self.gpu_info.gpus.item.first())
    }
}

impl Ec2 {
    /// What EC2 says of every size of some families that a region has.
    ///
    /// # Errors
    /// When it does not answer, or knows none of them.
    pub async fn instance_types(&self, region: &str, families: &[String]) -> anyhow::Result<Vec<Told>> {
        let mut parameters = vec![("Filter.1.Name".to_owned(), "instance-type".to_owned())];
        for (index, family) in families.iter().enumerate() {
            parameters.push((format!("Filter.1.Value.{}", index + 1), format!("{family}.*")));
        }
        let pages: Vec<Answer> = self.pages(region, ACTION, &parameters).await?;
        let told: Vec<Told> = pages.into_iter().flat_map(|page| page.instance_type_set.item).collect();
        ensure!(!told.is_empty(), "EC2 has no accelerated instance type in {region}");
        Ok(told)
    }
}

/// What is to be learnt from what EC2 told.
#[must_use]
pub fn learn(known: &[InstanceType], told: &[Told], region: &str, today: NaiveDate) -> Learnt {
    let mut learnt = Learnt::default();
    let source = format!("EC2 ({ACTION}) in {region}, {today}");
    for told in told {
        match known.iter().find(|known| known.instance_type == told.instance_type) {
            Some(known) => {
                learnt.contradictions.extend(contradiction(known, told));
                learnt.news.extend(with_host(known, told, &source));
            }
            None => learnt.news.extend(new_size(known, told, &source)),
        }
    }
    learnt
}

/// A known instance type with EC2's facts of its host, if they are others.
fn with_host(known: &InstanceType, told: &Told, source: &str) -> Option<InstanceType> {
    let (vcpu, memory_gib) = (Some(told.v_cpu_info.default), Some(told.memory_info.gib()));
    if (known.vcpu, known.memory_gib) == (vcpu, memory_gib) {
        return None;
    }
    let source = format!("vCPU and memory from {source}; the rest from {}", rest_of(&known.source));
    Some(InstanceType { vcpu, memory_gib, source, ..known.clone() })
}

/// The source behind what earlier refreshes put before it.
fn rest_of(source: &str) -> &str {
    source.rsplit_once("; the rest from ").map_or(source, |(_, rest)| rest)
}

/// A size that is not known, with what is known of the accelerators of its family. Without a sibling that carries the same
/// ones nothing is known that would decide a fit or a speed.
fn new_size(known: &[InstanceType], told: &Told, source: &str) -> Option<InstanceType> {
    let accelerator = told.accelerator()?;
    let sibling = known.iter().find(|sibling| {
        sibling.family == told.instance_type.family()
            && sibling.accelerator_name.as_deref() == Some(accelerator.name.as_str())
    })?;
    Some(InstanceType {
        instance_type: told.instance_type.clone(),
        accelerator_count: Some(accelerator.count),
        vcpu: Some(told.v_cpu_info.default),
        memory_gib: Some(told.memory_info.gib()),
        source: format!("{source}; its accelerator as of {}", sibling.instance_type),
        ..sibling.clone()
    })
}

fn contradiction(known: &InstanceType, told: &Told) -> Option<String> {
    let accelerator = told.accelerator()?;
    let told_gib = accelerator.memory_info.gib();
    let (count, gib) = (known.accelerator_count?, known.accelerator_memory_gib?);
    let same = count == accelerator.count && (gib - told_gib).abs() <= SAME_MEMORY_GIB;
    (!same).then(|| {
        format!(
            "EC2 says that {} has {} x {} of {told_gib:.1} GiB; {count} of {gib:.1} GiB are known ({}), and stay",
            known.instance_type, accelerator.count, accelerator.name, known.source,
        )
    })
}

#[cfg(test)]
mod tests;
