//! The metrics of vLLM (which the simulator speaks too) and of llama.cpp.

use accelbench_core::load::ServerMetrics;

use super::Succeeded;
use super::counters::{growth, max, mean, observed};
use super::scrape::Page;

/// What an engine says at one moment, over all its replicas; what it does not say is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct EngineLook {
    pub(crate) running: Option<f64>,
    pub(crate) waiting: Option<f64>,
    /// Mean over the replicas, in percent.
    pub(crate) kv_cache_usage_percent: Option<f64>,
    preemptions: Option<f64>,
    /// Prompt tokens that were looked up in the prefix cache.
    cache_queries: Option<f64>,
    /// Prompt tokens that were found there.
    cache_hits: Option<f64>,
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
}

/// Reads a page of an engine.
pub(super) fn look(page: &Page) -> Result<EngineLook, String> {
    let look = EngineLook {
        running: page.sum("vllm:num_requests_running").or_else(|| page.sum("llamacpp:requests_processing")),
        waiting: page.sum("vllm:num_requests_waiting").or_else(|| page.sum("llamacpp:requests_deferred")),
        kv_cache_usage_percent: page.mean("vllm:kv_cache_usage_perc").map(|share| 100.0 * share),
        preemptions: page.sum("vllm:num_preemptions_total"),
        cache_queries: page.sum("vllm:prefix_cache_queries_total").or_else(|| {
            // llama.cpp counts what it computed and what it found apart.
            Some(
                page.sum("llamacpp:prompt_tokens_total")?
                    + page.sum("llamacpp:prompt_tokens_cached_total")?,
            )
        }),
        cache_hits: page
            .sum("vllm:prefix_cache_hits_total")
            .or_else(|| page.sum("llamacpp:prompt_tokens_cached_total")),
        input_tokens: page.sum("vllm:prompt_tokens_total"),
        output_tokens: page
            .sum("vllm:generation_tokens_total")
            .or_else(|| page.sum("llamacpp:tokens_predicted_total")),
    };
    if look == EngineLook::default() {
        return Err("the engine's /metrics hold nothing that is known of vLLM or llama.cpp".to_owned());
    }
    Ok(look)
}

/// The metrics of a window.
pub(super) fn over(looks: &Succeeded<EngineLook>) -> ServerMetrics {
    let Succeeded { looks, reason } = looks;
    if looks.is_empty() {
        return ServerMetrics::absent(reason);
    }
    let not_said = "the engine's /metrics do not say it, or were read less than twice in the window";
    let rate = |of: fn(&EngineLook) -> Option<f64>| {
        observed(growth(looks, of).map(|(grown, seconds)| grown / seconds), not_said)
    };
    let gauge = |value| observed(value, not_said);
    let hit_share = || {
        let (queries, _) = growth(looks, |look| look.cache_queries).filter(|(queries, _)| *queries > 0.0)?;
        let (hits, _) = growth(looks, |look| look.cache_hits)?;
        Some((hits / queries).min(1.0))
    };
    ServerMetrics {
        requests_running_mean: gauge(mean(looks, |look| look.running)),
        requests_waiting_mean: gauge(mean(looks, |look| look.waiting)),
        requests_waiting_max: gauge(max(looks, |look| look.waiting)),
        kv_cache_usage_mean_percent: gauge(mean(looks, |look| look.kv_cache_usage_percent)),
        kv_cache_usage_max_percent: gauge(max(looks, |look| look.kv_cache_usage_percent)),
        preemptions: gauge(growth(looks, |look| look.preemptions).map(|(grown, _)| grown)),
        prefix_cache_hit_share: gauge(hit_share()),
        input_tokens_per_s: rate(|look| look.input_tokens),
        output_tokens_per_s: rate(|look| look.output_tokens),
    }
}
