//! The beginning of each prompt, unlike that of any other, so that no prefix cache can answer: eight digits, since
//! nearly all tokenizers split digits by rule and make equally many tokens of each.

use accelbench_core::run::RunId;

/// Bytes of a nonce: eight digits and a space.
pub(super) const NONCE_LENGTH: usize = 9;

const NONCES: u64 = 100_000_000;

/// Has no factor in common with the number of nonces, so that its multiples meet each once.
const STEP: u64 = 61_803_399;

/// The nonces of one load point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nonces {
    first: u64,
}

impl Nonces {
    /// The nonces of a load point. They differ between runs: an engine that still runs from an earlier run of the same
    /// plan may have that run's prompts in its cache.
    pub(super) fn new(run_id: RunId, load_point_index: u32) -> Self {
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = run_id.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, mix);
        Self { first: (hash % NONCES + u64::from(load_point_index) * (NONCES / 7)) % NONCES }
    }

    /// The nonce of a request, different for each of a load point.
    pub(super) fn get(self, request: usize) -> String {
        let number = (self.first + (request as u64 % NONCES) * STEP) % NONCES;
        format!("{number:08} ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use accelbench_core::run::RunId;

    use super::{NONCE_LENGTH, Nonces};

    #[test]
    fn no_two_requests_of_a_load_point_begin_alike() {
        let nonces = Nonces::new(RunId::new(), 0);
        let seen: BTreeSet<String> = (0..20_000).map(|request| nonces.get(request)).collect();
        assert_eq!(seen.len(), 20_000);
        assert!(seen.iter().all(|nonce| nonce.len() == NONCE_LENGTH));
    }

    #[test]
    fn runs_and_load_points_begin_differently() {
        let (run, other) = (RunId::new(), RunId::new());
        assert_eq!(Nonces::new(run, 1), Nonces::new(run, 1));
        assert_ne!(Nonces::new(run, 1).get(0), Nonces::new(run, 2).get(0));
        assert_ne!(Nonces::new(run, 1).get(0), Nonces::new(other, 1).get(0));
    }
}
