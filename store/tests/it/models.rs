//! Models and their revisions.

use accelbench_core::model::{ModelId, Revision};
use accelbench_store::{Error, models};
use serde_json::json;

use crate::builders::{MODEL, Request, Store, constraint, model, spec};

#[tokio::test]
async fn newer_facts_take_the_place_of_older_ones() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    let better = model(&json!({"layers": 16, "gated": true, "licence": "Apache-2.0", "family": null}));
    models::add(&mut connection, &better).await.unwrap();
    assert_eq!(models::find(&mut connection, &better.model).await.unwrap(), better);
    assert_eq!(models::names(&mut connection).await.unwrap(), [MODEL]);
}

#[tokio::test]
async fn models_are_searched_by_a_part_of_their_id() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    for id in ["acme/Large_70b", "zeta/large-7b"] {
        models::add(&mut connection, &model(&json!({"model": id}))).await.unwrap();
    }
    for (search, limit, expected) in [
        (None, 10, vec!["acme/Large_70b", MODEL, "zeta/large-7b"]),
        (None, 1, vec!["acme/Large_70b"]),
        (Some("LARGE"), 10, vec!["acme/Large_70b", "zeta/large-7b"]),
        // No pattern: these letters stand for themselves.
        (Some("e_7"), 10, vec!["acme/Large_70b"]),
        (Some("%"), 10, vec![]),
    ] {
        let found = models::list(&mut connection, search, limit).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|model| model.model.as_str()).collect();
        assert_eq!(ids, expected, "{search:?}");
    }
}

#[tokio::test]
async fn facts_that_cannot_be_are_refused() {
    let store = Store::new().await;
    for (changes, expected) in [
        (json!({"layers": 0}), "models_layers_check"),
        (json!({"params_total_b": -8.0}), "models_params_total_b_check"),
        (json!({"max_context_tokens": 0}), "models_max_context_tokens_check"),
    ] {
        let refused = models::add(&mut *store.connection().await, &model(&changes)).await;
        assert_eq!(constraint(refused), expected, "{changes}");
    }
}

#[tokio::test]
async fn a_run_names_a_revision_that_its_model_has() {
    let store = Store::new().await;
    let revision: Revision = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    let known: ModelId = MODEL.parse().unwrap();
    let mut connection = store.connection().await;
    for _ in 0..2 {
        models::add_revision(&mut connection, &known, &revision).await.unwrap();
    }
    let spec = spec(&json!({"revision": revision}));
    let run_id = store.submit(&Request { spec, ..Request::default() }).await;
    assert_eq!(store.run(run_id).await.spec.revision, Some(revision.clone()));

    let unknown: ModelId = "acme/unknown".parse().unwrap();
    let refused = models::add_revision(&mut connection, &unknown, &revision).await;
    assert_eq!(constraint(refused), "model_revisions_model_fkey");
    let outcome = models::find(&mut connection, &unknown).await;
    assert!(matches!(outcome, Err(Error::NotFound { what: "model", .. })), "{outcome:?}");
}
