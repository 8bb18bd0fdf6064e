//! Continuous batching with chunked prefill, as the scheduler of vLLM v1 does it. A step gives every running sequence
//! its next token or the next part of its prompt, then admits waiting ones, first come first served, while token
//! budget, sequence limit and cache allow. When the cache runs out, the newest running sequence is preempted: it
//! goes back to the head of the queue and its tokens are computed again.

use std::collections::VecDeque;
use std::time::Duration;

use super::roofline::{Roofline, StepWork};
use super::{Emission, Gauges, KvCache, Sequence};

/// Limits of one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_num_seqs: usize,
    pub(crate) max_num_batched_tokens: u64,
}

/// The engine.
#[derive(Debug)]
pub(crate) struct Batching {
    roofline: Roofline,
    limits: Limits,
    cache: KvCache,
    /// Oldest first.
    running: Vec<Progress>,
    waiting: VecDeque<Progress>,
    step_ends_at: Option<Duration>,
    preemptions: u64,
}

/// A sequence on its way.
#[derive(Debug)]
struct Progress {
    sequence: Sequence,
    generated: u32,
    /// Tokens whose keys and values are in the cache.
    computed: u64,
    held_blocks: u64,
    /// Tokens that the step in hand computes.
    scheduled: u64,
}

impl Progress {
    fn new(sequence: Sequence) -> Self {
        Self { sequence, generated: 0, computed: 0, held_blocks: 0, scheduled: 0 }
    }

    fn missing(&self) -> u64 {
        u64::from(self.sequence.prompt_tokens) + u64::from(self.generated) - self.computed
    }
}

impl Batching {
    pub(crate) fn new(roofline: Roofline, limits: Limits, cache: KvCache) -> Self {
        Self {
            roofline,
            limits,
            cache,
            running: Vec::new(),
            waiting: VecDeque::new(),
            step_ends_at: None,
            preemptions: 0,
        }
    }

    pub(crate) fn submit(&mut self, now: Duration, sequence: Sequence) {
        self.waiting.push_back(Progress::new(sequence));
        if self.step_ends_at.is_none() {
            self.begin_step(now);
        }
    }

    pub(crate) fn abort(&mut self, id: u64) {
        self.waiting.retain(|progress| progress.sequence.id != id);
        if let Some(at) = self.running.iter().position(|progress| progress.sequence.id == id) {
            let mut gone = self.running.remove(at);
            self.cache.release(&mut gone.held_blocks);
        }
    }

    pub(crate) fn next_event(&self) -> Option<Duration> {
        self.step_ends_at
    }

    pub(crate) fn advance(&mut self, now: Duration) -> Vec<Emission> {
        let mut emissions = Vec::new();
        while let Some(ends_at) = self.step_ends_at.filter(|ends_at| *ends_at <= now) {
            self.end_step(ends_at, &mut emissions);
            self.begin_step(ends_at);
        }
        emissions
    }

    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            running: self.running.len(),
            waiting: self.waiting.len(),
            kv_usage: self.cache.usage(),
            preemptions: self.preemptions,
        }
    }

    fn begin_step(&mut self, at: Duration) {
        let mut budget = self.limits.max_num_batched_tokens;
        let preempted = self.schedule_running(&mut budget);
        if !preempted {
            self.admit_waiting(&mut budget);
        }
        let mut work = StepWork::default();
        for progress in self.running.iter().filter(|progress| progress.scheduled > 0) {
            work.add(progress.computed, progress.scheduled);
        }
        self.step_ends_at = (work.tokens > 0).then(|| at + self.roofline.step_time(&work));
    }

    /// Schedules those that run already; says whether one had to be preempted for it.
    fn schedule_running(&mut self, budget: &mut u64) -> bool {
        let mut preempted = false;
        let mut at = 0;
        while at < self.running.len() && *budget > 0 {
            let progress = &mut self.running[at];
            let tokens = progress.missing().min(*budget);
            if self.cache.grow(&mut progress.held_blocks, progress.computed + tokens) {
                progress.scheduled = tokens;
                *budget -= tokens;
                at += 1;
            } else {
                self.preempt_newest(budget);
                preempted = true;
            }
        }
        preempted
    }

    fn preempt_newest(&mut self, budget: &mut u64) {
        let Some(mut newest) = self.running.pop() else {
            return;
        };
        *budget += std::mem::take(&mut newest.scheduled);
        self.cache.release(&mut newest.held_blocks);
        newest.computed = 0;
        self.preemptions += 1;
        self.waiting.push_front(newest);
    }

    fn admit_waiting(&mut self, budget: &mut u64) {
        while self.running.len() < self.limits.max_num_seqs && *budget > 0 {
            let Some(progress) = self.waiting.front_mut() else {
                return;
            };
            let tokens = progress.missing().min(*budget);
            if !self.cache.grow(&mut progress.held_blocks, tokens) {
                return;
            }
            progress.scheduled = tokens;
            *budget -= tokens;
            self.running.extend(self.waiting.pop_front());
        }
    }

    fn end_step(&mut self, at: Duration, emissions: &mut Vec<Emission>) {
        for progress in &mut self.running {
            let scheduled = std::mem::take(&mut progress.scheduled);
            progress.computed += scheduled;
            if scheduled == 0 || progress.missing() > 0 {
                continue;
            }
            progress.generated += 1;
            emissions.push(Emission {
                id: progress.sequence.id,
                at,
                last: progress.generated >= progress.sequence.output_tokens,
            });
        }
        let cache = &mut self.cache;
        self.running.retain_mut(|progress| {
            let goes_on = progress.generated < progress.sequence.output_tokens;
            if !goes_on {
                cache.release(&mut progress.held_blocks);
            }
            goes_on
        });
    }
}

#[cfg(test)]
mod tests;
