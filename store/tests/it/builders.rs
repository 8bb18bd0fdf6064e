//! A database with one model, one instance type and one dataset, and requests for runs on them.

use std::fmt::Debug;

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::instance::InstanceType;
use accelbench_core::model::Model;
use accelbench_core::run::{Priority, Run, RunId, RunSpec};
use accelbench_store::runs::{IdempotencyKey, NewRun, Submitted};
use accelbench_store::{
    Error, PgConnection, PgPool, PooledConnection, Result, Transaction, capacity, datasets, instances,
    models, runs,
};
use accelbench_tests::database::TestDatabase;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

pub(crate) const MODEL: &str = "acme/tiny-1b";
pub(crate) const DATASET: &[u8] =
    b"{\"prompt\": \"Tell me of the sea.\"}\n{\"prompt\": \"And of the hills.\"}\n";

/// The store of one test.
pub(crate) struct Store {
    pub(crate) database: TestDatabase,
}

/// A request for a run; the default passes every check.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) spec: RunSpec,
    pub(crate) priority: Priority,
    pub(crate) submitted_by: Option<&'static str>,
    pub(crate) hf_token_sealed: Option<Vec<u8>>,
    pub(crate) revision_absent_reason: Option<&'static str>,
    pub(crate) idempotency_key: Option<&'static str>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            spec: spec(&json!({})),
            priority: Priority::Person,
            submitted_by: None,
            hf_token_sealed: None,
            revision_absent_reason: None,
            idempotency_key: None,
        }
    }
}

impl Store {
    /// Runs do not wait for a place here, unless the test sets another limit.
    pub(crate) async fn new() -> Self {
        let store = Self { database: TestDatabase::create().await.unwrap() };
        let mut transaction = store.begin().await;
        models::add(&mut transaction, &model(&json!({}))).await.unwrap();
        instances::upsert(&mut transaction, &instance(&json!({}))).await.unwrap();
        datasets::put(&mut transaction, &"standard".parse().unwrap(), DATASET, 2, None).await.unwrap();
        capacity::set_limit(&mut transaction, "local", 1000).await.unwrap();
        transaction.commit().await.unwrap();
        store
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    pub(crate) async fn connection(&self) -> PooledConnection {
        self.pool().acquire().await.unwrap()
    }

    pub(crate) async fn begin(&self) -> Transaction {
        self.pool().begin().await.unwrap()
    }

    pub(crate) async fn submit(&self, request: &Request) -> RunId {
        let mut transaction = self.begin().await;
        let run_id = RunId::new();
        let submitted = submit(&mut transaction, run_id, request).await.unwrap();
        assert_eq!(submitted, Submitted::New(run_id));
        transaction.commit().await.unwrap();
        run_id
    }

    pub(crate) async fn run(&self, run_id: RunId) -> Run {
        runs::find(&mut *self.connection().await, run_id).await.unwrap()
    }

    /// What a query says, which must be one number.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(self.pool()).await.unwrap()
    }

    /// What stands in the database about a run: its row, and how much else there is of it.
    pub(crate) async fn footprint(&self, run_id: RunId) -> Value {
        let footprint = sqlx::query_scalar(
            "SELECT jsonb_build_object(
                 'row', to_jsonb(runs),
                 'events', (SELECT count(*) FROM run_events WHERE run_id = $1),
                 'reports', (SELECT count(*) FROM load_reports WHERE run_id = $1),
                 'results', (SELECT count(*) FROM results WHERE run_id = $1),
                 'ticks', (SELECT count(*) FROM apalis.jobs WHERE convert_from(job, 'UTF8') LIKE '%' || $1::text || '%'))
             FROM runs WHERE run_id = $1",
        );
        footprint.bind(run_id.uuid()).fetch_one(self.pool()).await.unwrap()
    }

    /// How many ticks of a run were enqueued so far.
    pub(crate) async fn ticks(&self, run_id: RunId) -> i64 {
        self.footprint(run_id).await["ticks"].as_i64().unwrap()
    }
}

pub(crate) async fn submit(
    connection: &mut PgConnection,
    run_id: RunId,
    request: &Request,
) -> Result<Submitted> {
    let request_sha256 = Sha256Hex::of(request.spec.model.as_str().as_bytes());
    let new = NewRun {
        spec: &request.spec,
        dataset_sha256: &Sha256Hex::of(DATASET),
        priority: request.priority,
        submitted_by: request.submitted_by,
        hf_token_sealed: request.hf_token_sealed.as_deref(),
        revision_absent_reason: request.revision_absent_reason,
        idempotency_key: request
            .idempotency_key
            .map(|key| IdempotencyKey { key, request_sha256: &request_sha256 }),
    };
    runs::submit(connection, run_id, &new).await
}

/// A request's text with some of its keys replaced.
pub(crate) fn spec(changes: &Value) -> RunSpec {
    changed(
        json!({
            "model": MODEL,
            "instance_type": "g6e.xlarge",
            "platform": {"kind": "local", "engine": "simulator"},
            "load_points": [{"concurrency": 1}, {"concurrency": 4}],
        }),
        changes,
    )
}

pub(crate) fn model(changes: &Value) -> Model {
    changed(
        json!({"model": MODEL, "family": "tiny", "params_total_b": 1.0, "max_context_tokens": 4096, "source": "test"}),
        changes,
    )
}

pub(crate) fn instance(changes: &Value) -> InstanceType {
    changed(
        json!({
            "instance_type": "g6e.xlarge", "family": "g6e", "accelerator_kind": "gpu", "accelerator_name": "L40S",
            "accelerator_count": 1, "source": "test",
        }),
        changes,
    )
}

fn changed<T: DeserializeOwned>(mut value: Value, changes: &Value) -> T {
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    serde_json::from_value(value).unwrap()
}

/// Runs raw SQL that is about one run, `$1`.
pub(crate) async fn raw(connection: &mut PgConnection, sql: impl Into<String>, run_id: RunId) -> Result<u64> {
    let done = sqlx::query(AssertSqlSafe(sql.into())).bind(run_id.uuid()).execute(connection).await?;
    Ok(done.rows_affected())
}

/// The name of the constraint that refused what was tried.
#[track_caller]
pub(crate) fn constraint<T: Debug>(outcome: Result<T>) -> String {
    match outcome {
        Err(error @ Error::Database(_)) => match error.constraint() {
            Some(constraint) => constraint.to_owned(),
            None => panic!("no constraint refused it: {error:?}"),
        },
        other => panic!("the database did not refuse it: {other:?}"),
    }
}
