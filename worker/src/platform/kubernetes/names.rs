//! Names and labels of a run's objects. All derive from the run id, so that whoever repeats a step finds what the first
//! attempt made.

use std::collections::BTreeMap;

use accelbench_core::run::RunId;

/// The one name under which all objects are applied.
pub const FIELD_MANAGER: &str = "accelbench-worker";

/// The label that says which run an object belongs to.
pub const RUN_ID_LABEL: &str = "accelbench.dev/run-id";

/// The label that says what an object is for: see [`Component`].
pub const COMPONENT_LABEL: &str = "app.kubernetes.io/component";

/// The annotation of the Lease that says until when the run may exist, as RFC 3339.
pub const DEADLINE_ANNOTATION: &str = "accelbench.dev/deadline";

/// What an object of a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// It holds the run together.
    Anchor,
    /// It serves the model.
    Engine,
    /// It offers the load.
    Loadgen,
}

impl Component {
    /// The word used in names and labels, and the name of the pod's one container.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Engine => "engine",
            Self::Loadgen => "loadgen",
        }
    }
}

/// The name of the run's Lease.
#[must_use]
pub fn lease(run_id: RunId) -> String {
    run_id.object_name()
}

/// The name of the run's objects of a component: a Deployment, a Service, a Job, a Secret or a NetworkPolicy.
#[must_use]
pub fn object(run_id: RunId, component: Component) -> String {
    format!("{}-{}", run_id.object_name(), component.as_str())
}

/// The run that an object belongs to, as its labels say.
#[must_use]
pub fn run_of(labels: &BTreeMap<String, String>) -> Option<RunId> {
    labels.get(RUN_ID_LABEL)?.parse().ok()
}

/// A selector for everything that belongs to a run.
#[must_use]
pub fn selector_of_run(run_id: RunId) -> String {
    format!("{RUN_ID_LABEL}={run_id}")
}

/// A selector for everything that belongs to any run.
#[must_use]
pub fn selector_of_ours() -> String {
    format!("app.kubernetes.io/managed-by={FIELD_MANAGER}")
}

/// Labels as a selector's text.
#[must_use]
pub fn selector_text(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// The labels that select the pods of a component, and no others.
#[must_use]
pub fn selector(run_id: RunId, component: Component) -> BTreeMap<String, String> {
    owned([(RUN_ID_LABEL, run_id.to_string().as_str()), (COMPONENT_LABEL, component.as_str())])
}

/// All labels of an object.
#[must_use]
pub fn labels(run_id: RunId, component: Component) -> BTreeMap<String, String> {
    let mut labels = owned([
        ("app.kubernetes.io/name", "accelbench"),
        ("app.kubernetes.io/instance", run_id.object_name().as_str()),
        ("app.kubernetes.io/part-of", "accelbench"),
        ("app.kubernetes.io/managed-by", FIELD_MANAGER),
    ]);
    labels.extend(selector(run_id, component));
    labels
}

pub(super) fn owned<const COUNT: usize>(pairs: [(&str, &str); COUNT]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use accelbench_core::run::RunId;

    use super::{Component, labels, object, run_of};

    #[test]
    fn names_are_short_enough_for_a_host_name_and_labels_lead_back() {
        let run_id = RunId::new();
        for component in [Component::Anchor, Component::Engine, Component::Loadgen] {
            assert!(object(run_id, component).len() <= 63 - "-abcde".len());
            assert_eq!(run_of(&labels(run_id, component)), Some(run_id));
        }
    }
}
