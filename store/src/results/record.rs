//! Writing the results of a run: one row for each load point, read back and compared before the run counts as
//! succeeded, all in one transaction.

use std::collections::BTreeMap;

use accelbench_core::load::LoadReport;
use accelbench_core::model::Revision;
use accelbench_core::observed::Observed;
use accelbench_core::result::{BenchmarkResult, Provenance};
use accelbench_core::run::{Phase, Run, Transition};
use accelbench_core::validity;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::metrics::{self, itl_basis};
use super::{ResultFilter, list};
use crate::lease::{self, Advance, Lease};
use crate::{Error, Result, intake};

/// Records the results of a run whose reports have all arrived and moves it on to its teardown. The caller's
/// transaction makes it one: either the run has all its results and succeeds, or nothing was written.
///
/// # Errors
/// [`Error::LeaseLost`]; [`Error::Conflict`] when the run is not recording, a report is missing, or what was read back
/// differs from what was written.
pub async fn record(
    connection: &mut PgConnection,
    lease: Lease,
    run: &Run,
    provenance: &Provenance,
) -> Result<Vec<BenchmarkResult>> {
    lease::check(connection, lease).await?;
    if run.phase != Phase::Recording {
        return Err(Error::Conflict(format!("run {} is {} and does not record", run.id, run.phase)));
    }
    let reports = intake::reports(connection, run.id).await?;
    let (found, wanted) = (reports.len(), run.load_point_count as usize);
    if found != wanted {
        return Err(Error::Conflict(format!(
            "run {} has reports for {found} of {wanted} load points",
            run.id
        )));
    }
    for report in &reports {
        insert(connection, run, provenance, report).await?;
    }
    let recorded = read_back(connection, run, provenance, &reports).await?;
    let message = format!("{} results recorded and read back", recorded.len());
    let step = Advance { run, transition: Transition::Recorded, message: &message, endpoint: None };
    lease::advance(connection, lease, step).await?;
    Ok(recorded)
}

#[expect(clippy::too_many_lines, reason = "one line for each column of one statement")]
async fn insert(
    connection: &mut PgConnection,
    run: &Run,
    provenance: &Provenance,
    report: &LoadReport,
) -> Result<()> {
    sqlx::query_file!(
        "queries/results/insert.sql",
        Uuid::now_v7(),
        run.id.uuid(),
        report.load_point_index.cast_signed(),
        provenance.origin.as_str(),
        provenance.platform,
        provenance.model.as_str(),
        provenance.instance_type.as_str(),
        provenance.engine.as_str(),
        provenance.tensor_parallel.cast_signed(),
        provenance.dataset_sha256.as_str(),
        Json(&run.spec.workload) as _,
        provenance.workload_sha256.as_str(),
        run.spec.workload.seed.cast_signed(),
        report.loadgen_version,
        run.submitted_by,
        provenance.revision.value().map(Revision::as_str),
        provenance.engine_version.value(),
        provenance.engine_image_digest.value(),
        provenance.engine_arguments.value().map(Vec::as_slice),
        provenance.quantization.value().map(|quantization| quantization.as_str()),
        provenance.accelerators_used.value().map(|count| count.cast_signed()),
        provenance.ami.value(),
        provenance.driver_version.value(),
        provenance.availability_zone.value(),
        report.accelerator_utilization_percent.value(),
        report.accelerator_memory_peak_gib.value(),
        Json(absent_reasons(provenance, report)) as _,
        report.offered_load.concurrency().map(u32::cast_signed),
        report.offered_load.request_rate().map(|rate| rate.per_s),
        report.offered_load.request_rate().map(|rate| rate.arrivals.as_str()),
        report.offered_load.request_rate().and_then(|rate| rate.arrivals.burstiness()),
        report.concurrency_mean,
        report.started_at,
        report.finished_at,
        report.window_s,
        report.requests_completed.cast_signed(),
        report.failed().cast_signed(),
        report.ttft_ms.mean,
        report.ttft_ms.p50,
        report.ttft_ms.p90,
        report.ttft_ms.p95,
        report.ttft_ms.p99,
        report.ttft_ms.max,
        report.itl_ms.mean,
        report.itl_ms.p50,
        report.itl_ms.p90,
        report.itl_ms.p95,
        report.itl_ms.p99,
        report.itl_ms.max,
        report.tpot_ms.mean,
        report.tpot_ms.p50,
        report.tpot_ms.p90,
        report.tpot_ms.p95,
        report.tpot_ms.p99,
        report.tpot_ms.max,
        report.e2e_ms.mean,
        report.e2e_ms.p50,
        report.e2e_ms.p90,
        report.e2e_ms.p95,
        report.e2e_ms.p99,
        report.e2e_ms.max,
        itl_basis(report.itl_basis),
        report.request_output_tokens_per_s.mean,
        report.request_output_tokens_per_s.p50,
        report.output_tokens_per_s,
        report.input_tokens_per_s,
        report.requests_per_s,
        report.input_tokens.mean,
        report.output_tokens.mean,
        validity::overall(&report.checks).as_str(),
        report.offered_load.trace_speed(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads the run's results from their table and holds them against the reports, load point by load point.
async fn read_back(
    connection: &mut PgConnection,
    run: &Run,
    provenance: &Provenance,
    reports: &[LoadReport],
) -> Result<Vec<BenchmarkResult>> {
    let filter = ResultFilter {
        run_id: Some(run.id),
        include_invalid: true,
        include_superseded: true,
        ..ResultFilter::default()
    };
    let mut recorded = list(connection, &filter, i64::from(u8::MAX)).await?;
    recorded.sort_by_key(|result| result.report.load_point_index);
    let same = recorded.len() == reports.len()
        && recorded.iter().zip(reports).all(|(result, report)| {
            let expected =
                Provenance { loadgen_version: report.loadgen_version.clone(), ..provenance.clone() };
            result.report == *report
                && result.provenance == expected
                && result.validity == validity::overall(&report.checks)
        })
        && metrics::agree(connection, run.id, reports).await?;
    if same {
        Ok(recorded)
    } else {
        Err(Error::Conflict(format!("the results of run {} differ when they are read back", run.id)))
    }
}

/// The reason for each value that is absent, under the name of its column.
fn absent_reasons(provenance: &Provenance, report: &LoadReport) -> BTreeMap<&'static str, String> {
    fn reason<T>(observed: &Observed<T>) -> Option<String> {
        observed.absent_reason().map(str::to_owned)
    }
    [
        ("revision", reason(&provenance.revision)),
        ("engine_version", reason(&provenance.engine_version)),
        ("engine_image_digest", reason(&provenance.engine_image_digest)),
        ("engine_arguments", reason(&provenance.engine_arguments)),
        ("quantization", reason(&provenance.quantization)),
        ("accelerators_used", reason(&provenance.accelerators_used)),
        ("ami", reason(&provenance.ami)),
        ("driver_version", reason(&provenance.driver_version)),
        ("availability_zone", reason(&provenance.availability_zone)),
        ("accelerator_utilization_percent", reason(&report.accelerator_utilization_percent)),
        ("accelerator_memory_peak_gib", reason(&report.accelerator_memory_peak_gib)),
    ]
    .into_iter()
    .filter_map(|(column, reason)| Some((column, reason?)))
    .collect()
}
