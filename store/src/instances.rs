//! Instance types and their accelerators.

use accelbench_core::instance::{AcceleratorKind, InstanceType, InstanceTypeName};
use sqlx::PgConnection;

use crate::{Error, Result};

struct InstanceRow {
    instance_type: String,
    family: String,
    accelerator_kind: String,
    accelerator_name: Option<String>,
    accelerator_count: Option<i32>,
    accelerator_memory_gib: Option<f64>,
    accelerator_bandwidth_gb_per_s: Option<f64>,
    accelerator_bf16_tflops: Option<f64>,
    interconnect: Option<String>,
    vcpu: Option<i32>,
    memory_gib: Option<f64>,
    source: String,
}

/// Lists all instance types by family and size.
///
/// # Errors
/// [`Error::Database`], [`Error::Corrupt`].
pub async fn list(connection: &mut PgConnection) -> Result<Vec<InstanceType>> {
    select(connection, None).await
}

/// The instance type with this name.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(connection: &mut PgConnection, name: &InstanceTypeName) -> Result<InstanceType> {
    let found = select(connection, Some(name.as_str())).await?.pop();
    found.ok_or_else(|| Error::NotFound { what: "instance type", name: name.to_string() })
}

/// The names of all instance types.
///
/// # Errors
/// [`Error::Database`].
pub async fn names(connection: &mut PgConnection) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!("SELECT instance_type FROM instance_types ORDER BY instance_type");
    Ok(names.fetch_all(connection).await?)
}

/// Adds an instance type, or replaces what is known of it.
///
/// # Errors
/// [`Error::Database`] with the constraint for a fact that cannot be.
pub async fn upsert(connection: &mut PgConnection, instance: &InstanceType) -> Result<()> {
    sqlx::query_file!(
        "queries/instances/upsert.sql",
        instance.instance_type.as_str(),
        instance.family,
        instance.accelerator_kind.as_str(),
        instance.accelerator_name,
        instance.accelerator_count,
        instance.accelerator_memory_gib,
        instance.accelerator_bandwidth_gb_per_s,
        instance.accelerator_bf16_tflops,
        instance.interconnect,
        instance.vcpu,
        instance.memory_gib,
        instance.source,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn select(connection: &mut PgConnection, name: Option<&str>) -> Result<Vec<InstanceType>> {
    let rows = sqlx::query_as!(
        InstanceRow,
        "SELECT instance_type, family, accelerator_kind, accelerator_name, accelerator_count, accelerator_memory_gib,
             accelerator_bandwidth_gb_per_s, accelerator_bf16_tflops, interconnect, vcpu, memory_gib, source
         FROM instance_types WHERE $1::text IS NULL OR instance_type = $1
         ORDER BY family, vcpu NULLS FIRST, instance_type",
        name,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(InstanceType::try_from).collect()
}

impl TryFrom<InstanceRow> for InstanceType {
    type Error = Error;

    fn try_from(row: InstanceRow) -> Result<Self> {
        let corrupt = |what| Error::Corrupt {
            what,
            owner: format!("instance type {}", row.instance_type),
            source: None,
        };
        let kinds = [AcceleratorKind::Gpu, AcceleratorKind::Neuron, AcceleratorKind::Unknown];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == row.accelerator_kind);
        Ok(Self {
            instance_type: row.instance_type.parse().map_err(|_invalid| corrupt("name"))?,
            accelerator_kind: kind.ok_or_else(|| corrupt("accelerator kind"))?,
            family: row.family,
            accelerator_name: row.accelerator_name,
            accelerator_count: row.accelerator_count,
            accelerator_memory_gib: row.accelerator_memory_gib,
            accelerator_bandwidth_gb_per_s: row.accelerator_bandwidth_gb_per_s,
            accelerator_bf16_tflops: row.accelerator_bf16_tflops,
            interconnect: row.interconnect,
            vcpu: row.vcpu,
            memory_gib: row.memory_gib,
            source: row.source,
        })
    }
}
