//! The counters in Prometheus's text format, with vLLM's names, labels and help.

use std::fmt::{Display, Write as _};

use super::{Finish, Histogram, Metrics};

impl Metrics {
    /// The page of `/metrics`.
    pub(crate) fn to_text(&self, model: &str) -> String {
        let mut page = Page { text: String::new(), model: escape(model) };
        self.write_gauges(&mut page);
        self.write_counters(&mut page);
        page.histogram(
            "time_to_first_token_seconds",
            "Histogram of time to first token in seconds.",
            &self.time_to_first_token,
        );
        page.histogram(
            "inter_token_latency_seconds",
            "Histogram of inter-token latency in seconds.",
            &self.inter_token_latency,
        );
        page.histogram(
            "e2e_request_latency_seconds",
            "Histogram of e2e request latency in seconds.",
            &self.e2e_latency,
        );
        page.text
    }

    fn write_gauges(&self, page: &mut Page) {
        let gauges = &self.gauges;
        page.single(
            "num_requests_running",
            "gauge",
            "Number of requests in model execution batches.",
            gauges.running,
        );
        page.single(
            "num_requests_waiting",
            "gauge",
            "Number of requests waiting to be processed.",
            gauges.waiting,
        );
        page.single(
            "kv_cache_usage_perc",
            "gauge",
            "KV-cache usage. 1 means 100 percent usage.",
            gauges.kv_usage,
        );
    }

    fn write_counters(&self, page: &mut Page) {
        let mut counter = |name, help, value| page.single(name, "counter", help, value);
        counter(
            "prefix_cache_queries_total",
            "Prefix cache queries, in terms of number of queried tokens.",
            self.prompt_tokens,
        );
        counter("prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens.", 0);
        counter(
            "num_preemptions_total",
            "Cumulative number of preemption from the engine.",
            self.gauges.preemptions,
        );
        counter("prompt_tokens_total", "Number of prefill tokens processed.", self.prompt_tokens);
        counter("generation_tokens_total", "Number of generation tokens processed.", self.generation_tokens);
        page.head("request_success_total", "counter", "Count of successfully processed requests.");
        for finish in Finish::ALL {
            let labels = format!("engine=\"0\",finished_reason=\"{}\"", finish.as_str());
            page.line("request_success_total", &labels, self.finished[finish as usize]);
        }
    }
}

struct Page {
    text: String,
    model: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "# HELP vllm:{name} {help}\n# TYPE vllm:{name} {kind}\n");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let model = &self.model;
        let _ = writeln!(self.text, "vllm:{name}{{{labels},model_name=\"{model}\"}} {value}");
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.line(name, "engine=\"0\"", value);
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.cumulative() {
            self.line(&bucket, &format!("engine=\"0\",le=\"{bound:?}\""), count);
        }
        self.line(&bucket, "engine=\"0\",le=\"+Inf\"", histogram.count());
        self.line(&format!("{name}_count"), "engine=\"0\"", histogram.count());
        self.line(&format!("{name}_sum"), "engine=\"0\"", histogram.sum());
    }
}

/// Escapes a label's value as the format asks.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::escape;
    use crate::metrics::{Finish, Metrics, Record};

    #[test]
    fn a_sequence_is_counted() {
        let mut metrics = Metrics::default();
        let mut record = Record::new(Duration::from_millis(100), 9, Finish::Stop);
        record.token(Duration::from_millis(130), false, &mut metrics);
        record.token(Duration::from_millis(160), true, &mut metrics);
        let text = metrics.to_text("tiny");
        for line in [
            "vllm:prompt_tokens_total{engine=\"0\",model_name=\"tiny\"} 9",
            "vllm:generation_tokens_total{engine=\"0\",model_name=\"tiny\"} 2",
            "vllm:request_success_total{engine=\"0\",finished_reason=\"stop\",model_name=\"tiny\"} 1",
            "vllm:time_to_first_token_seconds_bucket{engine=\"0\",le=\"0.02\",model_name=\"tiny\"} 0",
            "vllm:time_to_first_token_seconds_bucket{engine=\"0\",le=\"0.04\",model_name=\"tiny\"} 1",
            "vllm:inter_token_latency_seconds_count{engine=\"0\",model_name=\"tiny\"} 1",
            "vllm:e2e_request_latency_seconds_sum{engine=\"0\",model_name=\"tiny\"} 0.06",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn names_cannot_break_out_of_their_label() {
        assert_eq!(escape("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
