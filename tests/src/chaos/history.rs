//! What is watched while it happens: phases only go forward, an ended run stays as it ended, results come all at once and
//! never change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelbench_core::run::Phase;
use accelbench_store::PgPool;
use sqlx::FromRow;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(150);

#[derive(Debug, Clone, PartialEq, FromRow)]
struct Seen {
    run_id: Uuid,
    phase: String,
    verdict: Option<String>,
    epoch: i64,
    load_point_count: i32,
    results: i64,
    /// A digest of all results of the run.
    digest: Option<String>,
}

/// The looks so far.
pub(super) struct History {
    found: Arc<Mutex<Found>>,
    watching: JoinHandle<()>,
}

#[derive(Default)]
struct Found {
    last: HashMap<Uuid, Seen>,
    violations: Vec<String>,
}

impl History {
    /// Watches the runs of a database until the value is dropped.
    pub(super) fn of(pool: &PgPool) -> Self {
        let found = Arc::<Mutex<Found>>::default();
        let watching = tokio::spawn(watch(pool.clone(), Arc::clone(&found)));
        Self { found, watching }
    }

    /// What was seen since the last call that must not be.
    pub(super) fn violations(&self) -> Vec<String> {
        std::mem::take(&mut self.found.lock().unwrap_or_else(PoisonError::into_inner).violations)
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn watch(pool: PgPool, found: Arc<Mutex<Found>>) {
    let look = "SELECT run_id, phase, verdict, epoch, load_point_count,
            (SELECT count(*) FROM results WHERE results.run_id = runs.run_id) AS results,
            (SELECT md5(string_agg(results::text, '|' ORDER BY load_point_index, result_id)) FROM results
                WHERE results.run_id = runs.run_id) AS digest
        FROM runs";
    loop {
        sleep(PAUSE).await;
        // A database that is down has no history.
        let Ok(rows) = sqlx::query_as::<_, Seen>(look).fetch_all(&pool).await else { continue };
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() < found.last.len() {
            let (now, before) = (rows.len(), found.last.len());
            found.violations.push(format!("a run was lost: {before} were there, then {now}"));
        }
        for now in rows {
            let before = found.last.insert(now.run_id, now.clone());
            if let Some(reason) = broken(before.as_ref(), &now) {
                found.violations.push(format!("{reason}: {before:?}, then {now:?}"));
            }
        }
    }
}

fn broken(before: Option<&Seen>, now: &Seen) -> Option<&'static str> {
    if now.results != 0 && now.results != i64::from(now.load_point_count) {
        return Some("a part of the results is there");
    }
    let before = before?;
    if position(&now.phase) < position(&before.phase) {
        return Some("a phase went back");
    }
    if now.epoch < before.epoch {
        return Some("an epoch fell");
    }
    if before.phase == "finished" && now != before {
        return Some("an ended run changed");
    }
    if before.digest.is_some() && now.digest != before.digest {
        return Some("a result changed");
    }
    None
}

fn position(phase: &str) -> Option<usize> {
    Phase::WORDS.iter().position(|&word| word == phase)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Seen, broken};

    fn seen(phase: &str, results: i64) -> Seen {
        Seen {
            run_id: Uuid::nil(),
            phase: phase.to_owned(),
            verdict: None,
            epoch: 3,
            load_point_count: 2,
            results,
            digest: (results > 0).then(|| "one".to_owned()),
        }
    }

    #[test]
    fn what_must_not_be_is_noticed() {
        let loading = seen("loading", 0);
        assert_eq!(broken(None, &loading), None);
        assert_eq!(broken(Some(&loading), &seen("recording", 2)), None);
        assert_eq!(broken(Some(&loading), &seen("deploying", 0)), Some("a phase went back"));
        assert_eq!(broken(Some(&loading), &seen("tearing_down", 1)), Some("a part of the results is there"));
        assert_eq!(broken(Some(&loading), &Seen { epoch: 2, ..loading.clone() }), Some("an epoch fell"));
        let ended = seen("finished", 2);
        assert_eq!(broken(Some(&ended), &ended), None);
        assert_eq!(broken(Some(&ended), &Seen { epoch: 4, ..ended.clone() }), Some("an ended run changed"));
        let other = Seen { digest: Some("two".to_owned()), ..seen("tearing_down", 2) };
        assert_eq!(broken(Some(&seen("recording", 2)), &other), Some("a result changed"));
    }
}
