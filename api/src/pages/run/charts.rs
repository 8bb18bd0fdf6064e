//! How the load went so far: the load points that are measured from their reports, the present one from what the load
//! generator tells about once a second.

use accelbench_core::load::{LoadProgress, LoadReport, LoadStage};
use chrono::{DateTime, Utc};

use crate::chart::{Chart, Plot, Point, Series};
use crate::html::{grouped, latency};

/// Points of all load points together: more would not be told apart, and each change of the page sends them anew.
const MOST_POINTS: usize = 120;

/// A moment, in seconds, with what was seen.
type Moment = (f64, Option<f64>);

/// Throughput, first tokens, and requests under way; nothing before there is anything to draw.
pub(super) fn charts(reports: &[&LoadReport], told: &[(DateTime<Utc>, LoadProgress)]) -> Vec<Chart> {
    let reported = |progress: &LoadProgress| {
        reports.iter().any(|report| report.load_point_index == progress.load_point_index)
    };
    let told: Vec<&(DateTime<Utc>, LoadProgress)> = told
        .iter()
        .filter(|(_, progress)| progress.stage != LoadStage::Preparing && !reported(progress))
        .collect();
    let started = reports.iter().map(|report| report.started_at).chain(told.iter().map(|(at, _)| *at)).min();
    let Some(start) = started else { return Vec::new() };
    let course = Course { reports, told: &told, start };
    [course.throughput(), course.first_tokens(), course.under_way()].into_iter().flatten().collect()
}

struct Course<'a> {
    reports: &'a [&'a LoadReport],
    told: &'a [&'a (DateTime<Utc>, LoadProgress)],
    start: DateTime<Utc>,
}

impl Course<'_> {
    fn throughput(&self) -> Option<Chart> {
        let of_part = |report: &LoadReport, part: usize| {
            let series = report.time_series.as_ref()?;
            Some(*series.output_tokens.get(part)? as f64 / series.interval_s)
        };
        let now = |progress: &LoadProgress| Some(progress.output_tokens_per_s);
        let series = self.by_load_point(of_part, now, |value| format!("{} tokens/s", grouped(value)));
        plot("Output tokens per second", "tokens per second", series)
    }

    fn first_tokens(&self) -> Option<Chart> {
        let of_part =
            |report: &LoadReport, part: usize| *report.time_series.as_ref()?.ttft_mean_ms.get(part)?;
        let series = self.by_load_point(of_part, |progress| progress.ttft_p50_ms, latency);
        plot("Time to first token: mean, and the median so far while it is measured", "milliseconds", series)
    }

    fn under_way(&self) -> Option<Chart> {
        let list = |of: fn(&LoadReport, usize) -> Option<f64>| -> Vec<Point> {
            let moments = self.reports.iter().flat_map(|report| self.parts(report, of));
            thinned(&moments.collect::<Vec<_>>(), 2, |value| format!("{} requests", grouped(value)))
        };
        let running = list(|report, part| report.time_series.as_ref()?.in_flight_mean.get(part).copied());
        let waiting = list(|report, part| *report.time_series.as_ref()?.requests_waiting.get(part)?);
        let series = [("under way", running), ("waiting in the engine", waiting)];
        let series = series.map(|(name, points)| Series { name: name.to_owned(), points });
        plot("Requests under way and waiting, of finished load points", "requests", series.into())
    }

    fn by_load_point(
        &self,
        of_part: fn(&LoadReport, usize) -> Option<f64>,
        now: fn(&LoadProgress) -> Option<f64>,
        words: fn(f64) -> String,
    ) -> Vec<Series> {
        let count = self.reports.len() + usize::from(!self.told.is_empty());
        let measured = self.reports.iter().map(|report| {
            let moments = self.parts(report, of_part).collect();
            (report.offered_load, moments)
        });
        let present = self.told.first().map(|(_, first)| {
            let moments = self.told.iter().map(|(at, progress)| (self.seconds(*at), now(progress)));
            (first.offered_load, moments.collect())
        });
        let series = measured.chain(present).map(|(load, moments): (_, Vec<Moment>)| Series {
            name: load.to_string(),
            points: thinned(&moments, count, words),
        });
        series.collect()
    }

    fn parts(
        &self,
        report: &LoadReport,
        of_part: fn(&LoadReport, usize) -> Option<f64>,
    ) -> impl Iterator<Item = Moment> {
        let interval_s = report.time_series.as_ref().map_or(0.0, |series| series.interval_s);
        let parts = report.time_series.as_ref().map_or(0, |series| series.output_tokens.len());
        let from_s = self.seconds(report.started_at);
        let values: Vec<Option<f64>> = (0..parts).map(|part| of_part(report, part)).collect();
        values.into_iter().enumerate().map(move |(part, value)| (from_s + part as f64 * interval_s, value))
    }

    fn seconds(&self, at: DateTime<Utc>) -> f64 {
        (at - self.start).num_milliseconds() as f64 / 1000.0
    }
}

/// Means of neighbours, so that `series` of them stay within the most points.
fn thinned(moments: &[Moment], series: usize, words: fn(f64) -> String) -> Vec<Point> {
    let most = (MOST_POINTS / series.max(1)).max(2);
    let chunk = moments.len().div_ceil(most).max(1);
    let point = |neighbours: &[Moment]| {
        let known: Vec<f64> = neighbours.iter().filter_map(|(_, value)| *value).collect();
        let &(x, _) = neighbours.first().filter(|_| !known.is_empty())?;
        let y = known.iter().sum::<f64>() / known.len() as f64;
        Some(Point { x, y, words: format!("{} at {} s", words(y), grouped(x)), address: None })
    };
    moments.chunks(chunk).filter_map(point).collect()
}

fn plot(title: &'static str, y_label: &'static str, series: Vec<Series>) -> Option<Chart> {
    Plot { title, x_label: "seconds", y_label, series }.draw()
}

#[cfg(test)]
mod tests {
    use accelbench_core::load::examples::{plan, report};
    use accelbench_core::load::{LoadProgress, LoadStage};
    use chrono::TimeDelta;

    use super::{MOST_POINTS, charts};

    #[test]
    fn what_was_measured_and_what_is_told_now_are_drawn_together() {
        let measured = report(&plan(), 0);
        let told = |second: i64, stage| {
            let progress = LoadProgress {
                load_point_index: 1,
                load_point_count: 2,
                offered_load: plan().load_points[1],
                stage,
                fraction: 0.1,
                requests_completed: 3,
                requests_failed: 0,
                output_tokens_per_s: 100.0,
                ttft_p50_ms: Some(20.0),
                tpot_p50_ms: None,
            };
            (measured.finished_at + TimeDelta::seconds(second), progress)
        };
        let told: Vec<_> = (0..5000).map(|second| told(second, LoadStage::Measuring)).collect();
        assert!(charts(&[], &[]).is_empty());
        let drawn = charts(&[&measured], &told);
        let titles: Vec<&str> = drawn.iter().map(|chart| chart.title).collect();
        assert!(
            titles[0].starts_with("Output tokens") && titles[1].starts_with("Time to first"),
            "{titles:?}"
        );
        assert_eq!(drawn[0].curves.len(), 2);
        let dots: usize = drawn[0].curves.iter().map(|curve| curve.dots.len()).sum();
        assert!(dots <= MOST_POINTS, "{dots}");
        let alone = charts(&[], &told[..3]);
        assert_eq!((alone.len(), alone[0].curves[0].dots.len()), (2, 3));
    }
}
