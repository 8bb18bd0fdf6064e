//! Draws pairs of input and output lengths.

use std::sync::LazyLock;

use accelbench_core::workload::{LengthDistribution, LengthTable, Lengths};
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand_distr::{Distribution as _, LogNormal, Normal};

/// First two turns of the ShareGPT conversations; the folder `datasets` says where they come from.
const SHAREGPT: &str = include_str!("../../../datasets/lengths-sharegpt.csv");

static SHAREGPT_PAIRS: LazyLock<Vec<(u32, u32)>> = LazyLock::new(|| read(SHAREGPT));

/// Draws `count` pairs of tokens in and tokens out; pairs that do not fit into the context are cut, the input first.
pub(super) fn draw(
    lengths: &Lengths,
    max_context_tokens: Option<u32>,
    random: &mut StdRng,
    count: usize,
) -> Vec<(u32, u32)> {
    match lengths {
        Lengths::Fixed { input_tokens, output_tokens } => vec![(*input_tokens, *output_tokens); count],
        Lengths::Table { table: LengthTable::Sharegpt } => (0..count)
            .filter_map(|_| SHAREGPT_PAIRS.choose(random).copied())
            .map(|pair| fit(pair, max_context_tokens))
            .collect(),
        Lengths::Distributed { input, output } => (0..count)
            .map(|_| fit((draw_one(*input, random), draw_one(*output, random)), max_context_tokens))
            .collect(),
        Lengths::AsInDataset { .. } => Vec::new(),
    }
}

/// Attempts to draw a length between the bounds before the nearer bound is taken.
const MOST_DRAWS: usize = 100;

/// Draws a length from a distribution that was found possible when it was asked for.
fn draw_one(distribution: LengthDistribution, random: &mut StdRng) -> u32 {
    let (min, max) = distribution.bounds();
    let draw: Box<dyn Fn(&mut StdRng) -> f64> = match distribution {
        LengthDistribution::Uniform { min, max } => return random.random_range(min..=max),
        LengthDistribution::Normal { mean, std_dev, .. } => {
            match Normal::new(f64::from(mean), f64::from(std_dev)) {
                Ok(normal) => Box::new(move |random| normal.sample(random)),
                Err(_) => return mean,
            }
        }
        LengthDistribution::Lognormal { mean, std_dev, .. } => {
            match LogNormal::from_mean_cv(f64::from(mean), f64::from(std_dev) / f64::from(mean.max(1))) {
                Ok(lognormal) => Box::new(move |random| lognormal.sample(random)),
                Err(_) => return mean,
            }
        }
    };
    let mut length = f64::from(min);
    for _ in 0..MOST_DRAWS {
        length = draw(random).round();
        if (f64::from(min)..=f64::from(max)).contains(&length) {
            break;
        }
    }
    length.clamp(f64::from(min), f64::from(max)) as u32
}

/// Two tokens out are the least that has an inter-token latency.
pub(super) fn fit((input, output): (u32, u32), max_context_tokens: Option<u32>) -> (u32, u32) {
    let room = max_context_tokens.unwrap_or(u32::MAX);
    let output = output.clamp(2, room.saturating_sub(1).max(2));
    (input.min(room.saturating_sub(output)).max(1), output)
}

fn read(csv: &str) -> Vec<(u32, u32)> {
    let pair = |line: &str| {
        let (input, output) = line.split_once(',')?;
        Some((input.parse().ok()?, output.parse().ok()?))
    };
    csv.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use accelbench_core::workload::{LengthDistribution, Lengths};
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::{SHAREGPT, SHAREGPT_PAIRS, draw, fit};

    #[test]
    fn the_table_is_read_whole_and_has_the_stated_means() {
        assert_eq!(SHAREGPT_PAIRS.len(), SHAREGPT.lines().count() - 1);
        let mean = |pick: fn(&(u32, u32)) -> u32| {
            SHAREGPT_PAIRS.iter().map(pick).map(f64::from).sum::<f64>() / SHAREGPT_PAIRS.len() as f64
        };
        assert!((mean(|pair| pair.0) - 224.0).abs() < 1.0 && (mean(|pair| pair.1) - 206.0).abs() < 1.0);
    }

    #[test]
    fn the_seed_decides_the_lengths() {
        let draw = |seed| draw(&Lengths::default(), None, &mut StdRng::seed_from_u64(seed), 50);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn distributions_have_their_means_and_keep_their_bounds() {
        for (distribution, mean) in [
            (LengthDistribution::Uniform { min: 10, max: 30 }, 20.0),
            (LengthDistribution::Normal { mean: 500, std_dev: 50, min: 100, max: 900 }, 500.0),
            (LengthDistribution::Lognormal { mean: 500, std_dev: 250, min: 1, max: 100_000 }, 500.0),
        ] {
            let lengths = Lengths::Distributed { input: distribution, output: distribution };
            let pairs = draw(&lengths, None, &mut StdRng::seed_from_u64(5), 5000);
            let found = pairs.iter().map(|pair| f64::from(pair.0)).sum::<f64>() / 5000.0;
            assert!((found / mean - 1.0).abs() < 0.03, "{distribution:?}: {found}");
            let (min, max) = distribution.bounds();
            assert!(pairs.iter().all(|pair| (min..=max).contains(&pair.0)));
            assert!(
                pairs.iter().any(|pair| pair.0 != pairs[0].0) && pairs.iter().any(|pair| pair.0 != pair.1)
            );
        }
    }

    #[test]
    fn pairs_are_cut_to_the_context() {
        assert_eq!(fit((1000, 500), Some(1024)), (524, 500));
        assert_eq!(fit((10, 500), Some(64)), (1, 63));
        assert_eq!(fit((10, 500), None), (10, 500));
        assert_eq!(fit((10, 1), None), (10, 2));
    }
}
