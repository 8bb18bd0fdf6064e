//! Key by key as vLLM: the recordings under `tests/samples`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{quick, recorded, sample, start};

const CHAT: &str = "/v1/chat/completions";
const COMPLETIONS: &str = "/v1/completions";

/// Keys and kinds of all values: `null`, `text`, `number`, nested ones in full.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect())
        }
    }
}

/// Runs of equal shapes as one, so that streams of different length compare.
fn shapes(events: &[Value]) -> Vec<Value> {
    let mut shapes: Vec<Value> = events.iter().map(shape).collect();
    shapes.dedup();
    shapes
}

#[tokio::test]
async fn streams_have_the_shape_of_recorded_ones() {
    let simulator = start(quick()).await;
    let usage = json!({ "include_usage": true });
    let everywhere = json!({ "include_usage": true, "continuous_usage_stats": true });
    for (name, path, options) in [
        ("sse_completions", COMPLETIONS, Some(usage.clone())),
        ("sse_completions_nousage", COMPLETIONS, None),
        ("sse_chat", CHAT, Some(usage)),
        ("sse_chat_contusage", CHAT, Some(everywhere)),
    ] {
        let mut body = json!({
            "model": "tiny-llama",
            "prompt": "Hello there",
            "messages": [{ "role": "user", "content": "Hello there" }],
            "max_tokens": 6,
            "ignore_eos": true,
            "stream": true,
        });
        if let Some(options) = options {
            body["stream_options"] = options;
        }
        let stream = simulator.stream(path, &body).await;
        assert_eq!(stream.events.last().unwrap(), "[DONE]", "{name}");
        let expected = recorded(&format!("{name}.txt"));
        assert_eq!(shapes(&stream.json()), shapes(&expected), "{name}");
    }
}

#[tokio::test]
async fn a_model_that_stops_says_so_in_the_recorded_shape() {
    let mut options = quick();
    options.answers.mean_output_tokens = 1;
    let simulator = start(options).await;
    for (name, path) in [("sse_completions_eos", COMPLETIONS), ("sse_chat_eos", CHAT)] {
        let body = json!({
            "prompt": "Hello there",
            "messages": [{ "role": "user", "content": "Hello there" }],
            "max_tokens": 20,
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        let stream = simulator.stream(path, &body).await;
        let expected = recorded(&format!("{name}.txt"));
        assert_eq!(shapes(&stream.json()), shapes(&expected), "{name}");
        // As recorded: the end mark is a token without text.
        let last = stream.json().pop().unwrap();
        assert_eq!(last["usage"]["completion_tokens"], 1);
        assert_eq!(stream.text(), "");
    }
}

#[tokio::test]
async fn whole_answers_and_refusals_have_the_recorded_shape() {
    let simulator = start(quick()).await;
    let messages = json!([{ "role": "user", "content": "x" }]);
    for (name, path, status, body) in [
        (
            "nonstream_completions",
            COMPLETIONS,
            200,
            json!({ "model": "tiny-llama", "prompt": [5, 6, 7, 8, 9, 10], "max_tokens": 5, "stream": false }),
        ),
        (
            "nonstream_chat",
            CHAT,
            200,
            json!({ "model": "tiny-llama", "messages": messages, "max_tokens": 5 }),
        ),
        ("err_model", CHAT, 404, json!({ "model": "nope", "messages": messages, "stream": true })),
        (
            "err_toolong",
            COMPLETIONS,
            400,
            json!({ "model": "tiny-llama", "prompt": "x", "max_tokens": 99_999, "stream": true }),
        ),
    ] {
        let response = simulator.post(path, &body).await;
        assert_eq!(response.status(), status, "{name}");
        let answer: Value = response.json().await.unwrap();
        let expected: Value = serde_json::from_str(&sample(&format!("{name}.json"))).unwrap();
        assert_eq!(shape(&answer), shape(&expected), "{name}");
        if status != 200 {
            assert_eq!(answer, expected, "refusals are equal to the word");
        }
    }
}

#[tokio::test]
async fn metrics_have_the_recorded_names_labels_and_buckets() {
    let simulator = start(quick()).await;
    let text = simulator.get("/metrics").await.text().await.unwrap();
    let names = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    };
    let kinds = |text: &str| -> BTreeSet<String> {
        let is_kind = |line: &&str| line.starts_with('#');
        text.lines().filter(is_kind).map(str::to_owned).collect()
    };
    let expected = sample("metrics.txt");
    assert_eq!(names(&text), names(&expected));
    assert_eq!(kinds(&text), kinds(&expected));
}

#[tokio::test]
async fn the_simulator_says_that_it_is_one() {
    let simulator = start(quick()).await;
    let version: Value = simulator.get("/version").await.json().await.unwrap();
    assert_eq!(version["version"], accelbench_simulator::VERSION);
    assert!(accelbench_simulator::VERSION.starts_with("accelbench-simulator "));
    let response = simulator.get("/v1/models").await;
    assert_eq!(response.headers()["server"], "accelbench-simulator");
    let models: Value = response.json().await.unwrap();
    assert_eq!(models["data"][0]["id"], "tiny-llama");
    assert_eq!(models["data"][0]["max_model_len"], 4096);
    assert_eq!(models["data"][0]["owned_by"], "accelbench-simulator");
    assert_eq!(simulator.get("/health").await.status(), 200);
    assert_eq!(simulator.get("/nothing").await.status(), 404);
}

#[tokio::test]
async fn tokens_are_counted_alike_everywhere() {
    let simulator = start(quick()).await;
    let body = json!({ "model": "tiny-llama", "prompt": "Hello there, tell me a story" });
    let counted: Value = simulator.post("/tokenize", &body).await.json().await.unwrap();
    assert_eq!((&counted["count"], &counted["max_model_len"]), (&json!(7), &json!(4096)));
    let messages = json!([{ "role": "user", "content": [{ "type": "text", "text": "Hello there" }] }]);
    let chat = json!({ "messages": messages, "max_tokens": 30, "ignore_eos": true });
    let in_chat: Value = simulator.post("/tokenize", &chat).await.json().await.unwrap();
    let answer: Value = simulator.post(CHAT, &chat).await.json().await.unwrap();
    assert_eq!(answer["usage"]["prompt_tokens"], in_chat["count"]);
    // The answer's text counts as many tokens as the answer says it has.
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(accelbench_simulator::count_tokens(text), 30);
    assert_eq!(answer["usage"]["completion_tokens"], 30);
}
