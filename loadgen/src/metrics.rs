//! What the engine and the accelerators say of themselves, looked at regularly while a load point is measured. Only
//! looks that lie inside the window count. None of this touches the thread on which the load runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use accelbench_core::load::LoadPlan;
use reqwest::{Client, StatusCode};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use url::Url;

mod accelerators;
mod counters;
mod engine;
mod scrape;

use accelerators::AcceleratorLook;
pub(crate) use accelerators::AcceleratorMetrics;
use engine::EngineLook;
use scrape::Page;

/// The pause between two looks is this share of the shortest window, so that each window holds enough of them.
const LOOKS: u32 = 20;
const MOST_PAUSE: Duration = Duration::from_secs(1);
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// An exporter that takes longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pages beyond this size are not read.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Where metrics come from.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    client: Client,
    engine: Url,
    accelerators: Vec<Url>,
    pause: Duration,
}

/// One look at everything.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// When the answers were there, counted from the load point's beginning.
    pub(crate) at: Duration,
    pub(crate) engine: Result<EngineLook, String>,
    pub(crate) accelerators: Result<AcceleratorLook, String>,
}

/// Looks regularly until it is dropped.
pub(crate) struct Sampler {
    looks: Arc<Mutex<Vec<Look>>>,
    task: JoinHandle<()>,
}

impl Sources {
    pub(crate) fn of(plan: &LoadPlan) -> anyhow::Result<Self> {
        let least = Duration::from_secs_f64(plan.measurement.min_duration_s.clamp(0.0, 3600.0));
        Ok(Self {
            // An idle connection holds a thread of some engines, which the load would then wait for.
            client: Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(PATIENCE).build()?,
            engine: plan.base_url.join("metrics")?,
            accelerators: plan.accelerator_metrics.clone(),
            pause: (least / LOOKS).clamp(LEAST_PAUSE, MOST_PAUSE),
        })
    }

    async fn look(&self, base: Instant) -> Look {
        let engine = async { engine::look(&self.page(&self.engine).await?) };
        let accelerators = async {
            let mut pages = Vec::new();
            for url in &self.accelerators {
                pages.push(self.page(url).await?);
            }
            accelerators::look(&pages)
        };
        let (engine, accelerators) = tokio::join!(engine, accelerators);
        Look { at: base.elapsed(), engine, accelerators }
    }

    /// Reads a page of metrics.
    async fn page(&self, url: &Url) -> Result<Page, String> {
        let failed = |error: reqwest::Error| format!("{url} cannot be read: {}", error.without_url());
        let mut response = self.client.get(url.clone()).send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(format!("{url} answers {}", response.status()));
        }
        let mut page = Vec::new();
        while let Some(part) = response.chunk().await.map_err(failed)? {
            page.extend_from_slice(&part);
            if page.len() > MOST_BYTES {
                return Err(format!("{url} sends more than {MOST_BYTES} bytes"));
            }
        }
        Page::parse(&page).ok_or_else(|| format!("{url} sends no Prometheus metrics"))
    }
}

impl Sampler {
    /// Starts looking; `base` is the moment from which the load point counts.
    pub(crate) fn start(sources: Sources, base: Instant) -> Self {
        let looks = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&looks);
        let task = tokio::spawn(async move {
            loop {
                let look = sources.look(base).await;
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(look);
                sleep(sources.pause).await;
            }
        });
        Self { looks, task }
    }

    /// The looks inside a window.
    pub(crate) fn looks(&self, (from, to): (Duration, Duration)) -> Vec<Look> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.iter().filter(|look| (from..to).contains(&look.at)).cloned().collect()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the engine said during a window.
pub(crate) fn of_engine(looks: &[Look]) -> accelbench_core::load::ServerMetrics {
    engine::over(&succeeded(looks, |look| &look.engine))
}

/// What the accelerators said during a window.
pub(crate) fn of_accelerators(looks: &[Look]) -> AcceleratorMetrics {
    accelerators::over(&succeeded(looks, |look| &look.accelerators))
}

/// Looks of one source with their moments, or the reason why there is none.
struct Succeeded<T> {
    looks: Vec<(Duration, T)>,
    reason: String,
}

fn succeeded<T: Clone>(looks: &[Look], of: impl Fn(&Look) -> &Result<T, String>) -> Succeeded<T> {
    let reason = looks.iter().rev().find_map(|look| of(look).as_ref().err()).cloned();
    Succeeded {
        looks: looks.iter().filter_map(|look| Some((look.at, of(look).as_ref().ok()?.clone()))).collect(),
        reason: reason.unwrap_or_else(|| "no look at it fell into the window".to_owned()),
    }
}

#[cfg(test)]
mod tests;
