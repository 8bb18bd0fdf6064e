//! The timeline of a run. Appending numbers the event and wakes everybody who watches the run.

use accelbench_core::run::{EventKind, RunEvent, RunId};
use sqlx::PgConnection;

use crate::{Error, Result};

/// Longest message of an event, in bytes; a longer one is cut in the middle, where it says least.
const MESSAGE_LIMIT: usize = 4000;

/// Appends an event to a run's timeline and returns its number.
///
/// # Errors
/// [`Error::NotFound`] for an unknown run.
pub async fn append(
    connection: &mut PgConnection,
    run_id: RunId,
    kind: EventKind,
    message: &str,
) -> Result<i64> {
    sqlx::query_scalar!(
        "WITH numbered AS (
             UPDATE runs SET event_count = event_count + 1 WHERE run_id = $1
             RETURNING run_id, event_count, phase)
         INSERT INTO run_events (run_id, sequence, phase, kind, message)
         SELECT run_id, event_count, phase, $2, $3 FROM numbered
         RETURNING sequence",
        run_id.uuid(),
        kind.as_str(),
        shorten(message),
    )
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| Error::NotFound { what: "run", name: run_id.to_string() })
}

/// The events of a run with numbers above `after`, in order, at most `limit`.
///
/// # Errors
/// [`Error::Database`].
pub async fn list_after(
    connection: &mut PgConnection,
    run_id: RunId,
    after: i64,
    limit: i64,
) -> Result<Vec<RunEvent>> {
    let rows = sqlx::query!(
        "SELECT sequence, at, phase, kind, message FROM run_events
         WHERE run_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        run_id.uuid(),
        after,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let kind = EventKind::from_word(&row.kind).ok_or_else(|| Error::Corrupt {
                what: "event kind",
                owner: format!("run {run_id}"),
                source: None,
            })?;
            Ok(RunEvent { sequence: row.sequence, at: row.at, phase: row.phase, kind, message: row.message })
        })
        .collect()
}

fn shorten(message: &str) -> String {
    if message.len() <= MESSAGE_LIMIT {
        return message.to_owned();
    }
    let half = MESSAGE_LIMIT / 2;
    let head = &message[..message.floor_char_boundary(half)];
    let tail = &message[message.ceil_char_boundary(message.len() - half)..];
    format!("{head} […] {tail}")
}

#[cfg(test)]
mod tests {
    use super::{MESSAGE_LIMIT, shorten};

    #[test]
    fn long_messages_keep_their_ends() {
        let long = format!("begin{}end", "ä".repeat(MESSAGE_LIMIT));
        let short = shorten(&long);
        assert!(short.len() < MESSAGE_LIMIT + 20 && short.starts_with("begin") && short.ends_with("end"));
        assert_eq!(shorten("brief"), "brief");
    }
}
