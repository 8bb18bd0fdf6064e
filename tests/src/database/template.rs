//! The template that test databases are copied from: migrated once per set of migrations, then copied in
//! milliseconds.

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor as _, PgConnection};

use super::{drop_database, execute, with_database};

/// Names contain the fingerprint of the migrations, so that an old template never serves a new schema.
const PREFIX: &str = "accelbench_template_";

/// How much of the fingerprint goes into the name; PostgreSQL cuts names at 63 characters.
const FINGERPRINT_LENGTH: usize = 32;

/// Makes the template unless it is there, and returns its name. Of several processes one makes it.
pub(super) async fn ensure(admin: &mut PgConnection, server_url: &str) -> anyhow::Result<String> {
    let name = template_name(&accelbench_store::migrations_fingerprint());
    if exists(admin, &name).await? {
        return Ok(name);
    }
    // Held by the session: whoever fails midway gives it up with the connection.
    admin.execute("SELECT pg_advisory_lock(hashtext('accelbench test template'))").await?;
    if !exists(admin, &name).await? {
        make(admin, server_url, &name).await?;
    }
    admin.execute("SELECT pg_advisory_unlock(hashtext('accelbench test template'))").await?;
    Ok(name)
}

/// Under another name first, so that a template that exists is complete.
async fn make(admin: &mut PgConnection, server_url: &str, name: &str) -> anyhow::Result<()> {
    let unfinished = format!("{name}_unfinished");
    drop_database(admin, &unfinished).await?;
    execute(admin, format!("CREATE DATABASE {unfinished}")).await?;

    let options: PgConnectOptions = with_database(server_url, &unfinished)?.parse()?;
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await?;
    let migrated = accelbench_store::migrate(&pool).await;
    pool.close().await;
    migrated.context("a migration failed")?;

    execute(admin, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await
}

async fn exists(admin: &mut PgConnection, name: &str) -> anyhow::Result<bool> {
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
    Ok(exists.bind(name).fetch_one(admin).await?)
}

fn template_name(fingerprint: &str) -> String {
    let digits = fingerprint.chars().filter(char::is_ascii_alphanumeric).take(FINGERPRINT_LENGTH);
    format!("{PREFIX}{}", digits.collect::<String>().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_names_are_plain_identifiers_that_tell_migrations_apart() {
        let long = "0123456789abcdef".repeat(4);
        assert_eq!(template_name(&long), format!("accelbench_template_{}", "0123456789abcdef".repeat(2)));
        assert_eq!(template_name("sha256:AB\"; drop"), "accelbench_template_sha256abdrop");
        assert_ne!(template_name("1"), template_name("2"));
    }
}
