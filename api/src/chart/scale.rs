//! Numbers as places on an axis: from zero where they are of one size, by powers of ten where they are not.

use super::Tick;

/// Marks on an axis, about.
const TICKS: f64 = 5.0;

/// Numbers that differ by more than this factor are drawn by powers of ten.
const WIDE: f64 = 50.0;

pub(super) struct Scale {
    /// The numbers at both ends, as logarithms on a logarithmic axis.
    low: f64,
    high: f64,
    /// The places of both ends.
    from: f64,
    to: f64,
    is_logarithmic: bool,
}

impl Scale {
    /// A scale on which all the numbers, which are finite, have a place; nothing without one.
    pub(super) fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            (least, most) = (least.min(value), most.max(value));
        }
        if !(least.is_finite() && most.is_finite()) {
            return None;
        }
        let is_logarithmic = least > 0.0 && most / least > WIDE;
        let (low, high) = if is_logarithmic {
            (least.log10().floor(), most.log10().ceil())
        } else {
            (least.min(0.0), if most > 0.0 { most } else { 1.0 })
        };
        Some(Self { low, high, from, to, is_logarithmic })
    }

    /// Where a number stands.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if self.is_logarithmic { value.log10() } else { value };
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// The marks: powers of ten, or round steps.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        let step = if self.is_logarithmic { 1.0 } else { round_step((self.high - self.low) / TICKS) };
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let numbers = (first..=last).map(|count| count as f64 * step);
        let numbers = numbers.map(|it| if self.is_logarithmic { 10.0_f64.powf(it) } else { it });
        numbers
            .map(|number| Tick { at: format!("{:.1}", self.place(number)), words: short(number) })
            .collect()
    }
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = 10.0_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// A round number in few letters.
fn short(number: f64) -> String {
    let trimmed = |number: f64| {
        let text = format!("{number:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match number.abs() {
        size if size >= 1e6 => format!("{}M", trimmed(number / 1e6)),
        size if size >= 1e4 => format!("{}k", trimmed(number / 1e3)),
        _ => trimmed(number),
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    fn words(values: &[f64]) -> Vec<String> {
        let scale = Scale::over(values.iter().copied(), 0.0, 100.0).unwrap();
        scale.ticks().into_iter().map(|tick| tick.words).collect()
    }

    #[test]
    fn marks_are_round() {
        assert_eq!(words(&[3.0, 97.0]), ["0", "20", "40", "60", "80"]);
        assert_eq!(words(&[20_000.0, 45_000.0]), ["0", "10k", "20k", "30k", "40k"]);
        assert_eq!(words(&[0.5, 3000.0]), ["0.1", "1", "10", "100", "1000", "10k"]);
        assert_eq!(words(&[0.0, 0.0]), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn the_ends_of_an_axis_are_its_ends() {
        let scale = Scale::over([1.0, 1000.0].into_iter(), 10.0, 40.0).unwrap();
        assert!((scale.place(1.0) - 10.0).abs() < 1e-9 && (scale.place(1000.0) - 40.0).abs() < 1e-9);
        assert!((scale.place(10.0) - 20.0).abs() < 1e-9);
    }
}
