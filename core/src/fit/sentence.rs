//! The answer in words, with its numbers.

use std::fmt;

use super::{Fit, Misfit, MissingFact, Room, Shortage};

impl fmt::Display for Fit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fits(room) => room.fmt(formatter),
            Self::DoesNotFit(misfit) => misfit.fmt(formatter),
            Self::Unknown { missing } => {
                write!(formatter, "whether it fits is not known: {missing}")
            }
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "fits at tensor parallel {}: of {:.1} GiB on each {} {:.1} are usable, weights take {:.1} and the engine \
             {:.1}; the {:.1} GiB left hold the cache of {} tokens, which is {} sequences of full length",
            self.split.tensor_parallel,
            self.memory_gib,
            part(self.parts_per_accelerator),
            self.usable_gib,
            self.weights_gib,
            self.overhead_gib,
            self.kv_cache_gib,
            self.kv_cache_tokens,
            self.full_length_sequences,
        )?;
        if self.waiting_sequences > 0 {
            write!(formatter, "; {} of those asked for would wait", self.waiting_sequences)?;
        }
        Ok(())
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "does not fit at tensor parallel {}: {}",
            self.split.tensor_parallel,
            self.shortage.words(part(self.parts_per_accelerator))
        )?;
        if self.alternatives.is_empty() {
            return formatter.write_str("; nothing makes it fit this instance type: choose a larger one");
        }
        let alternatives: Vec<String> = self.alternatives.iter().map(ToString::to_string).collect();
        write!(formatter, "; it would fit with {}", alternatives.join(", or with "))
    }
}

/// What has the memory that is spoken of.
fn part(parts_per_accelerator: u32) -> &'static str {
    if parts_per_accelerator > 1 { "NeuronCore" } else { "accelerator" }
}

impl Shortage {
    /// What is short, where `part` is what has the memory.
    fn words(&self, part: &str) -> String {
        match *self {
            Self::Accelerators { needed, available } => {
                format!("{needed} {part}s are needed and {available} are there")
            }
            Self::Heads { attention_heads: Some(heads) } => {
                format!(
                    "the {heads} attention heads cannot be split so; use a power of two that divides them"
                )
            }
            Self::Heads { attention_heads: None } => "the degree must be a power of two".to_owned(),
            Self::ContextLimit { max_context_tokens, context_tokens } => {
                format!("the model is configured for {max_context_tokens} tokens, not for {context_tokens}")
            }
            Self::Weights { weights_gib, overhead_gib, usable_gib } => format!(
                "of {usable_gib:.1} GiB usable on each {part} weights take {weights_gib:.1} and the engine \
                 {overhead_gib:.1}, which is {:.1} too much",
                weights_gib + overhead_gib - usable_gib,
            ),
            Self::KvCache { weights_gib, overhead_gib, usable_gib, kv_cache_tokens, context_tokens } => {
                format!(
                    "of {usable_gib:.1} GiB usable on each {part} weights take {weights_gib:.1} and the engine \
                 {overhead_gib:.1}; the {:.1} left hold the cache of {kv_cache_tokens} tokens, {} too few for one \
                 sequence of {context_tokens}",
                    usable_gib - weights_gib - overhead_gib,
                    u64::from(context_tokens).saturating_sub(kv_cache_tokens),
                )
            }
        }
    }
}

impl fmt::Display for MissingFact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Parameters => "the model's number of parameters is missing",
            Self::KvCacheBytesPerToken => "the model's key-value cache per token is missing",
            Self::AcceleratorCount => "the instance type's number of accelerators is missing",
            Self::AcceleratorBandwidth => {
                "the memory bandwidth of the instance type's accelerators is missing"
            }
            Self::Layers => "the model's number of layers is missing",
            Self::AcceleratorMemory => "the memory of the instance type's accelerators is missing",
        })
    }
}
