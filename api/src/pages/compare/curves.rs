//! Load points by their ids, and the curves that they lie on.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::result::ResultId;
use accelbench_store::imported::{self, ImportFilter, StoredImport};
use accelbench_store::{Error, PgConnection, results};
use uuid::Uuid;

use crate::error::ApiError;
use crate::reading::Reading;
use crate::rest::results::load_of_run;

/// Published points that are looked at for one curve.
const MOST_PUBLISHED: i64 = 2000;

/// The load point with this id: a UUID is a result of ours, a hash one that others published.
pub(super) async fn find(connection: &mut PgConnection, id: &str) -> Result<Reading, ApiError> {
    if let Ok(uuid) = id.parse::<Uuid>() {
        return Ok(Reading::from(&results::find(connection, ResultId(uuid)).await?));
    }
    Ok(Reading::from(&published(connection, id).await?))
}

async fn published(connection: &mut PgConnection, id: &str) -> Result<StoredImport, ApiError> {
    let unknown = || ApiError::not_found("result", id).with_hint("choose load points in the catalog");
    let id: Sha256Hex = id.parse().map_err(|_invalid| unknown())?;
    match imported::find(connection, &id).await {
        Err(Error::NotFound { .. }) => Err(unknown()),
        found => Ok(found?),
    }
}

/// The load points with all others of the runs and publications that they belong to.
pub(super) async fn around(
    connection: &mut PgConnection,
    columns: &[Reading],
) -> Result<Vec<Reading>, ApiError> {
    let mut all: Vec<Reading> = Vec::new();
    for reading in columns {
        if all.iter().any(|known| known.id == reading.id) {
            continue;
        }
        let curve = match reading.id.parse::<Uuid>() {
            Ok(uuid) => of_run(connection, ResultId(uuid)).await?,
            Err(_hash) => of_publication(connection, &reading.id).await?,
        };
        all.extend(curve);
    }
    Ok(all)
}

async fn of_run(connection: &mut PgConnection, id: ResultId) -> Result<Vec<Reading>, ApiError> {
    let run_id = results::find(connection, id).await?.run_id;
    Ok(load_of_run(connection, run_id).await?.iter().map(Reading::from).collect())
}

/// Points of the same file, machine and setting whose workload is the same.
async fn of_publication(connection: &mut PgConnection, id: &str) -> Result<Vec<Reading>, ApiError> {
    let one = published(connection, id).await?;
    let filter = ImportFilter {
        model: Some(one.result.model.to_string()),
        source: Some(one.result.source.name.clone()),
        ..ImportFilter::default()
    };
    let all = imported::list(connection, &filter, MOST_PUBLISHED).await?;
    let workload = Reading::from(&one).workload;
    let belongs = |other: &&StoredImport| {
        other.result.source == one.result.source
            && other.result.hardware == one.result.hardware
            && other.result.engine == one.result.engine
    };
    let curve = all.iter().filter(belongs).map(Reading::from);
    Ok(curve.filter(|reading| reading.workload == workload).collect())
}
