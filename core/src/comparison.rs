//! Numbers side by side: which is best, by how much the others differ, and whether more than chance tells them apart.
//! Only like with like is ranked; the rest is shown and says why it is not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::{Difference, Estimate, Verdict};

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// As of throughput.
    Higher,
    /// As of latency and cost.
    Lower,
}

/// A number that is to be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The number.
    pub value: f64,
    /// How sure it is, where that is known.
    pub estimate: Option<Estimate>,
    /// Whether it may be ranked: it is valid, and of the same workload as the first.
    pub is_ranked: bool,
}

/// What can be said of a number beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// The number.
    pub value: f64,
    /// The ends of its 95 % confidence interval, where they are known.
    pub interval: Option<(f64, f64)>,
    /// How many times the first number it is; nothing where there is no first one.
    pub ratio: Option<f64>,
    /// Where it stands.
    pub standing: Standing,
}

/// Where a number stands among those that are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// None is better.
    Best,
    /// One is better, and equal ones would differ as much by chance.
    NoClearDifference,
    /// One is better.
    Behind,
    /// It is not ranked, or nothing is there to rank it with.
    Unranked,
}

/// Compares the numbers of one metric; the first one is what ratios are to.
#[must_use]
pub fn compare(entries: &[Option<Entry>], better: Better) -> Vec<Option<Cell>> {
    let ranked: Vec<&Entry> = entries.iter().flatten().filter(|entry| entry.is_ranked).collect();
    let best = ranked.iter().copied().reduce(|best, entry| {
        let is_better = match better {
            Better::Higher => entry.value > best.value,
            Better::Lower => entry.value < best.value,
        };
        if is_better { entry } else { best }
    });
    let best = best.filter(|_| ranked.len() > 1);
    let base = entries.first().copied().flatten().map(|entry| entry.value).filter(|value| *value != 0.0);
    let cell = |entry: &Entry| Cell {
        value: entry.value,
        interval: entry.estimate.map(|estimate| (estimate.low, estimate.high)),
        ratio: base.map(|base| entry.value / base),
        standing: standing(entry, best),
    };
    entries.iter().map(|entry| entry.as_ref().map(cell)).collect()
}

fn standing(entry: &Entry, best: Option<&Entry>) -> Standing {
    let Some(best) = best.filter(|_| entry.is_ranked) else { return Standing::Unranked };
    #[expect(clippy::float_cmp, reason = "the best is one of the entries, to the bit")]
    if entry.value == best.value {
        return Standing::Best;
    }
    match (entry.estimate, best.estimate) {
        (Some(own), Some(other))
            if Difference::between(&other, &own).verdict == Verdict::NoClearDifference =>
        {
            Standing::NoClearDifference
        }
        _ => Standing::Behind,
    }
}

#[cfg(test)]
mod tests {
    use super::{Better, Cell, Entry, Standing, compare};
    use crate::stats::Estimate;

    fn entry(value: f64, standard_error: Option<f64>) -> Entry {
        let estimate = standard_error.map(|standard_error| Estimate {
            value,
            standard_error,
            degrees_of_freedom: 19.0,
            low: value - 2.0 * standard_error,
            high: value + 2.0 * standard_error,
        });
        Entry { value, estimate, is_ranked: true }
    }

    fn standings(entries: &[Option<Entry>], better: Better) -> Vec<Option<Standing>> {
        compare(entries, better).into_iter().map(|cell| cell.map(|cell| cell.standing)).collect()
    }

    #[test]
    fn the_best_is_marked_and_what_chance_may_have_made_is_said() {
        let entries =
            [Some(entry(100.0, Some(1.0))), Some(entry(99.0, Some(1.0))), Some(entry(80.0, Some(1.0))), None];
        assert_eq!(
            standings(&entries, Better::Higher),
            [Some(Standing::Best), Some(Standing::NoClearDifference), Some(Standing::Behind), None]
        );
        assert_eq!(standings(&entries, Better::Lower)[2], Some(Standing::Best));
    }

    #[test]
    fn without_intervals_the_numbers_alone_speak() {
        let entries = [Some(entry(100.0, None)), Some(entry(99.0, Some(5.0)))];
        assert_eq!(standings(&entries, Better::Higher), [Some(Standing::Best), Some(Standing::Behind)]);
    }

    #[test]
    fn unlike_ones_are_shown_and_not_ranked() {
        let unlike = Entry { is_ranked: false, ..entry(500.0, None) };
        let cells = compare(&[Some(entry(100.0, None)), Some(unlike)], Better::Higher);
        let Cell { ratio, standing, .. } = cells[1].unwrap();
        assert_eq!((ratio, standing), (Some(5.0), Standing::Unranked));
        assert_eq!(cells[0].unwrap().standing, Standing::Unranked, "one alone is not the best of anything");
    }
}
