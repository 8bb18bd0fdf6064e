//! The timeline of a run as a person reads it: its phases in order, how long each took, and what happened in it.

use accelbench_core::run::{EventKind, Phase, Run, RunEvent};
use chrono::{DateTime, TimeDelta, Utc};

use crate::html::words;

/// A phase of the run's life.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    /// Its name in words.
    pub(crate) name: String,
    /// `done`, `now` or `later`.
    pub(crate) state: &'static str,
    /// How long after the submission it began; `None` when it has not.
    pub(crate) began_after: Option<TimeDelta>,
    /// How long it took so far; `None` for one that takes no time.
    pub(crate) took: Option<TimeDelta>,
    /// What happened in it.
    pub(crate) notes: Vec<Note>,
}

/// Something that happened inside a phase.
#[derive(Debug, PartialEq)]
pub(crate) struct Note {
    /// How long after the submission.
    pub(crate) after: TimeDelta,
    /// Whether it is trouble.
    pub(crate) is_trouble: bool,
    /// What happened, as a sentence.
    pub(crate) message: String,
}

/// Arranges a run's events; the present phase is counted up to `now`.
pub(crate) fn steps(run: &Run, events: &[RunEvent], now: DateTime<Utc>) -> Vec<Step> {
    let is_over = run.phase.verdict().is_some();
    let began = |phase: &str| events.iter().find(|event| event.phase == phase).map(|event| event.at);
    let next_began = |after: DateTime<Utc>| {
        Phase::WORDS.iter().filter_map(|phase| began(phase)).filter(|at| *at > after).min()
    };
    let shown =
        Phase::WORDS.iter().filter(|phase| began(phase).is_some() || !is_over || **phase == "finished");
    shown
        .map(|&phase| {
            let began = began(phase);
            let is_now = run.phase.as_str() == phase && !run.phase.is_finished();
            let took = began.filter(|_| phase != "finished").map(|at| next_began(at).unwrap_or(now) - at);
            let state = match (is_now, began) {
                (true, _) => "now",
                (false, Some(_)) => "done",
                (false, None) => "later",
            };
            let began_after = began.map(|at| at - run.created_at);
            Step { name: words(phase), state, began_after, took, notes: notes(run, events, phase) }
        })
        .collect()
}

fn notes(run: &Run, events: &[RunEvent], phase: &str) -> Vec<Note> {
    let inside = events.iter().filter(|event| event.phase == phase);
    inside
        .map(|event| Note {
            after: event.at - run.created_at,
            is_trouble: matches!(event.kind, EventKind::Retry | EventKind::Parked),
            message: event.message.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use accelbench_core::run::{EventKind, Phase, Priority, Run, RunEvent, RunId, Verdict};
    use chrono::{DateTime, TimeDelta, Utc};
    use serde_json::json;

    use super::{Step, steps};

    fn run(phase: Phase, created_at: DateTime<Utc>) -> Run {
        let platform = json!({"kind": "local", "engine": "simulator"});
        let spec = json!({"model": "a/b", "instance_type": "g6e.xlarge", "platform": platform});
        Run {
            id: RunId::new(),
            spec: serde_json::from_value(spec).unwrap(),
            phase,
            priority: Priority::Person,
            submitted_by: None,
            created_at,
            phase_since: created_at,
            deadline_at: None,
            cancel_requested_at: None,
            attempts: 0,
            parked_reason: None,
            endpoint: None,
            progress: None,
            load_point_count: 1,
            conclusion: None,
            revision_absent_reason: None,
        }
    }

    fn events(created_at: DateTime<Utc>, entries: &[(i64, &str, EventKind)]) -> Vec<RunEvent> {
        let entries = entries.iter().zip(1..);
        entries
            .map(|(&(at_s, phase, kind), sequence)| RunEvent {
                sequence,
                at: created_at + TimeDelta::seconds(at_s),
                phase: phase.to_owned(),
                kind,
                message: format!("event {sequence}"),
            })
            .collect()
    }

    fn shown(steps: &[Step]) -> Vec<(&str, &str, Option<i64>)> {
        let took_s = |step: &Step| step.took.map(|took| took.num_seconds());
        steps.iter().map(|step| (step.name.as_str(), step.state, took_s(step))).collect()
    }

    #[test]
    fn a_running_run_shows_what_was_and_what_will_be() {
        let start = Utc::now();
        let events = events(
            start,
            &[
                (0, "queued", EventKind::Submitted),
                (4, "deploying", EventKind::Phase),
                (5, "deploying", EventKind::Retry),
                (9, "awaiting_ready", EventKind::Phase),
            ],
        );
        let steps = steps(&run(Phase::AwaitingReady, start), &events, start + TimeDelta::seconds(20));
        assert_eq!(
            shown(&steps),
            [
                ("queued", "done", Some(4)),
                ("deploying", "done", Some(5)),
                ("awaiting ready", "now", Some(11)),
                ("loading", "later", None),
                ("recording", "later", None),
                ("tearing down", "later", None),
                ("finished", "later", None),
            ]
        );
        let troubles: Vec<bool> = steps[1].notes.iter().map(|note| note.is_trouble).collect();
        assert_eq!(troubles, [false, true]);
    }

    #[test]
    fn phases_that_an_early_end_left_out_are_not_promised() {
        let start = Utc::now();
        let events = events(
            start,
            &[
                (0, "queued", EventKind::Submitted),
                (2, "tearing_down", EventKind::Phase),
                (3, "finished", EventKind::Phase),
            ],
        );
        let run = run(Phase::Finished(Verdict::Cancelled), start);
        let steps = steps(&run, &events, start + TimeDelta::hours(1));
        assert_eq!(
            shown(&steps),
            [("queued", "done", Some(2)), ("tearing down", "done", Some(1)), ("finished", "done", None)]
        );
    }
}
