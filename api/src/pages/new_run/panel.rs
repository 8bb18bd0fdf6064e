//! What stands beside the form: before it was checked the hour's price, afterwards the whole estimate, or why the request
//! would be refused. The button is part of it, for it names the money.

use accelbench_core::estimate::RunMoney;
use accelbench_store::PgConnection;
use accelbench_store::runs::MeasuredAlready;

use super::fit_bar::{self, Part};
use super::form::RunForm;
use super::money::Money;
use crate::app::App;
use crate::error::ApiError;
use crate::estimating::PricedEstimate;
use crate::submission::{self, Prospect};

/// What stands beside the form.
pub(super) enum Panel {
    /// The form was not checked yet.
    Unchecked(Money),
    /// It would be refused.
    Refused(ApiError),
    /// It would be taken.
    Checked(Box<Checked>),
}

/// The estimate of what the form asks for.
pub(super) struct Checked {
    pub(super) estimate: PricedEstimate,
    pub(super) measured_already: Option<MeasuredAlready>,
    /// The memory of one accelerator, where it is known what lies in it.
    pub(super) fit: Vec<Part>,
    /// Whether the person pressed the button and is asked once more.
    pub(super) asks: bool,
}

/// How an unknown price is agreed to.
const UNKNOWN: &str = "unknown";

impl Panel {
    pub(super) async fn unchecked(connection: &mut PgConnection, form: &RunForm) -> Result<Self, ApiError> {
        Ok(Self::Unchecked(Money::load(connection, form).await?))
    }

    /// The form checked, with what is wrong with it.
    pub(super) async fn checked(app: &App, form: &RunForm) -> Result<(Self, Option<ApiError>), ApiError> {
        if form.model.trim().is_empty() {
            return Ok((Self::unchecked(&mut *app.connection().await?, form).await?, None));
        }
        let examined = match form.submission() {
            Ok(submission) => submission::examine(app, &submission).await,
            Err(error) => Err(error),
        };
        match examined {
            Ok(prospect) => Ok((Self::Checked(Box::new(Checked::new(prospect, false))), None)),
            Err(error) if error.status.is_client_error() => Ok((Self::Refused(error.clone()), Some(error))),
            Err(error) => Err(error),
        }
    }
}

impl Checked {
    pub(super) fn new(prospect: Prospect, asks: bool) -> Self {
        let Prospect { estimate, measured_already } = prospect;
        let room = estimate.deployment.as_ref().and_then(|deployment| deployment.room);
        let fit = room.as_ref().map(fit_bar::parts).unwrap_or_default();
        Self { estimate, measured_already, fit, asks }
    }

    /// What the button commits to, for the form to send along: the most that the run may cost, rounded up to a cent.
    pub(super) fn to_agree(&self) -> String {
        match &self.estimate.run.money {
            RunMoney::NothingPaid { .. } => String::new(),
            RunMoney::Unknown { .. } => UNKNOWN.to_owned(),
            RunMoney::Usd { at_time_limit, .. } => format!("{:.2}", (at_time_limit * 100.0).ceil() / 100.0),
        }
    }

    /// Whether the person who sent the form was told what it costs and what was measured already.
    pub(super) fn is_agreed_by(&self, form: &RunForm) -> bool {
        let money = match &self.estimate.run.money {
            RunMoney::NothingPaid { .. } => true,
            RunMoney::Unknown { .. } => form.agreed == UNKNOWN,
            RunMoney::Usd { at_time_limit, .. } => {
                form.agreed.parse().is_ok_and(|agreed: f64| agreed >= *at_time_limit)
            }
        };
        let seen = |run: &MeasuredAlready| form.seen_run == run.run_id.to_string();
        money && self.measured_already.as_ref().is_none_or(seen)
    }

    /// When the run is ended in any case, in seconds.
    pub(super) fn limit_s(&self) -> f64 {
        f64::from(self.estimate.run.time.timeout_s)
    }
}
