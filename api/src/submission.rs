//! Submitting a run: everything that can be known without money is checked first, then the run and its first tick are
//! written together. The page and the REST API both come through here.

use std::borrow::Cow;
use std::time::Duration;

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::instance::InstanceType;
use accelbench_core::load::kinds_of_load;
use accelbench_core::model::Model;
use accelbench_core::run::{PlatformSpec, Priority, RunId, RunSpec};
use accelbench_core::secret::HfToken;
use accelbench_store::runs::{self, IdempotencyKey, MeasuredAlready, NewRun, Submitted};
use accelbench_store::{Error, PgConnection, datasets, engines, instances, models, platforms};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;
use crate::estimating::{self, PricedEstimate};
use crate::fitting;
use crate::rest::datasets::parse;

mod facts;
mod revision;

pub(crate) use revision::AskedRevision;
use revision::Resolution;

/// What is asked for, with what is not part of the request itself.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) spec: RunSpec,
    pub(crate) split: Split,
    pub(crate) revision: AskedRevision,
    pub(crate) submitted_by: Option<String>,
    pub(crate) hf_token: Option<HfToken>,
}

/// Over how many accelerators one replica is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// As the request says.
    AsAsked,
    /// On a cluster, over as few as hold the weights; elsewhere over one.
    AsFewAsHold,
}

/// The fields of a submission, for the description of the API.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it describes what a body may hold")]
struct SubmissionFields {
    #[serde(flatten)]
    spec: RunSpec,
    /// The commit or branch of the model; the newest commit unless given.
    revision: Option<String>,
    /// A name to find one's runs by: at most 200 characters, one line.
    submitted_by: Option<String>,
    /// For a model that is not open to all; kept sealed until the run has ended.
    hf_token: Option<HfToken>,
}

impl JsonSchema for Submission {
    fn schema_name() -> Cow<'static, str> {
        "Submission".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SubmissionFields::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Submission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = serde_json::Map::deserialize(deserializer)?;
        let mut text = |name: &str| match fields.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(D::Error::custom(format!("{name} must be a text"))),
        };
        let submitted_by = text("submitted_by")?.filter(|name| !name.trim().is_empty());
        if submitted_by
            .as_ref()
            .is_some_and(|name| name.chars().count() > 200 || name.contains(char::is_control))
        {
            return Err(D::Error::custom("submitted_by must have at most 200 characters and be one line"));
        }
        let hf_token = text("hf_token")?.filter(|token| !token.trim().is_empty());
        let hf_token = hf_token.map(|token| HfToken::new(&token)).transpose().map_err(D::Error::custom)?;
        let revision = AskedRevision::of(text("revision")?.as_deref());
        if fields.get("tensor_parallel").is_some_and(Value::is_null) {
            fields.remove("tensor_parallel");
        }
        let split = if fields.contains_key("tensor_parallel") { Split::AsAsked } else { Split::AsFewAsHold };
        let spec = serde_path_to_error::deserialize(Value::Object(fields)).map_err(D::Error::custom)?;
        Ok(Self { spec, split, revision, submitted_by, hf_token })
    }
}

impl Submission {
    /// Tells requests apart as they were sent. The token is left out: a new one asks for nothing else.
    fn sha256(&self) -> Sha256Hex {
        let revision = match &self.revision {
            AskedRevision::Newest => None,
            AskedRevision::Commit(commit) => Some(commit.as_str()),
            AskedRevision::Name(name) => Some(name.as_str()),
        };
        let request = json!([self.spec, revision, self.split == Split::AsAsked, self.submitted_by]);
        Sha256Hex::of(request.to_string().as_bytes())
    }
}

/// What a request comes to, once everything that costs no money was checked.
struct Checked {
    spec: RunSpec,
    dataset_sha256: Sha256Hex,
    revision_absent_reason: Option<String>,
    estimate: PricedEstimate,
}

/// How long a result may stand in for a new measurement. Engines have a new release each month.
const FRESH: Duration = Duration::from_hours(30 * 24);

/// What a person is told before a run is started.
pub(crate) struct Prospect {
    pub(crate) estimate: PricedEstimate,
    /// A run whose results are what is asked for.
    pub(crate) measured_already: Option<MeasuredAlready>,
}

/// Checks a submission as if it were to be written, and says what its run would be like and whether it is needed.
pub(crate) async fn examine(app: &App, submission: &Submission) -> Result<Prospect, ApiError> {
    let resolution = resolve(app, submission).await?;
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    let checked = check(app, &mut transaction, submission, resolution).await?;
    let Checked { spec, dataset_sha256, revision_absent_reason: _, estimate } = checked;
    let measured_already = runs::measured_already(&mut transaction, &spec, &dataset_sha256, FRESH).await?;
    transaction.rollback().await.map_err(Error::from)?;
    Ok(Prospect { estimate, measured_already })
}

/// Checks a submission as if it were to be written, and says what its run would be like.
pub(crate) async fn rehearse(
    app: &App,
    submission: &Submission,
) -> Result<(RunSpec, Option<String>, PricedEstimate), ApiError> {
    let resolution = resolve(app, submission).await?;
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    let checked = check(app, &mut transaction, submission, resolution).await?;
    transaction.rollback().await.map_err(Error::from)?;
    Ok((checked.spec, checked.revision_absent_reason, checked.estimate))
}

/// Checks and writes a submission.
pub(crate) async fn submit(
    app: &App,
    submission: &Submission,
    idempotency_key: Option<&str>,
) -> Result<Submitted, ApiError> {
    let request_sha256 = submission.sha256();
    let key = idempotency_key.map(|key| IdempotencyKey { key, request_sha256: &request_sha256 });
    // What was submitted already is answered whatever has changed since: the Hub, the engines, the prices.
    if let Some(run_id) = kept(&mut *app.connection().await?, key.as_ref()).await? {
        return Ok(Submitted::Existing(run_id));
    }
    let resolution = resolve(app, submission).await?;
    let mut transaction = app.pool().begin().await.map_err(Error::from)?;
    let checked = check(app, &mut transaction, submission, resolution).await?;
    let Checked { spec, dataset_sha256, revision_absent_reason, estimate: _ } = &checked;
    let run_id = RunId::new();
    let sealed = submission.hf_token.as_ref().map(|token| app.secret_key().seal(run_id, token));
    let new = NewRun {
        spec,
        dataset_sha256,
        priority: Priority::Person,
        submitted_by: submission.submitted_by.as_deref(),
        hf_token_sealed: sealed.as_deref(),
        revision_absent_reason: revision_absent_reason.as_deref(),
        idempotency_key: key,
    };
    let submitted = runs::submit(&mut transaction, run_id, &new).await?;
    if let Submitted::Existing(_) = submitted {
        kept(&mut transaction, key.as_ref()).await?;
    }
    transaction.commit().await.map_err(Error::from)?;
    Ok(submitted)
}

/// A key that comes again with another request is a mistake: answering with the first run would hide it.
async fn kept(
    connection: &mut PgConnection,
    key: Option<&IdempotencyKey<'_>>,
) -> Result<Option<RunId>, ApiError> {
    let Some(key) = key else { return Ok(None) };
    match runs::find_kept(connection, key).await? {
        Some(kept) if !kept.is_same_request => {
            let run_id = kept.run_id;
            let detail =
                format!("the Idempotency-Key was used for another request, which became run {run_id}");
            Err(ApiError::unprocessable(detail).with_hint("take a new key for each new request"))
        }
        kept => Ok(kept.map(|kept| kept.run_id)),
    }
}

/// Writes down what the Hub told, and puts the commit into the request.
async fn settle(
    connection: &mut PgConnection,
    spec: &mut RunSpec,
    submission: &Submission,
    resolution: &Resolution,
) -> Result<(), ApiError> {
    if let AskedRevision::Commit(commit) = &submission.revision {
        spec.revision = Some(commit.clone());
    }
    if let Some(resolved) = &resolution.resolved {
        models::add_resolved(connection, resolved).await?;
        spec.model = resolved.model.clone();
        // Nobody knows which commit is behind a foreign endpoint.
        if !matches!(spec.platform, PlatformSpec::Endpoint { .. }) {
            spec.revision.clone_from(&resolved.revision);
        }
    }
    if let Some(revision) = &spec.revision {
        models::add_revision(connection, &spec.model, revision).await?;
    }
    Ok(())
}

async fn resolve(app: &App, submission: &Submission) -> Result<Resolution, ApiError> {
    submission.spec.validate().map_err(|error| ApiError::unprocessable(error.to_string()))?;
    revision::resolve(app, submission).await
}

/// Checks a request against what the installation knows and fills in what it leaves open.
async fn check(
    app: &App,
    connection: &mut PgConnection,
    submission: &Submission,
    resolution: Resolution,
) -> Result<Checked, ApiError> {
    let mut spec = submission.spec.clone();
    settle(connection, &mut spec, submission, &resolution).await?;
    let model = known_model(connection, &spec).await?;
    let instance = known_instance(connection, &spec).await?;
    known_engine(connection, &spec).await?;
    offered(connection, &spec).await?;
    if let Some(tokens) = model.max_context_tokens.and_then(|tokens| u32::try_from(tokens).ok()) {
        let fits = spec.workload.validate_context(spec.model.as_str(), tokens);
        fits.map_err(|error| ApiError::unprocessable(error.to_string()))?;
    }
    let plan = match facts::deployment(&spec, &model, &instance, submission.split) {
        Some(request) => Some(fitting::plan(connection, &request, app.region()).await?),
        None => None,
    };
    if let Some(plan) = &plan {
        spec.tensor_parallel = plan.parallelism.tensor_parallel;
    }
    facts::check(&spec, &model, &instance)?;
    let dataset_sha256 = dataset(connection, &spec).await?;
    let of = (&spec, &model, &instance);
    let estimate = estimating::estimate(connection, of, plan.as_ref(), app.region()).await?;
    if let Some(max_cost_usd) = spec.max_cost_usd {
        let kept = estimate.run.keep_within(max_cost_usd);
        kept.map_err(|error| ApiError::unprocessable(error.to_string()))?;
    }
    Ok(Checked { spec, dataset_sha256, revision_absent_reason: resolution.absent_reason, estimate })
}

async fn offered(connection: &mut PgConnection, spec: &RunSpec) -> Result<(), ApiError> {
    if platforms::is_offered(connection, &spec.platform).await? {
        return Ok(());
    }
    let detail = "no worker of this installation was given a cluster";
    Err(ApiError::unprocessable(detail)
        .with_hint("start a worker with --kubernetes FILE; deploy/README.md says what is in the file"))
}

/// The version of the dataset, if the workload can use it.
async fn dataset(connection: &mut PgConnection, spec: &RunSpec) -> Result<Sha256Hex, ApiError> {
    match datasets::find(connection, &spec.workload.dataset).await {
        Ok(dataset) => {
            serves(connection, spec, &dataset.sha256).await?;
            Ok(dataset.sha256)
        }
        Err(Error::NotFound { what, name }) => {
            let names = datasets::names(connection).await?;
            Err(unknown(what, &name, "upload it to /api/v1/datasets", &names))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the dataset is of a kind that the workload can use.
async fn serves(connection: &mut PgConnection, spec: &RunSpec, sha256: &Sha256Hex) -> Result<(), ApiError> {
    let content = datasets::content(connection, sha256).await?;
    let dataset = parse(content.into()).await?;
    let serves =
        spec.workload.validate_dataset(&dataset, &kinds_of_load(&spec.load_points, spec.exploration));
    serves.map_err(|error| ApiError::unprocessable(error.to_string()))
}

async fn known_model(connection: &mut PgConnection, spec: &RunSpec) -> Result<Model, ApiError> {
    match models::find(connection, &spec.model).await {
        Err(Error::NotFound { what, name }) => {
            let names = models::names(connection).await?;
            Err(unknown(what, &name, "add it with POST /api/v1/models", &names))
        }
        found => Ok(found?),
    }
}

async fn known_instance(connection: &mut PgConnection, spec: &RunSpec) -> Result<InstanceType, ApiError> {
    match instances::find(connection, &spec.instance_type).await {
        Err(Error::NotFound { what, name }) => {
            let names = instances::names(connection).await?;
            Err(unknown(what, &name, "see /api/v1/instances", &names))
        }
        found => Ok(found?),
    }
}

async fn known_engine(connection: &mut PgConnection, spec: &RunSpec) -> Result<(), ApiError> {
    let PlatformSpec::Local { engine } = &spec.platform else { return Ok(()) };
    match engines::find(connection, engine).await {
        Err(Error::NotFound { what, name }) => {
            let names = engines::names(connection).await?;
            let hint = if names.is_empty() {
                "no worker has offered an engine yet; start one with `accelbench worker`".to_owned()
            } else {
                format!(
                    "workers offer {}; the operator adds one with --engine NAME=COMMAND",
                    names.join(", ")
                )
            };
            Err(unknown(what, &name, &hint, &[]))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

fn unknown(what: &str, name: &str, otherwise: &str, names: &[String]) -> ApiError {
    let error = ApiError::unprocessable(format!("there is no {what} `{name}`")).suggest(name, names);
    if error.hint.is_some() { error } else { error.with_hint(otherwise) }
}
