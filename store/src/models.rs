//! Models and their revisions.

use accelbench_core::model::{Model, ModelId, Quantization, Revision};
use sqlx::PgConnection;

use crate::{Error, Result};

/// How a question to the Hub ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// It told the commit.
    Answered,
    /// It did not, for this reason.
    Failed(String),
}

struct ModelRow {
    model: String,
    family: Option<String>,
    params_total_b: Option<f64>,
    params_active_b: Option<f64>,
    layers: Option<i32>,
    kv_cache_bytes_per_token: Option<f64>,
    max_context_tokens: Option<i32>,
    attention_heads: Option<i32>,
    kv_heads: Option<i32>,
    expert_count: Option<i32>,
    experts_per_token: Option<i32>,
    published_quantization: Option<String>,
    revision: Option<String>,
    gated: Option<bool>,
    licence: Option<String>,
    source: String,
}

/// Which models to list; every `None` admits all.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelFilter<'a> {
    /// Those whose id contains this text.
    pub search: Option<&'a str>,
    /// Those after this one: the last of the previous page.
    pub after: Option<&'a ModelId>,
}

/// Lists models in the order of their ids, those whose id contains `search` if it is given, at most `limit`.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(connection: &mut PgConnection, search: Option<&str>, limit: i64) -> Result<Vec<Model>> {
    page(connection, &ModelFilter { search, after: None }, limit).await
}

/// A page of models in the order of their ids, at most `limit`.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn page(connection: &mut PgConnection, filter: &ModelFilter<'_>, limit: i64) -> Result<Vec<Model>> {
    let rows = sqlx::query_as!(
        ModelRow,
        "SELECT model, family, params_total_b, params_active_b, layers, kv_cache_bytes_per_token, max_context_tokens,
             attention_heads, kv_heads, expert_count, experts_per_token, published_quantization, revision, gated,
             licence, source
         FROM models
         WHERE ($1::text IS NULL OR position(lower($1) IN lower(model)) > 0) AND ($3::text IS NULL OR model > $3)
         ORDER BY model LIMIT $2",
        filter.search,
        limit,
        filter.after.map(ModelId::as_str),
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
             attention_heads, kv_heads, expert_count, experts_per_token, published_quantization, revision, gated,
             licence, source
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
        model.attention_heads,
        model.kv_heads,
        model.expert_count,
        model.experts_per_token,
        model.published_quantization.map(Quantization::as_str),
        model.revision.as_ref().map(Revision::as_str),
        model.gated,
        model.licence,
        model.source,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a model that the Hub described, with its commit; what the Hub left open stays as it was known.
///
/// # Errors
/// [`Error::Database`] with the constraint for a fact that cannot be.
pub async fn add_resolved(connection: &mut PgConnection, resolved: &Model) -> Result<()> {
    let known = match find(connection, &resolved.model).await {
        Ok(known) => Some(known),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    add(connection, &known.map_or_else(|| resolved.clone(), |known| resolved.completed_by(known))).await
}

/// Adds a model of the release, unless the Hub told of it since: its facts are newer.
///
/// # Errors
/// [`Error::Database`] with the constraint for a fact that cannot be.
pub(crate) async fn add_seeded(connection: &mut PgConnection, model: &Model) -> Result<()> {
    match find(connection, &model.model).await {
        Ok(known) if known.revision.is_some() => Ok(()),
        Ok(_) | Err(Error::NotFound { .. }) => add(connection, model).await,
        Err(error) => Err(error),
    }
}

/// Notes that the Hub was asked for a model's newest commit.
///
/// # Errors
/// [`Error::Database`] with the constraint for an unknown model.
pub async fn note_lookup(connection: &mut PgConnection, model: &ModelId, lookup: &Lookup) -> Result<()> {
    let error = match lookup {
        Lookup::Answered => None,
        Lookup::Failed(reason) => Some(reason.as_str()),
    };
    sqlx::query!(
        "INSERT INTO model_lookups (model, error) VALUES ($1, $2)
         ON CONFLICT (model) DO UPDATE SET looked_up_at = now(), error = excluded.error",
        model.as_str(),
        error,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The commits of a model that are known, the newest first.
///
/// # Errors
/// [`Error::Database`].
pub async fn revisions(connection: &mut PgConnection, model: &ModelId) -> Result<Vec<String>> {
    let revisions = sqlx::query_scalar!(
        "SELECT revision FROM model_revisions WHERE model = $1 ORDER BY resolved_at DESC, revision",
        model.as_str(),
    );
    Ok(revisions.fetch_all(connection).await?)
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

/// How much is known of a model's speed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The model.
    pub model: String,
    /// Results that were measured here.
    pub measured: i64,
    /// Instance types that they were measured on.
    pub measured_instance_types: i64,
    /// Points that others published.
    pub published: i64,
    /// Instance types that they name.
    pub published_instance_types: i64,
}

/// How much is known of every model of which anything is; most instance types first.
///
/// # Errors
/// [`Error::Database`].
pub async fn coverage(connection: &mut PgConnection) -> Result<Vec<Coverage>> {
    let models = sqlx::query_file_as!(Coverage, "queries/models/coverage.sql");
    Ok(models.fetch_all(connection).await?)
}

impl TryFrom<ModelRow> for Model {
    type Error = Error;

    fn try_from(row: ModelRow) -> Result<Self> {
        let corrupt = |what| Error::Corrupt { what, owner: format!("model {}", row.model), source: None };
        let quantization = |word: &str| Quantization::ALL.into_iter().find(|known| known.as_str() == word);
        let published = row.published_quantization.as_deref();
        let revision = row.revision.as_deref().map(str::parse).transpose();
        Ok(Self {
            model: row.model.parse().map_err(|_invalid| corrupt("id"))?,
            published_quantization: published
                .map(|word| quantization(word).ok_or_else(|| corrupt("quantisation")))
                .transpose()?,
            revision: revision.map_err(|_invalid| corrupt("revision"))?,
            family: row.family,
            params_total_b: row.params_total_b,
            params_active_b: row.params_active_b,
            layers: row.layers,
            kv_cache_bytes_per_token: row.kv_cache_bytes_per_token,
            max_context_tokens: row.max_context_tokens,
            attention_heads: row.attention_heads,
            kv_heads: row.kv_heads,
            expert_count: row.expert_count,
            experts_per_token: row.experts_per_token,
            gated: row.gated,
            licence: row.licence,
            source: row.source,
        })
    }
}
