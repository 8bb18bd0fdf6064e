//! Values that only grow, and means of those that go up and down, over the looks of a window.

use std::time::Duration;

use accelbench_core::observed::Observed;

/// How much a counter grew between the first and the last look, and in how many seconds. `None` with fewer than two
/// looks that know it, or when it fell in between: the engine was started anew.
pub(super) fn growth<T>(looks: &[(Duration, T)], of: impl Fn(&T) -> Option<f64>) -> Option<(f64, f64)> {
    let known: Vec<(Duration, f64)> = looks.iter().filter_map(|(at, look)| Some((*at, of(look)?))).collect();
    let ((first_at, first), (last_at, last)) = (known.first()?, known.last()?);
    let seconds = last_at.saturating_sub(*first_at).as_secs_f64();
    let growing = known.is_sorted_by(|(_, before), (_, after)| before <= after);
    (seconds > 0.0 && growing).then_some((last - first, seconds))
}

/// The mean of a gauge over the looks that know it.
pub(super) fn mean<T>(looks: &[(Duration, T)], of: impl Fn(&T) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = looks.iter().filter_map(|(_, look)| of(look)).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// The largest value of a gauge over the looks that know it.
pub(super) fn max<T>(looks: &[(Duration, T)], of: impl Fn(&T) -> Option<f64>) -> Option<f64> {
    looks.iter().filter_map(|(_, look)| of(look)).reduce(f64::max)
}

/// A value that may be missing, with the reason for that.
pub(super) fn observed(value: Option<f64>, reason: &str) -> Observed<f64> {
    value.map_or_else(|| Observed::absent(reason), Observed::Value)
}
