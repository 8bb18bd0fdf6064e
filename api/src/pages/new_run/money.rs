//! What a run costs at most, before it is started: the hour's price for as long as its time-out lets it go on. Nothing is
//! paid where nothing is deployed.

use accelbench_core::cost;
use accelbench_core::observed::Observed;
use accelbench_store::PgConnection;

use super::form::{Place, RunForm};
use crate::error::ApiError;
use crate::pricing::PriceParts;

/// The money that a form commits.
pub(super) enum Money {
    /// The run takes nothing that is paid by the hour.
    Nothing,
    /// It takes an instance.
    Instance {
        instance_type: String,
        per_hour: Observed<f64>,
        /// What it costs when it goes on until its time-out.
        at_most: Observed<f64>,
        timeout_min: u32,
    },
}

impl Money {
    pub(super) async fn load(connection: &mut PgConnection, form: &RunForm) -> Result<Self, ApiError> {
        if form.place() != Place::Kubernetes {
            return Ok(Self::Nothing);
        }
        let prices = PriceParts::default().pricing()?.load(connection).await?;
        let timeout_s = form.timeout_s();
        let price = match form.instance_type.trim().parse() {
            Ok(instance_type) => prices.of(&instance_type),
            Err(_not_yet_entered) => Observed::absent("choose an instance type"),
        };
        Ok(Self::Instance {
            instance_type: form.instance_type.trim().to_owned(),
            per_hour: price.clone().map(|price| price.per_hour),
            at_most: cost::of_run(&price, f64::from(timeout_s)),
            timeout_min: timeout_s / 60,
        })
    }
}
