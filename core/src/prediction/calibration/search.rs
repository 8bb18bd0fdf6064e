//! The pattern search (Hooke and Jeeves) over the logarithms of the factors: no randomness, no derivatives.

use super::{Point, throughput};
use crate::prediction::Factors;

const FACTORS: usize = 12;
const ALL: usize = FACTORS + 7;

/// The axis of [`Factors::compute_efficiency`].
const COMPUTE: usize = 1;

/// Where the search begins and what every factor is drawn to: shares of the data sheet and microseconds that are usual.
const USUAL: Factors = Factors {
    memory_efficiency: 0.75,
    compute_efficiency: 0.45,
    expert_prefill_share: 0.45,
    neuron_compute_efficiency: 0.3,
    layer_us: 15.0,
    expert_layer_us: 20.0,
    neuron_layer_us: 40.0,
    nvlink_reduce_us: 10.0,
    pcie_reduce_us: 40.0,
    neuron_link_reduce_us: 40.0,
    step_us: 1500.0,
    input_layer_us: 50.0,
    speed: [1.0; 7],
};

/// How strongly the factors are drawn to the usual, and the speeds of GPUs and of Neuron chips to 1. Few models were
/// measured on each generation: a speed of its own must be earned. Most inputs here are short, so that arithmetic and the
/// overhead of an input are hard to tell apart: the share of arithmetic is drawn strongly, because long inputs show it.
const DRAW: f64 = 0.1;
const DRAW_COMPUTE: f64 = 1.1;
const DRAW_GPU_SPEED: f64 = 3.0;
const DRAW_NEURON_SPEED: f64 = 1.0;

/// Errors below this are rounded off, so that the best points do not decide.
const ROUNDED: f64 = 0.1;

const FIRST_STEP: f64 = 0.4;
const LAST_STEP: f64 = 0.005;
const MOST_ROUNDS: usize = 200;

/// The factors with the least loss.
pub(super) fn fit(points: &[Point<'_>]) -> Factors {
    let usual = logarithms(&USUAL);
    let loss = |at: &[f64; ALL]| loss(points, at, &usual);
    let mut best = (loss(&usual), usual);
    let mut step = FIRST_STEP;
    for _ in 0..MOST_ROUNDS {
        let moved = explore(best, step, &loss);
        if moved.0 < best.0 {
            best = leap(best, moved, &loss);
        } else if step <= LAST_STEP {
            break;
        } else {
            step /= 2.0;
        }
    }
    factors(&best.1)
}

type Place = (f64, [f64; ALL]);

/// Tries a step up and down along each axis.
fn explore(from: Place, step: f64, loss: &impl Fn(&[f64; ALL]) -> f64) -> Place {
    let mut best = from;
    for axis in 0..ALL {
        for change in [step, -step] {
            let mut at = best.1;
            at[axis] += change;
            let here = loss(&at);
            if here < best.0 {
                best = (here, at);
                break;
            }
        }
    }
    best
}

/// Goes on in the direction that helped, as long as it does.
fn leap(from: Place, moved: Place, loss: &impl Fn(&[f64; ALL]) -> f64) -> Place {
    let (mut before, mut best) = (from.1, moved);
    loop {
        let mut at = best.1;
        for axis in 0..ALL {
            at[axis] += best.1[axis] - before[axis];
        }
        let here = loss(&at);
        if here >= best.0 {
            return best;
        }
        (before, best) = (best.1, (here, at));
    }
}

fn loss(points: &[Point<'_>], at: &[f64; ALL], usual: &[f64; ALL]) -> f64 {
    let factors = factors(at);
    let of_point = |point: &Point<'_>| {
        let error = (throughput(&point.work, &factors) / point.measurement.output_tokens_per_s).ln();
        point.weight * (error.hypot(ROUNDED) - ROUNDED)
    };
    let errors: f64 = points.iter().map(of_point).sum();
    let drawn = at.iter().zip(usual).enumerate().map(|(axis, (at, usual))| draw(axis) * (at - usual).powi(2));
    errors + drawn.sum::<f64>()
}

fn draw(axis: usize) -> f64 {
    match axis.checked_sub(FACTORS) {
        None if axis == COMPUTE => DRAW_COMPUTE,
        None => DRAW,
        Some(0..=4) => DRAW_GPU_SPEED,
        Some(_) => DRAW_NEURON_SPEED,
    }
}

fn logarithms(factors: &Factors) -> [f64; ALL] {
    let mut at = [0.0; ALL];
    at[..FACTORS].copy_from_slice(&[
        factors.memory_efficiency,
        factors.compute_efficiency,
        factors.expert_prefill_share,
        factors.neuron_compute_efficiency,
        factors.layer_us,
        factors.expert_layer_us,
        factors.neuron_layer_us,
        factors.nvlink_reduce_us,
        factors.pcie_reduce_us,
        factors.neuron_link_reduce_us,
        factors.step_us,
        factors.input_layer_us,
    ]);
    at[FACTORS..].copy_from_slice(&factors.speed);
    at.map(f64::ln)
}

fn factors(at: &[f64; ALL]) -> Factors {
    let [
        memory_efficiency,
        compute_efficiency,
        expert_prefill_share,
        neuron_compute_efficiency,
        layer_us,
        expert_layer_us,
        neuron_layer_us,
        nvlink_reduce_us,
        pcie_reduce_us,
        neuron_link_reduce_us,
        step_us,
        input_layer_us,
        speed @ ..,
    ] = at.map(f64::exp);
    Factors {
        memory_efficiency,
        compute_efficiency,
        expert_prefill_share,
        neuron_compute_efficiency,
        layer_us,
        expert_layer_us,
        neuron_layer_us,
        nvlink_reduce_us,
        pcie_reduce_us,
        neuron_link_reduce_us,
        step_us,
        input_layer_us,
        speed,
    }
}
