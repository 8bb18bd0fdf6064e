//! The dataset's text as one endless string, in the order of the seed.

use accelbench_core::dataset::Prompt;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

/// The text from which prompts are cut.
#[derive(Debug)]
pub(crate) struct Corpus {
    characters: Vec<char>,
}

impl Corpus {
    /// Joins the prompts of a dataset.
    pub(crate) fn new(dataset: &[Prompt], seed: u64) -> Self {
        let mut texts: Vec<_> = dataset.iter().map(|prompt| prompt.content.to_text()).collect();
        texts.shuffle(&mut StdRng::seed_from_u64(seed));
        Self { characters: texts.join("\n\n").chars().collect() }
    }

    /// Number of characters before the text begins again.
    pub(crate) fn len(&self) -> usize {
        self.characters.len()
    }

    /// The first `characters` characters of `nonce` followed by the text from `start` on.
    pub(crate) fn text(&self, nonce: &str, start: usize, characters: usize) -> String {
        nonce.chars().chain(self.characters.iter().copied().cycle().skip(start)).take(characters).collect()
    }
}
