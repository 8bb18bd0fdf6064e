use std::collections::BTreeSet;
use std::time::Duration;

use accelbench_core::exploration::{Axis, Exploration};
use accelbench_core::load::{Arrivals, ItlBasis, LoadStage, OfferedLoad, RequestRate};
use accelbench_core::slo::Slo;
use accelbench_core::validity::Outcome;
use accelbench_core::workload::{EosPolicy, Lengths};

use crate::mock_api::{Answers, Heard};
use crate::mock_engine::{Answer, MockEngine, PLAIN, Shape, Step, good};
use crate::scene::{INPUT_TOKENS, OUTPUT_TOKENS, assert_passes, check, plan, play, play_one};

/// Whole numbers of tokens survive the way through statistics and JSON.
fn tokens(value: f64) -> u64 {
    value.round() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn every_load_point_is_measured_and_reported() {
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, PLAIN))).await;
    let plan = plan(&engine, &[1, 4]);
    let (outcome, heard) = play(plan.clone(), Answers::default()).await;
    outcome.unwrap();
    assert_eq!(heard.reports.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 1]);
    for (_, report) in &heard.reports {
        report.validate(&plan).unwrap();
        assert!(report.requests_completed >= 40 && report.window_s >= 0.5, "{report:?}");
        assert!(report.warmup_s >= 0.5 && report.warmup_requests > 0);
        assert_eq!(report.failed(), 0);
        assert_eq!((tokens(report.input_tokens.min), tokens(report.input_tokens.max)), (40, 40));
        assert_eq!((tokens(report.output_tokens.min), tokens(report.output_tokens.max)), (8, 8));
        // 10 ms to the first of 8 tokens and 2 ms between them, and not a whole other order of magnitude.
        assert!((10.0..200.0).contains(&report.ttft_ms.p50), "{:?}", report.ttft_ms);
        assert!((2.0..40.0).contains(&report.itl_ms.mean), "{:?}", report.itl_ms);
        assert!(report.e2e_ms.min >= 24.0, "{:?}", report.e2e_ms);
        assert_eq!(report.itl_ms.count, 7 * report.requests_completed);
        assert_eq!(report.itl_basis, ItlBasis::Exact);
        for name in ["error_share", "output_length", "input_length"] {
            assert_passes(report, name);
        }
    }
    assert_eq!(engine.most_in_flight(), 4);
    assert!(heard.progress.iter().any(|progress| progress.stage == LoadStage::Preparing));
    assert!(heard.progress.iter().any(|progress| progress.load_point_index == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_prompt_is_sent_twice() {
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, PLAIN))).await;
    let (outcome, _) = play(plan(&engine, &[4, 8]), Answers::default()).await;
    outcome.unwrap();
    let requests = engine.requests();
    // The first one asks what the engine takes.
    let beginnings: Vec<&str> =
        requests[1..].iter().map(|body| &body["prompt"].as_str().unwrap()[..8]).collect();
    assert!(beginnings.len() > 150, "{}", beginnings.len());
    assert_eq!(beginnings.iter().collect::<BTreeSet<_>>().len(), beginnings.len());
    let body = &requests[1];
    assert_eq!((&body["max_tokens"], &body["min_tokens"]), (&8.into(), &8.into()));
    assert_eq!((&body["ignore_eos"], &body["model"]), (&true.into(), &"mock".into()));
    assert_eq!(body["stream_options"]["continuous_usage_stats"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tokens_a_chunk_are_counted_by_running_usage() {
    const FOUR: Shape = Shape { tokens_per_chunk: 4, ..PLAIN };
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, FOUR))).await;
    let report = play_one(plan(&engine, &[2])).await;
    assert_eq!((tokens(report.output_tokens.min), report.itl_basis), (8, ItlBasis::Exact));
    // Two chunks of four: the gap between them is that of four tokens.
    assert_eq!(report.itl_ms.count, 4 * report.requests_completed);
    assert!(report.itl_ms.min < 2.0, "{:?}", report.itl_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tokens_a_chunk_without_running_usage_are_apportioned() {
    const FOUR: Shape = Shape { tokens_per_chunk: 4, running_usage: false, ..PLAIN };
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, FOUR))).await;
    let report = play_one(plan(&engine, &[2])).await;
    assert_eq!((tokens(report.output_tokens.min), report.itl_basis), (8, ItlBasis::Apportioned));
    assert_passes(&report, "output_length");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_whose_text_is_held_back_are_tokens() {
    const WITHHELD: Shape = Shape { running_usage: false, withhold_text: true, ..PLAIN };
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, WITHHELD))).await;
    let report = play_one(plan(&engine, &[2])).await;
    assert_eq!((tokens(report.output_tokens.min), report.itl_basis), (8, ItlBasis::Exact));
    assert_eq!(report.itl_ms.count, 7 * report.requests_completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_refuses_running_usage_is_asked_without() {
    const TOTAL: Shape = Shape { running_usage: false, ..PLAIN };
    let engine = MockEngine::start(|_, body| {
        if body["stream_options"].get("continuous_usage_stats").is_some() {
            return Answer::Status(400, "unknown field continuous_usage_stats");
        }
        Answer::Stream(good(body, TOTAL))
    })
    .await;
    let report = play_one(plan(&engine, &[2])).await;
    assert_eq!((report.failed(), report.itl_basis), (0, ItlBasis::Exact));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tokenizer_prompts_are_cut_by_what_usage_taught() {
    let engine = MockEngine::start_without_tokenizer(|_, body| Answer::Stream(good(body, PLAIN))).await;
    let report = play_one(plan(&engine, &[2])).await;
    let asked = f64::from(INPUT_TOKENS);
    assert!((report.input_tokens.mean - asked).abs() <= 0.05 * asked, "{:?}", report.input_tokens);
    assert!(check(&report, "input_length").sentence.contains("no /tokenize"));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_shorter_than_asked_are_told_where_they_should_not_be() {
    let engine = MockEngine::start(|_, body| {
        let mut short = body.clone();
        short["max_tokens"] = 5.into();
        Answer::Stream(good(&short, PLAIN))
    })
    .await;
    let mut plan = plan(&engine, &[2]);
    let report = play_one(plan.clone()).await;
    assert_eq!(check(&report, "output_length").outcome, Outcome::Fail);
    plan.workload.eos = EosPolicy::Respect;
    let report = play_one(plan).await;
    assert!(report.checks.iter().all(|check| check.name != "output_length"));
    assert!(engine.requests().last().unwrap().get("ignore_eos").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_of_a_dataset_are_sent_as_they_are_and_repeats_are_told() {
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, PLAIN))).await;
    let mut plan = plan(&engine, &[1]);
    plan.workload.lengths = Lengths::AsInDataset { output_tokens: OUTPUT_TOKENS };
    let report = play_one(plan).await;
    let prompts: BTreeSet<String> =
        engine.requests()[1..].iter().map(|body| body["prompt"].as_str().unwrap().to_owned()).collect();
    assert_eq!(prompts.len(), 3);
    assert_eq!(check(&report, "prompts_fresh").outcome, Outcome::Warn);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_an_open_loop_come_when_they_are_due() {
    let engine = MockEngine::start(|_, body| {
        let mut steps = good(body, PLAIN);
        steps.insert(0, Step::Wait(Duration::from_millis(100)));
        Answer::Stream(steps)
    })
    .await;
    for (arrivals, name) in
        [(Arrivals::Constant, "constant"), (Arrivals::Gamma { burstiness: 0.5 }, "gamma 0.5")]
    {
        let mut plan = plan(&engine, &[1]);
        plan.load_points = vec![OfferedLoad::RequestRate(RequestRate { per_s: 40.0, arrivals })];
        plan.measurement.min_duration_s = 2.0;
        let report = play_one(plan).await;
        assert_passes(&report, "rate_held");
        assert_passes(&report, "requests_do_not_pile_up");
        assert_eq!(report.failed(), 0);
        assert_eq!(report.offered_load.to_string(), format!("40 requests/s {name}"));
        // Little's law: 40 requests a second of a little over 0.1 s each.
        let in_flight = report.requests_per_s * report.e2e_ms.mean / 1000.0;
        assert!(
            (report.concurrency_mean / in_flight - 1.0).abs() < 0.25,
            "{} {in_flight}",
            report.concurrency_mean
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_keep_up_is_told() {
    // Each request waits for all before it.
    let engine = MockEngine::start(|number, body| {
        let mut steps = good(body, PLAIN);
        steps.insert(0, Step::Wait(Duration::from_millis(15) * number as u32));
        Answer::Stream(steps)
    })
    .await;
    let mut plan = plan(&engine, &[1]);
    let rate = RequestRate { per_s: 50.0, arrivals: Arrivals::Constant };
    plan.load_points = vec![OfferedLoad::RequestRate(rate)];
    plan.measurement.min_requests = 20;
    let report = play_one(plan).await;
    assert_ne!(check(&report, "requests_do_not_pile_up").outcome, Outcome::Pass);
    assert_ne!(check(&report, "warmed_up").outcome, Outcome::Pass);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_complete_at_its_done_although_the_connection_stays_open() {
    let engine = MockEngine::start(|number, body| {
        let mut steps = good(body, PLAIN);
        if number % 4 == 0 {
            steps.push(Step::Hang);
        }
        Answer::Stream(steps)
    })
    .await;
    let report = play_one(plan(&engine, &[4])).await;
    assert_eq!(report.failed(), 0);
    assert!(report.e2e_ms.max < 900.0, "{:?}", report.e2e_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_measures_until_it_has_an_answer_and_goes_on_where_it_was() {
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, PLAIN))).await;
    let mut plan = plan(&engine, &[]);
    let over = Axis::Concurrency;
    plan.exploration = Some(Exploration::Search { over, max: 4.0, max_load_points: 6 });
    plan.slo = Some(Slo::new(vec!["ttft_p50_ms<=5000".parse().unwrap()]).unwrap());
    let (outcome, heard) = play(plan.clone(), Answers::default()).await;
    outcome.unwrap();
    let loads = |heard: &Heard| -> Vec<u32> {
        heard.reports.iter().map(|(_, report)| report.offered_load.concurrency().unwrap()).collect()
    };
    assert_eq!(loads(&heard), [1, 2, 4]);
    let goodput = heard.reports[2].1.goodput.as_ref().unwrap();
    assert!(goodput.share > 0.99 && goodput.requests_per_s > 1.0, "{goodput:?}");
    assert_eq!(heard.conclusions[0].load, Some(heard.reports[2].1.offered_load));

    plan.explored = heard.reports[..2].iter().map(|(_, report)| report.clone()).collect();
    let (outcome, heard) = play(plan, Answers::default()).await;
    outcome.unwrap();
    assert_eq!((loads(&heard), heard.conclusions.len()), (vec![4], 1));
    assert_eq!(heard.reports[0].0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_share_a_beginning_and_differ_behind_it() {
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, PLAIN))).await;
    let mut plan = plan(&engine, &[2]);
    plan.workload.shared_prefix_tokens = 16;
    let report = play_one(plan).await;
    assert_passes(&report, "input_length");
    let prompts: Vec<String> =
        engine.requests()[1..].iter().map(|body| body["prompt"].as_str().unwrap().to_owned()).collect();
    let shared = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let least = prompts.windows(2).map(|pair| shared(&pair[0], &pair[1])).min().unwrap();
    assert!(least > 16, "two prompts share only {least} bytes");
    let different: BTreeSet<&String> = prompts.iter().collect();
    assert_eq!(different.len(), prompts.len(), "a prompt was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_rises_first_is_measured_when_it_is_there() {
    let engine = MockEngine::start(|_, body| Answer::Stream(good(body, PLAIN))).await;
    let mut plan = plan(&engine, &[4]);
    plan.measurement.ramp_up_s = 0.8;
    let rate = RequestRate { per_s: 100.0, arrivals: Arrivals::Constant };
    plan.load_points.push(OfferedLoad::RequestRate(rate));
    let (outcome, heard) = play(plan, Answers::default()).await;
    outcome.unwrap();
    let reports: Vec<_> = heard.reports.into_iter().map(|(_, report)| report).collect();
    assert!(reports.iter().all(|report| report.warmup_s >= 1.3), "{reports:?}");
    // 40 requests while the rate rises to 100/s, not 80.
    let expected = 100.0 * (reports[1].warmup_s - 0.4);
    assert!((reports[1].warmup_requests as f64 - expected).abs() < 25.0, "{:?}", reports[1].warmup_requests);
}
