//! What the engine's and the accelerators' own metrics say about the numbers.

use accelbench_core::load::LoadReport;
use accelbench_core::validity::Check;

use super::check;
use crate::metrics::{self, Look};
use crate::point::Point;
use crate::recorder::tokens_in;

/// The engine must have made the tokens that arrived here, and no others: between the first and the last look, each
/// token counted there is to be found here. A chunk that is under way may count on one side only.
pub(super) fn tokens_agree(point: &Point, looks: &[Look]) -> Option<Check> {
    let known: Vec<_> = looks.iter().filter(|look| look.engine.is_ok()).collect();
    let span = (known.first()?.at, known.last()?.at);
    let seconds = span.1.saturating_sub(span.0).as_secs_f64();
    let there = *metrics::of_engine(looks).output_tokens_per_s.value()?;
    let here = tokens_in(span, point.samples.iter().chain(&point.uncounted)) / seconds.max(f64::MIN_POSITIVE);
    let under_way = point.concurrency_mean() / seconds.max(f64::MIN_POSITIVE);
    let off = ((there - here).abs() - under_way).max(0.0) / there.max(here).max(f64::MIN_POSITIVE);
    let sentence = format!(
        "the engine counts {there:.1} output tokens/s, {here:.1} arrived here (at most 2 % apart); more there than here \
         means that somebody else uses the engine, or that requests fail halfway"
    );
    Some(check("tokens_agree", off, 0.02, 0.10, sentence))
}

/// What a prefix cache answers was not computed: no more of the prompts may come from it than was meant to. Less is the
/// engine's affair (its cache may be off or too small), and worth knowing.
pub(super) fn cache_hits(report: &LoadReport, intended: f64) -> Option<Check> {
    let share = *report.server.prefix_cache_hit_share.value()?;
    let (off, fail) = if share > intended { (share - intended, 0.25) } else { (intended - share, 1.0) };
    let sentence = format!(
        "{:.1} % of the prompts' tokens came from the prefix cache, {:.1} % were meant to (at most 5 points apart)",
        100.0 * share,
        100.0 * intended
    );
    Some(check("cache_hits_as_intended", off, 0.05, fail, sentence))
}

/// Energy is worth telling when the counter of energy and the mean of the power tell the same.
pub(super) fn energy(report: &LoadReport, looks: &[Look]) -> Option<Check> {
    report.accelerator_energy_per_output_token_j.value()?;
    let accelerators = metrics::of_accelerators(looks);
    let (off, how) = match (accelerators.energy, accelerators.power_w.value()) {
        (Some((joules, seconds)), Some(watts)) => {
            let by_counter = joules / seconds;
            let off = (by_counter - watts).abs() / by_counter.max(f64::MIN_POSITIVE);
            (
                off,
                format!(
                    "{by_counter:.0} W by the counter of energy and {watts:.0} W by the looks at the power"
                ),
            )
        }
        (Some(_), None) => (0.0, "known by the counter of energy alone".to_owned()),
        (None, _) => (1.0, "known by looks at the power alone: what lies between them is missed".to_owned()),
    };
    Some(check(
        "energy_measured",
        off,
        0.10,
        1.0,
        format!("the accelerators' energy is {how} (at most 10 % apart)"),
    ))
}
