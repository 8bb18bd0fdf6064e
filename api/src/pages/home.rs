//! The decision: which instance type should serve this model within these limits at this load, and what says so.

use accelbench_core::recommendation::{Choice, Lengths, Recommendation};
use accelbench_core::result::Origin;
use accelbench_store::models::{self, Coverage};
use accelbench_store::{PgConnection, prices};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;

use super::frame::{Frame, Section};
use crate::app::App;
use crate::body::Parameters;
use crate::decision::{Decision, decide};
use crate::error::ApiError;
use crate::html as filters;
use crate::pricing::Pricing;

mod question;
mod shown;

use question::QuestionForm;
use shown::{Loser, Offer, losers, offers};

#[derive(Template, WebTemplate)]
#[template(path = "home/index.html")]
pub(crate) struct HomePage {
    frame: Frame,
    form: QuestionForm,
    pricing: Pricing,
    regions: Vec<String>,
    models: Vec<Coverage>,
    answer: Result<Answer, ApiError>,
}

/// The answer as it is shown: of each instance type the best configuration.
pub(crate) struct Answer {
    decision: Decision,
    offers: Vec<Offer>,
    losers: Vec<Loser>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Parameters(form): Parameters<QuestionForm>,
) -> Result<HomePage, ApiError> {
    let mut connection = app.connection().await?;
    let models = models::coverage(&mut connection).await?;
    let form = form.completed(&models);
    let pricing = form.pricing.pricing()?;
    let answer = answer(&mut connection, &form, &pricing).await;
    Ok(HomePage {
        frame: Frame::load(&mut connection, Section::Home).await?,
        regions: prices::regions(&mut connection).await?,
        form,
        pricing,
        models,
        answer,
    })
}

async fn answer(
    connection: &mut PgConnection,
    form: &QuestionForm,
    pricing: &Pricing,
) -> Result<Answer, ApiError> {
    let decision = decide(connection, form.asked(pricing)?).await?;
    let offers = offers(&decision);
    let losers = losers(&decision, &offers);
    Ok(Answer { decision, offers, losers })
}

impl Answer {
    /// Whether others measured what the answer rests on.
    fn is_published(&self) -> bool {
        self.decision.origin == Origin::Imported
    }

    fn lengths(&self) -> Option<Lengths> {
        self.decision.lengths
    }

    fn best(&self) -> Option<&Choice> {
        self.decision.recommendation.best()
    }

    /// Why there is no answer, as a headline.
    fn no_answer(&self) -> &'static str {
        match &self.decision.recommendation {
            Recommendation::NothingMeets { .. } => "Nothing that was measured keeps these limits.",
            Recommendation::NotEnoughData { excluded, .. } if excluded.is_empty() => {
                "Nobody measured this model in a way that could answer."
            }
            _ => "What was measured does not suffice for an answer.",
        }
    }
}
