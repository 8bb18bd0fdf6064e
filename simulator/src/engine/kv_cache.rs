//! The key-value cache: a number of blocks, of which sequences hold some. Blocks need no identity, because nothing is
//! shared between sequences (prefix caching is not modelled).

/// Tokens that one block holds, as in vLLM on GPU.
pub(crate) const BLOCK_TOKENS: u64 = 16;

/// Counts the free blocks.
#[derive(Debug, Clone)]
pub(crate) struct KvCache {
    total_blocks: u64,
    free_blocks: u64,
}

impl KvCache {
    pub(crate) fn new(total_blocks: u64) -> Self {
        Self { total_blocks, free_blocks: total_blocks }
    }

    /// Grows a holding of `held_blocks` until it holds `tokens`; says whether there was room.
    pub(crate) fn grow(&mut self, held_blocks: &mut u64, tokens: u64) -> bool {
        let more = tokens.div_ceil(BLOCK_TOKENS).saturating_sub(*held_blocks);
        if more > self.free_blocks {
            return false;
        }
        self.free_blocks -= more;
        *held_blocks += more;
        true
    }

    /// Takes a whole holding back.
    pub(crate) fn release(&mut self, held_blocks: &mut u64) {
        self.free_blocks += std::mem::take(held_blocks);
    }

    /// Share in use, 0 to 1.
    pub(crate) fn usage(&self) -> f64 {
        if self.total_blocks == 0 {
            return 0.0;
        }
        1.0 - self.free_blocks as f64 / self.total_blocks as f64
    }
}

#[cfg(test)]
mod tests {
    use super::KvCache;

    #[test]
    fn blocks_are_taken_when_needed_and_given_back() {
        let mut cache = KvCache::new(4);
        let (mut first, mut second) = (0, 0);
        assert!(cache.grow(&mut first, 16) && first == 1);
        assert!(cache.grow(&mut first, 17) && first == 2);
        assert!(!cache.grow(&mut second, 33) && second == 0);
        assert!(cache.grow(&mut second, 32) && (cache.usage() - 1.0).abs() < 1e-12);
        cache.release(&mut first);
        assert!((cache.usage() - 0.5).abs() < 1e-12 && first == 0);
    }
}
