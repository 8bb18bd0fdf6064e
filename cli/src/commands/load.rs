//! What `run` and `bench` both ask about the load: how much, of what, and for how long.

use std::num::NonZeroU32;

use accelbench_core::exploration::{Axis, Exploration};
use accelbench_core::load::{Arrivals, Measurement, OfferedLoad, RequestRate, TraceReplay};
use accelbench_core::slo::{Limit, Slo};
use accelbench_core::workload::{EosPolicy, LengthDistribution, LengthTable, Lengths, MAX_TOKENS};
use clap::builder::ArgPredicate;
use clap::{Args, ValueEnum};

/// What a search raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SearchAxis {
    /// Simultaneous requests
    Concurrency,
    /// Requests per second, which arrive as --arrivals says
    Rate,
}

/// The load.
#[derive(Debug, Clone, Args)]
pub(crate) struct LoadArguments {
    /// Numbers of simultaneous requests, one load point each
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,4,16",
        default_value_ifs([
            ("rate", ArgPredicate::IsPresent, None),
            ("replay", ArgPredicate::IsPresent, None),
            ("sweep", ArgPredicate::Equals("true".into()), None),
            ("search", ArgPredicate::IsPresent, None),
        ])
    )]
    concurrency: Vec<NonZeroU32>,
    /// Requests per second that arrive whatever became of the earlier ones, one load point each
    #[arg(long, value_delimiter = ',', value_name = "PER_SECOND", group = "open")]
    rate: Vec<f64>,
    /// How the requests of --rate arrive: poisson, constant, or gamma:BURSTINESS (1 is Poisson, less is burstier)
    #[arg(long, default_value = "poisson", value_parser = parse_arrivals, requires = "open")]
    arrivals: Arrivals,
    /// Replay the trace that --dataset is, at this speed: 1 is as it was; several are one load point each
    #[arg(long, value_delimiter = ',', value_name = "SPEED", num_args = 0..=1, default_missing_value = "1")]
    replay: Vec<f64>,
    /// Build the load curve by itself: from one stream to saturation, then where the curve bends
    #[arg(long, conflicts_with_all = ["concurrency", "rate", "replay", "search"])]
    sweep: bool,
    /// Find the highest load that keeps every --slo
    #[arg(long, value_name = "AXIS", conflicts_with_all = ["concurrency", "replay"], requires = "slo", group = "open")]
    search: Option<SearchAxis>,
    /// Limit that latencies must keep, for instance ttft_p95_ms<=500; may be repeated. Goodput counts what keeps it
    #[arg(long, value_name = "LIMIT")]
    slo: Vec<Limit>,
    /// Highest concurrency or request rate that --sweep or --search tries
    #[arg(long, default_value_t = 1024.0, value_name = "LOAD")]
    max_load: f64,
    /// Most load points of --sweep or --search
    #[arg(long, default_value_t = 16, value_name = "COUNT")]
    max_load_points: u32,
    /// Tokens of each prompt: a number, uniform:MIN:MAX, normal:MEAN:STD_DEV or lognormal:MEAN:STD_DEV; without lengths,
    /// pairs are drawn from measured conversations
    #[arg(long, requires = "output_len", value_name = "TOKENS", value_parser = parse_lengths)]
    input_len: Option<LengthDistribution>,
    /// Tokens of each answer, as for --input-len; alone, prompts are sent as the dataset has them
    #[arg(long, value_name = "TOKENS", value_parser = parse_lengths)]
    output_len: Option<LengthDistribution>,
    /// Questions of one conversation, each following on all that was said before
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    pub(crate) turns: u32,
    /// Tokens with which every prompt begins alike, for engines with a prefix cache
    #[arg(long, default_value_t = 0, value_name = "TOKENS", requires = "input_len")]
    pub(crate) shared_prefix_len: u32,
    /// Measure each load point at least this long, in seconds
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    min_duration: f64,
    /// Measure at least this many requests at each load point
    #[arg(long, default_value_t = 200, value_name = "COUNT")]
    min_requests: u32,
    /// End a load point's measurement after this long in any case, in seconds
    #[arg(long, default_value_t = 600.0, value_name = "SECONDS")]
    max_duration: f64,
    /// Let each load point's load rise evenly for this long before it counts, in seconds
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    ramp_up: f64,
    /// Let the model end its answers itself instead of running to the asked length
    #[arg(long)]
    respect_eos: bool,
    /// Seed of every random choice
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

impl LoadArguments {
    /// The closed loops first, then the open ones.
    pub(crate) fn load_points(&self) -> Vec<OfferedLoad> {
        let closed = self.concurrency.iter().map(|&requests| OfferedLoad::Concurrency(requests));
        let arrivals = self.arrivals;
        let open = self.rate.iter().map(|&per_s| OfferedLoad::RequestRate(RequestRate { per_s, arrivals }));
        let replays = self.replay.iter().map(|&speed| OfferedLoad::Trace(TraceReplay { speed }));
        closed.chain(open).chain(replays).collect()
    }

    /// How further load points are found.
    pub(crate) fn exploration(&self) -> Option<Exploration> {
        let (max, max_load_points) = (self.max_load, self.max_load_points);
        let over = match self.search {
            Some(SearchAxis::Concurrency) => Axis::Concurrency,
            Some(SearchAxis::Rate) => Axis::RequestRate { arrivals: self.arrivals },
            None if self.sweep => {
                let max_concurrency = NonZeroU32::new(max as u32).unwrap_or(NonZeroU32::MIN);
                return Some(Exploration::Sweep { max_concurrency, max_load_points });
            }
            None => return None,
        };
        Some(Exploration::Search { over, max, max_load_points })
    }

    /// The limits.
    pub(crate) fn slo(&self) -> Option<Slo> {
        Slo::new(self.slo.clone()).ok()
    }

    /// The lengths; `given_by_dataset` says that the dataset holds nothing but lengths.
    pub(crate) fn lengths(&self, given_by_dataset: bool) -> Lengths {
        let exactly = |lengths: LengthDistribution| {
            let (min, max) = lengths.bounds();
            (min == max).then_some(min)
        };
        match (self.input_len, self.output_len) {
            (Some(input), Some(output)) => match (exactly(input), exactly(output)) {
                (Some(input_tokens), Some(output_tokens)) => Lengths::Fixed { input_tokens, output_tokens },
                _ => Lengths::Distributed { input, output },
            },
            (None, Some(output)) => Lengths::AsInDataset { output_tokens: output.bounds().1 },
            (_, None) if given_by_dataset => Lengths::AsInDataset { output_tokens: USUAL_OUTPUT_TOKENS },
            (_, None) => Lengths::Table { table: LengthTable::Sharegpt },
        }
    }

    /// Whether a trace is replayed.
    pub(crate) fn replays(&self) -> bool {
        !self.replay.is_empty()
    }

    pub(crate) fn eos(&self) -> EosPolicy {
        if self.respect_eos { EosPolicy::Respect } else { EosPolicy::Ignore }
    }

    pub(crate) fn measurement(&self) -> Measurement {
        Measurement {
            min_duration_s: self.min_duration,
            // A search decides by a percentile: it waits until that means something.
            min_requests: match (self.search, self.slo()) {
                (Some(_), Some(slo)) => self.min_requests.max(slo.least_requests() as u32),
                _ => self.min_requests,
            },
            max_duration_s: self.max_duration.max(self.min_duration),
            ramp_up_s: self.ramp_up,
        }
    }
}

/// Answers of a dataset that does not say how long they are.
const USUAL_OUTPUT_TOKENS: u32 = 128;

fn parse_lengths(text: &str) -> Result<LengthDistribution, String> {
    let wrong = || {
        format!("`{text}` is none of NUMBER, uniform:MIN:MAX, normal:MEAN:STD_DEV and lognormal:MEAN:STD_DEV")
    };
    let (kind, numbers) = text.split_once(':').unwrap_or(("", text));
    let numbers: Result<Vec<u32>, _> = numbers.split(':').map(str::parse).collect();
    // Three standard deviations hold nearly all of a normal distribution; a lognormal one has a long tail.
    match (kind, numbers.map_err(|_no_number| wrong())?.as_slice()) {
        ("", &[tokens]) => Ok(LengthDistribution::Uniform { min: tokens, max: tokens }),
        ("uniform", &[min, max]) => Ok(LengthDistribution::Uniform { min, max }),
        ("normal", &[mean, std_dev]) => {
            let min = mean.saturating_sub(std_dev.saturating_mul(3)).max(2.min(mean));
            let max = mean.saturating_add(std_dev.saturating_mul(3)).min(MAX_TOKENS);
            Ok(LengthDistribution::Normal { mean, std_dev, min, max })
        }
        ("lognormal", &[mean, std_dev]) => {
            let max = mean.saturating_add(std_dev.saturating_mul(10)).min(MAX_TOKENS);
            Ok(LengthDistribution::Lognormal { mean, std_dev, min: 2.min(mean), max })
        }
        _ => Err(wrong()),
    }
}

fn parse_arrivals(text: &str) -> Result<Arrivals, String> {
    let wrong = || format!("`{text}` is none of poisson, constant and gamma:BURSTINESS");
    match text.split_once(':') {
        None if text == "poisson" => Ok(Arrivals::Poisson),
        None if text == "constant" => Ok(Arrivals::Constant),
        Some(("gamma", burstiness)) => {
            burstiness.parse().map(|burstiness| Arrivals::Gamma { burstiness }).map_err(|_no_number| wrong())
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use accelbench_core::load::Arrivals;
    use accelbench_core::workload::LengthDistribution;
    use clap::Parser;

    use super::{LoadArguments, parse_arrivals, parse_lengths};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        load: LoadArguments,
    }

    fn loads(arguments: &[&str]) -> Vec<String> {
        let arguments = std::iter::once("command").chain(arguments.iter().copied());
        Command::parse_from(arguments).load.load_points().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_rate_takes_the_place_of_the_usual_concurrencies_and_joins_given_ones() {
        assert_eq!(loads(&[]), ["concurrency 1", "concurrency 4", "concurrency 16"]);
        assert_eq!(loads(&["--rate", "2,0.5"]), ["2 requests/s poisson", "0.5 requests/s poisson"]);
        assert_eq!(
            loads(&["--concurrency", "8", "--rate", "2", "--arrivals", "gamma:0.5"]),
            ["concurrency 8", "2 requests/s gamma 0.5"]
        );
    }

    #[test]
    fn lengths_are_numbers_or_distributions() {
        assert_eq!(parse_lengths("50"), Ok(LengthDistribution::Uniform { min: 50, max: 50 }));
        assert_eq!(
            parse_lengths("normal:100:40"),
            Ok(LengthDistribution::Normal { mean: 100, std_dev: 40, min: 2, max: 220 })
        );
        for wrong in ["", "x", "uniform:1", "normal:1:2:3", "gauss:1:2", "-4"] {
            assert!(parse_lengths(wrong).unwrap_err().contains("uniform:MIN:MAX"), "{wrong}");
        }
        assert_eq!(loads(&["--replay"]), ["trace at speed 1"]);
        assert_eq!(loads(&["--replay", "1,2.5"]), ["trace at speed 1", "trace at speed 2.5"]);
    }

    #[test]
    fn arrivals_are_named_or_refused() {
        assert_eq!(parse_arrivals("constant"), Ok(Arrivals::Constant));
        for wrong in ["", "gamma", "gamma:", "gamma:x", "poisson:2", "uniform"] {
            assert!(parse_arrivals(wrong).unwrap_err().contains("gamma:BURSTINESS"), "{wrong}");
        }
    }
}
