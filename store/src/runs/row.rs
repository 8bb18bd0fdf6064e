//! A run's row, and how it becomes a run again.

use accelbench_core::run::{Phase, Priority, Run, Verdict};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::{Error, Result};

pub(super) struct RunRow {
    pub(super) run_id: Uuid,
    pub(super) created_at: DateTime<Utc>,
    pub(super) spec: Value,
    pub(super) phase: String,
    pub(super) phase_since: DateTime<Utc>,
    pub(super) verdict: Option<String>,
    pub(super) verdict_reason: Option<String>,
    pub(super) priority: String,
    pub(super) submitted_by: Option<String>,
    pub(super) deadline_at: Option<DateTime<Utc>>,
    pub(super) cancel_requested_at: Option<DateTime<Utc>>,
    pub(super) attempts: i32,
    pub(super) parked_reason: Option<String>,
    pub(super) endpoint: Option<Value>,
    pub(super) progress: Option<Value>,
    pub(super) load_point_count: i32,
    pub(super) conclusion: Option<Value>,
    pub(super) revision_absent_reason: Option<String>,
}

impl TryFrom<RunRow> for Run {
    type Error = Error;

    fn try_from(row: RunRow) -> Result<Self> {
        let corrupt = |what| Error::Corrupt { what, owner: format!("run {}", row.run_id), source: None };
        let verdict = match &row.verdict {
            None => None,
            Some(word) => Some(
                Verdict::from_parts(word, row.verdict_reason.clone()).ok_or_else(|| corrupt("verdict"))?,
            ),
        };
        Ok(Self {
            id: row.run_id.into(),
            phase: Phase::from_parts(&row.phase, verdict).ok_or_else(|| corrupt("phase"))?,
            spec: parse("request", row.run_id, row.spec)?,
            priority: priority(&row.priority, row.run_id)?,
            submitted_by: row.submitted_by,
            created_at: row.created_at,
            phase_since: row.phase_since,
            deadline_at: row.deadline_at,
            cancel_requested_at: row.cancel_requested_at,
            attempts: row.attempts.cast_unsigned(),
            parked_reason: row.parked_reason,
            endpoint: row.endpoint.map(|value| parse("endpoint", row.run_id, value)).transpose()?,
            load_point_count: row.load_point_count.cast_unsigned(),
            conclusion: row.conclusion.map(|value| parse("conclusion", row.run_id, value)).transpose()?,
            revision_absent_reason: row.revision_absent_reason,
            progress: row.progress.map(|value| parse("progress", row.run_id, value)).transpose()?,
        })
    }
}

pub(super) fn priority(word: &str, run_id: Uuid) -> Result<Priority> {
    [Priority::Person, Priority::Catalog]
        .into_iter()
        .find(|priority| priority.as_str() == word)
        .ok_or_else(|| Error::Corrupt { what: "priority", owner: format!("run {run_id}"), source: None })
}

fn parse<T: DeserializeOwned>(what: &'static str, run_id: Uuid, value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|source| Error::Corrupt {
        what,
        owner: format!("run {run_id}"),
        source: Some(source),
    })
}
