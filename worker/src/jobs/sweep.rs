//! Gives a tick to every run that is alive but has none, and wakes the next in line of every group with free places:
//! whatever wake-up was lost, it costs seconds.

use accelbench_store::{PgPool, capacity, runs};

pub(super) async fn run(pool: &PgPool) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    let revived = runs::revive(&mut transaction).await?;
    let woken = capacity::wake_stranded(&mut transaction).await?;
    transaction.commit().await?;
    if revived + woken > 0 {
        tracing::info!(revived, woken, "runs without a tick were given one");
    }
    Ok(())
}
