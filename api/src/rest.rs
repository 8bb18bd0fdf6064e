//! The REST API, one noun a file, and its addresses with what each is called in the document.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post, put};

use crate::app::App;
use crate::openapi::{self, about};

pub(crate) mod catalog;
pub(crate) mod catalog_targets;
pub(crate) mod conditional;
pub(crate) mod datasets;
pub(crate) mod estimates;
pub(crate) mod events;
pub(crate) mod fits;
pub(crate) mod imported;
pub(crate) mod intake;
pub(crate) mod logs;
pub(crate) mod models;
pub(crate) mod paging;
pub(crate) mod pricing;
pub(crate) mod recommendations;
pub(crate) mod reference;
pub(crate) mod results;
pub(crate) mod runs;

/// Largest report of a load generator, whatever people may send.
const MOST_REPORT_BYTES: usize = 8 * 1024 * 1024;

/// What programs ask, with its description.
pub(crate) fn addresses(max_dataset_bytes: usize) -> ApiRouter<App> {
    let described = runs()
        .merge(results())
        .merge(catalog())
        .merge(planning())
        .merge(reference())
        .merge(uploads().layer(DefaultBodyLimit::max(max_dataset_bytes)));
    let all = described.route("/openapi.json", get(openapi::show)).layer(from_fn(conditional::answer));
    ApiRouter::new().nest("/api/v1", all)
}

fn runs() -> ApiRouter<App> {
    let about = |id, summary| about("runs", id, summary);
    let list = about("listRuns", "Lists runs, the newest first");
    let submit = about("submitRun", "Submits a run, after every check that costs nothing");
    let show = about("getRun", "A run as it stands");
    let cancel = about("cancelRun", "Ends a run early; what it uses is torn down");
    let requeue = about("requeueRun", "Lets workers try again to tear a parked run down");
    let retry = about("retryRun", "Submits the same request once more");
    let of_run = about("listRunResults", "The results of a run, by load point");
    let log = about("getRunLog", "What the engine or the load generator wrote, kept with an ended run");
    ApiRouter::new()
        .api_route("/runs", get_with(runs::list, list).post_with(runs::submit, submit))
        .api_route("/runs/{run_id}", get_with(runs::show, show))
        .api_route("/runs/{run_id}/cancel", post_with(runs::cancel, cancel))
        .api_route("/runs/{run_id}/requeue", post_with(runs::requeue, requeue))
        .api_route("/runs/{run_id}/retry", post_with(runs::retry, retry))
        .api_route("/runs/{run_id}/events", get_with(events::list, events::described))
        .api_route("/runs/{run_id}/results", get_with(results::of_run, of_run))
        .api_route("/runs/{run_id}/logs/{source}", get_with(logs::show, log))
}

fn results() -> ApiRouter<App> {
    let about = |id, summary| about("results", id, summary);
    let list = about("listResults", "Lists results, the newest first");
    let show = about("getResult", "A result, with what it costs in every tier");
    let history = about("getResultHistory", "The valid results of its configuration, the current one first");
    let supersede = about("supersedeResult", "Puts a later result in its place, with the reason");
    ApiRouter::new()
        .api_route("/results", get_with(results::list, list))
        .api_route("/results/{result_id}", get_with(results::show, show))
        .api_route("/results/{result_id}/history", get_with(results::history, history))
        .api_route("/results/{result_id}/supersede", post_with(results::supersede, supersede))
}

fn catalog() -> ApiRouter<App> {
    let about = |id, summary| about("catalog", id, summary);
    let list = about("listCatalog", "The current, valid result of each configuration, in any order, priced");
    let plan = about("planCatalogRefresh", "What a refresh of the catalog would do now");
    let recommend = about("recommend", "The cheapest configuration that keeps limits at a load");

    let imported = about("getImportedResult", "A result that others published");
    ApiRouter::new()
        .api_route("/catalog", get_with(catalog::list, list))
        .api_route("/catalog/targets", get_with(catalog_targets::plan, plan))
        .api_route("/recommendations", get_with(recommendations::show, recommend))
        .api_route("/imported-results/{imported_result_id}", get_with(imported::show, imported))
}

fn planning() -> ApiRouter<App> {
    let about = |id, summary| about("planning", id, summary);
    let in_short = about("estimateInShort", "What a run would be like, asked in short");
    let of_request =
        about("estimateRequest", "What a run would be like, of a request as it would be submitted");
    let fit = about("fit", "Whether a model fits an instance type, and what would");
    ApiRouter::new()
        .api_route(
            "/estimates",
            get_with(estimates::show, in_short).post_with(estimates::of_request, of_request),
        )
        .api_route("/fits", get_with(fits::show, fit))
}

fn reference() -> ApiRouter<App> {
    let about = |id, summary| about("reference", id, summary);
    let models = about("listModels", "Lists models by their ids");
    let add_model = about("addModel", "Adds a model, by its id on the Hugging Face Hub or by its facts");
    let model = about("getModel", "A model, with its known commits");
    let instances = about("listInstances", "Lists all instance types");
    let instance = about("getInstance", "An instance type");
    let prices = about("listPrices", "Lists the prices that are known now, with their age");
    let engines = about("listEngines", "Lists the engines that workers offer");
    let status = openapi::about("installation", "getStatus", "How this installation is doing");
    ApiRouter::new()
        .api_route("/models", get_with(models::list, models).post_with(models::add, add_model))
        .api_route("/models/{*model}", get_with(models::show, model))
        .api_route("/instances", get_with(reference::instances, instances))
        .api_route("/instances/{instance_type}", get_with(reference::instance, instance))
        .api_route("/prices", get_with(reference::prices, prices))
        .api_route("/engines", get_with(reference::engines, engines))
        .api_route("/status", get_with(reference::status, status))
}

/// Addresses that take files.
fn uploads() -> ApiRouter<App> {
    let imported =
        about("catalog", "listImportedResults", "Lists what others published, by model and accelerator");
    let import = about("catalog", "importResults", "Takes over a file of another load generator");
    let datasets = about("reference", "listDatasets", "Lists all datasets");
    let upload = about("reference", "addDataset", "Uploads a dataset of prompts, or a trace");
    ApiRouter::new()
        .api_route("/imported-results", get_with(imported::list, imported).post_with(imported::add, import))
        .api_route("/datasets", get_with(datasets::list, datasets).post_with(datasets::add, upload))
}

/// The intake for load generators: between parts of one release, and therefore not in the document.
pub(crate) fn intake() -> Router<App> {
    Router::new()
        .route("/plan", get(intake::plan))
        .route("/dataset", get(intake::dataset))
        .route("/progress", post(intake::progress))
        .route("/reports/{index}", put(intake::report))
        .route("/conclusion", put(intake::conclusion))
        .route("/failure", post(intake::failure))
        .layer(DefaultBodyLimit::max(MOST_REPORT_BYTES))
}
