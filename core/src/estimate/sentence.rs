//! The estimate in words, each number with its interval.

use std::fmt;

use super::{LoadPointEstimate, RunEstimate, RunMoney, RunTime};
use crate::observed::Observed;
use crate::prediction::Estimated;

impl fmt::Display for RunEstimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for point in &self.load_points {
            writeln!(formatter, "{point}")?;
        }
        writeln!(formatter, "time: {}", self.time)?;
        write!(formatter, "cost: {}", self.money)
    }
}

impl fmt::Display for LoadPointEstimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.offered_load)?;
        match &self.speed {
            Observed::Value(speed) => {
                write!(
                    formatter,
                    "estimate {} output tokens/s, TTFT {} ms, ITL {} ms",
                    interval(speed.output_tokens_per_s),
                    interval(speed.ttft_ms),
                    interval(speed.itl_ms)
                )?;
                if speed.generation_calibrated {
                    return Ok(());
                }
                formatter
                    .write_str("; nothing was measured on these accelerators, so that it may be further off")
            }
            Observed::Absent(reason) => write!(formatter, "no estimate: {reason}"),
        }
    }
}

impl fmt::Display for RunTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = |seconds: Estimated| {
            interval(Estimated {
                value: seconds.value / 60.0,
                low: seconds.low / 60.0,
                high: seconds.high / 60.0,
            })
        };
        write!(
            formatter,
            "estimate {} minutes (start {}, measuring {}, teardown {}{}); ended after {:.0} in any case",
            minutes(self.total_s),
            minutes(self.startup_s),
            minutes(self.measuring_s),
            minutes(self.teardown_s),
            if self.assumed { "; start and teardown are assumptions" } else { "" },
            f64::from(self.timeout_s) / 60.0,
        )
    }
}

impl fmt::Display for RunMoney {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingPaid { reason } => write!(formatter, "nothing: {reason}"),
            Self::Unknown { reason } => write!(formatter, "not known: {reason}"),
            Self::Usd { per_hour, estimate, at_time_limit } => write!(
                formatter,
                "estimate {:.2} USD ({:.2} to {:.2}) at {per_hour:.4} an hour; {at_time_limit:.2} at its time limit",
                estimate.value, estimate.low, estimate.high,
            ),
        }
    }
}

/// A number with its interval, to three digits or so.
fn interval(estimated: Estimated) -> String {
    let Estimated { value, low, high } = estimated;
    format!("{} ({} to {})", digits(value), digits(low), digits(high))
}

fn digits(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
