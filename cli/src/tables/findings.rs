//! What a doctor found, with what to do.

use accelbench_core::finding::{Finding, FindingOutcome};

use comfy_table::Table;

use super::plain;

/// Findings, one a line.
pub(crate) fn findings(findings: &[Finding]) -> Table {
    let mut table = plain(&["", "part", "check", "found", "what to do"]);
    for finding in findings {
        let advice = match finding.outcome {
            FindingOutcome::Pass => "",
            _ => finding.advice.as_deref().unwrap_or_default(),
        };
        table.add_row([finding.outcome.as_str(), &finding.part, &finding.check, &finding.found, advice]);
    }
    table
}
