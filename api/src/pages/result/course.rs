//! Charts of one result: how its latencies are distributed, and how its window went.

use accelbench_core::load::{Distribution, LoadReport};

use crate::chart::{Chart, Plot, Point, Series};
use crate::html::{grouped, latency};

/// Shares at which a distribution is drawn, in percent: closer together where it matters.
const SHARES: [f64; 16] =
    [0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 97.5, 99.0, 99.5, 100.0];

/// What the report holds to be drawn.
pub(super) fn charts(report: &LoadReport) -> Vec<Chart> {
    [first_tokens(report), gaps(report), throughput(report)].into_iter().flatten().collect()
}

fn first_tokens(report: &LoadReport) -> Option<Chart> {
    let distributions = report.distributions.as_ref()?;
    let series = [("TTFT", &distributions.ttft), ("E2E", &distributions.e2e)];
    distribution("Distribution of first tokens and whole answers", &series)
}

fn gaps(report: &LoadReport) -> Option<Chart> {
    let distributions = report.distributions.as_ref()?;
    let series = [("ITL", &distributions.itl), ("TPOT", &distributions.tpot)];
    distribution("Distribution of gaps between tokens", &series)
}

fn distribution(title: &'static str, series: &[(&str, &Distribution)]) -> Option<Chart> {
    let series = series.iter().filter_map(|(name, distribution)| {
        let histogram = distribution.histogram().ok()?;
        let points = SHARES.iter().map(|share| {
            let at_most_ms = histogram.value_at_percentile(*share) as f64 / 1000.0;
            let words = format!("{share} % within {}", latency(at_most_ms));
            Point { x: at_most_ms, y: *share, words, address: None }
        });
        Some(Series { name: (*name).to_owned(), points: points.collect() })
    });
    let series = series.collect();
    Plot { title, x_label: "milliseconds", y_label: "share within, %", series }.draw()
}

fn throughput(report: &LoadReport) -> Option<Chart> {
    let series = report.time_series.as_ref()?;
    let points = series.output_tokens.iter().enumerate().map(|(index, tokens)| {
        let from_s = index as f64 * series.interval_s;
        let per_s = *tokens as f64 / series.interval_s;
        let words = format!("{} tokens/s at {} s", grouped(per_s), grouped(from_s));
        Point { x: from_s, y: per_s, words, address: None }
    });
    Plot {
        title: "Throughput over the measured window",
        x_label: "seconds",
        y_label: "output tokens per second",
        series: vec![Series { name: "output tokens/s".to_owned(), points: points.collect() }],
    }
    .draw()
}

#[cfg(test)]
mod tests {
    use accelbench_core::load::LoadReport;
    use accelbench_core::load::examples::{plan, report};

    use super::charts;

    #[test]
    fn a_report_shows_what_it_holds() {
        let whole = report(&plan(), 0);
        let titles: Vec<&str> = charts(&whole).iter().map(|chart| chart.title).collect();
        assert_eq!(titles.len(), 3, "{titles:?}");
        let old = LoadReport { distributions: None, time_series: None, ..whole };
        assert!(charts(&old).is_empty(), "a report of version 1 has nothing to draw");
    }
}
