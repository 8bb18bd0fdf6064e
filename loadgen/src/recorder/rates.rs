//! How sure the rates of a window are. The window is cut into batches; a request counts in each by the share of its time
//! that lies there. Counted by their ends alone, requests that run in step would come in lumps, and the rate would look
//! far less sure than it is.

use std::time::Duration;

use accelbench_core::load::LoadReport;
use accelbench_core::metric::Metric;
use accelbench_core::stats::{BATCHES, Batch, Estimate};

use crate::point::Point;
use crate::sample::{Answer, Sample};

/// Estimates of the rates of a report.
pub(super) fn estimates(
    point: &Point,
    (from, to): (Duration, Duration),
    report: &LoadReport,
) -> Vec<(Metric, Estimate)> {
    let span = to.saturating_sub(from);
    let weight = span.as_secs_f64() / BATCHES as f64;
    let [mut requests, mut input, mut output] = [[Batch { sum: 0.0, weight }; BATCHES]; 3];
    for (batch, ((requests, input), output)) in
        requests.iter_mut().zip(&mut input).zip(&mut output).enumerate()
    {
        let bounds = [batch, batch + 1].map(|edge| from + span.mul_f64(edge as f64 / BATCHES as f64));
        for (sample, answer) in answers(point) {
            let share = share_inside(sample, answer, bounds);
            requests.sum += share;
            input.sum += share * answer.input_tokens as f64;
            let first = answer.arrivals.partition_point(|arrival| arrival.at() < bounds[0]);
            let inside = answer.arrivals[first..].iter().take_while(|arrival| arrival.at() < bounds[1]);
            output.sum += inside.map(|arrival| f64::from(arrival.tokens)).sum::<f64>();
        }
    }
    [(Metric::OutputTokensPerS, output), (Metric::InputTokensPerS, input), (Metric::RequestsPerS, requests)]
        .into_iter()
        .filter_map(|(metric, batches)| {
            Some((metric, Estimate::of_ratio(&batches)?.moved_to(report.value(metric))))
        })
        .collect()
}

fn answers(point: &Point) -> impl Iterator<Item = (&Sample, &Answer)> {
    let samples = point.samples.iter().chain(&point.uncounted);
    samples.filter_map(|sample| Some((sample, sample.outcome.as_ref().ok()?)))
}

/// The share of a request's time that lies between two moments.
fn share_inside(sample: &Sample, answer: &Answer, [from, to]: [Duration; 2]) -> f64 {
    let inside = answer.ended_at.min(to).saturating_sub(sample.sent_at.max(from)).as_secs_f64();
    let whole = answer.ended_at.saturating_sub(sample.sent_at).as_secs_f64();
    if whole > 0.0 { inside / whole } else { 0.0 }
}
