//! The answer in words, with its numbers.

use std::fmt;

use super::{Basis, Choice, Loss, Sustainable};

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} x {} for {:.2} a month, with {:.0} % headroom: each {}",
            self.projection.replicas,
            self.configuration.instance_type,
            self.per_month,
            100.0 * self.projection.headroom_share,
            self.sustainable,
        )
    }
}

impl fmt::Display for Sustainable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "bears {:.3} requests/s within the SLO, {}",
            self.throughput.requests_per_s, self.basis
        )?;
        if self.ends_the_curve {
            formatter.write_str("; no higher load was measured")?;
        }
        Ok(())
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured { point } => write!(formatter, "measured at {}", point.offered_load),
            Self::Interpolated { keeps, misses, .. } => write!(
                formatter,
                "interpolated between {} ({:.3} requests/s), which keeps it, and {} ({:.3} requests/s), which does not",
                keeps.offered_load,
                keeps.throughput.requests_per_s,
                misses.offered_load,
                misses.throughput.requests_per_s,
            ),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dearer { share, per_month } => {
                write!(formatter, "dearer by {:.0} %, at {per_month:.2} a month", 100.0 * share)
            }
            Self::TooSlow { offered_load, metric, measured_ms, limit_ms } => write!(
                formatter,
                "too slow: {metric} is {measured_ms:.1} at {offered_load}, the lowest load measured, and the limit is \
                 {limit_ms:.1}"
            ),
            Self::RequestsFail { offered_load, error_share } => {
                write!(formatter, "{:.1} % of the requests fail at {offered_load}", 100.0 * error_share)
            }
            Self::NoPrice { reason } => write!(formatter, "there is no price: {reason}"),
            Self::InvalidMeasurements { measurements } => {
                write!(formatter, "none of its {measurements} measurements can be trusted; run it again")
            }
            Self::Unmeasured => formatter.write_str("it was never measured; run it"),
            Self::MetricUnmeasured { metric } => {
                write!(formatter, "{metric} was not measured on enough requests; run it again")
            }
            Self::NoProjection { reason } => formatter.write_str(reason),
        }
    }
}
