//! What a run costs so far and at most: the hour's price from the start of its deployment to the end of its teardown.
//! Nothing is paid by the hour on the worker's own machine and at an endpoint.

use accelbench_core::cost;
use accelbench_core::observed::Observed;
use accelbench_core::run::{PlatformSpec, Run, RunEvent};
use accelbench_store::PgConnection;
use chrono::{DateTime, Utc};

use crate::error::ApiError;
use crate::pricing::PriceParts;

/// The money of a run that takes an instance, on-demand.
pub(crate) struct Money {
    pub(crate) so_far: Observed<f64>,
    pub(crate) at_most: Observed<f64>,
}

impl Money {
    /// Nothing where no instance is taken, or none yet.
    pub(super) async fn load(
        connection: &mut PgConnection,
        run: &Run,
        events: &[RunEvent],
    ) -> Result<Option<Self>, ApiError> {
        if !matches!(run.spec.platform, PlatformSpec::Kubernetes { .. }) {
            return Ok(None);
        }
        let Some(kept_s) = kept_s(events, Utc::now()) else { return Ok(None) };
        let prices = PriceParts::default().pricing()?.load(connection).await?;
        let price = prices.of(&run.spec.instance_type);
        Ok(Some(Self {
            so_far: cost::of_run(&price, kept_s),
            at_most: cost::of_run(&price, f64::from(run.spec.timeout_s)),
        }))
    }
}

/// Seconds from the start of the deployment to the end, or to now.
fn kept_s(events: &[RunEvent], now: DateTime<Utc>) -> Option<f64> {
    let began = |phase: &str| events.iter().find(|event| event.phase == phase).map(|event| event.at);
    let kept = began("finished").unwrap_or(now) - began("deploying")?;
    Some(kept.num_milliseconds().max(0) as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use accelbench_core::run::{EventKind, RunEvent};
    use chrono::{DateTime, TimeDelta};

    use super::kept_s;

    #[test]
    fn an_instance_is_kept_from_deployment_to_end() {
        let start = DateTime::UNIX_EPOCH;
        let event = |at_s, phase: &str| RunEvent {
            sequence: at_s,
            at: start + TimeDelta::seconds(at_s),
            phase: phase.to_owned(),
            kind: EventKind::Phase,
            message: String::new(),
        };
        let now = start + TimeDelta::seconds(90);
        let events = [event(1, "queued"), event(10, "deploying"), event(70, "finished")];
        assert_eq!(kept_s(&events[..1], now), None, "one that waits costs nothing");
        assert_eq!(kept_s(&events[..2], now), Some(80.0));
        assert_eq!(kept_s(&events, now), Some(60.0));
    }
}
