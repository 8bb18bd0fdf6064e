//! Every order, page by page.

use std::collections::BTreeSet;

use accelbench_core::catalog::{CatalogItem, CostKind, Direction, InvalidCursor, Order, SortKey};
use accelbench_core::load::LoadReport;
use accelbench_store::catalog::{CatalogFilter, CatalogQuery};
use uuid::Uuid;

use super::{Measured, by, question};
use crate::builders::{MODEL, Store};

/// Four instance types, one of them without a price, each at several loads; no order of theirs is like another. Of some
/// numbers several are equal, and of some results too few requests were completed for a 99th percentile.
async fn varied() -> Store {
    let store = Store::new().await;
    for (index, (name, per_hour)) in [
        ("g6e.xlarge", Some(2.0)),
        ("p5.48xlarge", Some(50.0)),
        ("g5.xlarge", Some(2.0)),
        ("p4d.24xlarge", None),
    ]
    .into_iter()
    .enumerate()
    {
        store.instance(name, per_hour).await;
        for (load, concurrency) in [1, 4, 16].into_iter().enumerate() {
            let step = ((index * 5 + load * 7) % 11) as f64;
            let report = move |report: &mut LoadReport| vary(report, step, load);
            let measured = Measured { report: Box::new(report), ..Measured::default() };
            store.measure(measured.on(name, concurrency)).await;
        }
    }
    store
}

fn vary(report: &mut LoadReport, step: f64, load: usize) {
    let output = 100.0 * (1.0 + step);
    report.output_tokens_per_s = output;
    // In the same proportion, so that their costs are equal.
    report.input_tokens_per_s = [300.0, 300.0, 600.0][load];
    report.requests_per_s = 1.0 + (7.0 * step) % 5.0;
    report.requests_completed = [150, 1500, 1500][load];
    for latency in [&mut report.ttft_ms, &mut report.itl_ms, &mut report.tpot_ms, &mut report.e2e_ms] {
        let factor = 1.0 + (3.0 * step) % 4.0;
        for value in [
            &mut latency.mean,
            &mut latency.p50,
            &mut latency.p90,
            &mut latency.p95,
            &mut latency.p99,
            &mut latency.max,
        ] {
            *value *= factor;
        }
    }
}

/// What an order compares; `None` where it is unknown.
fn value(item: &CatalogItem, key: SortKey) -> Option<f64> {
    let costs = &item.costs;
    match key {
        SortKey::RecordedAt => Some(item.recorded_at.timestamp_micros() as f64),
        SortKey::Metric(metric) => item.metrics.get(&metric).copied(),
        SortKey::Cost(CostKind::InstancePerHour) => costs.instance_per_hour.value().copied(),
        SortKey::Cost(CostKind::PerMillionInputTokens) => costs.per_million_input_tokens.value().copied(),
        SortKey::Cost(CostKind::PerMillionOutputTokens) => costs.per_million_output_tokens.value().copied(),
        SortKey::Cost(CostKind::PerMillionTokens) => costs.blended.value().map(|it| it.per_million_tokens),
        SortKey::Cost(CostKind::PerRequest) => costs.per_request.value().copied(),
    }
}

fn follows(order: Order, one: &CatalogItem, next: &CatalogItem) -> bool {
    match (value(one, order.key), value(next, order.key)) {
        (Some(one), Some(next)) => match order.direction {
            Direction::Ascending => one <= next,
            Direction::Descending => one >= next,
        },
        (None, Some(_)) => false,
        (_, None) => true,
    }
}

impl Store {
    /// Every page of a question, one after the other.
    async fn walk(&self, filter: &CatalogFilter, order: Order, limit: u32) -> Vec<CatalogItem> {
        let ask = || question(filter.clone(), order, limit);
        let mut page = self.page(&ask()).await;
        let mut walked = page.items;
        while let Some(cursor) = page.next {
            let cursor = cursor.to_string().parse().unwrap();
            page = self.page(&ask().after(cursor).unwrap()).await;
            assert!(!page.items.is_empty() && page.items.len() <= limit as usize);
            walked.extend(page.items);
        }
        walked
    }
}

#[tokio::test]
async fn every_order_is_in_order_and_its_pages_are_the_whole() {
    let store = varied().await;
    for key in SortKey::all() {
        for direction in [Direction::Ascending, Direction::Descending] {
            let order = Order { key, direction };
            let whole = store.items(CatalogFilter::default(), order).await;
            assert_eq!(whole.len(), 12, "{order:?}");
            assert!(whole.windows(2).all(|pair| follows(order, &pair[0], &pair[1])), "{order:?}: {whole:#?}");
            // All are of this model, so that it changes nothing but the way that they are found.
            let gathering = CatalogFilter { model: Some(MODEL.to_owned()), ..CatalogFilter::default() };
            for (filter, limit) in
                [(CatalogFilter::default(), 1), (CatalogFilter::default(), 5), (gathering, 5)]
            {
                assert_eq!(store.walk(&filter, order, limit).await, whole, "{order:?} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_unknown_comes_last_and_says_why() {
    let store = varied().await;
    let by_cost = store.items(CatalogFilter::default(), by("cost_per_million_output_tokens")).await;
    for item in &by_cost[9..] {
        assert_eq!(item.instance_type.as_str(), "p4d.24xlarge");
        let reason = item.costs.per_million_output_tokens.absent_reason().unwrap();
        assert_eq!(reason, "no on-demand price of p4d.24xlarge in us-east-1 is known");
    }
    let by_percentile = store.items(CatalogFilter::default(), by("ttft_p99_ms")).await;
    let short = |item: &CatalogItem| item.requests_completed < 1000;
    assert_eq!(by_percentile.iter().position(short), Some(8));
    assert!(by_percentile[8..].iter().all(short));
}

#[tokio::test]
async fn what_is_recorded_during_a_walk_neither_hides_nor_repeats_what_was_there() {
    let store = varied().await;
    let ids = |items: &[CatalogItem]| items.iter().map(|it| it.result_id.0).collect::<BTreeSet<Uuid>>();
    let known = ids(&store.current().await);
    for order in [by("output_tokens_per_s"), by("cost_per_million_tokens"), by("recorded_at")] {
        let mut page = store.page(&question(CatalogFilter::default(), order, 4)).await;
        let mut walked = page.items;
        let mut concurrency = 100;
        while let Some(cursor) = page.next {
            concurrency += 1;
            store.measure(Measured::at(f64::from(concurrency) * 7.0).on("g6e.xlarge", concurrency)).await;
            let next: CatalogQuery = question(CatalogFilter::default(), order, 4).after(cursor).unwrap();
            page = store.page(&next).await;
            walked.extend(page.items);
        }
        let seen = ids(&walked);
        assert_eq!(seen.len(), walked.len(), "{order:?}: something came twice");
        assert!(known.is_subset(&seen), "{order:?}: something was left out");
    }
}

#[tokio::test]
async fn a_page_of_another_question_is_refused() {
    let store = varied().await;
    let ask = |filter, order| question(filter, order, 1);
    let page = store.page(&ask(CatalogFilter::default(), by("ttft_p50_ms"))).await;
    let cursor = page.next.unwrap();
    let other_filter = CatalogFilter { concurrency: Some(4), ..CatalogFilter::default() };
    for (filter, order) in [(other_filter, by("ttft_p50_ms")), (CatalogFilter::default(), by("ttft_p90_ms"))]
    {
        let refused = ask(filter, order).after(cursor.clone());
        assert_eq!(refused, Err(InvalidCursor::OtherQuestion), "{order:?}");
    }
    let mut discounted = ask(CatalogFilter::default(), by("ttft_p50_ms"));
    discounted.pricing.discount = "0.5".parse().unwrap();
    assert_eq!(discounted.after(cursor), Err(InvalidCursor::OtherQuestion));
}
