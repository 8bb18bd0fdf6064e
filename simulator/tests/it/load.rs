//! Many streams at once, and load that shows in times.

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_run_side_by_side() {
    let mut options = quick();
    // Long enough that the last begins before the first ends, on a busy machine, too.
    options.pace.ttft_ms = 3000.0;
    options.pace.itl_ms = 20.0;
    let simulator = Arc::new(start(options).await);
    let client = Arc::clone(&simulator);
    let streams = tokio::spawn(async move { at_once(&client, 1024, 10).await });
    simulator.wait_for_metric("vllm:num_requests_running", 1024.0).await;
    for stream in streams.await.unwrap() {
        assert_eq!((stream.events.len(), stream.broken), (11, false));
    }
    let finished = "vllm:request_success_total{engine=\"0\",finished_reason=\"length\"";
    assert!((simulator.metric(finished).await - 1024.0).abs() < 1e-9);
    assert!((simulator.metric("vllm:generation_tokens_total").await - 10_240.0).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_modelled_engine_slows_down_under_load_and_queues_beyond_its_limit() {
    let mut options = SimulatorOptions { port: 0, timing: Timing::Roofline, ..SimulatorOptions::default() };
    options.limits.max_num_seqs = 8;
    let simulator = Arc::new(start(options).await);
    let gap = |stream: &Stream| stream.gaps()[..39].iter().sum::<Duration>() / 39;
    let alone = at_once(&simulator, 1, 40).await;
    // 16.06 GB at 80 % of 3,350 GB/s and 0.52 ms: 6.5 ms a token.
    let single = gap(&alone[0]);
    assert!((Duration::from_millis(6)..Duration::from_millis(9)).contains(&single), "{single:?}");
    let mut firsts: Vec<Duration> =
        at_once(&simulator, 16, 40).await.iter().map(|stream| stream.at[0]).collect();
    firsts.sort();
    // The second eight wait until the first eight have said their 40 tokens.
    assert!(firsts[8] > firsts[7] + Duration::from_millis(150), "{firsts:?}");
}
