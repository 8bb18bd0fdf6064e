//! The numbers as they stand in their columns, held against the report that they were taken from: a column that was
//! bound in another one's place is noticed before the run counts as succeeded.

use accelbench_core::load::{ItlBasis, LoadReport, OfferedLoad};
use accelbench_core::run::RunId;
use accelbench_core::stats::Summary;
use chrono::{DateTime, SubsecRound as _, Utc};
use sqlx::PgConnection;

use crate::Result;

struct MetricsRow {
    load_point_index: i32,
    concurrency: Option<i32>,
    request_rate_per_s: Option<f64>,
    arrivals: Option<String>,
    arrivals_burstiness: Option<f64>,
    trace_speed: Option<f64>,
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    requests_completed: i64,
    requests_failed: i64,
    itl_basis: String,
    ttft_ms: Vec<f64>,
    itl_ms: Vec<f64>,
    tpot_ms: Vec<f64>,
    e2e_ms: Vec<f64>,
    rates: Vec<f64>,
    accelerator_utilization_percent: Option<f64>,
    accelerator_memory_peak_gib: Option<f64>,
}

/// Whether the columns of the run's results say what `reports`, in the order of their load points, say.
///
/// # Errors
/// [`crate::Error::Database`].
pub(super) async fn agree(
    connection: &mut PgConnection,
    run_id: RunId,
    reports: &[LoadReport],
) -> Result<bool> {
    let rows = sqlx::query_file_as!(MetricsRow, "queries/results/metrics.sql", run_id.uuid())
        .fetch_all(connection)
        .await?;
    Ok(rows.len() == reports.len() && rows.iter().zip(reports).all(|(row, report)| row.says(report)))
}

impl MetricsRow {
    fn says(&self, report: &LoadReport) -> bool {
        self.says_what_was_asked(report)
            && self.ttft_ms == latencies(&report.ttft_ms)
            && self.itl_ms == latencies(&report.itl_ms)
            && self.tpot_ms == latencies(&report.tpot_ms)
            && self.e2e_ms == latencies(&report.e2e_ms)
            && self.rates == rates(report)
            && self.accelerator_utilization_percent.as_ref() == report.accelerator_utilization_percent.value()
            && self.accelerator_memory_peak_gib.as_ref() == report.accelerator_memory_peak_gib.value()
    }

    fn says_what_was_asked(&self, report: &LoadReport) -> bool {
        // The database keeps microseconds.
        self.load_point_index == report.load_point_index.cast_signed()
            && self.says_the_load(report.offered_load)
            && self.started_at == report.started_at.trunc_subsecs(6)
            && self.finished_at == report.finished_at.trunc_subsecs(6)
            && self.requests_completed == report.requests_completed.cast_signed()
            && self.requests_failed == report.failed().cast_signed()
            && self.itl_basis == itl_basis(report.itl_basis)
    }

    fn says_the_load(&self, load: OfferedLoad) -> bool {
        let rate = load.request_rate();
        self.concurrency == load.concurrency().map(u32::cast_signed)
            && self.request_rate_per_s == rate.map(|rate| rate.per_s)
            && self.arrivals.as_deref() == rate.map(|rate| rate.arrivals.as_str())
            && self.trace_speed == load.trace_speed()
            && self.arrivals_burstiness == rate.and_then(|rate| rate.arrivals.burstiness())
    }
}

fn latencies(summary: &Summary) -> [f64; 6] {
    [summary.mean, summary.p50, summary.p90, summary.p95, summary.p99, summary.max]
}

fn rates(report: &LoadReport) -> [f64; 9] {
    [
        report.window_s,
        report.concurrency_mean,
        report.request_output_tokens_per_s.mean,
        report.request_output_tokens_per_s.p50,
        report.output_tokens_per_s,
        report.input_tokens_per_s,
        report.requests_per_s,
        report.input_tokens.mean,
        report.output_tokens.mean,
    ]
}

/// The word that stands in the column.
pub(super) fn itl_basis(basis: ItlBasis) -> &'static str {
    match basis {
        ItlBasis::Exact => "exact",
        ItlBasis::Apportioned => "apportioned",
    }
}
