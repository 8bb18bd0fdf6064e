//! Which results of the catalog, and how that is said in SQL.

use accelbench_core::engine::EngineKind;
use accelbench_core::instance::{AcceleratorKind, AcceleratorVendor};
use accelbench_core::model::Quantization;
use accelbench_core::result::Origin;
use accelbench_core::slo::{MOST_FAILED, Slo};
use chrono::{DateTime, Utc};
use sqlx::{Encode, Postgres, QueryBuilder, Type};

/// Which results; every `None` admits all. The origin is always one, so that nothing is mixed.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogFilter {
    /// Of this origin.
    pub origin: Origin,
    /// Of this model.
    pub model: Option<String>,
    /// Of models whose id contains this, in any case of letters.
    pub model_search: Option<String>,
    /// Of this revision, where it is the current one.
    pub revision: Option<String>,
    /// Of this family of models.
    pub model_family: Option<String>,
    /// Of models with at least this many parameters, in 10^9.
    pub min_params_b: Option<f64>,
    /// Of models with at most this many parameters, in 10^9.
    pub max_params_b: Option<f64>,
    /// On this instance type.
    pub instance_type: Option<String>,
    /// On this family of instance types.
    pub instance_family: Option<String>,
    /// On this accelerator, in any case of letters.
    pub accelerator_name: Option<String>,
    /// On this kind of accelerator.
    pub accelerator_kind: Option<AcceleratorKind>,
    /// On accelerators of this vendor.
    pub accelerator_vendor: Option<AcceleratorVendor>,
    /// Of this engine.
    pub engine: Option<EngineKind>,
    /// Of this version of the engine.
    pub engine_version: Option<String>,
    /// At this precision.
    pub quantization: Option<Quantization>,
    /// Of this workload.
    pub workload_sha256: Option<String>,
    /// At this number of simultaneous requests.
    pub concurrency: Option<i32>,
    /// Of the person with this name.
    pub submitted_by: Option<String>,
    /// Recorded at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Recorded before this moment.
    pub until: Option<DateTime<Utc>>,
    /// That keep these limits; a limit on a statistic that too few requests were completed for is not kept.
    pub slo: Option<Slo>,
}

impl Default for CatalogFilter {
    /// Everything that was measured.
    fn default() -> Self {
        Self {
            origin: Origin::Measured,
            model: None,
            model_search: None,
            revision: None,
            model_family: None,
            min_params_b: None,
            max_params_b: None,
            instance_type: None,
            instance_family: None,
            accelerator_name: None,
            accelerator_kind: None,
            accelerator_vendor: None,
            engine: None,
            engine_version: None,
            quantization: None,
            workload_sha256: None,
            concurrency: None,
            submitted_by: None,
            since: None,
            until: None,
            slo: None,
        }
    }
}

impl CatalogFilter {
    /// Whether what is admitted is gathered first and sorted then, rather than an order followed until enough of it was
    /// met: it may be few, or all lie at the far end of the order, as what is slow does where the fastest comes first.
    pub(super) fn gathers(&self) -> bool {
        let models = [&self.model, &self.revision, &self.model_family].into_iter().any(Option::is_some)
            || self.min_params_b.is_some()
            || self.max_params_b.is_some();
        let instances = [&self.instance_type, &self.instance_family, &self.accelerator_name]
            .into_iter()
            .any(Option::is_some);
        let work =
            self.workload_sha256.is_some() || self.submitted_by.is_some() || self.concurrency.is_some();
        models || instances || work
    }

    /// Adds what the filter demands of `shown`, a row of `catalog_results`, to a statement that ends in a condition.
    pub(super) fn push(&self, statement: &mut QueryBuilder<Postgres>) {
        only(statement, "shown.origin =", Some(self.origin.as_str()));
        only(statement, "shown.model =", self.model.clone());
        if let Some(part) = &self.model_search {
            statement
                .push(" AND position(lower(")
                .push_bind(part.clone())
                .push(") IN lower(shown.model)) > 0");
        }
        only(statement, "shown.revision =", self.revision.clone());
        only(statement, "shown.instance_type =", self.instance_type.clone());
        only(statement, "shown.engine =", self.engine.map(EngineKind::as_str));
        only(statement, "shown.engine_version =", self.engine_version.clone());
        only(statement, "shown.quantization =", self.quantization.map(Quantization::as_str));
        only(statement, "shown.workload_sha256 =", self.workload_sha256.clone());
        only(statement, "shown.concurrency =", self.concurrency);
        only(statement, "shown.submitted_by =", self.submitted_by.clone());
        only(statement, "shown.recorded_at >=", self.since);
        only(statement, "shown.recorded_at <", self.until);
        self.push_model_facts(statement);
        self.push_instance_facts(statement);
        if let Some(slo) = &self.slo {
            only(statement, "shown.error_share <=", Some(MOST_FAILED));
            for limit in slo.limits() {
                only(statement, &format!("shown.{} <=", limit.metric()), Some(limit.at_most_ms()));
            }
        }
    }

    /// Facts of models and instance types become lists of names, looked up once, so that the tables that results are
    /// ordered by need no join.
    fn push_model_facts(&self, statement: &mut QueryBuilder<Postgres>) {
        if self.model_family.is_none() && self.min_params_b.is_none() && self.max_params_b.is_none() {
            return;
        }
        statement.push(" AND shown.model = ANY (ARRAY(SELECT model FROM models WHERE true");
        only(statement, "family =", self.model_family.clone());
        only(statement, "params_total_b >=", self.min_params_b);
        only(statement, "params_total_b <=", self.max_params_b);
        statement.push("))");
    }

    fn push_instance_facts(&self, statement: &mut QueryBuilder<Postgres>) {
        let vendor = self.accelerator_vendor.map(AcceleratorVendor::accelerator_kind);
        let kinds = [self.accelerator_kind, vendor];
        if kinds == [None, None] && self.instance_family.is_none() && self.accelerator_name.is_none() {
            return;
        }
        statement.push(
            " AND shown.instance_type = ANY (ARRAY(SELECT instance_type FROM instance_types WHERE true",
        );
        only(statement, "family =", self.instance_family.clone());
        let name = self.accelerator_name.as_deref().map(str::to_lowercase);
        only(statement, "lower(accelerator_name) =", name);
        for kind in kinds {
            only(statement, "accelerator_kind =", kind.map(AcceleratorKind::as_str));
        }
        statement.push("))");
    }
}

/// Adds a condition that ends in a comparison with a value, if there is one.
fn only<'t, T>(statement: &mut QueryBuilder<Postgres>, condition: &str, value: Option<T>)
where
    T: 't + Encode<'t, Postgres> + Type<Postgres>,
{
    if let Some(value) = value {
        statement.push(" AND ").push(condition).push(" ").push_bind(value);
    }
}
