//! Which engine serves a run: the pod by its uid, and how often its container had been started again when it was found
//! ready. The run's Lease remembers it. Whatever is measured after another start is another engine, cold again.

use std::fmt;
use std::str::FromStr;

use accelbench_core::run::RunId;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use super::names::Component;
use super::{KubernetesPlatform, diagnosis, engine};
use crate::platform::{PlatformError, RunContext};

/// The annotation of a Lease that says which engine was found ready.
const SERVED_BY: &str = "accelbench.dev/served-by";

/// The engine that was found ready. Moments do not tell two pods of one second apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Serving {
    pod_uid: String,
    restarts: i32,
}

impl Serving {
    fn of(pod: &Pod) -> Option<Self> {
        Some(Self { pod_uid: pod.metadata.uid.clone()?, restarts: engine::restarts(pod) })
    }
}

/// `UID/RESTARTS`, as an annotation holds it.
impl fmt::Display for Serving {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.pod_uid, self.restarts)
    }
}

/// The text is none that this program wrote.
#[derive(Debug)]
pub(super) struct NotServing;

impl FromStr for Serving {
    type Err = NotServing;

    fn from_str(text: &str) -> Result<Self, NotServing> {
        let (pod_uid, restarts) = text.split_once('/').ok_or(NotServing)?;
        let restarts = restarts.parse().map_err(|_error| NotServing)?;
        Ok(Self { pod_uid: pod_uid.to_owned(), restarts })
    }
}

/// Notes that this pod is the run's engine; false when the Lease is gone.
pub(super) async fn note(
    platform: &KubernetesPlatform,
    run_id: RunId,
    pod: &Pod,
) -> Result<bool, PlatformError> {
    let serving = Serving::of(pod).map(|serving| serving.to_string()).unwrap_or_default();
    platform.cluster.annotate(run_id, SERVED_BY, &serving).await
}

/// Why the engine that was found ready serves no more.
pub(super) async fn interruption(
    platform: &KubernetesPlatform,
    context: &RunContext,
    lease: &Lease,
) -> Result<Option<String>, PlatformError> {
    let noted = lease.metadata.annotations.as_ref().and_then(|all| all.get(SERVED_BY));
    let served: Option<Serving> = noted.and_then(|noted| noted.parse().ok());
    let served = served.as_ref();
    let mut pods = platform.cluster.pods(context.run.id, Component::Engine).await?;
    // A pod that took the place of the one that served is another engine, however far it is.
    pods.retain(|pod| served.is_some_and(|served| pod.metadata.uid.as_ref() == Some(&served.pod_uid)));
    let is_the_same = |pod: &Pod| served.is_some_and(|served| engine::restarts(pod) == served.restarts);
    let is_well =
        |pod: &Pod| diagnosis::is_ready(pod) && is_the_same(pod) && pod.metadata.deletion_timestamp.is_none();
    // Nothing more is read of an engine that is well.
    if engine::newest(&pods).is_some_and(is_well) {
        return Ok(None);
    }
    let began_anew = engine::newest(&pods).is_some_and(|pod| !is_the_same(pod));
    let served_at = Time(if began_anew { Timestamp::MIN } else { Timestamp::MAX });
    let sight = engine::look(platform, context, pods).await?;
    Ok(diagnosis::interruption(&sight.observation(context)?, &served_at))
}

#[cfg(test)]
mod tests {
    use super::Serving;

    #[test]
    fn what_serves_is_read_as_it_was_written() {
        let serving = Serving { pod_uid: "0c6a-77".to_owned(), restarts: 2 };
        assert_eq!(serving.to_string().parse::<Serving>().unwrap(), serving);
        for strange in ["", "0c6a-77", "0c6a-77/", "0c6a-77/two"] {
            assert!(strange.parse::<Serving>().is_err(), "{strange}");
        }
    }
}
