//! `accelbench compare`: results side by side. Only like with like is ranked: valid results of one workload.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use accelbench_core::comparison::{Better, Cell, Entry, compare as rank};
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::load::OfferedLoad;
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_core::model::ModelId;
use accelbench_core::result::{BenchmarkResult, Origin};
use accelbench_core::validity::Outcome;
use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Failure;
use crate::judgement::better;
use crate::session::Session;
use crate::settings::Key;
use crate::tables::comparison;
use crate::{completer, output};

mod chosen;

/// What is compared.
#[derive(Debug, Args)]
pub(crate) struct CompareOptions {
    /// Results, the first of which is what ratios are to; - reads ids from stdin
    #[arg(value_name = "RESULT", required_unless_present = "model", add = completer::results())]
    results: Vec<String>,
    /// Hugging Face id of a model whose current results are compared
    #[arg(long, conflicts_with = "results", requires = "instances", add = completer::models())]
    model: Option<String>,
    /// Instance types, the first of which is what ratios are to
    #[arg(long, value_name = "INSTANCE,...", value_delimiter = ',', requires = "model", add = completer::instances())]
    instances: Vec<String>,
    /// Origin of the model's results: measured or simulated
    #[arg(long, default_value = "measured")]
    origin: String,
    /// Number of simultaneous requests [default: each that was measured]
    #[arg(long)]
    concurrency: Option<u32>,
    /// Numbers to show, for instance output_tokens_per_s,ttft_p95_ms
    #[arg(long, value_name = "METRIC,...", value_delimiter = ',')]
    metric: Vec<Metric>,
    /// Pricing tier of the costs [default: that of the settings, or on_demand]
    #[arg(long)]
    tier: Option<String>,
    /// AWS region of the prices [default: that of the settings, or us-east-1]
    #[arg(long)]
    region: Option<String>,
}

/// Results that are ranked with one another.
#[derive(Debug, Serialize)]
pub(crate) struct Group {
    pub(crate) workload_sha256: String,
    pub(crate) columns: Vec<Column>,
}

/// A result beside others.
#[derive(Debug, Serialize)]
pub(crate) struct Column {
    pub(crate) result_id: String,
    pub(crate) model: ModelId,
    pub(crate) instance_type: InstanceTypeName,
    pub(crate) engine: String,
    pub(crate) quantization: Option<String>,
    pub(crate) origin: Origin,
    pub(crate) offered_load: OfferedLoad,
    pub(crate) validity: Outcome,
    /// Each number under its name, with where it stands.
    pub(crate) numbers: BTreeMap<String, Cell>,
}

/// A result and what a million output tokens cost.
pub(crate) struct Priced {
    result: BenchmarkResult,
    per_million_output_tokens: Option<f64>,
}

impl Priced {
    /// The server's answer about a result, with the cost in a tier.
    pub(crate) fn of(answer: Value, tier: &str) -> anyhow::Result<Self> {
        let tiers = answer["costs"].as_array().into_iter().flatten();
        let per_million_output_tokens = tiers
            .filter(|costs| costs["tier"] == tier)
            .find_map(|costs| costs["costs"]["per_million_output_tokens"]["value"].as_f64());
        Ok(Self { result: serde_json::from_value(answer)?, per_million_output_tokens })
    }
}

const COST: &str = "cost_per_million_output_tokens";

pub(crate) async fn compare(session: &Session, mut options: CompareOptions) -> anyhow::Result<()> {
    options.tier = session.settings.or(options.tier.as_deref(), Key::Tier);
    options.region = session.settings.or(options.region.as_deref(), Key::Region);
    if options.metric.is_empty() {
        options.metric = vec![
            Metric::OutputTokensPerS,
            Metric::Latency(Latency::Ttft, Statistic::P95),
            Metric::Latency(Latency::Itl, Statistic::P95),
            Metric::Latency(Latency::E2e, Statistic::P95),
        ];
    }
    let groups = chosen::groups(session, &options).await?;
    let groups: Vec<Group> = groups.iter().map(|group| ranked(group)).collect();
    session.output.show(&groups, || comparison::groups(&groups, &options.metric))?;
    if session.output.is_for_people() {
        output::notice(
            "`≈ best`: no clear difference from the best (Welch, 95 %); `x`: times the first of its load",
        );
    }
    Ok(())
}

/// Ids from the command line, or from stdin.
fn ids(results: &[String]) -> anyhow::Result<Vec<String>> {
    if results != ["-"] {
        return Ok(results.to_vec());
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("stdin cannot be read")?;
    let ids: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(Failure::NotFound {
            message: "stdin names no result".to_owned(),
            hint: Some("pipe ids in: accelbench query -o name | accelbench compare -".to_owned()),
        }
        .into());
    }
    Ok(ids)
}

/// Ranks results of one group; the first one decides which workload is compared.
pub(crate) fn ranked(group: &[Priced]) -> Group {
    let workload =
        group.first().map(|it| it.result.provenance.workload_sha256.to_string()).unwrap_or_default();
    let is_ranked = |result: &BenchmarkResult| {
        result.validity != Outcome::Fail && result.provenance.workload_sha256.to_string() == workload
    };
    let mut columns: Vec<Column> = group.iter().map(|it| column(&it.result)).collect();
    let mut add = |name: String, entries: Vec<Option<Entry>>, better: Better| {
        for (column, cell) in columns.iter_mut().zip(rank(&entries, better)) {
            column.numbers.extend(cell.map(|cell| (name.clone(), cell)));
        }
    };
    for metric in Metric::all() {
        let entry = |it: &Priced| {
            let report = &it.result.report;
            let is_supported =
                !matches!(metric, Metric::Latency(_, statistic) if !report.supports(statistic));
            is_supported.then(|| Entry {
                value: report.value(metric),
                estimate: report.estimates.get(&metric).copied(),
                is_ranked: is_ranked(&it.result),
            })
        };
        add(metric.to_string(), group.iter().map(entry).collect(), better(metric));
    }
    let cost = |it: &Priced| {
        let value = it.per_million_output_tokens?;
        Some(Entry { value, estimate: None, is_ranked: is_ranked(&it.result) })
    };
    add(COST.to_owned(), group.iter().map(cost).collect(), Better::Lower);
    Group { workload_sha256: workload, columns }
}

fn column(result: &BenchmarkResult) -> Column {
    let provenance = &result.provenance;
    Column {
        result_id: result.id.0.to_string(),
        model: provenance.model.clone(),
        instance_type: provenance.instance_type.clone(),
        engine: provenance.engine.to_string(),
        quantization: provenance.quantization.value().map(ToString::to_string),
        origin: provenance.origin,
        offered_load: result.offered_load,
        validity: result.validity,
        numbers: BTreeMap::new(),
    }
}
