//! A baseline: what was measured before. A number counts as worse when more than chance tells it from the earlier one
//! (Welch's test) and it is worse by more than is tolerated.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use accelbench_core::comparison::Better;
use accelbench_core::load::LoadReport;
use accelbench_core::metric::Metric;
use accelbench_core::stats::{Difference, Verdict};
use anyhow::{Context as _, bail};

use super::Judgement;

/// Which way of a metric is better.
pub(crate) fn better(metric: Metric) -> Better {
    if matches!(metric, Metric::Latency(..)) { Better::Lower } else { Better::Higher }
}

/// What `bench -o json` wrote; `-` is stdin.
pub(crate) fn read_reports(file: &Path) -> anyhow::Result<Vec<LoadReport>> {
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin().read_to_string(&mut text).context("stdin cannot be read")?;
    } else {
        text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    let reports: Vec<LoadReport> = serde_json::from_str(&text).with_context(|| {
        format!("{} holds no list of load reports, as `bench --output json` writes it", file.display())
    })?;
    if reports.is_empty() {
        bail!("{} holds no load report", file.display());
    }
    Ok(reports)
}

/// Holds each load point against the same one of the baseline.
pub(super) fn judge(
    baseline: &[LoadReport],
    reports: &[LoadReport],
    tolerance: f64,
    file: &Path,
) -> anyhow::Result<Vec<Judgement>> {
    let mut judgements = Vec::new();
    for report in reports {
        let load = report.offered_load;
        let Some(earlier) = baseline.iter().find(|earlier| earlier.offered_load == load) else {
            bail!("{} has no load point `{load}`; measure the baseline at the same ones", file.display());
        };
        let both = report.estimates.keys().filter(|metric| earlier.estimates.contains_key(metric));
        judgements.extend(both.filter_map(|metric| compare(*metric, earlier, report, tolerance)));
    }
    if judgements.is_empty() && !reports.is_empty() {
        bail!(
            "nothing can be held against {}: too few requests for an interval; raise --min-requests",
            file.display()
        );
    }
    Ok(judgements)
}

fn compare(metric: Metric, earlier: &LoadReport, report: &LoadReport, tolerance: f64) -> Option<Judgement> {
    let (base, other) = (earlier.estimates.get(&metric)?, report.estimates.get(&metric)?);
    let difference = Difference::between(base, other);
    let percent = if base.value == 0.0 { 0.0 } else { 100.0 * difference.value / base.value };
    let is_worse = match better(metric) {
        Better::Higher => difference.verdict == Verdict::Lower && percent < -tolerance,
        Better::Lower => difference.verdict == Verdict::Higher && percent > tolerance,
    };
    let (before, after) = (base.value, other.value);
    let sentence = if difference.verdict == Verdict::NoClearDifference {
        format!("{metric} was {before:.2} and is {after:.2}: no clear difference")
    } else {
        format!(
            "{metric} was {before:.2} and is {after:.2}: {percent:+.1} % ({:+.2} to {:+.2})",
            difference.low, difference.high
        )
    };
    Some(Judgement {
        load: report.offered_load.to_string(),
        condition: format!("{metric} is not worse than the baseline by more than {tolerance} %"),
        holds: !is_worse,
        sentence,
    })
}
