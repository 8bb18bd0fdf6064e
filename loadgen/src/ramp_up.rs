//! The beginning of a load that rises evenly from nothing to what was asked for, so that an engine does not see
//! everybody at once. It belongs to the warm-up: nothing of it is measured.

use std::time::Duration;

/// How long the load takes to rise; zero for one that is there at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RampUp(Duration);

impl RampUp {
    /// A load that rises for this long, in seconds. Whatever is no length of time is none.
    pub(crate) fn over(seconds: f64) -> Self {
        Self(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }

    pub(crate) fn length(self) -> Duration {
        self.0
    }

    /// When the user with this number of `users` begins a closed loop.
    pub(crate) fn start_of(self, user: usize, users: usize) -> Duration {
        self.0.mul_f64(user as f64 / users.max(1) as f64)
    }

    /// When a request of an open loop comes that would come at `moment_s`, in seconds, were the load there at once. While
    /// the rate rises evenly, as many come until t as otherwise until t²/2 over its length: no request is left out.
    pub(crate) fn delayed_s(self, moment_s: f64) -> f64 {
        let length_s = self.0.as_secs_f64();
        if moment_s < length_s / 2.0 { (2.0 * length_s * moment_s).sqrt() } else { moment_s + length_s / 2.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RampUp;

    #[test]
    fn users_begin_one_after_the_other() {
        let starts: Vec<Duration> = (0..4).map(|user| RampUp::over(2.0).start_of(user, 4)).collect();
        assert_eq!(starts, [0, 500, 1000, 1500].map(Duration::from_millis));
        assert_eq!(RampUp::default().start_of(3, 4), Duration::ZERO);
    }

    #[test]
    fn a_rate_rises_evenly_and_then_stays() {
        let (ramp_up, per_s) = (RampUp::over(10.0), 100.0);
        let moments: Vec<f64> = (0..2000).map(|index| ramp_up.delayed_s(f64::from(index) / per_s)).collect();
        let in_second =
            |second: u32| moments.iter().filter(|moment| **moment as u32 == second).count() as f64;
        for (second, expected) in [(0, 5.0), (4, 45.0), (9, 95.0), (10, 100.0), (14, 100.0)] {
            assert!((in_second(second) - expected).abs() <= 1.0, "{second}: {}", in_second(second));
        }
        assert!(moments.is_sorted());
    }

    #[test]
    fn what_is_no_length_is_none() {
        for seconds in [f64::NAN, -1.0, f64::INFINITY, 0.0] {
            assert_eq!(RampUp::over(seconds), RampUp::default());
        }
        assert!((RampUp::default().delayed_s(3.25) - 3.25).abs() < 1e-12);
    }
}
