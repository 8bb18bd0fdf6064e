//! The models that are known, with how much is known of their speed.

use std::collections::HashMap;

use accelbench_core::model::Model;
use accelbench_store::models::{self, Coverage};
use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::frame::{Frame, Section};
use crate::app::App;
use crate::body::Parameters;
use crate::error::ApiError;
use crate::html as filters;

/// Most models of the list.
const MOST_MODELS: i64 = 2000;

#[derive(Template, WebTemplate)]
#[template(path = "models/list.html")]
pub(crate) struct ModelsPage {
    frame: Frame,
    filter: ModelFilter,
    families: Vec<String>,
    models: Vec<Listed>,
}

/// A model with how much is known of its speed.
struct Listed {
    model: Model,
    coverage: Option<Coverage>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(crate) struct ModelFilter {
    /// A part of the id.
    search: Option<String>,
    family: Option<String>,
    /// A word of [`SIZES`].
    size: Option<String>,
}

/// Sizes by the number of parameters, in 10^9: word, words, from, below.
const SIZES: [(&str, &str, f64, f64); 4] = [
    ("small", "up to 10B", 0.0, 10.5),
    ("medium", "10 to 40B", 10.5, 40.0),
    ("large", "40 to 100B", 40.0, 100.0),
    ("huge", "over 100B", 100.0, f64::INFINITY),
];

pub(crate) async fn list(
    State(app): State<App>,
    Parameters(filter): Parameters<ModelFilter>,
) -> Result<ModelsPage, ApiError> {
    let mut connection = app.connection().await?;
    let coverage = models::coverage(&mut connection).await?;
    let coverage: HashMap<String, Coverage> =
        coverage.into_iter().map(|known| (known.model.clone(), known)).collect();
    let found = models::list(&mut connection, filter.search.as_deref(), MOST_MODELS).await?;
    let mut families: Vec<String> = found.iter().filter_map(|model| model.family.clone()).collect();
    families.sort();
    families.dedup();
    let admitted = found.into_iter().filter(|model| filter.admits(model));
    let mut models: Vec<Listed> = admitted
        .map(|model| Listed { coverage: coverage.get(model.model.as_str()).cloned(), model })
        .collect();
    // Those of which most is known come first.
    models.sort_by_key(|listed| std::cmp::Reverse(listed.known()));
    let frame = Frame::load(&mut connection, Section::Models).await?;
    Ok(ModelsPage { frame, filter, families, models })
}

impl Listed {
    fn known(&self) -> (i64, i64) {
        self.coverage.as_ref().map_or((0, 0), |coverage| (coverage.measured, coverage.published))
    }
}

impl ModelFilter {
    fn admits(&self, model: &Model) -> bool {
        let in_family = self.family.is_none() || self.family == model.family;
        let size = self.size.as_deref().and_then(|word| SIZES.iter().find(|size| size.0 == word));
        let of_size = size.is_none_or(|&(_, _, from, below)| {
            model.params_total_b.is_some_and(|params_b| (from..below).contains(&params_b))
        });
        in_family && of_size
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ModelFilter;

    #[test]
    fn a_size_admits_what_is_known_to_have_it() {
        let filter = ModelFilter { size: Some("medium".to_owned()), ..ModelFilter::default() };
        for (params_total_b, admitted) in
            [(Some(8.0), false), (Some(32.0), true), (Some(40.0), false), (None, false)]
        {
            let model = json!({"model": "a/b", "params_total_b": params_total_b, "source": "test"});
            assert_eq!(
                filter.admits(&serde_json::from_value(model).unwrap()),
                admitted,
                "{params_total_b:?}"
            );
        }
    }
}
