//! How the database is reached: its address, who signs in and how, and a reader beside the writer.

use std::time::Duration;

use accelbench_store::PgPool;
use accelbench_store::pool::{self, PoolSettings, Reader};
use anyhow::Context as _;
use clap::{Args, ValueEnum};

mod iam;

use iam::Tokens;

/// How the writer is reached.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_field_names, reason = "the fields are flags, and stand beside those of others")]
pub(crate) struct DatabaseOptions {
    /// The PostgreSQL database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: String,
    /// Most connections to it
    #[arg(long, env = "ACCELBENCH_DATABASE_CONNECTIONS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) database_connections: u32,
    /// Connections that are kept open while nothing is asked
    #[arg(long, env = "ACCELBENCH_DATABASE_IDLE_CONNECTIONS", default_value_t = 0)]
    pub(crate) database_idle_connections: u32,
    /// How long a request waits for a connection, in seconds; it bounds what a failover costs a request
    #[arg(long, env = "ACCELBENCH_DATABASE_PATIENCE", default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    pub(crate) database_patience: u64,
    /// How to sign in: with the password of the address, or with tokens that this process's AWS credentials sign
    #[arg(long, env = "ACCELBENCH_DATABASE_AUTHENTICATION", value_enum, default_value_t = Authentication::Password)]
    pub(crate) database_authentication: Authentication,
}

/// A reader beside the writer.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReaderOptions {
    /// A reader of the database that the catalog is read from, such as Aurora's reader endpoint; while it is away or
    /// behind, the writer is asked
    #[arg(long, env = "ACCELBENCH_DATABASE_READER_URL", hide_env_values = true, value_name = "URL")]
    database_reader_url: Option<String>,
    /// How far behind the reader may be, in seconds
    #[arg(long, env = "ACCELBENCH_DATABASE_READER_LAG", default_value_t = 10, value_name = "SECONDS")]
    database_reader_lag: u64,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Authentication {
    /// With the password of the address
    Password,
    /// With tokens of AWS IAM
    Iam,
}

impl DatabaseOptions {
    /// Connects to the writer.
    pub(crate) async fn connect(&self) -> anyhow::Result<PgPool> {
        let connected = match self.database_authentication {
            Authentication::Password => {
                pool::connect_writer(&self.database_url, self.settings()).await.map_err(anyhow::Error::from)
            }
            Authentication::Iam => self.connect_with_tokens().await,
        };
        connected.context("the database of DATABASE_URL cannot be reached")
    }

    async fn connect_with_tokens(&self) -> anyhow::Result<PgPool> {
        let tokens = Tokens::of(&self.database_url).await?;
        let pool = pool::writer_with_password(&self.database_url, self.settings(), &tokens.fresh().await?)?;
        // What is wrong is said now, not by the first request.
        drop(pool.acquire().await.map_err(accelbench_store::Error::from)?);
        tokens.renew(pool.clone());
        Ok(pool)
    }

    /// Begins to look at the reader, where there is one.
    pub(crate) async fn reader(
        &self,
        options: &ReaderOptions,
        writer: &PgPool,
    ) -> anyhow::Result<Option<Reader>> {
        let Some(url) = &options.database_reader_url else { return Ok(None) };
        let lag = Duration::from_secs(options.database_reader_lag);
        let wrong = "the address of --database-reader-url cannot be used";
        let reader = Reader::watch(url, self.settings(), lag, writer.clone()).context(wrong)?;
        if self.database_authentication == Authentication::Iam {
            let tokens = Tokens::of(url).await.context(wrong)?;
            pool::renew_password(reader.any_pool(), &tokens.fresh().await?);
            tokens.renew(reader.any_pool().clone());
        }
        Ok(Some(reader))
    }

    fn settings(&self) -> PoolSettings {
        PoolSettings {
            max_connections: self.database_connections,
            min_connections: self.database_idle_connections,
            acquire_timeout: Duration::from_secs(self.database_patience),
        }
    }
}
