//! What happened in each part of the window.

use std::time::Duration;

use accelbench_core::load::{INTERVALS, TimeSeries};

use crate::metrics::Look;
use crate::point::Point;
use crate::sample::{Answer, Sample};

/// The parts of a window.
struct Parts {
    from: Duration,
    to: Duration,
}

impl Parts {
    fn of((from, to): (Duration, Duration)) -> Self {
        Self { from, to }
    }

    /// Length of a part, in seconds.
    fn interval_s(&self) -> f64 {
        self.to.saturating_sub(self.from).as_secs_f64() / INTERVALS as f64
    }

    /// The part in which a moment lies; `None` outside the window.
    fn part(&self, at: Duration) -> Option<usize> {
        if !(self.from..self.to).contains(&at) {
            return None;
        }
        let part = (at.saturating_sub(self.from).as_secs_f64() / self.interval_s()) as usize;
        Some(part.min(INTERVALS - 1))
    }

    /// When a part begins; the end of the window for the part behind the last.
    fn begins(&self, part: usize) -> Duration {
        self.from + self.to.saturating_sub(self.from).mul_f64(part as f64 / INTERVALS as f64)
    }
}

/// The course of the window.
pub(super) fn of(point: &Point, window: (Duration, Duration), looks: &[Look]) -> TimeSeries {
    let parts = Parts::of(window);
    let mut series = TimeSeries::empty(parts.interval_s());
    let mut ttft = vec![(0.0, 0_u32); INTERVALS];
    for sample in point.samples.iter().chain(&point.uncounted) {
        if let Some(part) = parts.part(sample.sent_at) {
            series.requests_sent[part] += 1;
            match &sample.outcome {
                Ok(answer) => {
                    ttft[part].0 += answer.first_token_at().saturating_sub(sample.sent_at).as_secs_f64();
                    ttft[part].1 += 1;
                }
                Err(_) => series.requests_failed[part] += 1,
            }
        }
        if let Ok(answer) = &sample.outcome {
            add_answer(&mut series, &parts, sample, answer);
        }
    }
    for (mean, (sum_s, count)) in series.ttft_mean_ms.iter_mut().zip(ttft) {
        *mean = (count > 0).then(|| 1000.0 * sum_s / f64::from(count));
    }
    for look in looks {
        if let Some(part) = parts.part(look.at) {
            let (engine, accelerators) = (look.engine.as_ref().ok(), look.accelerators.as_ref().ok());
            series.requests_waiting[part] = engine.and_then(|look| look.waiting);
            series.kv_cache_usage_percent[part] = engine.and_then(|look| look.kv_cache_usage_percent);
            series.accelerator_utilization_percent[part] =
                accelerators.and_then(|look| look.utilization_percent);
        }
    }
    series
}

fn add_answer(series: &mut TimeSeries, parts: &Parts, sample: &Sample, answer: &Answer) {
    if let Some(part) = parts.part(answer.ended_at) {
        series.requests_completed[part] += 1;
        series.input_tokens[part] += answer.input_tokens;
    }
    for arrival in &answer.arrivals {
        if let Some(part) = parts.part(arrival.at()) {
            series.output_tokens[part] += u64::from(arrival.tokens);
        }
    }
    let first = parts.part(sample.sent_at.max(parts.from)).unwrap_or(INTERVALS);
    let last = parts.part(answer.ended_at).unwrap_or(INTERVALS - 1);
    for part in first..=last {
        let (begins, ends) = (parts.begins(part), parts.begins(part + 1));
        let inside = answer.ended_at.min(ends).saturating_sub(sample.sent_at.max(begins));
        series.in_flight_mean[part] += inside.as_secs_f64() / parts.interval_s();
    }
}
