//! What a month at a target request rate costs: whole replicas, paid whether they are busy or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hourly;
use crate::observed::Observed;
use crate::price::HourlyPrice;

/// Hours of a month: a twelfth of 8760, as AWS reckons.
pub(crate) const HOURS_PER_MONTH: f64 = 730.0;

/// More replicas than this are a mistyped rate, not a plan.
const MOST_REPLICAS: f64 = 1e6;

/// A target that is this close to what a number of replicas bears is borne: 0.3 / 0.1 is a little more than 3.
const ROUNDING: f64 = 1e-9;

/// A month at a target request rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MonthlyProjection {
    /// Replicas that the target takes; each is one whole instance.
    pub replicas: u32,
    /// What they cost in a month of 730 hours.
    pub per_month: Observed<f64>,
    /// Requests per second that all of them bear together.
    pub sustainable_requests_per_s: f64,
    /// The part of that which the target leaves free, 0 to 1.
    pub headroom_share: f64,
}

/// Why there is no projection.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProjectionRefused {
    /// The target is no rate.
    #[error("{0} requests/s is no target; give a rate above 0")]
    Target(f64),
    /// A replica bears nothing.
    #[error("{0} requests/s a replica bears no load; measure a load point that meets the SLO")]
    Sustainable(f64),
    /// It would take absurdly many.
    #[error("it would take {0} replicas; give a lower target or a faster instance type")]
    TooMany(f64),
}

/// The replicas that `target_requests_per_s` takes when each bears `sustainable_requests_per_s` within the SLO, and
/// what they cost a month: replicas = target / sustainable, rounded up; cost = replicas x price per hour x 730.
///
/// # Errors
/// [`ProjectionRefused`] when the rates give no sensible number of replicas.
pub fn monthly_projection(
    price: &Observed<HourlyPrice>,
    sustainable_requests_per_s: f64,
    target_requests_per_s: f64,
) -> Result<MonthlyProjection, ProjectionRefused> {
    let is_rate = |rate: f64| rate.is_finite() && rate > 0.0;
    if !is_rate(target_requests_per_s) {
        return Err(ProjectionRefused::Target(target_requests_per_s));
    }
    if !is_rate(sustainable_requests_per_s) {
        return Err(ProjectionRefused::Sustainable(sustainable_requests_per_s));
    }
    let replicas = (target_requests_per_s / sustainable_requests_per_s - ROUNDING).ceil().max(1.0);
    if replicas > MOST_REPLICAS {
        return Err(ProjectionRefused::TooMany(replicas));
    }
    let together = replicas * sustainable_requests_per_s;
    Ok(MonthlyProjection {
        replicas: replicas as u32,
        per_month: hourly(price).map(|per_hour| replicas * per_hour * HOURS_PER_MONTH),
        sustainable_requests_per_s: together,
        headroom_share: (1.0 - target_requests_per_s / together).clamp(0.0, 1.0),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{ProjectionRefused, monthly_projection};
    use crate::cost::tests::{near, price};
    use crate::observed::Observed;

    #[test]
    fn whole_replicas_are_paid_all_month() {
        // g6e.xlarge at 1.861 an hour is 1,358.53 a month.
        for (sustainable, target, replicas, per_month) in [
            (2.0, 1.0, 1, 1358.53),
            (2.0, 2.0, 1, 1358.53),
            (2.0, 2.001, 2, 2717.06),
            (0.1, 0.3, 3, 4075.59),
            (3.0, 100.0, 34, 46_190.02),
        ] {
            let projection = monthly_projection(&price(1.861), sustainable, target).unwrap();
            assert_eq!(projection.replicas, replicas, "{target} at {sustainable} each");
            assert!(near(&projection.per_month, per_month), "{projection:?}");
        }
        let projection = monthly_projection(&price(1.0), 2.0, 3.0).unwrap();
        assert!((projection.headroom_share - 0.25).abs() < 1e-12, "{projection:?}");
    }

    #[test]
    fn without_an_offer_the_replicas_are_still_known() {
        let projection = monthly_projection(&Observed::absent("no offer"), 2.0, 3.0).unwrap();
        assert_eq!((projection.replicas, projection.per_month.absent_reason()), (2, Some("no offer")));
    }

    #[test]
    fn odd_rates_are_refused() {
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(monthly_projection(&price(1.0), 1.0, odd), Err(ProjectionRefused::Target(_))));
            assert!(matches!(
                monthly_projection(&price(1.0), odd, 1.0),
                Err(ProjectionRefused::Sustainable(_))
            ));
        }
        let absurd = monthly_projection(&price(1.0), 1e-300, 1e300);
        assert!(matches!(absurd, Err(ProjectionRefused::TooMany(_))), "{absurd:?}");
    }

    proptest! {
        #[test]
        fn the_replicas_bear_the_target_and_one_fewer_would_not(
            sustainable in 0.01_f64..100.0, target in 0.01_f64..1000.0
        ) {
            let projection = monthly_projection(&price(1.0), sustainable, target).unwrap();
            let bears = |replicas: f64| replicas * sustainable >= target * (1.0 - 1e-6);
            prop_assert!(bears(f64::from(projection.replicas)));
            prop_assert!(projection.replicas == 1 || f64::from(projection.replicas - 1) * sustainable < target);
        }
    }
}
