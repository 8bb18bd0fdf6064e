//! Brings runs to where a test needs them, with the calls that a worker and a load generator make.

use std::time::Duration;

use accelbench_core::engine::{EngineIdentity, EngineKind};
use accelbench_core::load::{LoadReport, examples};
use accelbench_core::observed::Observed;
use accelbench_core::result::{BenchmarkResult, Origin, Provenance};
use accelbench_core::run::{Phase, ReadyEndpoint, Run, RunId, Transition, Verdict};
use accelbench_store::lease::{self, Advance, Claim, Lease};
use accelbench_store::results::ResultFilter;
use accelbench_store::{PgConnection, Result, intake, results, runs};

use crate::builders::{MODEL, Request, Store};

/// Every phase before the teardown.
pub(crate) const EARLY_PHASES: [&str; 5] = ["queued", "deploying", "awaiting_ready", "loading", "recording"];

impl Store {
    /// A new run that has come as far as `phase`, on its way to success.
    pub(crate) async fn run_in(&self, phase: &str) -> RunId {
        let run_id = self.submit(&Request::default()).await;
        self.bring_to(run_id, phase).await;
        run_id
    }

    /// Drives a run until it is in `phase`.
    pub(crate) async fn bring_to(&self, run_id: RunId, phase: &str) {
        while self.run(run_id).await.phase.as_str() != phase {
            let (lease, run) = self.take(run_id).await;
            let mut transaction = self.begin().await;
            step(&mut transaction, lease, &run).await.unwrap();
            transaction.commit().await.unwrap();
        }
    }

    /// A new run that was ended early and has come as far as `phase`.
    pub(crate) async fn ended_run_in(&self, phase: &str, verdict: &Verdict) -> RunId {
        let run_id = self.submit(&Request::default()).await;
        self.end(run_id, verdict).await;
        self.bring_to(run_id, phase).await;
        run_id
    }

    pub(crate) async fn end(&self, run_id: RunId, verdict: &Verdict) {
        let (lease, run) = self.take(run_id).await;
        let mut transaction = self.begin().await;
        advance(&mut transaction, lease, &run, Transition::End(verdict.clone())).await.unwrap();
        transaction.commit().await.unwrap();
    }

    pub(crate) async fn take(&self, run_id: RunId) -> (Lease, Run) {
        self.try_take(run_id).await.expect("nobody owns the run")
    }

    pub(crate) async fn try_take(&self, run_id: RunId) -> Option<(Lease, Run)> {
        lease::take(&mut *self.connection().await, run_id, "worker", Duration::from_mins(1)).await.unwrap()
    }

    /// As if the holder of the lease had been silent for too long.
    pub(crate) async fn let_lease_run_out(&self, run_id: RunId) {
        let expire = "UPDATE runs SET lease_until = now() - interval '1 second' WHERE run_id = $1";
        sqlx::query(expire).bind(run_id.uuid()).execute(self.pool()).await.unwrap();
    }

    /// The reports of a run that is loading, one for each load point.
    pub(crate) async fn reports(&self, run_id: RunId) -> Vec<LoadReport> {
        reports(&mut *self.connection().await, run_id).await.unwrap()
    }

    /// All results of a run, in the order of their load points.
    pub(crate) async fn results(&self, run_id: RunId) -> Vec<BenchmarkResult> {
        let filter = ResultFilter {
            run_id: Some(run_id),
            include_invalid: true,
            include_superseded: true,
            ..ResultFilter::default()
        };
        let mut results = results::list(&mut *self.connection().await, &filter, 100).await.unwrap();
        results.sort_by_key(|result| result.report.load_point_index);
        results
    }
}

/// The next step of a run that goes well.
async fn step(connection: &mut PgConnection, lease: Lease, run: &Run) -> Result<()> {
    match run.phase {
        Phase::Queued => {
            let claim = lease::claim(connection, lease, run, "claimed").await?;
            assert_eq!(claim, Claim::Claimed);
        }
        Phase::Deploying => advance(connection, lease, run, Transition::Deployed).await?,
        Phase::AwaitingReady => advance(connection, lease, run, Transition::Ready).await?,
        Phase::Loading => {
            for report in reports(connection, run.id).await? {
                intake::put_report(connection, run.id, &report).await?;
            }
            advance(connection, lease, run, Transition::Loaded).await?;
        }
        Phase::Recording => {
            let provenance = provenance(connection, run).await;
            results::record(connection, lease, run, &provenance).await?;
        }
        Phase::TearingDown(_) => advance(connection, lease, run, Transition::TornDown).await?,
        Phase::Finished(_) => panic!("run {} was to be driven beyond its end", run.id),
    }
    Ok(())
}

pub(crate) async fn advance(
    connection: &mut PgConnection,
    lease: Lease,
    run: &Run,
    transition: Transition,
) -> Result<()> {
    let endpoint = endpoint();
    let endpoint = (transition == Transition::Ready).then_some(&endpoint);
    let message = format!("{transition:?}");
    lease::advance(connection, lease, Advance { run, transition, message: &message, endpoint }).await?;
    Ok(())
}

/// Numbers of which no two are equal, so that a mixed-up column shows; as they arrive, which is through JSON.
async fn reports(connection: &mut PgConnection, run_id: RunId) -> Result<Vec<LoadReport>> {
    let plan = intake::plan(connection, run_id).await?.now().expect("the run is loading");
    let report = |index| {
        let mut report = examples::report(&plan, index);
        report.tpot_ms.mean += 0.125;
        report.tpot_ms.p50 += 0.25;
        report.concurrency_mean -= 0.0625;
        serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap()
    };
    Ok((0..plan.load_points.len() as u32).map(report).collect())
}

fn endpoint() -> ReadyEndpoint {
    ReadyEndpoint {
        base_url: "http://127.0.0.1:8000/".parse().unwrap(),
        served_model_name: MODEL.to_owned(),
        engine: EngineIdentity {
            kind: EngineKind::Simulator,
            version: Observed::Value("0.1.0".to_owned()),
            image_digest: Observed::absent("no container"),
        },
        engine_arguments: vec!["--port".to_owned(), "8000".to_owned()],
        machine: None,
        accelerator_metrics: Vec::new(),
    }
}

pub(crate) async fn provenance(connection: &mut PgConnection, run: &Run) -> Provenance {
    let dataset_sha256 = runs::dataset_sha256(connection, run.id).await.unwrap();
    Provenance {
        origin: Origin::Simulated,
        platform: run.spec.platform.as_str().to_owned(),
        model: run.spec.model.clone(),
        revision: Observed::absent("not asked for"),
        instance_type: run.spec.instance_type.clone(),
        engine: EngineKind::Simulator,
        engine_version: Observed::Value("0.1.0".to_owned()),
        engine_image_digest: Observed::absent("no container"),
        engine_arguments: Observed::Value(vec!["--port".to_owned(), "8000".to_owned()]),
        quantization: Observed::absent("as the model comes"),
        tensor_parallel: 1,
        accelerators_used: Observed::Value(1),
        ami: Observed::absent("no node"),
        driver_version: Observed::absent("no driver"),
        availability_zone: Observed::absent("no zone"),
        workload_sha256: run.spec.workload.fingerprint(&dataset_sha256),
        dataset_sha256,
        loadgen_version: "0.1.0".to_owned(),
    }
}
