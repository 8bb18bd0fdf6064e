//! Models and their revisions.

use accelbench_core::model::{Model, ModelId, Revision};
use sqlx::PgConnection;

use crate::{Error, Result};

struct ModelRow {
    model: String,
    family: Option<String>,
    params_total_b: Option<f64>,
    params_active_b: Option<f64>,
    layers: Option<i32>,
    kv_cache_bytes_per_token: Option<f64>,
    max_context_tokens: Option<i32>,
    gated: Option<bool>,
    licence: Option<String>,
    source: String,
}

/// Lists models in the order of their ids, those whose id contains `search` if it is given, at most `limit`.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(connection: &mut PgConnection, search: Option<&str>, limit: i64) -> Result<Vec<Model>> {
    let rows = sqlx::query_as!(
        ModelRow,
        "SELECT model, family, params_total_b, params_active_b, layers, kv_cache_bytes_per_token, max_context_tokens,
             gated, licence, source
         FROM models WHERE $1::text IS NULL OR position(lower($1) IN lower(model)) > 0
         ORDER BY model LIMIT $2",
        search,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Model::try_from).collect()
}

/// The model with this id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(connection: &mut PgConnection, model: &ModelId) -> Result<Model> {
    sqlx::query_as!(
        ModelRow,
        "SELECT model, family, params_total_b, params_active_b, layers, kv_cache_bytes_per_token, max_context_tokens,
             gated, licence, source
         FROM models WHERE model = $1",
        model.as_str(),
    )
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| Error::NotFound { what: "model", name: model.to_string() })?
    .try_into()
}

/// The ids of all models.
///
/// # Errors
/// [`Error::Database`].
pub async fn names(connection: &mut PgConnection) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!("SELECT model FROM models ORDER BY model").fetch_all(connection).await?)
}

/// Adds a model, or replaces what is known of it.
///
/// # Errors
/// [`Error::Database`] with the constraint for a fact that cannot be.
pub async fn add(connection: &mut PgConnection, model: &Model) -> Result<()> {
    sqlx::query_file!(
        "queries/models/add.sql",
        model.model.as_str(),
        model.family,
        model.params_total_b,
        model.params_active_b,
        model.layers,
        model.kv_cache_bytes_per_token,
        model.max_context_tokens,
        model.gated,
        model.licence,
        model.source,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a model has this revision.
///
/// # Errors
/// [`Error::Database`] with the constraint for an unknown model.
pub async fn add_revision(connection: &mut PgConnection, model: &ModelId, revision: &Revision) -> Result<()> {
    sqlx::query!(
        "INSERT INTO model_revisions (model, revision) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        model.as_str(),
        revision.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl TryFrom<ModelRow> for Model {
    type Error = Error;

    fn try_from(row: ModelRow) -> Result<Self> {
        let model = row.model.parse().map_err(|_invalid| Error::Corrupt {
            what: "id",
            owner: format!("model {}", row.model),
            source: None,
        })?;
        Ok(Self {
            model,
            family: row.family,
            params_total_b: row.params_total_b,
            params_active_b: row.params_active_b,
            layers: row.layers,
            kv_cache_bytes_per_token: row.kv_cache_bytes_per_token,
            max_context_tokens: row.max_context_tokens,
            gated: row.gated,
            licence: row.licence,
            source: row.source,
        })
    }
}
