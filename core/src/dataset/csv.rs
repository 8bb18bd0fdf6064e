//! Lengths and traces as CSV. The columns may be called as in public traces.

use super::{Dataset, InvalidDataset, LengthPair, TracedRequest};
use crate::workload::MAX_TOKENS;

const INPUT: [&str; 4] = ["input_tokens", "input_len", "num_prefill_tokens", "contexttokens"];
const OUTPUT: [&str; 4] = ["output_tokens", "output_len", "num_decode_tokens", "generatedtokens"];
const MOMENT: [&str; 4] = ["t_s", "at_s", "arrived_at", "timestamp_s"];

/// Where the columns stand.
struct Columns {
    input: usize,
    output: usize,
    moment: Option<usize>,
}

pub(super) fn parse(text: &str) -> Result<Dataset, InvalidDataset> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((header_at, header)) = lines.next() else { return Err(InvalidDataset::Empty) };
    let columns = columns(header).map_err(|problem| InvalidDataset::Line { line: header_at + 1, problem })?;
    let (mut pairs, mut moments) = (Vec::new(), Vec::new());
    for (index, line) in lines {
        let at = |problem| InvalidDataset::Line { line: index + 1, problem };
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        pairs.push(pair(&columns, &fields).map_err(at)?);
        if let Some(column) = columns.moment {
            moments.push(moment(&fields, column, moments.last().copied()).map_err(at)?);
        }
    }
    if columns.moment.is_none() {
        return Ok(Dataset::Lengths(pairs));
    }
    let first = moments.first().copied().unwrap_or(0.0);
    let requests = pairs.into_iter().zip(moments);
    Ok(Dataset::Trace(
        requests.map(|(lengths, at_s)| TracedRequest { at_s: at_s - first, lengths }).collect(),
    ))
}

fn columns(header: &str) -> Result<Columns, String> {
    let names: Vec<String> = header.split(',').map(|name| name.trim().to_lowercase()).collect();
    let find = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
    match (find(&INPUT), find(&OUTPUT)) {
        (Some(input), Some(output)) => Ok(Columns { input, output, moment: find(&MOMENT) }),
        _ => Err(
            "it is neither JSON nor a CSV header with input_tokens and output_tokens (and t_s for a trace)"
                .to_owned(),
        ),
    }
}

fn pair(columns: &Columns, fields: &[&str]) -> Result<LengthPair, String> {
    let tokens = |column: usize, name: &str, least: u32| {
        let field = fields.get(column).copied().unwrap_or_default();
        let tokens = field.parse().ok().filter(|tokens| (least..=MAX_TOKENS).contains(tokens));
        tokens.ok_or_else(|| format!("{name} is `{field}`; it must be {least} to {MAX_TOKENS}"))
    };
    Ok(LengthPair {
        input_tokens: tokens(columns.input, "input_tokens", 1)?,
        output_tokens: tokens(columns.output, "output_tokens", 1)?,
    })
}

fn moment(fields: &[&str], column: usize, previous: Option<f64>) -> Result<f64, String> {
    let field = fields.get(column).copied().unwrap_or_default();
    let moment: f64 = field.parse().map_err(|_no_number| format!("t_s is `{field}`; give seconds"))?;
    if !moment.is_finite() || previous.is_some_and(|previous| moment < previous) {
        return Err(format!("t_s is {field}; the moments of a trace must be finite and in order"));
    }
    Ok(moment)
}
