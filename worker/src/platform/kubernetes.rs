//! Kubernetes as a platform: the engine is a Deployment behind a Service, the load generator a Job, and one Lease owns
//! all that belongs to a run. Here are the pure parts, which know no cluster: what is written, and what is read off it.

pub mod diagnosis;
pub mod manifests;
pub mod names;
pub mod options;

pub use options::KubernetesOptions;
