//! What can go wrong between us and the database.

use std::error::Error as StdError;

use accelbench_core::run::RunId;

/// Why a database operation did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be reached or refused the statement.
    #[error("the database did not do what was asked")]
    Database(#[from] sqlx::Error),
    /// The migrations could not be applied.
    #[error("the database could not be brought to this version's schema")]
    Migration(#[source] sqlx::Error),
    /// The queue refused the job.
    #[error("the queue did not take the job")]
    Queue(#[from] apalis_postgres::Error),
    /// Another worker owns the run now: the caller must not touch it any more.
    #[error("the lease on run {0} was lost to another worker")]
    LeaseLost(RunId),
    /// What was named does not exist.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What kind of thing was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// What was asked does not go with what is stored.
    #[error("{0}")]
    Conflict(String),
    /// A stored value is not one that this version can have written.
    #[error("the stored {what} of {owner} cannot be read")]
    Corrupt {
        /// Which value.
        what: &'static str,
        /// Whose.
        owner: String,
        /// Why not, where a parser said so.
        #[source]
        source: Option<serde_json::Error>,
    },
}

impl Error {
    /// Whether the same call may succeed later without anybody changing anything: the database is away, overloaded or
    /// asked for a retry.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let (Self::Database(error)
        | Self::Migration(error)
        | Self::Queue(apalis_postgres::Error::Database(error))) = self
        else {
            return false;
        };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            // Connection trouble, rollbacks, resources, operator intervention, I/O.
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                // And a writer that became a reader (25006): the next connection leads to the new one.
                ["08", "40", "53", "57", "58", "25006"].iter().any(|class| code.starts_with(class))
            }),
            _ => false,
        }
    }

    /// Whether a value of the statement is one that the database cannot hold: a date beyond its calendar, say.
    #[must_use]
    pub fn is_out_of_range(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code.starts_with("22"))
            }
            _ => false,
        }
    }

    /// The name of the constraint that the statement would have broken.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.constraint(),
            _ => None,
        }
    }
}

/// An error with everything that caused it, for one line of a log.
#[must_use]
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
