//! The calibration on published measurements: the committed constants, and how far off the estimates are for what was
//! left out. See `tests-data/README.md` for the rows.

use super::{LeftOut, Measurement, calibrate, cross_validate};
use crate::fit::{KvCachePrecision, ModelFacts, Split};
use crate::instance::{AcceleratorKind, InstanceType};
use crate::model::Quantization;
use crate::prediction::{CALIBRATED, Calibration, Interval, Serving};

const POINTS: &str = include_str!("../../../tests-data/serving-points.csv");
const ACCELERATORS: &str = include_str!("../../../tests-data/accelerators.csv");

fn fields(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

fn instance(accelerator: &str, count: u32) -> InstanceType {
    let lines = ACCELERATORS.lines().skip(1).map(fields);
    let of = lines.into_iter().find(|it| it[0] == accelerator).unwrap();
    InstanceType {
        instance_type: "external".parse().unwrap(),
        family: "external".to_owned(),
        accelerator_kind: if of[2] == "neuron" { AcceleratorKind::Neuron } else { AcceleratorKind::Gpu },
        accelerator_name: Some(of[1].to_owned()),
        accelerator_count: i32::try_from(count).ok(),
        accelerator_memory_gib: of[3].parse().ok(),
        accelerator_bandwidth_gb_per_s: of[4].parse().ok(),
        accelerator_bf16_tflops: of[5].parse().ok(),
        interconnect: Some(of[6].to_owned()),
        vcpu: None,
        memory_gib: None,
        source: "test".to_owned(),
    }
}

fn measurement(line: &str) -> Measurement {
    let it = fields(line);
    let number = |index: usize| it[index].parse::<f64>().ok();
    let count = |index: usize| it[index].parse::<u32>().unwrap();
    let (tensor_parallel, expert_parallel, replicas) = (count(8), count(9), count(10));
    Measurement {
        group: it[0].to_owned(),
        accelerator: it[1].to_owned(),
        model: ModelFacts {
            params_total_b: number(2),
            params_active_b: number(3),
            layers: Some(count(4)),
            kv_cache_bytes_per_token: number(5),
            kv_heads: Some(count(6)),
            ..ModelFacts::default()
        },
        instance: instance(it[1], expert_parallel * replicas),
        serving: Serving {
            quantization: Quantization::ALL.into_iter().find(|word| word.as_str() == it[7]).unwrap(),
            kv_cache: KvCachePrecision::Bf16,
            split: Split { tensor_parallel, expert_parallel },
            replicas,
            input_tokens: number(11).unwrap(),
            cached_input_share: number(12).unwrap(),
            output_tokens: number(13).unwrap(),
            concurrency: number(14).unwrap(),
        },
        weight: number(15).unwrap(),
        output_tokens_per_s: number(16).unwrap(),
        ttft_ms: number(17),
        tpot_ms: number(18),
    }
}

fn measurements() -> Vec<Measurement> {
    POINTS.lines().skip(1).map(measurement).collect()
}

/// The ratio error: 0.25 is a quarter too high or too low.
fn errors<'a>(left_out: impl IntoIterator<Item = &'a LeftOut<'a>>) -> Vec<f64> {
    let error = |it: &LeftOut<'_>| it.throughput_ratio.ln().abs().exp() - 1.0;
    let mut errors: Vec<f64> = left_out.into_iter().map(error).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn line(name: &str, groups: usize, errors: &[f64]) -> String {
    let (median, p90) = (percentile(errors, 0.5), percentile(errors, 0.9));
    format!("{name:30} {:5} {groups:6} {median:7.3} {p90:7.3}", errors.len())
}

fn table(left_out: &[LeftOut<'_>]) -> String {
    let mut lines =
        vec![format!("{:30} {:>5} {:>6} {:>7} {:>7}", "accelerator", "n", "groups", "median", "p90")];
    let groups_of = |of: &[&LeftOut<'_>]| {
        let groups = of.iter().map(|it| it.measurement.group.as_str());
        groups.collect::<std::collections::BTreeSet<_>>().len()
    };
    for name in ACCELERATORS.lines().skip(1).map(|line| fields(line)[0]) {
        let of: Vec<&LeftOut<'_>> = left_out.iter().filter(|it| it.measurement.accelerator == name).collect();
        if !of.is_empty() {
            lines.push(line(name, groups_of(&of), &errors(of.iter().copied())));
        }
    }
    let mut medians: Vec<f64> =
        groups(left_out).iter().map(|of| percentile(&errors(of.iter().copied()), 0.5)).collect();
    medians.sort_by(f64::total_cmp);
    lines.push(line("medians of the groups", medians.len(), &medians));
    lines.push(line("all", groups_of(&left_out.iter().collect::<Vec<_>>()), &errors(left_out)));
    lines.join("\n")
}

fn groups<'a>(left_out: &'a [LeftOut<'a>]) -> Vec<Vec<&'a LeftOut<'a>>> {
    let same = |a: &LeftOut<'_>, b: &LeftOut<'_>| a.measurement.group == b.measurement.group;
    left_out.chunk_by(same).map(|group| group.iter().collect()).collect()
}

#[test]
fn what_was_left_out_is_estimated_within_a_quarter() {
    let measurements = measurements();
    let left_out = cross_validate(&measurements);
    println!("ratio error of output tokens/s, whole groups left out:\n{}", table(&left_out));
    assert_eq!(left_out.len(), measurements.len(), "every measurement can be estimated");
    let median = percentile(&errors(&left_out), 0.5);
    assert!(median < 0.25, "{median}");
}

#[test]
fn the_committed_constants_are_what_the_calibration_gives() {
    let found = calibrate(&measurements());
    println!("{found:#?}");
    let numbers = |it: &Calibration| -> Vec<f64> {
        let value = serde_json::to_value(it).unwrap();
        let mut numbers = Vec::new();
        collect(&value, &mut numbers);
        numbers
    };
    let (found, committed) = (numbers(&found), numbers(&CALIBRATED));
    assert_eq!(found.len(), committed.len());
    for (found, committed) in found.into_iter().zip(committed) {
        assert!((found - committed).abs() <= 0.02 * committed, "{found} for {committed}");
    }
}

fn collect(value: &serde_json::Value, numbers: &mut Vec<f64>) {
    match value {
        serde_json::Value::Object(map) => map.values().for_each(|value| collect(value, numbers)),
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, numbers)),
        value => numbers.push(value.as_f64().unwrap()),
    }
}

#[test]
fn every_group_counts_the_same_in_an_interval() {
    // Ninety points of one group and one of each of nine others.
    let mut ratios: Vec<(&str, f64)> = vec![("a", 1.0); 90];
    ratios.extend(
        ["b", "c", "d", "e", "f", "g", "h", "i", "j"]
            .into_iter()
            .zip([0.5, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0]),
    );
    assert_eq!(super::interval(ratios), Interval { low: 0.5, high: 2.0 });
    assert_eq!(super::interval(Vec::new()), Interval { low: 1.0, high: 1.0 });
}

#[test]
fn nothing_to_learn_from_leaves_the_usual() {
    let calibration = calibrate(&[]);
    assert!((calibration.factors.memory_efficiency - 0.75).abs() < 1e-12);
    assert_eq!(calibration.measurements, [0; 7]);
}
