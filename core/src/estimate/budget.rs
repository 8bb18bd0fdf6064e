//! Whether a run keeps within the most that may be spent on it.

use super::{RunEstimate, RunMoney};

/// Why a run may cost more than it may.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OverBudget {
    /// It is expected to.
    #[error(
        "the run may cost up to {high_usd:.2} USD by its estimate of {value_usd:.2}, more than max_cost_usd of {max_cost_usd:.2}; measure fewer load points or for a shorter time, or allow more"
    )]
    Estimate {
        /// The upper end of the estimate.
        high_usd: f64,
        /// The estimate.
        value_usd: f64,
        /// What was allowed.
        max_cost_usd: f64,
    },
    /// It would only be ended when it has.
    #[error(
        "the run's time limit of {timeout_s} s and its teardown allow it to cost {at_time_limit_usd:.2} USD, more than max_cost_usd of {max_cost_usd:.2}; {}allow more",
        shorter(*affordable_s)
    )]
    TimeLimit {
        /// The time limit.
        timeout_s: u32,
        /// Its cost, with the teardown after it.
        at_time_limit_usd: f64,
        /// What was allowed.
        max_cost_usd: f64,
        /// The time limit that is within it; 0 if none is.
        affordable_s: u32,
    },
    /// Nobody knows.
    #[error(
        "max_cost_usd of {max_cost_usd:.2} cannot be kept to: {reason}; leave it out, or refresh the prices"
    )]
    NoPrice {
        /// Why there is no price.
        reason: String,
        /// What was allowed.
        max_cost_usd: f64,
    },
}

/// The way out that costs nothing, if there is one.
fn shorter(affordable_s: u32) -> String {
    if affordable_s == 0 { String::new() } else { format!("set timeout_s to {affordable_s} or less, or ") }
}

impl RunEstimate {
    /// Whether neither the estimate's upper end nor the time limit costs more than `max_cost_usd`.
    ///
    /// # Errors
    /// [`OverBudget`], with what to do.
    pub fn keep_within(&self, max_cost_usd: f64) -> Result<(), OverBudget> {
        match &self.money {
            RunMoney::NothingPaid { .. } => Ok(()),
            RunMoney::Unknown { reason } => Err(OverBudget::NoPrice { reason: reason.clone(), max_cost_usd }),
            &RunMoney::Usd { estimate, at_time_limit, per_hour } => {
                if estimate.high > max_cost_usd {
                    let (high_usd, value_usd) = (estimate.high, estimate.value);
                    Err(OverBudget::Estimate { high_usd, value_usd, max_cost_usd })
                } else if at_time_limit > max_cost_usd {
                    Err(OverBudget::TimeLimit {
                        timeout_s: self.time.timeout_s,
                        at_time_limit_usd: at_time_limit,
                        max_cost_usd,
                        affordable_s: (max_cost_usd / per_hour * 3600.0 - self.time.teardown_s.high).floor()
                            as u32,
                    })
                } else {
                    Ok(())
                }
            }
        }
    }
}
