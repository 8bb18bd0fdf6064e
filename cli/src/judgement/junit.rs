//! Judgements as a JUnit report, which CI systems show by themselves.

use accelbench_core::load::LoadReport;
use accelbench_core::validity::Outcome;
use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Judgement;

/// One suite for each load point: its validity, and a case for each judgement.
pub(super) fn report(reports: &[LoadReport], judgements: &[Judgement]) -> anyhow::Result<String> {
    let mut document = Report::new("accelbench");
    for report in reports {
        let load = report.offered_load.to_string();
        let mut suite = TestSuite::new(load.clone());
        suite.add_test_case(validity(report));
        for judgement in judgements.iter().filter(|judgement| judgement.load == load) {
            suite.add_test_case(case(&judgement.condition, judgement.holds, &judgement.sentence));
        }
        document.add_test_suite(suite);
    }
    document.to_string().context("the JUnit report cannot be written")
}

fn validity(report: &LoadReport) -> TestCase {
    let failed = report.checks.iter().filter(|check| check.outcome == Outcome::Fail);
    let sentences: Vec<&str> = failed.map(|check| check.sentence.as_str()).collect();
    case("the measurement is valid", sentences.is_empty(), &sentences.join("; "))
}

fn case(name: &str, holds: bool, sentence: &str) -> TestCase {
    if holds {
        return TestCase::new(name, TestCaseStatus::success());
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(sentence);
    TestCase::new(name, status)
}

#[cfg(test)]
mod tests {
    use super::case;

    #[test]
    fn a_failure_says_what_was_seen() {
        let mut suite = quick_junit::TestSuite::new("concurrency 1");
        suite.add_test_case(case("ttft_p95_ms<500", false, "it is <700> ms"));
        let mut report = quick_junit::Report::new("accelbench");
        report.add_test_suite(suite);
        let text = report.to_string().unwrap();
        assert!(text.contains(r#"failures="1""#) && text.contains("it is &lt;700&gt; ms"), "{text}");
    }
}
