//! The server, in this process, and asking it over HTTP as a client would.

use std::time::{Duration, Instant};

use accelbench_api::{ApiOptions, App, Error};
use accelbench_core::price::DEFAULT_REGION;
use accelbench_hub::HubOptions;
use accelbench_store::connect;
use accelbench_store::notifications::RunNotifications;
use accelbench_store::secrets::SecretKey;
use anyhow::Context as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::questions::Question;
use crate::latency::Percentiles;

/// A server that can be asked.
pub(super) struct Server {
    root: String,
    http: reqwest::Client,
    serving: JoinHandle<Result<(), Error>>,
    end: oneshot::Sender<()>,
}

impl Server {
    pub(super) async fn start(database_url: &str) -> anyhow::Result<Self> {
        let pool = connect(database_url, 10).await?;
        let notifications = RunNotifications::listen(pool.clone());
        let options = ApiOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            max_dataset_mib: 1,
            max_body_kib: 2048,
            max_requests_per_s: 0,
            trusted_proxies: 0,
            region: DEFAULT_REGION.to_owned(),
            hub: HubOptions::offline(),
        };
        let listener = TcpListener::bind(options.bind).await?;
        let root = format!("http://{}/api/v1", listener.local_addr()?);
        let app = App::new(pool, SecretKey::generate(), notifications, options);
        let (end, ended) = oneshot::channel();
        let serving = tokio::spawn(accelbench_api::serve(app, listener, async {
            let _ = ended.await;
        }));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build()?;
        Ok(Self { root, http, serving, end })
    }

    /// One answer, read.
    pub(super) async fn json(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.answer(path).await?)?)
    }

    /// Asks a question again and again from several clients at once, each of which waits for its answer.
    pub(super) async fn ask(
        &self,
        question: &Question,
        clients: usize,
        length: Duration,
    ) -> anyhow::Result<Percentiles> {
        for path in &question.paths {
            self.answer(path).await?;
        }
        let client = |number| self.ask_alone(question, number, length);
        let latencies = futures::future::try_join_all((0..clients).map(client)).await?;
        Percentiles::of(latencies.concat())
    }

    async fn ask_alone(
        &self,
        question: &Question,
        client: usize,
        length: Duration,
    ) -> anyhow::Result<Vec<f64>> {
        let begin = Instant::now();
        let mut latencies_ms = Vec::new();
        for path in question.paths.iter().cycle().skip(client) {
            let sent = Instant::now();
            if sent.duration_since(begin) > length {
                break;
            }
            self.answer(path).await?;
            latencies_ms.push(sent.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(latencies_ms)
    }

    async fn answer(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let response = self.http.get(format!("{}/{path}", self.root)).send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status}: {}", String::from_utf8_lossy(&body));
        Ok(body.into())
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        // A server that ended by itself listens no more.
        let _ = self.end.send(());
        self.serving.await.context("the server did not end well")??;
        Ok(())
    }
}
