//! Percentiles of latencies.

use std::fmt;

use anyhow::ensure;

/// Three percentiles of a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percentiles {
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) count: usize,
}

impl Percentiles {
    /// Of latencies in milliseconds, in any order.
    pub(crate) fn of(mut latencies_ms: Vec<f64>) -> anyhow::Result<Self> {
        ensure!(!latencies_ms.is_empty(), "nothing was answered in time; give it more seconds");
        latencies_ms.sort_by(f64::total_cmp);
        let count = latencies_ms.len();
        let at = |share: f64| latencies_ms[((share * count as f64) as usize).min(count - 1)];
        Ok(Self { p50_ms: at(0.50), p95_ms: at(0.95), p99_ms: at(0.99), count })
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.1}/{:.1}/{:.1}", self.p50_ms, self.p95_ms, self.p99_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::Percentiles;

    #[test]
    fn percentiles_are_those_of_the_sorted_series() {
        let found = Percentiles::of((0..1000).rev().map(f64::from).collect()).unwrap();
        assert_eq!(found.to_string(), "500.0/950.0/990.0");
        assert!(Percentiles::of(Vec::new()).is_err());
    }
}
