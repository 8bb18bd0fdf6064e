//! What the catalog keeps fresh: requests that come with the release or that an operator adds, and their submissions. What
//! is due is decided in core; here its facts are brought together.

use std::collections::HashMap;
use std::time::Duration;

use accelbench_core::catalog::refresh::{
    Candidate, Expectation, LastRun, Reason, RefreshPlan, Target, Terms,
};
use accelbench_core::cost::DiscountFactor;
use accelbench_core::engine::EngineName;
use accelbench_core::instance::{InstanceType, InstanceTypeName};
use accelbench_core::model::{Model, ModelId};
use accelbench_core::price::PricingTier;
use accelbench_core::run::{PlatformSpec, RunId, RunSpec};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::prices::PriceList;
use crate::{Error, Result, instances, models, platforms, prices};

/// What a plan is made for.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanOptions {
    /// The region whose on-demand prices count.
    pub region: String,
    /// What may be spent in seven days; nothing is no limit.
    pub budget_usd: Option<f64>,
    /// Whether there is a token for gated models.
    pub has_token: bool,
}

/// Adds a target, or changes the cadence of the one with the same request.
///
/// # Errors
/// [`Error::Database`].
pub async fn put(connection: &mut PgConnection, spec: &RunSpec, refresh_every: Duration) -> Result<Uuid> {
    let id = sqlx::query_scalar!(
        "INSERT INTO catalog_targets (catalog_target_id, spec, refresh_every)
         VALUES ($1, $2, make_interval(secs => $3))
         ON CONFLICT (spec) DO UPDATE SET refresh_every = excluded.refresh_every, enabled = true
         RETURNING catalog_target_id",
        Uuid::now_v7(),
        Json(spec) as _,
        refresh_every.as_secs_f64(),
    );
    Ok(id.fetch_one(connection).await?)
}

/// Makes these the targets of the release: those that are new are added, and those of an earlier release that are not
/// among them are kept fresh no longer. One that an operator disabled stays so.
///
/// # Errors
/// [`Error::Database`].
pub async fn release(connection: &mut PgConnection, specs: &[RunSpec]) -> Result<()> {
    let specs: std::result::Result<Vec<Value>, _> = specs.iter().map(serde_json::to_value).collect();
    let specs = specs.map_err(|error| Error::Conflict(format!("a target cannot be written: {error}")))?;
    let ids: Vec<Uuid> = specs.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "INSERT INTO catalog_targets (catalog_target_id, spec, of_release)
         SELECT id, spec, true FROM unnest($1::uuid[], $2::jsonb[]) AS target (id, spec)
         ON CONFLICT (spec) DO UPDATE SET of_release = true",
        &ids,
        &specs,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE catalog_targets SET enabled = false, of_release = false
         WHERE of_release AND spec <> ALL ($1::jsonb[])",
        &specs,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Waits until no other refresh is made; until the end of the transaction none is.
///
/// # Errors
/// [`Error::Database`].
pub async fn take_turns(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('accelbench catalog refresh', 0))")
        .execute(connection)
        .await?;
    Ok(())
}

/// The plan of a refresh that is made now.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn plan(connection: &mut PgConnection, options: &PlanOptions) -> Result<RefreshPlan> {
    let now = Utc::now();
    let facts = Facts::load(connection, &options.region, now).await?;
    let targets = list(connection).await?;
    let candidates: Result<Vec<Candidate>> =
        targets.into_iter().map(|target| facts.candidate(target)).collect();
    let spent_usd = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(expected_usd), 0) AS "spent!" FROM catalog_submissions
           WHERE submitted_at > now() - interval '7 days'"#
    )
    .fetch_one(connection)
    .await?;
    let PlanOptions { budget_usd, has_token, .. } = *options;
    Ok(RefreshPlan::new(candidates?, &Terms { budget_usd, spent_usd, has_token, now }))
}

/// Notes that a target was submitted as this run.
///
/// # Errors
/// [`Error::Database`], for an unknown target with the constraint.
pub async fn note_submission(
    connection: &mut PgConnection,
    target: Uuid,
    run_id: RunId,
    reason: Reason,
    expected: &Expectation,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO catalog_submissions
             (run_id, catalog_target_id, reason, engine_image, expected_hours, expected_usd)
         VALUES ($1, $2, $3, $4, $5, $6)",
        run_id.uuid(),
        target,
        reason.as_str(),
        expected.engine_image,
        expected.hours,
        expected.usd.value().copied().unwrap_or_default(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// At most `limit` models of targets that follow their newest commit, of which the Hub told nothing for a day, or an hour
/// after it was asked in vain; the longest unasked first.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn models_to_look_up(connection: &mut PgConnection, limit: i64) -> Result<Vec<ModelId>> {
    let due = sqlx::query_scalar!(
        r#"SELECT model
        FROM models LEFT JOIN model_lookups USING (model)
        WHERE EXISTS (
                SELECT FROM catalog_targets
                WHERE enabled AND spec ->> 'model' = model AND spec ->> 'revision' IS NULL)
            AND coalesce(
                looked_up_at + CASE WHEN error IS NULL THEN interval '24 hours' ELSE interval '1 hour' END,
                '-infinity') <= now()
        ORDER BY looked_up_at NULLS FIRST, model
        LIMIT $1"#,
        limit,
    );
    let due = due.fetch_all(connection).await?;
    let name = |name: String| {
        name.parse().map_err(|_invalid| Error::Corrupt {
            what: "name",
            owner: format!("model {name}"),
            source: None,
        })
    };
    due.into_iter().map(name).collect()
}

/// What is known of everything that targets are about.
struct Facts {
    models: HashMap<ModelId, Model>,
    instances: HashMap<InstanceTypeName, InstanceType>,
    prices: PriceList,
    /// Whether some worker has a cluster.
    cluster: bool,
}

impl Facts {
    async fn load(connection: &mut PgConnection, region: &str, now: DateTime<Utc>) -> Result<Self> {
        let models = models::list(connection, None, i64::MAX).await?;
        let instances = instances::list(connection).await?;
        let on_a_cluster = PlatformSpec::Kubernetes { engine: EngineName::vllm() };
        Ok(Self {
            models: models.into_iter().map(|model| (model.model.clone(), model)).collect(),
            instances: instances.into_iter().map(|it| (it.instance_type.clone(), it)).collect(),
            prices: prices::list_at(connection, region, PricingTier::OnDemand, now).await?,
            cluster: platforms::is_offered(connection, &on_a_cluster).await?,
        })
    }

    fn candidate(&self, target: Target) -> Result<Candidate> {
        let unknown = |what, name: &str| Error::NotFound { what, name: name.to_owned() };
        let (model, instance) = (&target.spec.model, &target.spec.instance_type);
        let price = self.prices.hourly(instance, DiscountFactor::NONE);
        let model = self.models.get(model).ok_or_else(|| unknown("model", model.as_str()))?;
        let instance =
            self.instances.get(instance).ok_or_else(|| unknown("instance type", instance.as_str()))?;
        let needs_cluster = matches!(target.spec.platform, PlatformSpec::Kubernetes { .. });
        let expected = if needs_cluster && !self.cluster {
            Err("no worker of this installation was given a cluster".to_owned())
        } else {
            target.expect(model, instance, &price)
        };
        Ok(Candidate { gated: model.gated == Some(true), target, expected })
    }
}

struct TargetRow {
    catalog_target_id: Uuid,
    spec: Value,
    refresh_every_s: f64,
    run_id: Option<Uuid>,
    submitted_at: Option<DateTime<Utc>>,
    engine_image: Option<String>,
    finished: Option<bool>,
    newest_revision_at: Option<DateTime<Utc>>,
}

async fn list(connection: &mut PgConnection) -> Result<Vec<Target>> {
    let rows =
        sqlx::query_file_as!(TargetRow, "queries/catalog_targets/list.sql").fetch_all(connection).await?;
    rows.into_iter().map(Target::try_from).collect()
}

impl TryFrom<TargetRow> for Target {
    type Error = Error;

    fn try_from(row: TargetRow) -> Result<Self> {
        let spec = serde_json::from_value(row.spec).map_err(|source| Error::Corrupt {
            what: "request",
            owner: format!("catalog target {}", row.catalog_target_id),
            source: Some(source),
        })?;
        let last_run = match (row.run_id, row.submitted_at, row.finished) {
            (Some(run_id), Some(submitted_at), Some(finished)) => Some(LastRun {
                run_id: run_id.into(),
                submitted_at,
                finished,
                engine_image: row.engine_image,
            }),
            _ => None,
        };
        Ok(Self {
            id: row.catalog_target_id,
            spec,
            refresh_every: TimeDelta::milliseconds((row.refresh_every_s * 1000.0) as i64),
            last_run,
            newest_revision_at: row.newest_revision_at,
        })
    }
}
