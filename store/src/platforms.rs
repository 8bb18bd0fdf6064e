//! Platforms that the workers of the installation were given, beside their own machines.

use accelbench_core::run::PlatformSpec;
use sqlx::PgConnection;

use crate::Result;

/// Notes that a worker was given a cluster.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn offer_kubernetes(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "INSERT INTO platform_offers (platform) VALUES ('kubernetes')
         ON CONFLICT (platform) DO UPDATE SET offered_at = now()"
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether some worker can serve runs of this platform.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn is_offered(connection: &mut PgConnection, platform: &PlatformSpec) -> Result<bool> {
    match platform {
        // Any worker does.
        PlatformSpec::Local { .. } | PlatformSpec::Endpoint { .. } => Ok(true),
        PlatformSpec::Kubernetes { .. } => {
            let offered = sqlx::query_scalar!(
                r#"SELECT EXISTS (SELECT FROM platform_offers WHERE platform = $1) AS "offered!""#,
                platform.as_str(),
            );
            Ok(offered.fetch_one(connection).await?)
        }
    }
}
