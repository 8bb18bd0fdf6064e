//! Databases of tests that were killed before they could drop them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::drop_database;

/// What the names of test databases start with; a version 7 UUID, which holds the time, follows.
pub const PREFIX: &str = "accelbench_test_";

/// How old an unused test database must be to count as left behind.
pub const LEFT_BEHIND_AFTER: Duration = Duration::from_hours(1);

/// Drops test databases that are older than [`LEFT_BEHIND_AFTER`] and that nobody is connected to, and says how
/// many those were.
///
/// # Errors
/// When the server refuses or the connection is lost.
pub async fn sweep(admin: &mut PgConnection, now: DateTime<Utc>) -> anyhow::Result<usize> {
    let unused: Vec<String> = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database \
         WHERE starts_with(datname, $1) AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE datid = pg_database.oid)",
    )
    .bind(PREFIX)
    .fetch_all(&mut *admin)
    .await?;
    let left_behind = unused.iter().filter(|name| is_left_behind(name, now));
    let mut count = 0;
    for name in left_behind {
        drop_database(admin, name).await?;
        count += 1;
    }
    Ok(count)
}

/// Whether the name says that the database was made long enough before `now`; other databases never are.
fn is_left_behind(name: &str, now: DateTime<Utc>) -> bool {
    let made = name
        .strip_prefix(PREFIX)
        .and_then(|id| Uuid::parse_str(id).ok())
        .and_then(|id| id.get_timestamp())
        .and_then(|timestamp| i64::try_from(timestamp.to_unix().0).ok());
    made.is_some_and(|seconds| now.timestamp() - seconds > LEFT_BEHIND_AFTER.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn only_test_databases_older_than_an_hour_are_left_behind() {
        let name = format!("{PREFIX}{}", Uuid::now_v7().simple());
        let now = Utc::now();
        assert!(!is_left_behind(&name, now));
        assert!(!is_left_behind(&name, now + TimeDelta::minutes(59)));
        assert!(is_left_behind(&name, now + TimeDelta::minutes(61)));

        let much_later = now + TimeDelta::days(365);
        for other in ["postgres", "accelbench_template_0123", "accelbench_test_", "accelbench_test_mine"] {
            assert!(!is_left_behind(other, much_later), "{other}");
        }
    }
}
