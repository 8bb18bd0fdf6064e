//! Results that others published, as they come with a release: numbers on the first day, shown as what they are.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;

use accelbench_core::imported::{EngineSetup, Hardware, ImportedResult, MeasurementKind, Source};
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::load::{Arrivals, OfferedLoad, RequestRate};
use accelbench_core::metric::Metric;
use accelbench_core::model::ModelId;
use serde::Deserialize;

use super::{broken, read};
use crate::{Error, Result};

const RESULTS: &[u8] = include_bytes!("../../seed/published.csv");
const SOURCES: &[u8] = include_bytes!("../../seed/published_sources.csv");
const CAVEATS: &[u8] = include_bytes!("../../seed/published_caveats.csv");

#[derive(Deserialize)]
struct Row {
    source: u32,
    model: ModelId,
    instance_type: Option<InstanceTypeName>,
    comparable_instance_type: Option<InstanceTypeName>,
    accelerator_name: Option<String>,
    accelerators_used: Option<u32>,
    description: Option<String>,
    engine: Option<String>,
    engine_version: Option<String>,
    precision: Option<String>,
    tensor_parallel: Option<u32>,
    kind: MeasurementKind,
    concurrency: Option<NonZeroU32>,
    request_rate_per_s: Option<f64>,
    batch_size: Option<u32>,
    input_tokens_mean: Option<f64>,
    output_tokens_mean: Option<f64>,
    requests_completed: Option<u64>,
    caveats: String,
}

#[derive(Deserialize)]
struct SourceRow {
    code: u32,
    name: String,
    reference: Option<String>,
    licence: Option<String>,
    date: Option<String>,
}

#[derive(Deserialize)]
struct CaveatRow {
    code: u32,
    caveat: String,
}

/// Every published result of this release.
pub(super) fn results() -> Result<Vec<ImportedResult>> {
    let sources: HashMap<u32, Source> = read::<SourceRow>("published sources", SOURCES)?
        .into_iter()
        .map(|SourceRow { code, name, reference, licence, date }| {
            (code, Source { name, reference, licence, date })
        })
        .collect();
    let caveats: HashMap<u32, String> = read::<CaveatRow>("published caveats", CAVEATS)?
        .into_iter()
        .map(|CaveatRow { code, caveat }| (code, caveat))
        .collect();
    let rows: Vec<Row> = read("published results", RESULTS)?;
    // The columns of metrics have the metrics' names.
    let metrics: Vec<HashMap<String, String>> = read("published results", RESULTS)?;
    rows.into_iter().zip(metrics).map(|(row, cells)| result(row, &cells, &sources, &caveats)).collect()
}

fn result(
    row: Row,
    cells: &HashMap<String, String>,
    sources: &HashMap<u32, Source>,
    caveats: &HashMap<u32, String>,
) -> Result<ImportedResult> {
    let unknown = |what: &str, code: &str| {
        Error::Conflict(format!("the published results of this release name an unknown {what} `{code}`"))
    };
    let caveats = row.caveats.split_whitespace().map(|code| {
        let caveat = code.parse().ok().and_then(|code: u32| caveats.get(&code));
        caveat.cloned().ok_or_else(|| unknown("caveat", code))
    });
    let result = ImportedResult {
        source: sources
            .get(&row.source)
            .cloned()
            .ok_or_else(|| unknown("source", &row.source.to_string()))?,
        offered_load: row.load(),
        metrics: metrics(cells),
        caveats: caveats.collect::<Result<_>>()?,
        model: row.model,
        hardware: Hardware {
            instance_type: row.instance_type,
            comparable_instance_type: row.comparable_instance_type,
            accelerator_name: row.accelerator_name,
            accelerators_used: row.accelerators_used,
            description: row.description,
        },
        engine: EngineSetup {
            name: row.engine,
            version: row.engine_version,
            precision: row.precision,
            tensor_parallel: row.tensor_parallel,
        },
        kind: row.kind,
        batch_size: row.batch_size,
        input_tokens_mean: row.input_tokens_mean,
        output_tokens_mean: row.output_tokens_mean,
        requests_completed: row.requests_completed,
        requests_failed: None,
    };
    result.validate().map_err(|error| broken("published results", &error))?;
    Ok(result)
}

impl Row {
    fn load(&self) -> Option<OfferedLoad> {
        let rate = |per_s| OfferedLoad::RequestRate(RequestRate { per_s, arrivals: Arrivals::Poisson });
        self.concurrency.map(OfferedLoad::Concurrency).or_else(|| self.request_rate_per_s.map(rate))
    }
}

fn metrics(cells: &HashMap<String, String>) -> BTreeMap<Metric, f64> {
    let cell = |metric: Metric| cells.get(&metric.to_string())?.parse().ok();
    Metric::all().filter_map(|metric| Some((metric, cell(metric)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use accelbench_core::metric::Metric;

    use super::results;

    #[test]
    fn every_published_result_has_numbers_a_source_and_an_identity() {
        let results = results().unwrap();
        assert_eq!(results.len(), 3453);
        let ids: HashSet<String> = results.iter().map(|result| result.id().to_string()).collect();
        assert_eq!(ids.len(), results.len());
        assert!(results.iter().all(|result| result.source.licence.is_some()));
        let with_throughput =
            results.iter().filter(|result| result.metrics.contains_key(&Metric::OutputTokensPerS)).count();
        assert!(with_throughput > 3000, "{with_throughput}");
        let really_on_aws = results.iter().filter(|result| result.hardware.instance_type.is_some()).count();
        assert_eq!(really_on_aws, 958);
    }
}
