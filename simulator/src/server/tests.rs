//! Bad input of any kind: refused with a reason, never a panic.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use proptest::collection::{btree_map, vec};
use proptest::prelude::{BoxedStrategy, Just, Strategy as _, any, prop_oneof, proptest};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Simulator, router};
use crate::SimulatorOptions;
use crate::clock::EngineHandle;
use crate::engine::{Engine, Paced, Spread};

const PATHS: [&str; 3] = ["/v1/completions", "/v1/chat/completions", "/tokenize"];

fn small_router() -> Router {
    let paced = Paced::new(Duration::ZERO, Duration::ZERO, Spread::Fixed);
    let engine = EngineHandle::start(Engine::Paced(paced)).unwrap();
    router(Simulator::new(SimulatorOptions::default(), 64, engine))
}

/// Status and parsed body, where there is one.
fn post(router: &Router, path: &str, body: Vec<u8>) -> (StatusCode, Option<Value>) {
    let request = Request::post(path).body(Body::from(body)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).ok())
    })
}

fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2_i64..70).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("(role|content|text|include_usage|[a-z]{1,3})", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Bodies whose keys are real and whose values are anything, most of all nearly right.
fn nearly_right_body() -> impl proptest::strategy::Strategy<Value = Value> {
    let key = prop_oneof![
        "(model|prompt|messages|max_tokens|max_completion_tokens|min_tokens)",
        "(ignore_eos|stream|stream_options|n|seed|temperature)",
    ];
    btree_map(key, any_json(), 0..8).prop_map(|fields| {
        let mut body = json!({
            "prompt": "a b",
            "messages": [{ "role": "user", "content": "x" }],
            "max_tokens": 5,
        });
        body.as_object_mut().unwrap().extend(fields);
        body
    })
}

fn assert_answered(router: &Router, body: &[u8]) {
    for path in PATHS {
        let (status, answer) = post(router, path, body.to_vec());
        assert!(
            status == StatusCode::OK || status.is_client_error(),
            "{path} {status} {}",
            String::from_utf8_lossy(body)
        );
        if status.is_client_error() {
            let error = &answer.unwrap()["error"];
            assert_eq!(error["code"], status.as_u16());
            assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
        }
    }
}

proptest! {
    #[test]
    fn any_body_is_answered(body in any_json()) {
        assert_answered(&small_router(), body.to_string().as_bytes());
    }

    #[test]
    fn nearly_right_bodies_are_answered(body in nearly_right_body()) {
        assert_answered(&small_router(), body.to_string().as_bytes());
    }

    #[test]
    fn any_bytes_are_answered(body in vec(any::<u8>(), 0..64)) {
        assert_answered(&small_router(), &body);
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_in_the_same_shape() {
    let body = vec![b'['; super::LARGEST_BODY_BYTES + 1];
    let (status, answer) = post(&small_router(), PATHS[0], body);
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.unwrap()["error"]["code"], 413);
}

#[test]
fn every_form_of_one_prompt_is_counted() {
    let router = small_router();
    for (prompt, tokens) in [
        (json!("Hello there!"), 3),
        (json!(["Hello there!"]), 3),
        (json!([5, 6, 7, 8]), 4),
        (json!([[5, 6, 7, 8]]), 4),
    ] {
        let body = json!({ "prompt": prompt, "max_tokens": 2 });
        let (status, answer) = post(&router, PATHS[0], body.to_string().into_bytes());
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(answer.unwrap()["usage"]["prompt_tokens"], tokens);
    }
    for prompt in [json!(""), json!([]), json!(["a", "b"]), json!([[1], [2]]), json!([]), json!(3)] {
        let body = json!({ "prompt": prompt });
        let (status, _) = post(&router, PATHS[0], body.to_string().into_bytes());
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    }
}
