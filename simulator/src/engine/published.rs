//! The model against numbers that others published for vLLM (v0.8 to v0.17): simulated by published latency is
//! 0.69 (8B, B200, 64 users) to 1.18 (32B, 4x L40S, 1 user), and must stay within a factor of 2, which is what a demo
//! and a test of curve shapes need. The constants were chosen with these rows in view, the overhead of a sequence once
//! corrected after a first look at the ratios: this shows a fit, not how well other rows would be predicted.

use std::collections::HashMap;
use std::time::Duration;

use super::batching::{Batching, Limits};
use super::{BLOCK_TOKENS, Interconnect, KvCache, Roofline, Sequence};

struct Model {
    params: f64,
    layers: f64,
    kv_bytes_per_token: f64,
}

struct Hardware {
    accelerators: f64,
    bandwidth_gb_s: f64,
    tflops: f64,
    memory_gib: f64,
    interconnect: Interconnect,
}

#[derive(Clone, Copy)]
enum Measure {
    /// Median gap between tokens.
    ItlMedianMs(f64),
    /// Mean end-to-end time by mean output length.
    E2ePerTokenMs(f64),
}

const LLAMA_8B: Model = Model { params: 8.03e9, layers: 32.0, kv_bytes_per_token: 131_072.0 };
const LLAMA_70B: Model = Model { params: 70.55e9, layers: 80.0, kv_bytes_per_token: 327_680.0 };
const QWEN_32B: Model = Model { params: 32.76e9, layers: 64.0, kv_bytes_per_token: 262_144.0 };

fn hardware(accelerators: f64, bandwidth_gb_s: f64, tflops: f64, memory_gib: f64) -> Hardware {
    Hardware { accelerators, bandwidth_gb_s, tflops, memory_gib, interconnect: Interconnect::Nvlink }
}

fn engine(model: &Model, hardware: &Hardware) -> Batching {
    let weight_bytes = model.params * 2.0;
    let memory = hardware.accelerators * hardware.memory_gib * 0.9 * 1024_f64.powi(3) - weight_bytes;
    let roofline = Roofline {
        params: model.params,
        active_params: model.params,
        layers: model.layers,
        weight_bytes,
        kv_bytes_per_token: model.kv_bytes_per_token,
        bandwidth_bytes_per_s: hardware.accelerators * hardware.bandwidth_gb_s * 1e9,
        flops_per_s: hardware.accelerators * hardware.tflops * 1e12,
        accelerators: hardware.accelerators,
        interconnect: hardware.interconnect,
    };
    let limits = Limits { max_num_seqs: 256, max_num_batched_tokens: 8192 };
    let blocks = (memory / (model.kv_bytes_per_token * BLOCK_TOKENS as f64)) as u64;
    Batching::new(roofline, limits, KvCache::new(blocks))
}

/// Plays a closed loop of four requests a user and measures as the source did.
fn simulate(
    mut engine: Batching,
    users: u64,
    prompt_tokens: u32,
    output_tokens: u32,
    measure: Measure,
) -> f64 {
    let sequence = |id| Sequence { id, prompt_tokens, output_tokens };
    let mut begun: HashMap<u64, (Duration, Duration)> = HashMap::new();
    let (mut gaps_ms, mut e2e_ms) = (Vec::new(), Vec::new());
    for id in 0..users {
        begun.insert(id, (Duration::ZERO, Duration::ZERO));
        engine.submit(Duration::ZERO, sequence(id));
    }
    while let Some(now) = engine.next_event() {
        for emission in engine.advance(now) {
            let (start, previous) = begun[&emission.id];
            if previous > start {
                gaps_ms.push(emission.at.saturating_sub(previous).as_secs_f64() * 1e3);
            }
            begun.insert(emission.id, (start, emission.at));
            let next = emission.id + users;
            if emission.last {
                e2e_ms.push(emission.at.saturating_sub(start).as_secs_f64() * 1e3);
            }
            if emission.last && next < 4 * users {
                begun.insert(next, (emission.at, emission.at));
                engine.submit(emission.at, sequence(next));
            }
        }
    }
    gaps_ms.sort_by(f64::total_cmp);
    match measure {
        Measure::ItlMedianMs(_) => gaps_ms[gaps_ms.len() / 2],
        Measure::E2ePerTokenMs(_) => {
            e2e_ms.iter().sum::<f64>() / e2e_ms.len() as f64 / f64::from(output_tokens)
        }
    }
}

#[test]
fn published_latencies_are_met_within_a_factor_of_two() {
    use Measure::{E2ePerTokenMs, ItlMedianMs};
    let pcie = |hardware: Hardware| Hardware { interconnect: Interconnect::Pcie, ..hardware };
    let h100_pcie = || hardware(1.0, 2000.0, 756.0, 80.0);
    let h100_x4 = || hardware(4.0, 3350.0, 989.0, 80.0);
    let b200 = || hardware(1.0, 7700.0, 2250.0, 179.0);
    let a10g_x4 = || pcie(hardware(4.0, 600.0, 70.0, 22.35));
    let l40s_x4 = || pcie(hardware(4.0, 864.0, 362.0, 44.7));
    // Name, model, hardware, users, input and output tokens, published. Users of the open-loop rows by Little's law;
    // ML.ENERGY publishes no input lengths: 200 is assumed.
    let cases = [
        ("8B H100 PCIe rate 1", LLAMA_8B, h100_pcie(), 2, 206, 212, ItlMedianMs(10.64)),
        ("8B H100 PCIe rate 16", LLAMA_8B, h100_pcie(), 26, 206, 212, ItlMedianMs(12.20)),
        ("70B 4x H100, 8", LLAMA_70B, h100_x4(), 8, 200, 350, ItlMedianMs(16.57)),
        ("70B 4x H100, 64", LLAMA_70B, h100_x4(), 64, 200, 352, ItlMedianMs(22.43)),
        ("70B 4x H100, 256", LLAMA_70B, h100_x4(), 256, 200, 349, ItlMedianMs(39.84)),
        ("8B B200, 8", LLAMA_8B, b200(), 8, 200, 388, ItlMedianMs(4.57)),
        ("8B B200, 64", LLAMA_8B, b200(), 64, 200, 390, ItlMedianMs(9.00)),
        ("32B g5.12xlarge, 1", QWEN_32B, a10g_x4(), 1, 522, 600, E2ePerTokenMs(26_315.7 / 600.0)),
        ("32B g5.12xlarge, 16", QWEN_32B, a10g_x4(), 16, 522, 600, E2ePerTokenMs(38_491.5 / 600.0)),
        ("32B g6e.12xlarge, 1", QWEN_32B, l40s_x4(), 1, 1581, 600, E2ePerTokenMs(16_251.5 / 600.0)),
        ("32B g6e.12xlarge, 16", QWEN_32B, l40s_x4(), 16, 518, 600, E2ePerTokenMs(23_145.4 / 600.0)),
    ];
    for (name, model, hardware, users, input, output, published) in cases {
        let simulated = simulate(engine(&model, &hardware), users, input, output, published);
        let (ItlMedianMs(expected) | E2ePerTokenMs(expected)) = published;
        let ratio = simulated / expected;
        println!("{name}: simulated {simulated:.2} ms, published {expected:.2} ms, ratio {ratio:.2}");
        assert!((0.5..2.0).contains(&ratio), "{name}: {ratio}");
    }
}
