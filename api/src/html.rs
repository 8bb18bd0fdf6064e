//! How values look on a page: askama's filters. Units are chosen by size, so that no reader counts digits.

#![expect(
    clippy::unnecessary_wraps,
    clippy::trivially_copy_pass_by_ref,
    clippy::inline_always,
    clippy::unused_self,
    unreachable_pub,
    reason = "askama prescribes the form of filters and makes their code"
)]

use accelbench_core::comparison::Standing;
use accelbench_core::exploration::Exploration;
use accelbench_core::load::{LoadProgress, LoadReport, LoadStage, OfferedLoad};
use accelbench_core::metric::Metric;
use accelbench_core::observed::Observed;
use accelbench_core::result::Origin;
use accelbench_core::run::{PlatformSpec, Run, RunSpec, Verdict};
use accelbench_core::validity::Outcome;
use askama::{Result, Values};
use chrono::{DateTime, TimeDelta, Utc};

use crate::assets;

pub(crate) mod amounts;
pub(crate) use amounts::{age, day, last_part, minutes, money, paid};

/// A latency given in milliseconds: `9.41 ms`, `412 ms`, `1.94 s`, `15 min 19 s`.
#[askama::filter_fn]
pub(crate) fn ms(value: &f64, _: &dyn Values) -> Result<String> {
    Ok(latency(*value))
}

/// A metric of a report by its name; a dash where too few requests carry it.
#[askama::filter_fn]
pub(crate) fn metric(report: &LoadReport, _: &dyn Values, name: &str) -> Result<String> {
    let metric: Metric = name.parse().map_err(askama::Error::custom)?;
    let value = report.value(metric);
    Ok(match metric {
        Metric::Latency(_, statistic) if !report.supports(statistic) => "–".to_owned(),
        Metric::Latency(..) => latency(value),
        Metric::OutputTokensPerS | Metric::InputTokensPerS | Metric::RequestsPerS => grouped(value),
    })
}

/// Half the width of a metric's 95 % interval; nothing where it is not known.
#[askama::filter_fn]
pub(crate) fn margin(report: &LoadReport, _: &dyn Values, name: &str) -> Result<String> {
    let metric: Metric = name.parse().map_err(askama::Error::custom)?;
    let estimate = report.estimates.get(&metric);
    Ok(estimate.map(|estimate| format!("±{}", grouped(estimate.half_width()))).unwrap_or_default())
}

/// A number that may not be known.
#[askama::filter_fn]
pub(crate) fn perhaps(value: &Option<f64>, _: &dyn Values) -> Result<String> {
    Ok(value.map_or_else(|| "–".to_owned(), grouped))
}

/// A number of things that may not be known.
#[askama::filter_fn]
pub(crate) fn perhaps_count(value: &Option<f64>, _: &dyn Values) -> Result<String> {
    Ok(value.map_or_else(|| "–".to_owned(), |count| format!("{count:.0}")))
}

/// A latency in milliseconds that may not be known.
#[askama::filter_fn]
pub(crate) fn perhaps_ms(value: &Option<f64>, _: &dyn Values) -> Result<String> {
    Ok(value.map_or_else(|| "–".to_owned(), latency))
}

/// A workload in words: a published one says its kind and lengths, one of ours the beginning of its hash.
#[askama::filter_fn]
pub(crate) fn workload(key: &str, _: &dyn Values) -> Result<String> {
    let parts: Vec<&str> = key.split(' ').collect();
    Ok(match parts.as_slice() {
        [kind, input, output] => format!("{} {input} in, {output} out", words(kind)),
        _ => format!("measured here, {}", key.get(..8).unwrap_or(key)),
    })
}

/// A rate or count: `0.42`, `31.6`, `9,870`.
#[askama::filter_fn]
pub(crate) fn number(value: &f64, _: &dyn Values) -> Result<String> {
    Ok(grouped(*value))
}

/// A share of 1 in percent.
#[askama::filter_fn]
pub(crate) fn percent(value: &f64, _: &dyn Values) -> Result<String> {
    Ok(format!("{:.1} %", value * 100.0))
}

/// How long something took: `0.4 s`, `12 s`, `1 min 10 s`, `2 h 5 min`.
#[askama::filter_fn]
pub(crate) fn span(value: &TimeDelta, _: &dyn Values) -> Result<String> {
    Ok(duration(*value))
}

/// A moment, to the second, in UTC.
#[askama::filter_fn]
pub(crate) fn moment(value: &DateTime<Utc>, _: &dyn Values) -> Result<String> {
    Ok(value.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The address of a static file, which changes with its content.
#[askama::filter_fn]
pub(crate) fn asset(name: &str, _: &dyn Values) -> Result<String> {
    Ok(assets::address(name))
}

/// What serves the run.
#[askama::filter_fn]
pub(crate) fn engine(spec: &RunSpec, _: &dyn Values) -> Result<String> {
    Ok(match &spec.platform {
        PlatformSpec::Local { engine } => engine.to_string(),
        PlatformSpec::Endpoint { url } => url.to_string(),
        PlatformSpec::Kubernetes { engine } => format!("{engine} on Kubernetes"),
    })
}

/// Whether the run's numbers will tell nothing of real hardware.
#[askama::filter_fn]
pub(crate) fn is_simulated(spec: &RunSpec, _: &dyn Values) -> Result<bool> {
    Ok(spec.platform.is_simulated())
}

/// A load in short: `4` at once, or `2.5/s`.
fn short(load: &OfferedLoad) -> String {
    match load {
        OfferedLoad::Concurrency(requests) => requests.to_string(),
        OfferedLoad::RequestRate(rate) => format!("{}/s", rate.per_s),
        OfferedLoad::Trace(replay) => format!("trace ×{}", replay.speed),
    }
}

/// A load in short.
#[askama::filter_fn]
pub(crate) fn load(load: &OfferedLoad, _: &dyn Values) -> Result<String> {
    Ok(short(load))
}

/// The load points in short: `1, 4, 16, 2.5/s`.
#[askama::filter_fn]
pub(crate) fn loads(spec: &RunSpec, _: &dyn Values) -> Result<String> {
    let loads: Vec<String> = spec.load_points.iter().map(short).collect();
    Ok(match spec.exploration {
        None => loads.join(", "),
        Some(Exploration::Sweep { .. }) => "sweep".to_owned(),
        Some(Exploration::Search { .. }) => "search".to_owned(),
    })
}

/// A known value, or a dash; the reason belongs into the title beside it.
#[askama::filter_fn]
pub(crate) fn known(value: &Observed<String>, _: &dyn Values) -> Result<String> {
    Ok(value.value().cloned().unwrap_or_else(|| "–".to_owned()))
}

/// The run's state in a word or two.
#[askama::filter_fn]
pub(crate) fn state(run: &Run, _: &dyn Values) -> Result<String> {
    Ok(match (run.phase.is_finished(), run.phase.verdict()) {
        (true, Some(verdict)) => verdict.as_str().to_owned(),
        _ if run.parked_reason.is_some() => "parked".to_owned(),
        (false, None) if run.cancel_requested_at.is_some() => "cancelling".to_owned(),
        _ => words(run.phase.as_str()),
    })
}

/// The state's colour; the word stands beside it.
#[askama::filter_fn]
pub(crate) fn tone(run: &Run, _: &dyn Values) -> Result<&'static str> {
    Ok(match run.phase.verdict() {
        _ if run.parked_reason.is_some() => "bad",
        Some(Verdict::Succeeded) => "good",
        Some(Verdict::Failed { .. }) => "bad",
        Some(Verdict::Cancelled) => "idle",
        None if run.phase.as_str() == "queued" => "idle",
        None => "busy",
    })
}

/// A check's colour; the word stands beside it.
#[askama::filter_fn]
pub(crate) fn outcome_tone(outcome: &Outcome, _: &dyn Values) -> Result<&'static str> {
    Ok(match outcome {
        Outcome::Pass => "good",
        Outcome::Warn => "warn",
        Outcome::Fail => "bad",
    })
}

/// Whether simulated results were asked for.
#[askama::filter_fn]
pub(crate) fn is_simulation(origin: &Option<Origin>, _: &dyn Values) -> Result<bool> {
    Ok(*origin == Some(Origin::Simulated))
}

/// Whether a number is the best of its row.
#[askama::filter_fn]
pub(crate) fn is_best(standing: &Standing, _: &dyn Values) -> Result<bool> {
    Ok(*standing == Standing::Best)
}

/// Whether chance may have made the difference to the best.
#[askama::filter_fn]
pub(crate) fn is_chance(standing: &Standing, _: &dyn Values) -> Result<bool> {
    Ok(*standing == Standing::NoClearDifference)
}

/// What the load generator does, in words.
#[askama::filter_fn]
pub(crate) fn stage(stage: &LoadStage, _: &dyn Values) -> Result<&'static str> {
    Ok(match stage {
        LoadStage::Preparing => "preparing the prompts",
        LoadStage::WarmingUp => "warming up; these requests do not count",
        LoadStage::Measuring => "measuring",
        LoadStage::Draining => "waiting for the last requests",
    })
}

/// How far the whole load is, in thousandths.
#[askama::filter_fn]
pub(crate) fn permille(progress: &LoadProgress, _: &dyn Values) -> Result<u32> {
    let points = f64::from(progress.load_point_count.max(1));
    let done = (f64::from(progress.load_point_index) + progress.fraction.clamp(0.0, 1.0)) / points;
    Ok((done.min(1.0) * 1000.0) as u32)
}

/// A word of the API as a person reads it.
pub(crate) fn words(word: &str) -> String {
    word.replace('_', " ")
}

pub(crate) fn latency(value_ms: f64) -> String {
    match value_ms {
        value if value < 99.95 => format!("{value:.1} ms"),
        value if value < 999.5 => format!("{value:.0} ms"),
        value if value < 59_950.0 => format!("{:.2} s", value / 1000.0),
        value => duration(TimeDelta::milliseconds(value as i64)),
    }
}

fn duration(span: TimeDelta) -> String {
    let span_s = span.num_milliseconds().max(0) as f64 / 1000.0;
    let whole_s = span_s.round() as u64;
    match span_s {
        value if value < 9.95 => format!("{value:.1} s"),
        value if value < 59.5 => format!("{value:.0} s"),
        _ if whole_s < 3600 => format!("{} min {} s", whole_s / 60, whole_s % 60),
        _ => format!("{} h {} min", whole_s / 3600, whole_s % 3600 / 60),
    }
}

pub(crate) fn grouped(value: f64) -> String {
    match value {
        value if !value.is_finite() => "–".to_owned(),
        value if value.abs() < 9.995 => format!("{value:.2}"),
        value if value.abs() < 99.95 => format!("{value:.1}"),
        value => {
            let digits = format!("{value:.0}");
            let groups: Vec<&str> =
                digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
            groups.join(",")
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::{duration, grouped, latency};

    #[test]
    fn latencies_take_the_unit_that_reads_best() {
        for (value_ms, text) in [
            (0.0, "0.0 ms"),
            (9.41, "9.4 ms"),
            (99.96, "100 ms"),
            (412.3, "412 ms"),
            (999.7, "1.00 s"),
            (1940.0, "1.94 s"),
            (919_484.6, "15 min 19 s"),
        ] {
            assert_eq!(latency(value_ms), text);
        }
    }

    #[test]
    fn durations_are_short() {
        for (milliseconds, text) in [
            (-5, "0.0 s"),
            (440, "0.4 s"),
            (12_300, "12 s"),
            (59_700, "1 min 0 s"),
            (70_000, "1 min 10 s"),
            (7_500_000, "2 h 5 min"),
        ] {
            assert_eq!(duration(TimeDelta::milliseconds(milliseconds)), text);
        }
    }

    #[test]
    fn large_numbers_are_grouped() {
        for (value, text) in
            [(0.418, "0.42"), (31.62, "31.6"), (824.2, "824"), (9870.0, "9,870"), (1_234_567.0, "1,234,567")]
        {
            assert_eq!(grouped(value), text);
        }
    }
}
