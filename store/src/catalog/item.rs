//! The rows of a page, and how they become items.

use std::collections::BTreeMap;

use accelbench_core::catalog::{CatalogItem, Interval};
use accelbench_core::cost::{Costs, Throughput};
use accelbench_core::metric::{Latency, Metric, Statistic};
use accelbench_core::observed::Observed;
use accelbench_core::result::{Origin, ResultId};
use accelbench_core::stats::Estimate;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Pricing, corrupt};
use crate::prices::PriceList;
use crate::results::row::{engine, quantization, validity, value_or_reason};
use crate::{Error, Result};

struct ItemRow {
    result_id: Uuid,
    run_id: Uuid,
    recorded_at: DateTime<Utc>,
    origin: String,
    platform: String,
    model: String,
    revision: Option<String>,
    instance_type: String,
    accelerators_used: Option<i32>,
    engine: String,
    engine_version: Option<String>,
    quantization: Option<String>,
    tensor_parallel: i32,
    workload_sha256: String,
    absent_reasons: Value,
    validity: String,
    requests_completed: i64,
    requests_failed: i64,
    rates: Vec<f64>,
    ttft_ms: Vec<f64>,
    itl_ms: Vec<f64>,
    tpot_ms: Vec<f64>,
    e2e_ms: Vec<f64>,
    offered_load: Value,
    estimates: Option<Value>,
}

/// The results with these ids, in the order of the ids, at these prices.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub(super) async fn load(
    connection: &mut PgConnection,
    ids: &[ResultId],
    prices: &PriceList,
    pricing: &Pricing,
) -> Result<Vec<CatalogItem>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_file_as!(ItemRow, "queries/catalog/items.sql", &ids).fetch_all(connection).await?;
    rows.into_iter().map(|row| row.item(prices, pricing)).collect()
}

impl ItemRow {
    fn item(self, prices: &PriceList, pricing: &Pricing) -> Result<CatalogItem> {
        let instance_type = self.instance_type.parse().map_err(|_invalid| self.corrupt("instance type"))?;
        let revision = self.revision.as_deref().map(str::parse).transpose();
        let price = prices.hourly(&instance_type, pricing.discount);
        Ok(CatalogItem {
            result_id: ResultId(self.result_id),
            run_id: self.run_id.into(),
            recorded_at: self.recorded_at,
            origin: Origin::from_word(&self.origin).ok_or_else(|| self.corrupt("origin"))?,
            model: self.model.parse().map_err(|_invalid| self.corrupt("model"))?,
            revision: self.observed("revision", revision.map_err(|_invalid| self.corrupt("revision"))?)?,
            instance_type,
            accelerators_used: self
                .observed("accelerators_used", self.accelerators_used.map(i32::cast_unsigned))?,
            engine: engine(&self.engine).ok_or_else(|| self.corrupt("engine"))?,
            engine_version: self.observed("engine_version", self.engine_version.clone())?,
            quantization: self
                .observed("quantization", self.quantization.as_deref().and_then(quantization))?,
            tensor_parallel: self.tensor_parallel.cast_unsigned(),
            workload_sha256: self
                .workload_sha256
                .parse()
                .map_err(|_invalid| self.corrupt("workload hash"))?,
            offered_load: self.json("offered load", self.offered_load.clone())?,
            requests_completed: self.requests_completed.cast_unsigned(),
            error_share: self.error_share(),
            metrics: self.metrics(),
            intervals: self.intervals()?,
            validity: validity(&self.validity).ok_or_else(|| self.corrupt("validity"))?,
            costs: Costs::of(&price, &self.throughput()?, pricing.output_weight),
            platform: self.platform,
        })
    }

    fn error_share(&self) -> f64 {
        self.requests_failed as f64 / (self.requests_completed + self.requests_failed) as f64
    }

    fn throughput(&self) -> Result<Throughput> {
        let [output_tokens_per_s, input_tokens_per_s, requests_per_s] = self.rates[..] else {
            return Err(self.corrupt("rates"));
        };
        Ok(Throughput { input_tokens_per_s, output_tokens_per_s, requests_per_s })
    }

    /// The columns are selected in the order in which core lists its metrics.
    fn metrics(&self) -> BTreeMap<Metric, f64> {
        let rates = [Metric::OutputTokensPerS, Metric::InputTokensPerS, Metric::RequestsPerS];
        let latencies = [
            (Latency::Ttft, &self.ttft_ms),
            (Latency::Itl, &self.itl_ms),
            (Latency::Tpot, &self.tpot_ms),
            (Latency::E2e, &self.e2e_ms),
        ];
        let supported =
            |statistic: Statistic| self.requests_completed.cast_unsigned() >= statistic.least_requests();
        let of_latency = latencies.into_iter().flat_map(|(latency, values)| {
            Statistic::ALL
                .into_iter()
                .zip(values)
                .filter(|(statistic, _)| supported(*statistic))
                .map(move |(statistic, value)| (Metric::Latency(latency, statistic), *value))
        });
        rates.into_iter().zip(self.rates.iter().copied()).chain(of_latency).collect()
    }

    fn intervals(&self) -> Result<BTreeMap<Metric, Interval>> {
        let Some(estimates) = self.estimates.clone() else { return Ok(BTreeMap::new()) };
        let estimates: BTreeMap<Metric, Estimate> = self.json("estimates", estimates)?;
        let interval = |estimate: Estimate| Interval { low: estimate.low, high: estimate.high };
        Ok(estimates.into_iter().map(|(metric, estimate)| (metric, interval(estimate))).collect())
    }

    fn observed<T>(&self, column: &'static str, value: Option<T>) -> Result<Observed<T>> {
        value_or_reason(&self.absent_reasons, column, value).ok_or_else(|| self.corrupt(column))
    }

    fn json<T: DeserializeOwned>(&self, what: &'static str, value: Value) -> Result<T> {
        serde_json::from_value(value).map_err(|source| Error::Corrupt {
            what,
            owner: format!("result {}", self.result_id),
            source: Some(source),
        })
    }

    fn corrupt(&self, what: &'static str) -> Error {
        corrupt(what, ResultId(self.result_id))
    }
}
