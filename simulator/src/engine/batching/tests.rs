//! Load played against the scheduler in virtual time.

use std::collections::HashMap;
use std::time::Duration;

use super::{Batching, Limits};
use crate::engine::roofline::tests::llama_8b_on_h100;
use crate::engine::{Emission, KvCache, Sequence};

const LIMITS: Limits = Limits { max_num_seqs: 256, max_num_batched_tokens: 8192 };

fn engine(limits: Limits, blocks: u64) -> Batching {
    Batching::new(llama_8b_on_h100(), limits, KvCache::new(blocks))
}

fn sequence(id: u64, prompt_tokens: u32, output_tokens: u32) -> Sequence {
    Sequence { id, prompt_tokens, output_tokens }
}

/// Runs until idle.
fn play(engine: &mut Batching) -> Vec<Emission> {
    let mut emissions = Vec::new();
    while let Some(at) = engine.next_event() {
        emissions.extend(engine.advance(at));
    }
    emissions
}

fn at_once(engine: &mut Batching, count: u64, prompt_tokens: u32, output_tokens: u32) -> Vec<Emission> {
    for id in 0..count {
        engine.submit(Duration::ZERO, sequence(id, prompt_tokens, output_tokens));
    }
    play(engine)
}

fn tokens_of(emissions: &[Emission]) -> HashMap<u64, usize> {
    emissions.iter().fold(HashMap::new(), |mut counts, emission| {
        *counts.entry(emission.id).or_default() += 1;
        counts
    })
}

fn first_tokens(emissions: &[Emission]) -> Vec<u64> {
    let mut order = Vec::new();
    for emission in emissions {
        if !order.contains(&emission.id) {
            order.push(emission.id);
        }
    }
    order
}

#[test]
fn every_sequence_gets_its_tokens_and_the_last_is_marked() {
    let mut engine = engine(LIMITS, 20_000);
    let emissions = at_once(&mut engine, 20, 100, 30);
    assert!(tokens_of(&emissions).values().all(|count| *count == 30));
    assert_eq!(emissions.iter().filter(|emission| emission.last).count(), 20);
    assert!(emissions.is_sorted_by_key(|emission| emission.at));
    assert_eq!((engine.gauges().running, engine.gauges().waiting), (0, 0));
    assert!(engine.gauges().kv_usage.abs() < 1e-12);
}

#[test]
fn throughput_rises_with_the_batch_and_then_saturates() {
    let rate = |count: u64| {
        let emissions = at_once(&mut engine(LIMITS, 1_000_000), count, 200, 200);
        emissions.len() as f64 / emissions.last().unwrap().at.as_secs_f64()
    };
    let (one, sixteen, limit, beyond) = (rate(1), rate(16), rate(256), rate(1024));
    assert!(sixteen > 10.0 * one, "{one} {sixteen}");
    assert!(limit > 3.0 * sixteen, "{sixteen} {limit}");
    assert!((0.8..1.2).contains(&(beyond / limit)), "{limit} {beyond}");
}

#[test]
fn more_than_the_sequence_limit_wait_in_order() {
    let limits = Limits { max_num_seqs: 2, ..LIMITS };
    let mut engine = engine(limits, 20_000);
    for id in 0..6 {
        engine.submit(Duration::ZERO, sequence(id, 50, 10));
    }
    // The first was alone when its step began; the others join from the next step on.
    engine.advance(engine.next_event().unwrap());
    assert_eq!((engine.gauges().running, engine.gauges().waiting), (2, 4));
    assert_eq!(first_tokens(&play(&mut engine)), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_full_cache_makes_others_wait() {
    // Room for 64 blocks; each prompt takes 50.
    let mut engine = engine(LIMITS, 64);
    let emissions = at_once(&mut engine, 3, 800, 10);
    let ends: Vec<_> = emissions.iter().filter(|emission| emission.last).collect();
    assert_eq!(ends.iter().map(|end| end.id).collect::<Vec<_>>(), [0, 1, 2]);
    let first_of_second = emissions.iter().find(|emission| emission.id == 1).unwrap();
    assert!(first_of_second.at > ends[0].at);
    assert_eq!(engine.gauges().preemptions, 0);
}

#[test]
fn growing_contexts_preempt_the_newest_and_nobody_loses_a_token() {
    // Two sequences fit with their prompts (20 blocks each), but not with their answers (32 each).
    let mut engine = engine(LIMITS, 50);
    let emissions = at_once(&mut engine, 2, 320, 180);
    assert!(engine.gauges().preemptions >= 1);
    assert!(tokens_of(&emissions).values().all(|count| *count == 180));
    let end_of = |id| emissions.iter().find(|emission| emission.id == id && emission.last).unwrap().at;
    assert!(end_of(0) < end_of(1));
}

#[test]
fn a_long_prompt_is_computed_in_chunks_while_others_decode() {
    let limits = Limits { max_num_batched_tokens: 512, ..LIMITS };
    let mut engine = engine(limits, 20_000);
    engine.submit(Duration::ZERO, sequence(0, 10, 100));
    engine.advance(engine.next_event().unwrap());
    engine.submit(Duration::ZERO, sequence(1, 4096, 1));
    let emissions = play(&mut engine);
    let first_of_long = emissions.iter().position(|emission| emission.id == 1).unwrap();
    // 4,096 tokens at 511 a step are 9 steps, each with a token of the other.
    assert!((8..=10).contains(&first_of_long), "{first_of_long}");
}

#[test]
fn an_aborted_sequence_frees_its_place_at_once() {
    let limits = Limits { max_num_seqs: 1, ..LIMITS };
    let mut engine = engine(limits, 20_000);
    engine.submit(Duration::ZERO, sequence(0, 100, 100_000));
    engine.submit(Duration::ZERO, sequence(1, 100, 5));
    engine.submit(Duration::ZERO, sequence(2, 100, 5));
    engine.advance(Duration::from_millis(100));
    engine.abort(0);
    engine.abort(2);
    engine.abort(77);
    let counts = tokens_of(&play(&mut engine));
    assert_eq!(counts.get(&1), Some(&5));
    assert_eq!(counts.get(&2), None);
    assert!(engine.gauges().kv_usage.abs() < 1e-12);
}

#[test]
fn equal_load_plays_out_equally() {
    let run = || at_once(&mut engine(LIMITS, 300), 40, 300, 100);
    assert_eq!(run(), run());
}

#[test]
fn an_engine_left_alone_for_long_catches_up() {
    let mut engine = engine(LIMITS, 20_000);
    engine.submit(Duration::ZERO, sequence(0, 100, 50));
    assert_eq!(engine.advance(Duration::from_hours(1)).len(), 50);
    assert_eq!(engine.next_event(), None);
}
