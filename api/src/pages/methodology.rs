//! How numbers are made: definitions, formulas with an example that the same code reckons as everything else, and when a
//! number is not believed.

use accelbench_core::cost::{Costs, MonthlyProjection, OutputWeight, Throughput, monthly_projection};
use accelbench_core::metric::Statistic;
use accelbench_core::observed::Observed;
use accelbench_core::price::HourlyPrice;
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;

use super::frame::{Frame, Section};
use crate::app::App;
use crate::error::ApiError;
use crate::html as filters;

#[derive(Template, WebTemplate)]
#[template(path = "methodology/index.html")]
pub(crate) struct MethodologyPage {
    frame: Frame,
    example: Example,
}

/// A load point made up for the example, and what it costs.
struct Example {
    per_hour: f64,
    throughput: Throughput,
    target_requests_per_s: f64,
    costs: Costs,
    month: Option<MonthlyProjection>,
}

pub(crate) async fn show(State(app): State<App>) -> Result<MethodologyPage, ApiError> {
    let frame = Frame::load(&mut *app.connection().await?, Section::Methodology).await?;
    Ok(MethodologyPage { frame, example: Example::new() })
}

impl Example {
    fn new() -> Self {
        let price = Observed::Value(HourlyPrice { per_hour: 55.04, upfront: 0.0 });
        let throughput =
            Throughput { input_tokens_per_s: 4000.0, output_tokens_per_s: 1000.0, requests_per_s: 5.0 };
        let target_requests_per_s = 12.0;
        Self {
            per_hour: 55.04,
            throughput,
            target_requests_per_s,
            costs: Costs::of(&price, &throughput, OutputWeight::default()),
            month: monthly_projection(&price, throughput.requests_per_s, target_requests_per_s).ok(),
        }
    }
}
