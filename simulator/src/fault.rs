//! Which fault a request meets: drawn by the seed and the request's number, at most one.

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::FaultOptions;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered with HTTP 500.
    Refuse,
    /// Something happens before the token with this index is sent.
    During { token: u32, what: Incident },
}

/// What happens in the middle of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incident {
    /// The connection is cut.
    Cut,
    /// The stream ends in an error event.
    ErrorEvent,
    /// Nothing is sent for a while.
    Stall(Duration),
}

impl Fault {
    /// Draws the fault of a request with an answer of `output_tokens`.
    pub(crate) fn draw(options: &FaultOptions, random_seed: u64, output_tokens: u32) -> Option<Self> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(random_seed);
        let mut draw: f64 = random.random();
        // In the middle: after the first token, before the last, where the answer is long enough to have a middle.
        let token = random.random_range(1..=output_tokens.saturating_sub(1).max(1));
        let token = token.min(output_tokens.saturating_sub(1));
        let stall = Duration::from_secs_f64(options.stall_ms / 1e3);
        let during = |what| Self::During { token, what };
        let faults = [
            (options.error_share, Self::Refuse),
            (options.abort_share, during(Incident::Cut)),
            (options.error_event_share, during(Incident::ErrorEvent)),
            (options.stall_share, during(Incident::Stall(stall))),
        ];
        faults.into_iter().find_map(|(share, fault)| {
            draw -= share;
            (draw < 0.0).then_some(fault)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Incident};
    use crate::SimulatorOptions;

    #[test]
    fn shares_are_met_and_equal_seeds_draw_equal_faults() {
        let mut options = SimulatorOptions::default().faults;
        options.error_share = 0.2;
        options.abort_share = 0.1;
        let draw = |seed| Fault::draw(&options, seed, 50);
        let count = |wanted: fn(&Fault) -> bool| (0..10_000).filter_map(draw).filter(wanted).count();
        let refused = count(|fault| matches!(fault, Fault::Refuse));
        let cut = count(|fault| matches!(fault, Fault::During { what: Incident::Cut, .. }));
        assert!((1_850..2_150).contains(&refused), "{refused}");
        assert!((850..1_150).contains(&cut), "{cut}");
        assert!((0..100).all(|seed| draw(seed) == draw(seed)));
    }

    #[test]
    fn incidents_happen_within_the_answer() {
        let mut options = SimulatorOptions::default().faults;
        options.abort_share = 1.0;
        for output_tokens in 1..20 {
            for seed in 0..50 {
                let Some(Fault::During { token, .. }) = Fault::draw(&options, seed, output_tokens) else {
                    panic!("no fault");
                };
                assert!(token < output_tokens && (token > 0 || output_tokens == 1));
            }
        }
    }
}
