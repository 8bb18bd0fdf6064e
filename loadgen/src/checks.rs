//! Whether the numbers of a load point can be trusted. Each check says in a sentence what was seen and what was wanted.

use std::time::Duration;

use accelbench_core::load::{LoadPlan, LoadReport, OfferedLoad, RequestRate};
use accelbench_core::metric::Statistic;
use accelbench_core::validity::{Check, Outcome};
use accelbench_core::workload::EosPolicy;

use crate::arrivals::variation;
use crate::loop_lag::nearest_rank_p99;
use crate::point::{Point, Tally};
use crate::recorder::{Circumstances, tokens_in};
use crate::sample::{Answer, Sample};

mod server;

/// All checks of a load point.
pub(crate) fn all(
    plan: &LoadPlan,
    point: &Point,
    report: &LoadReport,
    about: &Circumstances,
    answers: &[(&Sample, &Answer)],
) -> Vec<Check> {
    let mut checks = vec![
        error_share(report),
        load_held(point, report, about),
        warmed_up(point),
        connections_kept(about, point.requests_sent()),
        sample_size(report),
        generator_kept_up(point, report, about.loop_lag_p99),
    ];
    checks.extend(steady_state(point));
    checks.extend(requests_do_not_pile_up(point, report));
    checks.extend(output_length(plan, answers));
    checks.extend(input_length(about, answers));
    checks.extend(prompts_fresh(about, point.requests_sent()));
    checks.extend(trace_whole(about, point.requests_sent()));
    checks.push(clocks_agree(about));
    checks.extend(generator_has_room(about));
    checks.extend(server::tokens_agree(point, &about.looks));
    checks.extend(server::cache_hits(report, known_share(answers)));
    checks.extend(server::energy(report, &about.looks));
    checks
}

/// The share of the prompts' tokens that an engine with a prefix cache has met before.
fn known_share(answers: &[(&Sample, &Answer)]) -> f64 {
    let known: f64 = answers.iter().map(|(_, answer)| f64::from(answer.asked.known_tokens)).sum();
    let all: f64 = answers.iter().map(|(_, answer)| answer.input_tokens as f64).sum();
    (known / all.max(1.0)).min(1.0)
}

fn check(name: &str, observed: f64, warn: f64, fail: f64, sentence: String) -> Check {
    let outcome = match observed {
        value if value > fail => Outcome::Fail,
        value if value > warn => Outcome::Warn,
        _ => Outcome::Pass,
    };
    Check { name: name.to_owned(), outcome, observed, limit: warn, sentence }
}

/// Up to 1 % failed requests are usual under load; above 5 % the latencies are those of another, lighter load.
fn error_share(report: &LoadReport) -> Check {
    let (failed, all) = (report.failed(), report.failed() + report.requests_completed);
    check(
        "error_share",
        report.error_share(),
        0.01,
        0.05,
        format!("{failed} of {all} requests failed (at most 1 %)"),
    )
}

/// Whether the load was the one that was offered.
fn load_held(point: &Point, report: &LoadReport, about: &Circumstances) -> Check {
    match report.offered_load {
        OfferedLoad::Concurrency(requests) => concurrency_held(f64::from(requests.get()), report),
        OfferedLoad::RequestRate(rate) => rate_held(rate, point, report),
        OfferedLoad::Trace(_) => trace_held(about.due.unwrap_or(0), point),
    }
}

fn concurrency_held(offered: f64, report: &LoadReport) -> Check {
    let missing = (1.0 - report.concurrency_mean / offered).abs();
    let mean = report.concurrency_mean;
    check(
        "concurrency_held",
        missing,
        0.01,
        0.05,
        format!("{mean:.2} of {offered} requests were in flight on average (at least 99 %)"),
    )
}

/// Random arrivals miss their mean rate by chance: three standard deviations of a count are granted.
fn rate_held(rate: RequestRate, point: &Point, report: &LoadReport) -> Check {
    let sent = point.counted() as f64;
    let off = (sent / report.window_s / rate.per_s - 1.0).abs();
    let by_chance = 3.0 * variation(rate.arrivals) / (rate.per_s * report.window_s).max(1.0).sqrt();
    // One request more or less is none.
    let tolerable = (0.01 + by_chance).max(1.5 / (rate.per_s * report.window_s).max(1.0));
    let sentence = format!(
        "{:.2} requests/s were sent instead of {} (at most {:.1} % off)",
        sent / report.window_s,
        rate.per_s,
        100.0 * tolerable
    );
    check("rate_held", off, tolerable, 3.0 * tolerable, sentence)
}

/// Each request of a trace has its moment.
fn trace_held(due: u64, point: &Point) -> Check {
    let sent = point.counted() as u64;
    // One at each edge of the window is none.
    let off = sent.abs_diff(due).saturating_sub(2) as f64 / due.max(1) as f64;
    let sentence =
        format!("{sent} of the {due} requests that were due in the window were sent in it (at most 1 % off)");
    check("trace_held", off, 0.01, 0.05, sentence)
}

/// Of a long trace only the beginning is prepared, which then begins again: it is not the whole trace.
fn trace_whole(about: &Circumstances, sent: usize) -> Option<Check> {
    let (prepared, all) = about.replayed?;
    let missed = if sent > prepared { all - prepared.min(all) } else { 0 };
    let sentence = format!(
        "{sent} requests were sent of a trace of {all}, of which the first {prepared} were prepared (more than those \
         begin it again before its end)"
    );
    Some(check("trace_whole", missed as f64 / all.max(1) as f64, 0.0, 1.0, sentence))
}

/// An engine that does not keep up with the arrivals piles them up: its latencies are those of the moment at which the
/// window happened to close.
fn requests_do_not_pile_up(point: &Point, report: &LoadReport) -> Option<Check> {
    if !report.offered_load.is_open() {
        return None;
    }
    let (from, to) = point.window()?;
    let middle = from + to.saturating_sub(from) / 2;
    let (first, second) = (point.in_flight_in(from, middle), point.in_flight_in(middle, to));
    let growth = (second - first) / first.max(1.0);
    let sentence = format!(
        "{first:.1} requests were in flight on average in the first half of the window and {second:.1} in the second \
         (at most 25 % more)"
    );
    Some(check("requests_do_not_pile_up", growth.max(0.0), 0.25, 1.0, sentence))
}

/// An engine that closes connections between requests is no failure of the request, which is sent again and stamped anew;
/// but one that does so often may hide more.
fn connections_kept(about: &Circumstances, sent: usize) -> Check {
    let resent = about.resent;
    let sentence = format!(
        "{resent} of {sent} requests met a connection that the engine had closed, and were sent again on a new one (at \
         most 1 %)"
    );
    check("connections_kept", resent as f64 / sent.max(1) as f64, 0.01, 1.0, sentence)
}

/// The warm-up ends when the latencies have settled; one that never did may reach into the window.
fn warmed_up(point: &Point) -> Check {
    let Tally { warmup, warmup_requests, warmup_settled, .. } = point.tally;
    let how = if warmup_settled { "had settled" } else { "had not settled when its time was up" };
    let sentence = format!(
        "after {:.1} s and {warmup_requests} requests of warm-up the latencies {how} (by MSER)",
        warmup.as_secs_f64()
    );
    check("warmed_up", f64::from(u8::from(!warmup_settled)), 0.0, 1.0, sentence)
}

/// A percentile says something when ten requests lie beyond it; those without are not shown.
fn sample_size(report: &LoadReport) -> Check {
    let percentiles = Statistic::ALL.into_iter().filter(|statistic| statistic.percent().is_some());
    let missing: Vec<String> = percentiles
        .filter(|statistic| !report.supports(*statistic))
        .map(|statistic| format!("{} wants {}", statistic.as_str(), statistic.least_requests()))
        .collect();
    let count = report.requests_completed;
    let (outcome, what) = match missing.as_slice() {
        [] => (Outcome::Pass, "enough for every percentile shown".to_owned()),
        _ if report.supports(Statistic::P50) => (Outcome::Warn, missing.join(", ")),
        _ => (Outcome::Fail, "too few for any percentile".to_owned()),
    };
    let limit = if outcome == Outcome::Fail { Statistic::P50 } else { Statistic::P99 };
    Check {
        name: "sample_size".to_owned(),
        outcome,
        observed: count as f64,
        limit: limit.least_requests() as f64,
        sentence: format!("{count} requests were completed: {what}"),
    }
}

/// What the generator itself is late is booked on the engine: held against the median time to first token.
fn generator_kept_up(point: &Point, report: &LoadReport, loop_lag_p99: Duration) -> Check {
    let send_lag_ms = nearest_rank_p99(point.send_lags.clone()).as_secs_f64() * 1000.0;
    let loop_lag_ms = loop_lag_p99.as_secs_f64() * 1000.0;
    let late_ms = send_lag_ms.max(loop_lag_ms);
    let sentence = format!(
        "requests were sent {send_lag_ms:.2} ms late and timers ran {loop_lag_ms:.2} ms late at the 99th percentile, \
         against a median time to first token of {:.1} ms",
        report.ttft_ms.p50
    );
    let tolerable_ms = (0.05 * report.ttft_ms.p50).max(5.0);
    check("generator_kept_up", late_ms, tolerable_ms, 10.0 * tolerable_ms, sentence)
}

/// A thread that computes all the time has no room for what comes at the same moment: it delays, and measures its delay.
fn generator_has_room(about: &Circumstances) -> Option<Check> {
    let busy = about.busy_share?;
    let sentence = format!(
        "the thread that offers the load was computing for {:.0} % of the window (at most 70 %)",
        100.0 * busy
    );
    Some(check("generator_has_room", busy, 0.7, 0.95, sentence))
}

/// Latencies come from the monotonic clock alone; but a wall clock that jumps puts the window at another moment, and a
/// machine that slept has measured its sleep.
fn clocks_agree(about: &Circumstances) -> Check {
    let drift_ms = about.clock_drift.num_microseconds().map_or(f64::MAX, |drift| drift as f64 / 1000.0);
    let sentence = format!(
        "during the load point the wall clock went {drift_ms:+.1} ms further than the monotonic clock (at most 100 ms)"
    );
    check("clocks_agree", drift_ms.abs(), 100.0, 5000.0, sentence)
}

/// The two halves of the window must tell the same throughput.
fn steady_state(point: &Point) -> Option<Check> {
    let (from, to) = point.window()?;
    let middle = from + to.saturating_sub(from) / 2;
    let samples = || point.samples.iter().chain(&point.uncounted);
    let (first, second) = (tokens_in((from, middle), samples()), tokens_in((middle, to), samples()));
    let drift = (second - first).abs() / first.max(second).max(f64::MIN_POSITIVE);
    let sentence =
        format!("output of the two halves of the window differs by {:.1} % (at most 10 %)", 100.0 * drift);
    Some(check("steady_state", drift, 0.10, 0.30, sentence))
}

/// Where answers must run to the asked length, the server's count says whether they did.
fn output_length(plan: &LoadPlan, answers: &[(&Sample, &Answer)]) -> Option<Check> {
    if plan.workload.eos != EosPolicy::Ignore || answers.is_empty() {
        return None;
    }
    let short =
        |(_, answer): &&(&Sample, &Answer)| answer.output_tokens != u64::from(answer.asked.output_tokens);
    let count = answers.iter().filter(short).count();
    let sentence =
        format!("{count} of {} answers have another length than asked for (at most 1 %)", answers.len());
    Some(check("output_length", count as f64 / answers.len() as f64, 0.01, 0.10, sentence))
}

/// How far the prompts are from the asked length, by the server's count.
fn input_length(about: &Circumstances, answers: &[(&Sample, &Answer)]) -> Option<Check> {
    // Of the turns of a conversation only the first has a length that was asked for.
    let lengths = answers
        .iter()
        .filter_map(|(_, answer)| Some((f64::from(answer.asked.input_tokens?), answer.input_tokens as f64)));
    let (asked, found) = lengths.fold((0.0, 0.0), |sum, length| (sum.0 + length.0, sum.1 + length.1));
    if asked <= 0.0 {
        return None;
    }
    let off = (found - asked).abs() / asked;
    let how = if about.exact_input {
        "the engine's own tokenizer"
    } else {
        "a calibration: the engine has no /tokenize"
    };
    let sentence = format!(
        "prompts were {found:.0} tokens long together instead of {asked:.0}, cut by {how} (at most 2 % off)"
    );
    Some(check("input_length", off, 0.02, 0.10, sentence))
}

/// A prompt that is sent again may be answered from a prefix cache.
fn prompts_fresh(about: &Circumstances, sent: usize) -> Option<Check> {
    let fresh = about.fresh_prompts?.min(sent);
    let repeated = (sent - fresh) as f64 / sent.max(1) as f64;
    let sentence = format!(
        "{fresh} of {sent} requests had a prompt of the dataset that was new to the engine; a repeated one may be \
         answered from a prefix cache (all must be new)"
    );
    Some(check("prompts_fresh", repeated, 0.0, 1.0, sentence))
}
