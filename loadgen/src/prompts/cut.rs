//! Cuts a text so that the engine counts exactly the asked number of tokens in it.

use anyhow::Context as _;

use crate::engine::Engine;
use crate::engine::tokenizer::Tokenizer;
use crate::prompts::Corpus;

/// Characters for each token to begin with; the search corrects it.
const CHARACTERS_PER_TOKEN: f64 = 4.0;

/// Counts for one prompt at most. Some lengths cannot be met exactly; the nearest is taken then.
const MOST_COUNTS: usize = 16;

/// A text of `tokens` tokens, made of `nonce` and the corpus from `start` on.
pub(super) async fn to_length(
    engine: &Engine,
    tokenizer: Tokenizer,
    corpus: &Corpus,
    start: usize,
    nonce: &str,
    tokens: usize,
) -> anyhow::Result<String> {
    let compose = |characters: usize| corpus.text(nonce, start, characters);
    let count = async |characters: usize| {
        let counted = tokenizer.count(engine, &compose(characters)).await;
        counted.context("the engine stopped counting tokens while the prompts were cut")
    };
    Ok(compose(search(tokens, count).await?))
}

/// Finds the number of characters with which `count` gives `tokens`, or comes nearest.
async fn search(tokens: usize, count: impl AsyncFn(usize) -> anyhow::Result<usize>) -> anyhow::Result<usize> {
    // Invariant: `low` characters have fewer tokens than wanted, `high` have more.
    let (mut low, mut high) = ((0, 0), None);
    let mut guess = ((tokens as f64 * CHARACTERS_PER_TOKEN) as usize).max(1);
    let mut nearest = (guess, usize::MAX);
    for _ in 0..MOST_COUNTS {
        let counted = count(guess).await?;
        let distance = counted.abs_diff(tokens);
        if distance < nearest.1 {
            nearest = (guess, distance);
        }
        if distance == 0 {
            break;
        }
        if counted < tokens {
            low = (guess, counted);
        } else {
            high = Some((guess, counted));
        }
        let Some(next) = next_guess(tokens, low, high, (guess, counted)) else { break };
        guess = next;
    }
    Ok(nearest.0)
}

fn next_guess(
    tokens: usize,
    low: (usize, usize),
    high: Option<(usize, usize)>,
    last: (usize, usize),
) -> Option<usize> {
    let Some(high) = high else {
        // Too short so far: as many characters more as the tokens seen suggest.
        let per_token = last.0 as f64 / last.1.max(1) as f64;
        let more = ((tokens - last.1) as f64 * per_token).ceil() as usize;
        return Some(last.0 + more.max(1));
    };
    if high.0 <= low.0 + 1 {
        return None;
    }
    let share = (tokens - low.1) as f64 / (high.1 - low.1).max(1) as f64;
    let between = low.0 + ((high.0 - low.0) as f64 * share) as usize;
    Some(between.clamp(low.0 + 1, high.0 - 1))
}

#[cfg(test)]
mod tests {
    use super::search;

    #[tokio::test]
    async fn the_length_is_met_whatever_the_tokenizer() {
        for per_token in [1, 3, 4, 7] {
            for tokens in [1, 2, 17, 224, 5000] {
                let characters =
                    search(tokens, async |characters| Ok(characters.div_ceil(per_token))).await.unwrap();
                assert_eq!(characters.div_ceil(per_token), tokens, "{per_token}");
            }
        }
    }

    #[tokio::test]
    async fn the_nearest_is_taken_where_a_length_cannot_be_met() {
        // Tokens come in threes.
        let count = async |characters: usize| Ok(characters / 10 * 3);
        let characters = search(100, count).await.unwrap();
        assert!((characters / 10 * 3).abs_diff(100) <= 2, "{characters}");
    }

    #[tokio::test]
    async fn an_engine_that_stops_counting_is_an_error() {
        assert!(search(10, async |_| Err(anyhow::anyhow!("gone"))).await.is_err());
    }
}
