//! `--like`: repeats a result from its stored configuration and says whether anything differs.

use accelbench_core::load::LoadReport;
use accelbench_core::metric::Metric;
use accelbench_core::result::BenchmarkResult;
use accelbench_core::stats::{Difference, Verdict};
use serde::Serialize;
use serde_json::{Value, json};

use super::request::RequestArguments;
use crate::exit::Failure;
use crate::output;
use crate::session::Session;
use crate::tables::comparison;

/// A number then and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Pair {
    pub(crate) load: String,
    pub(crate) metric: Metric,
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// By Welch's test; nothing where too few requests were completed.
    pub(crate) difference: Option<Difference>,
}

/// The result, or those of the run.
pub(super) async fn originals(session: &Session, id: &str) -> anyhow::Result<Vec<BenchmarkResult>> {
    let missing = match session.client.result(id).await {
        Ok(result) => return Ok(vec![result]),
        Err(error) => error,
    };
    match session.client.results_of(id).await {
        Ok(results) if !results.is_empty() => Ok(results),
        Ok(_) => Err(Failure::NotFound {
            message: format!("run {id} has no results that could be repeated"),
            hint: Some(format!(
                "`accelbench runs show {id}` says why; `accelbench runs retry {id}` tries it again"
            )),
        }
        .into()),
        Err(_) => Err(missing),
    }
}

/// The same request, for the same commit and load points. What an exploration found is given now.
pub(super) async fn request(
    session: &Session,
    arguments: &RequestArguments,
    originals: &[BenchmarkResult],
) -> anyhow::Result<Value> {
    let first = originals.first().ok_or_else(|| anyhow::anyhow!("there is nothing to repeat"))?;
    let run = session.client.run(&first.run_id.to_string()).await?;
    let mut request = serde_json::to_value(&run.spec)?;
    let loads: Vec<_> = originals.iter().map(|result| result.offered_load).collect();
    request["load_points"] = json!(loads);
    if let Some(fields) = request.as_object_mut() {
        fields.remove("exploration");
    }
    if let Some(revision) = first.provenance.revision.value() {
        request["revision"] = json!(revision);
    }
    arguments.complete(session, request)
}

/// Both, side by side.
pub(super) fn show(
    session: &Session,
    originals: &[BenchmarkResult],
    results: &[BenchmarkResult],
) -> anyhow::Result<()> {
    let mut pairs = Vec::new();
    for (before, after) in originals.iter().zip(results) {
        pairs.extend(compare(&before.report, &after.report));
    }
    session.output.show(&pairs, || comparison::pairs(&pairs))?;
    let (unlike, all) = (pairs.iter().filter(|pair| pair.differs()).count(), pairs.len());
    output::notice(&match unlike {
        0 => format!("no clear difference in any of {all} numbers"),
        unlike => format!("{unlike} of {all} numbers differ by more than chance makes of equal ones"),
    });
    for (before, after) in originals.iter().zip(results) {
        if before.provenance.engine_version != after.provenance.engine_version {
            output::notice("note: the engine is of another version now");
        }
    }
    Ok(())
}

fn compare(before: &LoadReport, after: &LoadReport) -> Vec<Pair> {
    let pair = |metric: Metric| {
        if let Metric::Latency(_, statistic) = metric
            && !(before.supports(statistic) && after.supports(statistic))
        {
            return None;
        }
        let estimates = before.estimates.get(&metric).zip(after.estimates.get(&metric));
        Some(Pair {
            load: after.offered_load.to_string(),
            metric,
            before: before.value(metric),
            after: after.value(metric),
            difference: estimates.map(|(before, after)| Difference::between(before, after)),
        })
    };
    Metric::all().filter_map(pair).collect()
}

impl Pair {
    fn differs(&self) -> bool {
        self.difference.is_some_and(|difference| difference.verdict != Verdict::NoClearDifference)
    }
}
