//! A model of an engine with some slots: throughput grows to that many streams, and what comes on top waits.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, Normal};

use crate::load::examples::{plan, report};
use crate::load::{LoadReport, OfferedLoad};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::stats::Estimate;

pub(super) struct Model {
    pub(super) slots: f64,
    /// Standard deviation of the throughput, as a share of it.
    pub(super) noise: f64,
}

impl Model {
    pub(super) fn measure(&self, load: OfferedLoad) -> LoadReport {
        let streams = load.concurrency().map_or_else(|| load.request_rate().unwrap().per_s * 4.0, f64::from);
        let seed = (self.noise * 1e15) as u64 ^ streams.to_bits();
        let chance: f64 = Normal::new(1.0, self.noise).unwrap().sample(&mut StdRng::seed_from_u64(seed));
        let throughput = 50.0 * streams.min(self.slots) * chance;
        let ttft_ms = 100.0 * (streams / self.slots).max(1.0) + streams / 1000.0;
        let mut report = LoadReport { offered_load: load, ..report(&plan(), 0) };
        report.output_tokens_per_s = throughput;
        report.server.requests_waiting_mean = Observed::absent("the model does not say");
        let standard_error = self.noise * throughput;
        let half = 2.09 * standard_error;
        let estimate = Estimate {
            value: throughput,
            standard_error,
            degrees_of_freedom: 19.0,
            low: throughput - half,
            high: throughput + half,
        };
        report.estimates = [(Metric::OutputTokensPerS, estimate)].into();
        for percentile in [
            &mut report.ttft_ms.p50,
            &mut report.ttft_ms.p90,
            &mut report.ttft_ms.p95,
            &mut report.ttft_ms.p99,
        ] {
            *percentile = ttft_ms;
        }
        report
    }
}
