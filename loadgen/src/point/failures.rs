//! Failed requests in words: how many in a row, and which failure was the commonest.

use std::collections::BTreeMap;

use crate::sample::{Failure, Sample};

/// Different messages that are told apart; engines that put a time or an id into each would fill the memory.
const MOST_MESSAGES: usize = 64;

/// What went wrong so far.
#[derive(Debug, Default)]
pub(super) struct Failures {
    pub(super) in_a_row: usize,
    by_message: BTreeMap<String, u64>,
}

impl Failures {
    /// Takes what became of a request.
    pub(super) fn note(&mut self, sample: &Sample) {
        match &sample.outcome {
            Ok(_) => self.in_a_row = 0,
            Err(failure) => {
                self.in_a_row += 1;
                self.count(failure);
            }
        }
    }

    /// The commonest failure, in words.
    pub(super) fn commonest(&self) -> Option<&str> {
        self.by_message.iter().max_by_key(|(_, count)| **count).map(|(message, _)| message.as_str())
    }

    fn count(&mut self, failure: &Failure) {
        if let Some(count) = self.by_message.get_mut(&failure.message) {
            *count += 1;
        } else if self.by_message.len() < MOST_MESSAGES {
            self.by_message.insert(failure.message.clone(), 1);
        }
    }
}
