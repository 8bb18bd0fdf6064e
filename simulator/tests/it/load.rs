//! Many streams at once, and load that shows in times.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use accelbench_simulator::{SimulatorOptions, Timing};
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Running, Stream, quick, start};

const PATH: &str = "/v1/completions";

async fn at_once(simulator: &Arc<Running>, count: usize, max_tokens: u32) -> Vec<Stream> {
    let mut streams = JoinSet::new();
    for _ in 0..count {
        let simulator = Arc::clone(simulator);
        let body =
            json!({ "prompt": "Hello there", "max_tokens": max_tokens, "ignore_eos": true, "stream": true });
        streams.spawn(async move { simulator.stream(PATH, &body).await });
    }
    streams.join_all().await
}

/// Streams that this process may hold both ends of, at most 1,024: its limit of open files decides.
fn possible_streams() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    (soft.unwrap_or(256).saturating_sub(100) / 2).min(1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_run_side_by_side() {
    let count = possible_streams();
    let mut options = quick();
    // Long enough that the last begins before the first ends, on a busy machine, too.
    options.pace.ttft_ms = 3000.0;
    options.pace.itl_ms = 20.0;
    let simulator = Arc::new(start(options).await);
    let client = Arc::clone(&simulator);
    let streams = tokio::spawn(async move { at_once(&client, count, 10).await });
    simulator.wait_for_metric("vllm:num_requests_running", count as f64).await;
    for stream in streams.await.unwrap() {
        assert_eq!((stream.events.len(), stream.broken), (11, false));
    }
    let finished = "vllm:request_success_total{engine=\"0\",finished_reason=\"length\"";
    assert!((simulator.metric(finished).await - count as f64).abs() < 1e-9);
    assert!((simulator.metric("vllm:generation_tokens_total").await - 10.0 * count as f64).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_modelled_engine_takes_its_time_and_queues_beyond_its_limit() {
    let mut options = SimulatorOptions { port: 0, timing: Timing::Roofline, ..SimulatorOptions::default() };
    options.limits.max_num_seqs = 8;
    let simulator = Arc::new(start(options).await);
    let alone = at_once(&simulator, 1, 100).await;
    // 16.06 GB at 80 % of 3,350 GB/s and 0.54 ms: 6.5 ms a token.
    let mean = alone[0].gaps()[..99].iter().sum::<Duration>() / 99;
    assert!((Duration::from_millis(6)..Duration::from_millis(9)).contains(&mean), "{mean:?}");
    let client = Arc::clone(&simulator);
    let streams = tokio::spawn(async move { at_once(&client, 16, 4000).await });
    simulator.wait_for_metric("vllm:num_requests_waiting", 8.0).await;
    assert!((simulator.metric("vllm:num_requests_running").await - 8.0).abs() < 1e-9);
    assert!(simulator.metric("vllm:kv_cache_usage_perc").await > 0.0);
    streams.abort();
    simulator.wait_for_metric("vllm:num_requests_waiting", 0.0).await;
    simulator.wait_for_metric("vllm:kv_cache_usage_perc", 0.0).await;
}
