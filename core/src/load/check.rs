//! Whether a load report can be what a run's load generator measured: forged, truncated and mixed-up reports are
//! refused before they reach the database.

use super::{InvalidDistribution, LoadPlan, LoadReport, SCHEMA_VERSION, TimeSeries};
use crate::run::RunId;
use crate::run::spec::validate_load_point;

/// Why a load report is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidReport {
    /// The report has another form than this version reads.
    #[error(
        "the report has schema version {0}, this server reads {SCHEMA_VERSION}; use the same release on both sides"
    )]
    SchemaVersion(u32),
    /// The report belongs to another run.
    #[error("the report is for run {0}")]
    Run(RunId),
    /// The plan has no such load point.
    #[error("the plan has no load point {0}")]
    LoadPoint(u32),
    /// The load differs from the planned one.
    #[error("load point {0} offers another load than planned")]
    OfferedLoad(u32),
    /// The report was made for another workload.
    #[error("the report's workload hash differs from the plan's")]
    Workload,
    /// A number cannot be what it claims.
    #[error("{field} cannot be right: {problem}")]
    Number {
        /// The field of the report.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl LoadReport {
    /// Checks the report against the plan that it answers, and its numbers against each other.
    ///
    /// # Errors
    /// The first [`InvalidReport`] found.
    pub fn validate(&self, plan: &LoadPlan) -> Result<(), InvalidReport> {
        self.validate_identity(plan)?;
        self.validate_summaries()?;
        self.validate_estimates()?;
        self.validate_course()?;
        self.validate_rates()?;
        self.validate_observed()
    }

    fn validate_identity(&self, plan: &LoadPlan) -> Result<(), InvalidReport> {
        if self.schema_version != SCHEMA_VERSION {
            return Err(InvalidReport::SchemaVersion(self.schema_version));
        }
        if self.run_id != plan.run_id {
            return Err(InvalidReport::Run(self.run_id));
        }
        let index = self.load_point_index;
        if self.workload_sha256 != plan.workload.fingerprint(&plan.dataset_sha256) {
            return Err(InvalidReport::Workload);
        }
        match plan.load_points.get(index as usize) {
            None if plan.explores(index) && validate_load_point(self.offered_load).is_ok() => Ok(()),
            None => Err(InvalidReport::LoadPoint(index)),
            Some(planned) if *planned != self.offered_load => Err(InvalidReport::OfferedLoad(index)),
            Some(_) => Ok(()),
        }
    }

    fn validate_summaries(&self) -> Result<(), InvalidReport> {
        for (field, summary) in [
            ("ttft_ms", &self.ttft_ms),
            ("itl_ms", &self.itl_ms),
            ("tpot_ms", &self.tpot_ms),
            ("e2e_ms", &self.e2e_ms),
            ("request_output_tokens_per_s", &self.request_output_tokens_per_s),
            ("input_tokens", &self.input_tokens),
            ("output_tokens", &self.output_tokens),
        ] {
            if !summary.is_sane() {
                let problem = "its percentiles are not finite, not in order or below zero";
                return Err(InvalidReport::Number { field, problem });
            }
        }
        // A request with one token has no TPOT, so its count may be lower; that of the others may not.
        for (field, count) in [
            ("ttft_ms", self.ttft_ms.count),
            ("e2e_ms", self.e2e_ms.count),
            ("output_tokens", self.output_tokens.count),
            ("input_tokens", self.input_tokens.count),
        ] {
            if count != self.requests_completed {
                let problem = "its count differs from requests_completed";
                return Err(InvalidReport::Number { field, problem });
            }
        }
        Ok(())
    }

    /// An estimate belongs to a number of the report: it may not say another one.
    fn validate_estimates(&self) -> Result<(), InvalidReport> {
        for (&metric, estimate) in &self.estimates {
            let value = self.value(metric);
            if !estimate.is_sane() || (estimate.value - value).abs() > 1e-6 * value.abs() {
                let problem = "one of them is not in order or differs from the number that it belongs to";
                return Err(InvalidReport::Number { field: "estimates", problem });
            }
        }
        Ok(())
    }

    fn validate_course(&self) -> Result<(), InvalidReport> {
        let number = |field, problem| Err(InvalidReport::Number { field, problem });
        if !self.time_series.as_ref().is_some_and(TimeSeries::is_sane) {
            return number("time_series", "it is missing, incomplete or not finite");
        }
        let Some(distributions) = &self.distributions else {
            return number("distributions", "they are missing");
        };
        for (distribution, summary) in [
            (&distributions.ttft, &self.ttft_ms),
            (&distributions.itl, &self.itl_ms),
            (&distributions.tpot, &self.tpot_ms),
            (&distributions.e2e, &self.e2e_ms),
        ] {
            match distribution.histogram() {
                Ok(histogram) if histogram.len() == summary.count => {}
                Ok(_) => return number("distributions", "one of them counts other samples than its summary"),
                Err(InvalidDistribution) => {
                    return number("distributions", "one of them cannot be read as an HdrHistogram");
                }
            }
        }
        Ok(())
    }

    fn validate_observed(&self) -> Result<(), InvalidReport> {
        let accelerators = [
            ("accelerator_utilization_percent", &self.accelerator_utilization_percent, 100.0),
            ("accelerator_tensor_active_percent", &self.accelerator_tensor_active_percent, 100.0),
            ("accelerator_memory_peak_gib", &self.accelerator_memory_peak_gib, f64::MAX),
            ("accelerator_power_w", &self.accelerator_power_w, f64::MAX),
            ("accelerator_energy_per_output_token_j", &self.accelerator_energy_per_output_token_j, f64::MAX),
        ];
        let server = self.server.all().map(|(field, observed)| (field, observed, f64::MAX));
        for (field, observed, most) in accelerators.into_iter().chain(server) {
            if observed.value().is_some_and(|value| !(0.0..=most).contains(value)) {
                let problem = "it is below zero, above 100 percent or not finite";
                return Err(InvalidReport::Number { field, problem });
            }
        }
        Ok(())
    }

    fn validate_rates(&self) -> Result<(), InvalidReport> {
        let number = |field, problem| Err(InvalidReport::Number { field, problem });
        for (field, value) in [
            ("window_s", self.window_s),
            ("output_tokens_per_s", self.output_tokens_per_s),
            ("input_tokens_per_s", self.input_tokens_per_s),
            ("requests_per_s", self.requests_per_s),
            ("concurrency_mean", self.concurrency_mean),
        ] {
            if !value.is_finite() || value <= 0.0 {
                return number(field, "it is not above zero");
            }
        }
        if !self.warmup_s.is_finite() || self.warmup_s < 0.0 {
            return number("warmup_s", "it is below zero");
        }
        let good = self.goodput.as_ref();
        if good.is_some_and(|good| !(0.0..=1.0).contains(&good.share) || !good.requests_per_s.is_finite()) {
            return number("goodput", "it is no share of the requests");
        }
        if self.finished_at < self.started_at {
            return number("finished_at", "it is before started_at");
        }
        if self.checks.is_empty() {
            return number("checks", "there is none");
        }
        if self.checks.iter().any(|check| !check.observed.is_finite() || !check.limit.is_finite()) {
            return number("checks", "a number in them is not finite");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::InvalidReport;
    use crate::load::examples::{plan, report};
    use crate::run::RunId;

    #[test]
    fn a_true_report_passes() {
        let plan = plan();
        assert_eq!(report(&plan, 0).validate(&plan), Ok(()));
    }

    #[test]
    fn mixed_up_and_forged_reports_are_refused() {
        let plan = plan();
        let mut other_run = report(&plan, 0);
        other_run.run_id = RunId::new();
        assert_eq!(other_run.validate(&plan), Err(InvalidReport::Run(other_run.run_id)));

        let mut no_such_point = report(&plan, 0);
        no_such_point.load_point_index = 9;
        assert_eq!(no_such_point.validate(&plan), Err(InvalidReport::LoadPoint(9)));

        let mut other_load = report(&plan, 0);
        other_load.load_point_index = 1;
        assert_eq!(other_load.validate(&plan), Err(InvalidReport::OfferedLoad(1)));

        let mut too_good = report(&plan, 0);
        too_good.output_tokens_per_s = f64::INFINITY;
        assert!(matches!(
            too_good.validate(&plan),
            Err(InvalidReport::Number { field: "output_tokens_per_s", .. })
        ));

        let mut cut_short = report(&plan, 0);
        cut_short.requests_completed += 1;
        assert!(matches!(cut_short.validate(&plan), Err(InvalidReport::Number { field: "ttft_ms", .. })));

        let mut unchecked = report(&plan, 0);
        unchecked.checks.clear();
        assert!(unchecked.validate(&plan).is_err());
    }
}
