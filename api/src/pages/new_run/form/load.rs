//! The part of the form that says how much load is offered, of what lengths and for how long.

use serde_json::{Value, json};

use super::{RunForm, decimal, number};
use crate::error::ApiError;

/// Load points of an exploration.
const MOST_LOAD_POINTS: u32 = 12;

impl RunForm {
    /// The load points that were given; none where they are found.
    pub(super) fn load_points(&self) -> Result<Vec<Value>, ApiError> {
        if self.load != "points" {
            return Ok(Vec::new());
        }
        let closed =
            pieces(&self.concurrency).map(|text| Ok(json!({"concurrency": number("concurrency", text)?})));
        let open = pieces(&self.requests_per_s)
            .map(|text| Ok(json!({"request_rate": {"per_s": decimal("requests_per_s", text)?}})));
        closed.chain(open).collect()
    }

    /// How load points are found, if they are.
    pub(super) fn exploration(&self) -> Result<Option<Value>, ApiError> {
        let most = || number("max_concurrency", &self.max_concurrency);
        Ok(match self.load.as_str() {
            "sweep" => Some(
                json!({"kind": "sweep", "max_concurrency": most()?, "max_load_points": MOST_LOAD_POINTS}),
            ),
            "search" => Some(json!({
                "kind": "search", "over": {"kind": "concurrency"}, "max": most()?,
                "max_load_points": MOST_LOAD_POINTS,
            })),
            _ => None,
        })
    }

    /// How long each load point is measured.
    pub(super) fn measurement(&self) -> Result<Value, ApiError> {
        let min_duration_s = decimal("min_duration_s", &self.min_duration_s)?;
        Ok(json!({
            "min_duration_s": min_duration_s,
            "min_requests": number("min_requests", &self.min_requests)?,
            "max_duration_s": 600.0_f64.max(min_duration_s),
        }))
    }

    /// The lengths of prompts and answers.
    pub(super) fn lengths(&self) -> Result<Value, ApiError> {
        Ok(match (self.input_tokens.trim(), self.output_tokens.trim()) {
            ("", "") => json!({"kind": "table", "table": "sharegpt"}),
            ("", output) => {
                json!({"kind": "as_in_dataset", "output_tokens": number("output_tokens", output)?})
            }
            (_, "") => {
                let problem = "output_tokens: give it together with the input tokens, or leave both empty";
                return Err(ApiError::unprocessable(problem));
            }
            (input, output) => json!({
                "kind": "fixed", "input_tokens": number("input_tokens", input)?,
                "output_tokens": number("output_tokens", output)?,
            }),
        })
    }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ']).filter(|text| !text.is_empty())
}
