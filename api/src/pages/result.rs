//! One result: every number with its interval, whether it can be trusted, what it costs by tier, where it comes from, and
//! how to measure it again.

use accelbench_core::cost::Throughput;
use accelbench_core::load::OfferedLoad;
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_core::result::{BenchmarkResult, ResultId};
use accelbench_store::{prices, results, runs};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, State};

use super::frame::{Frame, Section};
use crate::app::App;
use crate::body::Parameters;
use crate::chart::Chart;
use crate::error::ApiError;
use crate::html as filters;
use crate::pricing::{PriceParts, Pricing};
use crate::reproduce;
use crate::rest::results::load_of_run;
use crate::tier_costs::{CostParameters, TierCosts, of_known_tiers};

mod course;
mod provenance;

#[derive(Template, WebTemplate)]
#[template(path = "results/show.html")]
pub(crate) struct ResultPage {
    frame: Frame,
    result: BenchmarkResult,
    pricing: Pricing,
    regions: Vec<String>,
    tiers: Vec<TierCosts>,
    charts: Vec<Chart>,
    /// The other load points of its run.
    siblings: Vec<(OfferedLoad, ResultId)>,
    provenance: Vec<provenance::Fact>,
    command: String,
    command_lacks: Option<&'static str>,
    request_json: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Parameters(parts): Parameters<PriceParts>,
) -> Result<ResultPage, ApiError> {
    let mut connection = app.connection().await?;
    let unknown = |_| ApiError::not_found("result", &id);
    let result = results::find(&mut connection, id.parse().map(ResultId).map_err(unknown)?).await?;
    let pricing = parts.pricing()?;
    let run = runs::find(&mut connection, result.run_id).await?;
    let siblings = load_of_run(&mut connection, result.run_id).await?;
    let throughput = Throughput::of(&result.report);
    let instance_type = &result.provenance.instance_type;
    let region = CostParameters::of_region(&pricing.region);
    Ok(ResultPage {
        tiers: of_known_tiers(&mut connection, instance_type, &throughput, &region).await?,
        frame: Frame::load(&mut connection, Section::Runs).await?,
        regions: prices::regions(&mut connection).await?,
        pricing,
        charts: course::charts(&result.report),
        siblings: siblings.iter().map(|sibling| (sibling.offered_load, sibling.id)).collect(),
        provenance: provenance::facts(&result),
        command: reproduce::command(&run.spec),
        command_lacks: reproduce::left_out(&run.spec),
        request_json: serde_json::to_string_pretty(&run.spec).unwrap_or_default(),
        result,
    })
}

/// The latencies by the names that people use.
const LATENCIES: [(&str, Latency); 4] =
    [("TTFT", Latency::Ttft), ("ITL", Latency::Itl), ("TPOT", Latency::Tpot), ("E2E", Latency::E2e)];

impl ResultPage {
    /// A statistic with its interval; nothing where too few requests carry it.
    fn value(&self, latency: Latency, statistic: Statistic) -> Option<(f64, Option<(f64, f64)>)> {
        let report = &self.result.report;
        let metric = Metric::Latency(latency, statistic);
        report.supports(statistic).then(|| {
            let interval = report.estimates.get(&metric).map(|estimate| (estimate.low, estimate.high));
            (report.value(metric), interval)
        })
    }
}
