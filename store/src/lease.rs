//! Driving a run: whoever holds its lease may move it, and nobody else. A lease is a moment's ownership with a number
//! (the epoch) that grows with each holder. Each write here names the epoch; a holder that was replaced while it slept
//! writes nothing and is told so by [`Error::LeaseLost`].

use std::time::Duration;

use accelbench_core::run::{EventKind, Phase, ReadyEndpoint, Run, RunId, Transition};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::queue::{self, Urgency};
use crate::{Error, Result, capacity, events, runs};

/// Proof that the holder was the last to take the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run_id: RunId,
    /// How many leases there were up to this one.
    pub epoch: i64,
}

/// Takes the run for `duration` if nobody else works on it, and counts the attempt. The run comes back as it stands.
/// `None` when it is owned, parked or finished.
///
/// # Errors
/// [`Error::Database`].
pub async fn take(
    connection: &mut PgConnection,
    run_id: RunId,
    owner: &str,
    duration: Duration,
) -> Result<Option<(Lease, Run)>> {
    let taken = sqlx::query_scalar!(
        "UPDATE runs
         SET epoch = epoch + 1, attempts = attempts + 1, lease_owner = $2,
             lease_until = now() + make_interval(secs => $3)
         WHERE run_id = $1 AND phase <> 'finished' AND parked_reason IS NULL
             AND (lease_until IS NULL OR lease_until < now())
         RETURNING epoch",
        run_id.uuid(),
        owner,
        duration.as_secs_f64(),
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(epoch) = taken else { return Ok(None) };
    let run = runs::find(connection, run_id).await?;
    Ok(Some((Lease { run_id, epoch }, run)))
}

/// Keeps the lease for another `duration` from now.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn renew(connection: &mut PgConnection, lease: Lease, duration: Duration) -> Result<()> {
    let renewed = sqlx::query!(
        "UPDATE runs SET lease_until = now() + make_interval(secs => $3)
         WHERE run_id = $1 AND epoch = $2 AND lease_owner IS NOT NULL",
        lease.run_id.uuid(),
        lease.epoch,
        duration.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    held(lease, renewed.rows_affected())
}

/// Says on the timeline what happened inside the phase.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn note(connection: &mut PgConnection, lease: Lease, message: &str) -> Result<()> {
    check(connection, lease).await?;
    events::append(connection, lease.run_id, EventKind::Detail, message).await?;
    Ok(())
}

/// Locks the run's row until the transaction ends, if the lease still holds.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn check(connection: &mut PgConnection, lease: Lease) -> Result<()> {
    let holds = sqlx::query!(
        "SELECT run_id FROM runs WHERE run_id = $1 AND epoch = $2 AND lease_owner IS NOT NULL FOR UPDATE",
        lease.run_id.uuid(),
        lease.epoch,
    )
    .fetch_optional(connection)
    .await?;
    held(lease, u64::from(holds.is_some()))
}

/// A step that was done: where the run stands, where it goes, and what the timeline says.
#[derive(Debug)]
pub struct Advance<'a> {
    /// The run as it was when the lease was taken.
    pub run: &'a Run,
    /// What happened.
    pub transition: Transition,
    /// What the timeline says.
    pub message: &'a str,
    /// The engine that turned out to be ready; required by `Transition::Ready`.
    pub endpoint: Option<&'a ReadyEndpoint>,
}

/// Moves the run to its next phase, gives up the lease and enqueues the next tick: the whole belongs in one
/// transaction, which is the caller's, together with whatever the step wrote. Returns the new phase.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker owns the run or its phase has changed, [`Error::Conflict`] for a step that
/// the phase does not allow.
pub async fn advance(connection: &mut PgConnection, lease: Lease, step: Advance<'_>) -> Result<Phase> {
    let Advance { run, transition, message, endpoint } = step;
    let from = run.phase.as_str();
    let to = run.phase.clone().next(transition).map_err(|error| Error::Conflict(error.to_string()))?;
    let verdict = to.verdict();
    let moved = sqlx::query_file!(
        "queries/runs/advance.sql",
        lease.run_id.uuid(),
        lease.epoch,
        from,
        to.as_str(),
        verdict.map(accelbench_core::run::Verdict::as_str),
        verdict.and_then(accelbench_core::run::Verdict::reason),
        endpoint.map(Json) as _,
    )
    .execute(&mut *connection)
    .await?;
    held(lease, moved.rows_affected())?;
    events::append(connection, lease.run_id, EventKind::Phase, message).await?;
    if to.is_finished() {
        capacity::wake_next_in_line(connection, &run.spec.capacity_group()).await?;
    } else {
        queue::push_tick(connection, lease.run_id, Urgency::Of(run.priority), Duration::ZERO).await?;
    }
    Ok(to)
}

/// What came of asking for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The run has a place and is deploying.
    Claimed,
    /// There is no place now; the run is woken when one becomes free.
    Waiting,
}

/// Gives a queued run a place in its capacity group, or sends it back to wait. Needs a transaction of its own: it holds
/// the group's lock until that ends.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn claim(connection: &mut PgConnection, lease: Lease, run: &Run, message: &str) -> Result<Claim> {
    let group = run.spec.capacity_group();
    capacity::lock(connection, &group).await?;
    let next = capacity::next_in_line(connection, &group).await?;
    if next.iter().any(|(run_id, _)| *run_id == lease.run_id.uuid()) {
        let step = Advance { run, transition: Transition::Claim, message, endpoint: None };
        advance(connection, lease, step).await?;
        return Ok(Claim::Claimed);
    }
    // It is woken by whoever leaves, and by the sweeper if that call is lost; its own look is only a last resort.
    release(connection, lease, Duration::from_hours(1)).await?;
    Ok(Claim::Waiting)
}

/// Gives up the lease after a look at which nothing was to be done, without counting it as an attempt; the sweeper
/// looks again if no tick came by then. The caller enqueues the tick, if it wants one, with [`look_again`].
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn release(connection: &mut PgConnection, lease: Lease, next_look: Duration) -> Result<()> {
    let released = sqlx::query!(
        "UPDATE runs
         SET lease_owner = NULL, lease_until = NULL, attempts = 0, last_error = NULL,
             next_tick_at = now() + make_interval(secs => $3)
         WHERE run_id = $1 AND epoch = $2 AND lease_owner IS NOT NULL",
        lease.run_id.uuid(),
        lease.epoch,
        next_look.as_secs_f64(),
    )
    .execute(connection)
    .await?;
    held(lease, released.rows_affected())
}

/// Gives up the lease and enqueues a tick after `delay`.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn look_again(
    connection: &mut PgConnection,
    lease: Lease,
    run: &Run,
    delay: Duration,
) -> Result<()> {
    release(connection, lease, delay).await?;
    queue::push_tick(connection, lease.run_id, Urgency::Of(run.priority), delay).await
}

/// Gives up the lease after a step that failed and shall be tried again after `delay`; the attempt stays counted.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn retry_later(
    connection: &mut PgConnection,
    lease: Lease,
    run: &Run,
    error: &str,
    delay: Duration,
) -> Result<()> {
    let released = sqlx::query!(
        "UPDATE runs
         SET lease_owner = NULL, lease_until = NULL, last_error = $3,
             next_tick_at = now() + make_interval(secs => $4)
         WHERE run_id = $1 AND epoch = $2 AND lease_owner IS NOT NULL",
        lease.run_id.uuid(),
        lease.epoch,
        error,
        delay.as_secs_f64(),
    )
    .execute(&mut *connection)
    .await?;
    held(lease, released.rows_affected())?;
    let message = format!("attempt {} failed, trying again in {} s: {error}", run.attempts, delay.as_secs());
    events::append(connection, lease.run_id, EventKind::Retry, &message).await?;
    queue::push_tick(connection, lease.run_id, Urgency::Of(run.priority), delay).await
}

/// Parks a run whose teardown keeps failing: nobody works on it until a person re-queues it.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn park(connection: &mut PgConnection, lease: Lease, reason: &str) -> Result<()> {
    let parked = sqlx::query!(
        "UPDATE runs SET lease_owner = NULL, lease_until = NULL, last_error = $3, parked_reason = $3
         WHERE run_id = $1 AND epoch = $2 AND lease_owner IS NOT NULL",
        lease.run_id.uuid(),
        lease.epoch,
        reason,
    )
    .execute(&mut *connection)
    .await?;
    held(lease, parked.rows_affected())?;
    events::append(connection, lease.run_id, EventKind::Parked, reason).await?;
    Ok(())
}

fn held(lease: Lease, rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::LeaseLost(lease.run_id)) }
}
