//! Asks EC2 for instance types that a region offers since, and for what changed in those that are known.

use std::collections::BTreeSet;

use accelbench_store::{PgPool, instances};
use chrono::Utc;

use crate::ec2::Ec2;
use crate::ec2::instance_types::{Learnt, learn};

/// Looks, and says so if it cannot: prices are to be had without.
pub(super) async fn run_or_warn(pool: &PgPool, ec2: &Ec2, region: &str) {
    if let Err(error) = run(pool, ec2, region).await {
        tracing::warn!(
            region,
            error = format!("{error:#}"),
            "instance types could not be refreshed; what is known of them stays. Give the worker AWS credentials that allow ec2:DescribeInstanceTypes"
        );
    }
}

/// Adds what is new, and tells the log where EC2 contradicts what is known.
///
/// # Errors
/// When EC2 does not answer, or the database cannot be read or written.
pub async fn run(pool: &PgPool, ec2: &Ec2, region: &str) -> anyhow::Result<()> {
    let known = instances::list(&mut *pool.acquire().await?).await?;
    let families: BTreeSet<&str> =
        known.iter().filter(|it| it.instance_type.is_aws()).map(|it| it.family.as_str()).collect();
    let families: Vec<String> = families.into_iter().map(str::to_owned).collect();
    let told = ec2.instance_types(region, &families).await?;
    let Learnt { news, contradictions } = learn(&known, &told, region, Utc::now().date_naive());
    let mut transaction = pool.begin().await?;
    for instance in &news {
        tracing::info!(instance_type = %instance.instance_type, region, "EC2 told news of an instance type");
        instances::upsert(&mut transaction, instance).await?;
    }
    transaction.commit().await?;
    for contradiction in contradictions {
        tracing::warn!(region, contradiction, "EC2 contradicts what is known of an accelerator");
    }
    Ok(())
}
