//! What the containers of engines and load generators have in common.

use std::collections::BTreeMap;
use std::fmt::Display;

use accelbench_core::engine::profile::HostShare;
use k8s_openapi::api::core::v1::{
    Capabilities, EmptyDirVolumeSource, EnvVar, SeccompProfile, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::Privileges;

/// The user of our own images.
const NONROOT: i64 = 65532;

pub(super) fn security(privileges: Privileges) -> SecurityContext {
    let seccomp_profile =
        Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None });
    let least = SecurityContext {
        allow_privilege_escalation: Some(false),
        seccomp_profile,
        ..SecurityContext::default()
    };
    match privileges {
        Privileges::AsImage => least,
        Privileges::Restricted => SecurityContext {
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            run_as_user: Some(NONROOT),
            run_as_group: Some(NONROOT),
            ..least
        },
    }
}

pub(super) fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None }
}

pub(super) fn quantity(amount: impl Display) -> Quantity {
    Quantity(amount.to_string())
}

/// In the form in which the API server writes them back, so that applying them again changes nothing.
pub(super) fn processor_and_memory(host: HostShare) -> BTreeMap<String, Quantity> {
    let cpu = match host.cpu_millicores {
        millicores if millicores % 1000 == 0 => quantity(millicores / 1000),
        millicores => quantity(format!("{millicores}m")),
    };
    let memory = match host.memory_mib {
        mib if mib % 1024 == 0 => quantity(format!("{}Gi", mib / 1024)),
        mib => quantity(format!("{mib}Mi")),
    };
    [("cpu".to_owned(), cpu), ("memory".to_owned(), memory)].into()
}

/// A folder that ends with the pod: in memory if `medium` says so.
pub(super) fn folder(name: &str, path: &str, size: String, medium: Option<&str>) -> (Volume, VolumeMount) {
    let source = EmptyDirVolumeSource { medium: medium.map(str::to_owned), size_limit: Some(quantity(size)) };
    let volume = Volume { name: name.to_owned(), empty_dir: Some(source), ..Volume::default() };
    let mount = VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() };
    (volume, mount)
}
