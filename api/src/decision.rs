//! The answer to "what is the cheapest configuration that keeps this SLO at this load", from what was measured and what it
//! costs. Only results of one workload are held against each other, and the newest of each load point counts. The home
//! page, the REST API and through it the command line ask here.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::observed::Observed;
use accelbench_core::price::HourlyPrice;
use accelbench_core::recommendation::{
    Candidate, Configuration, Lengths, Point, Question, Recommendation, published, recommend,
};
use accelbench_core::result::{BenchmarkResult, Origin};
use accelbench_store::imported::{self, ImportFilter};
use accelbench_store::results::{self, ResultFilter};
use accelbench_store::{Error, PgConnection};

use crate::error::ApiError;
use crate::pricing::{PriceList, Pricing};

/// Results that are looked at for one answer.
const MOST_RESULTS: i64 = 5000;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) question: Question,
    pub(crate) pricing: Pricing,
    pub(crate) evidence: Evidence,
    pub(crate) workload: Workload,
}

/// What may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Results of this origin alone.
    Only(Origin),
    /// What was measured here; where nothing was, what others published.
    MeasuredElsePublished,
}

/// Of which workload the results are to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Workload {
    /// Of exactly this one.
    Exactly(Sha256Hex),
    /// Of the one whose mean lengths come nearest.
    Nearest(Lengths),
    /// Of the one that was measured last.
    Newest,
}

/// The answer with what it rests on.
pub(crate) struct Decision {
    pub(crate) origin: Origin,
    /// The measured workload; nothing without results, and for what others published.
    pub(crate) workload_sha256: Option<Sha256Hex>,
    /// The workload's mean lengths; nothing without results.
    pub(crate) lengths: Option<Lengths>,
    pub(crate) recommendation: Recommendation,
    pub(crate) prices: PriceList,
}

/// Lengths that published workloads are compared with where nobody asked for any.
const USUAL: Lengths = Lengths { input_tokens: 512.0, output_tokens: 512.0 };

/// Answers from what is stored.
pub(crate) async fn decide(connection: &mut PgConnection, asked: Asked) -> Result<Decision, ApiError> {
    let Asked { model, question, pricing, evidence, workload } = asked;
    let prices = pricing.load(connection).await?;
    match evidence {
        Evidence::Only(Origin::Imported) => {
            Ok(of_published(connection, &model, &workload, &question, prices).await?)
        }
        Evidence::Only(origin) => {
            let results = of_origin(connection, &model, origin).await?;
            Ok(of_results(&results, origin, &workload, &question, prices))
        }
        Evidence::MeasuredElsePublished => {
            let results = of_origin(connection, &model, Origin::Measured).await?;
            if results.is_empty() {
                return Ok(of_published(connection, &model, &workload, &question, prices).await?);
            }
            Ok(of_results(&results, Origin::Measured, &workload, &question, prices))
        }
    }
}

async fn of_origin(
    connection: &mut PgConnection,
    model: &str,
    origin: Origin,
) -> Result<Vec<BenchmarkResult>, Error> {
    let filter = ResultFilter {
        model: Some(model.to_owned()),
        origin: Some(origin),
        // What failed its checks is told as the reason why it is no answer.
        include_invalid: true,
        ..ResultFilter::default()
    };
    results::list(connection, &filter, MOST_RESULTS).await
}

fn of_results(
    results: &[BenchmarkResult],
    origin: Origin,
    workload: &Workload,
    question: &Question,
    prices: PriceList,
) -> Decision {
    let chosen = match workload {
        Workload::Exactly(workload) => Some(workload.clone()),
        Workload::Newest => results.first().map(workload_of),
        Workload::Nearest(asked) => {
            let nearest = results
                .iter()
                .min_by(|a, b| lengths(a).factor_to(*asked).total_cmp(&lengths(b).factor_to(*asked)));
            nearest.map(workload_of)
        }
    };
    let of_workload = || results.iter().filter(|result| Some(workload_of(result)) == chosen);
    let candidates = candidates(of_workload(), |instance_type| prices.of(instance_type));
    Decision {
        origin,
        lengths: of_workload().next().map(lengths),
        recommendation: recommend(&candidates, question),
        workload_sha256: chosen,
        prices,
    }
}

async fn of_published(
    connection: &mut PgConnection,
    model: &str,
    workload: &Workload,
    question: &Question,
    prices: PriceList,
) -> Result<Decision, Error> {
    let filter = ImportFilter { model: Some(model.to_owned()), ..ImportFilter::default() };
    let stored = imported::list(connection, &filter, MOST_RESULTS).await?;
    let results: Vec<_> = stored.iter().map(|stored| (&stored.result, stored.imported_at)).collect();
    let asked = match workload {
        Workload::Nearest(lengths) => *lengths,
        // What others published has no fingerprint of ours.
        Workload::Exactly(_) | Workload::Newest => USUAL,
    };
    let found = published(&results, asked, |instance_type| prices.of(instance_type));
    Ok(Decision {
        origin: Origin::Imported,
        workload_sha256: None,
        lengths: found.lengths,
        recommendation: recommend(&found.candidates, question),
        prices,
    })
}

fn workload_of(result: &BenchmarkResult) -> Sha256Hex {
    result.provenance.workload_sha256.clone()
}

fn lengths(result: &BenchmarkResult) -> Lengths {
    Lengths { input_tokens: result.report.input_tokens.mean, output_tokens: result.report.output_tokens.mean }
}

/// The load curves; of several results of a load point the newest, which comes first, counts.
fn candidates<'a>(
    results: impl Iterator<Item = &'a BenchmarkResult>,
    price_of: impl Fn(&InstanceTypeName) -> Observed<HourlyPrice>,
) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for result in results {
        let (configuration, point) = (configuration(result), Point::of(result));
        match candidates.iter_mut().find(|candidate| candidate.configuration == configuration) {
            Some(known) if known.points.iter().any(|it| it.offered_load == point.offered_load) => {}
            Some(known) => known.points.push(point),
            None => {
                let price = price_of(&configuration.instance_type);
                candidates.push(Candidate { configuration, points: vec![point], price });
            }
        }
    }
    candidates
}

fn configuration(result: &BenchmarkResult) -> Configuration {
    let provenance = &result.provenance;
    Configuration {
        model: provenance.model.clone(),
        revision: provenance.revision.clone(),
        instance_type: provenance.instance_type.clone(),
        quantization: provenance.quantization.clone(),
        tensor_parallel: provenance.tensor_parallel,
        engine: provenance.engine,
        engine_version: provenance.engine_version.clone(),
    }
}
