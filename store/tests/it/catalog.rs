//! The catalog: which result is current, what lists of it show, and in which order.

use accelbench_core::catalog::{CatalogItem, Order, SortKey};
use accelbench_core::engine::EngineKind;
use accelbench_core::load::LoadReport;
use accelbench_core::observed::Observed;
use accelbench_core::price::{HourlyPrice, Price, PricingTier};
use accelbench_core::result::{Origin, Provenance};
use accelbench_core::run::{RunId, Transition};
use accelbench_store::catalog::{self, CatalogFilter, CatalogQuery, Pricing};
use accelbench_store::{intake, prices, results};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

use crate::builders::{Request, Store, instance, spec};
use crate::driver::{advance, provenance};

mod current;
mod filters;
mod formulas;
mod orders;

/// A measured result to record, one load point a run.
struct Measured {
    spec: Value,
    provenance: fn(&mut Provenance),
    report: Box<dyn Fn(&mut LoadReport)>,
}

impl Default for Measured {
    fn default() -> Self {
        Self { spec: json!({}), provenance: |_| {}, report: Box::new(|_| {}) }
    }
}

impl Measured {
    /// With this throughput.
    fn at(output_tokens_per_s: f64) -> Self {
        let report = move |report: &mut LoadReport| report.output_tokens_per_s = output_tokens_per_s;
        Self { report: Box::new(report), ..Self::default() }
    }

    fn on(mut self, instance_type: &str, concurrency: u32) -> Self {
        self.spec["instance_type"] = json!(instance_type);
        self.spec["load_points"] = json!([{"concurrency": concurrency}]);
        self
    }
}

impl Store {
    async fn measure(&self, measured: Measured) -> RunId {
        let mut request = measured.spec;
        if request["load_points"].is_null() {
            request["load_points"] = json!([{"concurrency": 4}]);
        }
        let run_id = self.submit(&Request { spec: spec(&request), ..Request::default() }).await;
        self.bring_to(run_id, "loading").await;
        let reports = self.reports(run_id).await;
        let (lease, run) = self.take(run_id).await;
        let mut transaction = self.begin().await;
        for mut report in reports {
            (measured.report)(&mut report);
            intake::put_report(&mut transaction, run_id, &report).await.unwrap();
        }
        advance(&mut transaction, lease, &run, Transition::Loaded).await.unwrap();
        transaction.commit().await.unwrap();

        let (lease, run) = self.take(run_id).await;
        let mut transaction = self.begin().await;
        let mut provenance = provenance(&mut transaction, &run).await;
        provenance.origin = Origin::Measured;
        provenance.engine = EngineKind::Vllm;
        (measured.provenance)(&mut provenance);
        results::record(&mut transaction, lease, &run, &provenance).await.unwrap();
        transaction.commit().await.unwrap();
        run_id
    }

    /// Adds an instance type, with an on-demand price if there is one.
    async fn instance(&self, name: &str, per_hour: Option<f64>) {
        let family = name.split('.').next().unwrap();
        let added = instance(&json!({"instance_type": name, "family": family}));
        let mut connection = self.connection().await;
        accelbench_store::instances::upsert(&mut connection, &added).await.unwrap();
        if let Some(per_hour) = per_hour {
            prices::record(&mut connection, &[price(name, per_hour)]).await.unwrap();
        }
    }

    async fn page(&self, query: &CatalogQuery) -> catalog::CatalogPage {
        catalog::list(&mut *self.connection().await, query).await.unwrap()
    }

    async fn items(&self, filter: CatalogFilter, order: Order) -> Vec<CatalogItem> {
        self.page(&question(filter, order, 100)).await.items
    }

    async fn current(&self) -> Vec<CatalogItem> {
        self.items(CatalogFilter::default(), Order::default()).await
    }
}

fn price(instance_type: &str, per_hour: f64) -> Price {
    Price {
        instance_type: instance_type.parse().unwrap(),
        region: "us-east-1".to_owned(),
        tier: PricingTier::OnDemand,
        currency: "USD".to_owned(),
        price: Observed::Value(HourlyPrice { per_hour, upfront: 0.0 }),
        as_of: Utc::now() - TimeDelta::days(1),
        source: "test".to_owned(),
    }
}

fn question(filter: CatalogFilter, order: Order, limit: u32) -> CatalogQuery {
    CatalogQuery::new(filter, order, Pricing::on_demand("us-east-1"), limit)
}

fn by(key: &str) -> Order {
    Order::by(key.parse::<SortKey>().unwrap())
}
