//! Whether a database is one that an installation can live on: its version, its schema, the rights of who asks, the way
//! to it, and its clock.

use std::collections::BTreeSet;

use accelbench_core::finding::Finding;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::Result;
use crate::migrate::migration_versions;

const PART: &str = "database";

/// The oldest PostgreSQL that the statements run on.
const OLDEST: i32 = 15;

/// Prices' ages, and tokens for the database, are reckoned with both clocks.
const CLOCK_WARNING: TimeDelta = TimeDelta::seconds(5);

struct Seen {
    server_version: String,
    server_version_num: i32,
    in_recovery: bool,
    tls: Option<String>,
    same_machine: bool,
    now: DateTime<Utc>,
    migrated: bool,
    user_name: String,
}

/// Looks at everything.
///
/// # Errors
/// [`crate::Error::Database`] when the database does not answer.
pub async fn examine(connection: &mut PgConnection) -> Result<Vec<Finding>> {
    let asked = Utc::now();
    let seen = look(connection).await?;
    let answered = Utc::now();
    let mut findings =
        vec![version(&seen), role(&seen), way(&seen), clock(seen.now, asked + (answered - asked) / 2)];
    if !seen.migrated {
        findings.push(Finding::fail(PART, "migrations", "there is no schema", MIGRATE));
        return Ok(findings);
    }
    findings.push(migrations(&applied(connection).await?));
    let (unreadable, owned) = tables(connection).await?;
    findings.push(privileges(&seen.user_name, &unreadable));
    findings.push(ownership(&seen.user_name, owned));
    Ok(findings)
}

const MIGRATE: &str = "run `accelbench migrate` with the address of the user that owns the tables";

async fn look(connection: &mut PgConnection) -> Result<Seen> {
    let seen = sqlx::query_as!(
        Seen,
        r#"SELECT
            current_setting('server_version') AS "server_version!",
            current_setting('server_version_num')::int AS "server_version_num!",
            pg_is_in_recovery() AS "in_recovery!",
            (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS tls,
            coalesce(inet_server_addr() <<= inet '127.0.0.0/8' OR inet_server_addr() = inet '::1', true)
                AS "same_machine!",
            clock_timestamp() AS "now!",
            to_regclass('public._sqlx_migrations') IS NOT NULL AS "migrated!",
            current_user::text AS "user_name!""#
    );
    Ok(seen.fetch_one(connection).await?)
}

fn version(seen: &Seen) -> Finding {
    let found = format!("PostgreSQL {}", seen.server_version);
    if seen.server_version_num / 10_000 >= OLDEST {
        Finding::pass(PART, "version", found)
    } else {
        Finding::fail(PART, "version", found, "use PostgreSQL 16 or newer; 15 is the oldest that works")
    }
}

fn role(seen: &Seen) -> Finding {
    if seen.in_recovery {
        let advice = "give the writer's address; a reader's belongs in --database-reader-url";
        Finding::fail(PART, "role", "this is a reader, which takes no changes", advice)
    } else {
        Finding::pass(PART, "role", "this is the writer")
    }
}

fn way(seen: &Seen) -> Finding {
    match &seen.tls {
        Some(version) => Finding::pass(PART, "tls", version),
        None if seen.same_machine => Finding::pass(PART, "tls", "none, on this machine"),
        None => Finding::warn(
            PART,
            "tls",
            "passwords and results travel in the open",
            "add sslmode=verify-full and sslrootcert=FILE to the address (docs/install.md)",
        ),
    }
}

fn clock(theirs: DateTime<Utc>, ours: DateTime<Utc>) -> Finding {
    let apart = theirs - ours;
    let found = format!("{:+.1} s against this machine's", apart.num_milliseconds() as f64 / 1000.0);
    if apart.abs() < CLOCK_WARNING {
        Finding::pass(PART, "clock", found)
    } else {
        Finding::warn(PART, "clock", found, "let both machines keep time by NTP (chrony)")
    }
}

async fn applied(connection: &mut PgConnection) -> Result<BTreeSet<i64>> {
    let versions = sqlx::query_scalar!("SELECT version FROM _sqlx_migrations WHERE success");
    Ok(versions.fetch_all(connection).await?.into_iter().collect())
}

fn migrations(applied: &BTreeSet<i64>) -> Finding {
    let ours = migration_versions();
    let missing = ours.difference(applied).count();
    let newer = applied.difference(&ours).count();
    if missing > 0 {
        Finding::fail(PART, "migrations", format!("{missing} of {} are missing", ours.len()), MIGRATE)
    } else if newer > 0 {
        let found = format!("all of this release, and {newer} of a newer one");
        let advice = "upgrade this program to the release of the servers; while an upgrade rolls out, this is as it should be";
        Finding::warn(PART, "migrations", found, advice)
    } else {
        Finding::pass(PART, "migrations", format!("all {} of this release", ours.len()))
    }
}

/// Tables that who asks may not read, and how many it owns.
async fn tables(connection: &mut PgConnection) -> Result<(Vec<String>, usize)> {
    let tables = sqlx::query!(
        r#"SELECT nspname || '.' || relname AS "name!", pg_get_userbyid(relowner) = current_user AS "owned!",
            has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
                AND has_table_privilege(pg_class.oid, 'INSERT') AS "usable!"
         FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE nspname IN ('public', 'apalis') AND relkind IN ('r', 'p')
         ORDER BY 1"#
    )
    .fetch_all(connection)
    .await?;
    let owned = tables.iter().filter(|table| table.owned).count();
    Ok((tables.into_iter().filter(|table| !table.usable).map(|table| table.name).collect(), owned))
}

fn privileges(user: &str, unusable: &[String]) -> Finding {
    if unusable.is_empty() {
        return Finding::pass(PART, "privileges", format!("{user} may use every table"));
    }
    let found = format!("{user} may not use {}", unusable.join(", "));
    Finding::fail(
        PART,
        "privileges",
        found,
        "grant them as deploy/database/roles.sql does, before migrations make the tables",
    )
}

fn ownership(user: &str, owned: usize) -> Finding {
    if owned == 0 {
        return Finding::pass(PART, "ownership", format!("{user} owns no table, and can take no rule off"));
    }
    let found = format!("{user} owns {owned} tables, and can take off the rules that keep results");
    let advice = "in an installation of many, run servers and workers as another user than migrations (deploy/database/roles.sql)";
    Finding::warn(PART, "ownership", found, advice)
}

#[cfg(test)]
mod tests {
    use accelbench_core::finding::FindingOutcome;
    use chrono::{TimeDelta, Utc};

    use super::{clock, migrations};
    use crate::migrate::migration_versions;

    #[test]
    fn a_schema_is_whole_old_or_of_a_newer_release() {
        let whole = migration_versions();
        assert_eq!(migrations(&whole).outcome, FindingOutcome::Pass);
        let mut old = whole.clone();
        old.pop_last();
        assert_eq!(migrations(&old).outcome, FindingOutcome::Fail);
        let mut newer = whole;
        newer.insert(i64::MAX);
        assert_eq!(migrations(&newer).outcome, FindingOutcome::Warn);
    }

    #[test]
    fn clocks_may_differ_by_seconds() {
        let ours = Utc::now();
        assert_eq!(clock(ours - TimeDelta::seconds(4), ours).outcome, FindingOutcome::Pass);
        assert_eq!(clock(ours + TimeDelta::seconds(6), ours).outcome, FindingOutcome::Warn);
    }
}
