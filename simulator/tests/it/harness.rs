//! A simulator on a free port, a client, and streams taken apart.

use std::fs;
use std::time::{Duration, Instant};

use accelbench_simulator::{Error, SimulatorOptions, Timing, bind, serve};
use futures::StreamExt as _;
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Running {
    pub(crate) base: String,
    pub(crate) client: Client,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), Error>>,
}

/// What a stream brought.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Each event's data.
    pub(crate) events: Vec<String>,
    /// When each event was read, counted from the request.
    pub(crate) at: Vec<Duration>,
    /// Whether the connection broke instead of the stream ending.
    pub(crate) broken: bool,
}

/// Options for tests: fixed and quick.
pub(crate) fn quick() -> SimulatorOptions {
    let mut options = SimulatorOptions {
        port: 0,
        model: "tiny-llama".to_owned(),
        timing: Timing::Fixed,
        ..SimulatorOptions::default()
    };
    options.pace.ttft_ms = 2.0;
    options.pace.itl_ms = 1.0;
    options.model_facts.max_context = Some(4096);
    options
}

pub(crate) async fn start(options: SimulatorOptions) -> Running {
    let listener = bind(&options).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(serve(options, listener, async move {
        let _ = stopped.await;
    }));
    Running { base, client: Client::new(), stop, served }
}

impl Running {
    pub(crate) async fn get(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.base);
        self.client.get(url).send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let url = format!("{}{path}", self.base);
        self.client.post(url).json(body).send().await.unwrap()
    }

    pub(crate) async fn stream(&self, path: &str, body: &Value) -> Stream {
        let start = Instant::now();
        let response = self.post(path, body).await;
        assert_eq!(response.status(), 200, "{body}");
        read_stream(start, response).await
    }

    /// The value of a counter or gauge.
    pub(crate) async fn metric(&self, line_start: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with(line_start))
            .unwrap_or_else(|| panic!("{line_start} not in {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Waits until a gauge has a value.
    pub(crate) async fn wait_for_metric(&self, line_start: &str, wanted: f64) {
        for _ in 0..500 {
            if (self.metric(line_start).await - wanted).abs() < 1e-9 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{line_start} did not become {wanted}");
    }

    /// Asks the server to stop and waits for it.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        let _ = self.stop.send(());
        self.served.await.unwrap()
    }

    /// Waits for the server to end by itself.
    pub(crate) async fn ended(self) -> Result<(), Error> {
        self.served.await.unwrap()
    }
}

impl Stream {
    /// The events that are JSON, which is all but `[DONE]`.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.events
            .iter()
            .filter(|event| *event != "[DONE]")
            .map(|event| serde_json::from_str(event).unwrap())
            .collect()
    }

    /// The times between events.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        self.at.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
    }

    /// The text of all events.
    pub(crate) fn text(&self) -> String {
        let piece = |event: &Value| {
            let choice = &event["choices"][0];
            let text = choice["text"].as_str().or(choice["delta"]["content"].as_str());
            text.unwrap_or_default().to_owned()
        };
        self.json().iter().map(piece).collect()
    }
}

/// Takes a response apart into events.
pub(crate) async fn read_stream(start: Instant, response: Response) -> Stream {
    let mut stream = Stream::default();
    let mut rest = String::new();
    let mut bytes = response.bytes_stream();
    while let Some(read) = bytes.next().await {
        let Ok(read) = read else {
            stream.broken = true;
            break;
        };
        rest.push_str(std::str::from_utf8(&read).unwrap());
        while let Some((event, after)) = rest.split_once("\n\n") {
            stream.events.push(event.strip_prefix("data: ").unwrap().to_owned());
            stream.at.push(start.elapsed());
            rest = after.to_owned();
        }
    }
    stream
}

/// A recording of vLLM.
pub(crate) fn sample(name: &str) -> String {
    fs::read_to_string(format!("{}/tests/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The events of a recorded stream.
pub(crate) fn recorded(name: &str) -> Vec<Value> {
    sample(name)
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}
