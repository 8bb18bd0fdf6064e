//! What others really ran must be called fitting. See `tests-data/README.md` for the rows.

use super::tests::instance;
use super::{Demand, Experts, Fit, KvCachePrecision, ModelFacts, Split, fit, smallest_tensor_parallel};
use crate::instance::AcceleratorKind;
use crate::model::Quantization;

const FACTS: &str = include_str!("../../tests-data/fit-facts.csv");

/// Rows whose weights were not stored as the table (which does not say) suggests: MLPerf submitters quantise to FP8.
const EXCEPTIONS: [(&str, &str, u32); 1] = [("meta-llama/Llama-3.1-405B-Instruct", "H100-SXM", 8)];

struct Fact {
    model: String,
    accelerator: String,
    accelerators: u32,
    stated: bool,
    rows: usize,
    answer: Fit,
}

fn fact(line: &str) -> Fact {
    let fields: Vec<&str> = line.split(',').collect();
    let number = |index: usize| fields[index].parse::<f64>().ok();
    let count = |index: usize| fields[index].parse::<u32>().ok();
    let model = ModelFacts {
        params_total_b: number(1),
        params_active_b: number(2),
        layers: None,
        experts: count(3).zip(count(4)).map(|(count, per_token)| Experts { count, per_token }),
        attention_heads: count(5),
        kv_heads: count(6),
        kv_cache_bytes_per_token: number(7),
        max_context_tokens: count(8),
    };
    let demand = Demand {
        quantization: Quantization::ALL.into_iter().find(|it| it.as_str() == fields[9]).unwrap(),
        kv_cache: if fields[11] == "fp8" { KvCachePrecision::Fp8 } else { KvCachePrecision::Bf16 },
        context_tokens: count(19).unwrap(),
        sequences: count(20).unwrap(),
    };
    let kind = if fields[13] == "neuron" { AcceleratorKind::Neuron } else { AcceleratorKind::Gpu };
    let machine = instance(kind, fields[15].parse().unwrap(), number(14).unwrap());
    let answer = match count(16).unwrap() {
        // The split is not stated.
        0 => smallest_tensor_parallel(&model, &machine, &demand),
        tensor_parallel => {
            let expert_parallel = count(17).unwrap().max(tensor_parallel);
            fit(&model, &machine, &demand, Split { tensor_parallel, expert_parallel })
        }
    };
    Fact {
        model: fields[0].to_owned(),
        accelerator: fields[12].to_owned(),
        accelerators: count(15).unwrap(),
        stated: fields[10] == "yes",
        rows: fields[18].parse().unwrap(),
        answer,
    }
}

fn is_exception(fact: &Fact) -> bool {
    !fact.stated && EXCEPTIONS.contains(&(fact.model.as_str(), fact.accelerator.as_str(), fact.accelerators))
}

#[test]
fn what_ran_is_called_fitting() {
    let facts: Vec<Fact> = FACTS.lines().skip(1).map(fact).collect();
    let rows = |fits: bool| -> usize {
        facts.iter().filter(|fact| fact.answer.room().is_some() == fits).map(|fact| fact.rows).sum()
    };
    let wrong: Vec<String> = facts
        .iter()
        .filter(|fact| fact.answer.room().is_none() != is_exception(fact))
        .map(|fact| format!("{} on {}: {}", fact.model, fact.accelerator, fact.answer))
        .collect();
    println!("{} of {} rows fit", rows(true), rows(true) + rows(false));
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((rows(true), rows(false)), (2586, 4));
}
