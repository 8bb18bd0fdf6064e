//! Charts of readings: of each setting the points that no other one of it beats, so that many measurements of one
//! machine make one readable curve.

use crate::chart::{Chart, Plot, Point, Series};
use crate::html::{amounts::sum, grouped};
use crate::pricing::PriceList;
use crate::reading::Reading;

/// Settings of one chart; the colours of more could not be told apart.
const MOST_SERIES: usize = 8;

/// Throughput against what a single reader sees: further right and higher up is better.
pub(crate) fn throughput(readings: &[Reading]) -> Option<Chart> {
    let place = |reading: &Reading| Some((reading.interactivity()?, reading.metric("output_tokens_per_s")?));
    let series = settings(readings, place, Better::Higher);
    Plot {
        title: "Throughput against speed of a single answer",
        x_label: "tokens per second of one answer",
        y_label: "output tokens per second",
        series,
    }
    .draw()
}

/// Cost against what a single reader sees: further right and lower down is better.
pub(crate) fn cost(readings: &[Reading], prices: &PriceList) -> Option<Chart> {
    let place = |reading: &Reading| {
        let cost = reading.costs(prices).per_million_output_tokens;
        Some((reading.interactivity()?, *cost.value()?))
    };
    let series = settings(readings, place, Better::Lower);
    Plot {
        title: "Cost against speed of a single answer",
        x_label: "tokens per second of one answer",
        y_label: "per 1M output tokens",
        series,
    }
    .draw()
}

/// Throughput over the number of simultaneous requests: the load curve.
pub(crate) fn load_curve(readings: &[Reading]) -> Option<Chart> {
    let place = |reading: &Reading| {
        let concurrency = reading.offered_load?.concurrency()?;
        Some((f64::from(concurrency), reading.metric("output_tokens_per_s")?))
    };
    let mut series = curves(readings, place);
    for series in &mut series {
        series.points.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    Plot {
        title: "Throughput over load",
        x_label: "simultaneous requests",
        y_label: "output tokens per second",
        series,
    }
    .draw()
}

/// Which way is better on the upright axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Better {
    Higher,
    Lower,
}

fn settings(
    readings: &[Reading],
    place: impl Fn(&Reading) -> Option<(f64, f64)>,
    better: Better,
) -> Vec<Series> {
    let mut series = curves(readings, place);
    for series in &mut series {
        series.points = frontier(std::mem::take(&mut series.points), better);
    }
    series
}

/// The readings of each setting as points, the settings with most of them first.
fn curves(readings: &[Reading], place: impl Fn(&Reading) -> Option<(f64, f64)>) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for reading in readings {
        let Some((x, y)) = place(reading) else { continue };
        let load = reading.offered_load.map_or_else(|| "no stated load".to_owned(), |load| load.to_string());
        let words = format!("{load}, {} by {}", grouped(x), sum(y, ""));
        let point = Point { x, y, words, address: Some(reading.address()) };
        let name = reading.setting();
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => series.push(Series { name, points: vec![point] }),
        }
    }
    series.sort_by_key(|series| std::cmp::Reverse(series.points.len()));
    series.truncate(MOST_SERIES);
    series
}

/// The points that no other one beats in both directions, from right to left.
fn frontier(mut points: Vec<Point>, better: Better) -> Vec<Point> {
    points.sort_by(|a, b| b.x.total_cmp(&a.x));
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        let is_better = kept.last().is_none_or(|last| match better {
            Better::Higher => point.y > last.y,
            Better::Lower => point.y < last.y,
        });
        if is_better {
            kept.push(point);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{Better, Point, frontier};

    fn kept(places: &[(f64, f64)], better: Better) -> Vec<(f64, f64)> {
        let points = places.iter().map(|&(x, y)| Point { x, y, words: String::new(), address: None });
        frontier(points.collect(), better).iter().map(|point| (point.x, point.y)).collect()
    }

    #[test]
    fn what_another_point_beats_is_left_out() {
        let places = [(10.0, 500.0), (50.0, 100.0), (30.0, 80.0), (40.0, 300.0)];
        assert_eq!(kept(&places, Better::Higher), [(50.0, 100.0), (40.0, 300.0), (10.0, 500.0)]);
        assert_eq!(kept(&places, Better::Lower), [(50.0, 100.0), (30.0, 80.0)]);
    }
}
