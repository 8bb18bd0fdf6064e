//! What streams say and when.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{quick, read_stream, start};

const CHAT: &str = "/v1/chat/completions";
const COMPLETIONS: &str = "/v1/completions";

fn body(max_tokens: u32) -> Value {
    json!({
        "model": "tiny-llama",
        "prompt": "Hello there",
        "messages": [{ "role": "user", "content": "Hello there" }],
        "max_tokens": max_tokens,
        "ignore_eos": true,
        "stream": true,
        "stream_options": { "include_usage": true },
    })
}

#[tokio::test]
async fn with_ignore_eos_the_answer_has_the_asked_length() {
    let simulator = start(quick()).await;
    let stream = simulator.stream(COMPLETIONS, &body(40)).await;
    let events = stream.json();
    assert_eq!(events.len(), 41);
    assert_eq!(events[39]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[40]["usage"]["completion_tokens"], 40);
    assert_eq!(accelbench_simulator::count_tokens(&stream.text()), 40);
    assert!(!stream.broken);
}

#[tokio::test]
async fn without_it_the_answer_stops_by_itself_and_equally_for_equal_seeds() {
    let mut request = body(4000);
    request["ignore_eos"] = json!(false);
    request["seed"] = json!(7);
    let mut texts = Vec::new();
    for _ in 0..2 {
        let mut options = quick();
        options.pace.itl_ms = 0.0;
        options.answers.mean_output_tokens = 20;
        let simulator = start(options).await;
        for _ in 0..2 {
            let stream = simulator.stream(CHAT, &request).await;
            let events = stream.json();
            assert_eq!(events[events.len() - 2]["choices"][0]["finish_reason"], "stop");
            texts.push(stream.text());
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[tokio::test]
async fn many_tokens_can_come_in_one_chunk() {
    let mut options = quick();
    options.answers.tokens_per_chunk = 4;
    let simulator = start(options).await;
    let mut request = body(10);
    request["stream_options"]["continuous_usage_stats"] = json!(true);
    let events = simulator.stream(COMPLETIONS, &request).await.json();
    let counts: Vec<_> = events.iter().map(|event| &event["usage"]["completion_tokens"]).collect();
    assert_eq!(counts, [4, 8, 10, 10]);
    assert_eq!(events[2]["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn tokens_can_be_without_text() {
    let mut options = quick();
    options.answers.empty_text_share = 1.0;
    let simulator = start(options).await;
    let stream = simulator.stream(CHAT, &body(5)).await;
    assert_eq!((stream.text().as_str(), stream.json().len()), ("", 7));
    assert_eq!(stream.json()[6]["usage"]["completion_tokens"], 5);
}

#[tokio::test]
async fn the_role_comes_with_the_first_token_or_early() {
    for early_role in [false, true] {
        let mut options = quick();
        options.pace.ttft_ms = 150.0;
        options.answers.early_role = early_role;
        let simulator = start(options).await;
        let stream = simulator.stream(CHAT, &body(3)).await;
        assert_eq!(stream.json()[0]["choices"][0]["delta"]["role"], "assistant");
        let gap = stream.gaps()[0];
        assert_eq!(gap > Duration::from_millis(75), early_role, "{gap:?}");
    }
}

#[tokio::test]
async fn heads_come_before_the_first_token() {
    let mut options = quick();
    options.pace.ttft_ms = 200.0;
    let simulator = start(options).await;
    let start = Instant::now();
    let response = simulator.post(COMPLETIONS, &body(1)).await;
    assert!(start.elapsed() < Duration::from_millis(150));
    let stream = read_stream(start, response).await;
    assert!(stream.at[0] >= Duration::from_millis(200));
}

#[tokio::test]
async fn fixed_times_reach_the_client_truly() {
    let mut options = quick();
    options.pace.ttft_ms = 30.0;
    options.pace.itl_ms = 4.0;
    let simulator = start(options).await;
    simulator.stream(COMPLETIONS, &body(2)).await;
    let stream = simulator.stream(COMPLETIONS, &body(100)).await;
    let mut gaps_ms: Vec<f64> = stream.gaps()[..99].iter().map(|gap| gap.as_secs_f64() * 1e3).collect();
    gaps_ms.sort_by(f64::total_cmp);
    let ttft_ms = stream.at[0].as_secs_f64() * 1e3;
    println!("ttft {ttft_ms:.2} ms, gap median {:.2} ms, p90 {:.2} ms", gaps_ms[49], gaps_ms[89]);
    assert!((3.5..4.5).contains(&gaps_ms[49]), "{gaps_ms:?}");
    // Tokens come at absolute times: no gap's error adds up.
    let total_ms: f64 = gaps_ms.iter().sum();
    assert!((total_ms - 396.0).abs() < 40.0, "{total_ms}");
}
