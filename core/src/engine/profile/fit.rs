//! Whether weights fit, and over what they are split: rules of thumb until a model of fit replaces this file.

use super::parallelism::Parts;
use super::precision::Wish;
use super::{ChipGeneration, DeploymentRequest, Nearest, Parallelism, Unsupported};
use crate::model::{Model, Quantization};

/// The share of an accelerator's memory that the engine uses.
const MEMORY_SHARE: f64 = 0.9;

/// The smallest of the `degrees` at which weights leave room for activations and the key-value cache: a fifth of their
/// own size and 1 GiB on each part, within the share of the memory that the engine uses. A rule of thumb, kept in one
/// place for the model of fit that is to replace it.
#[must_use]
pub fn smallest_tensor_parallel(weights_gib: f64, part_memory_gib: f64, degrees: &[u32]) -> Option<u32> {
    let has_room = |&degree: &u32| {
        let parts = f64::from(degree);
        weights_gib * 1.2 + parts <= part_memory_gib * MEMORY_SHARE * parts
    };
    degrees.iter().copied().find(has_room)
}

/// Memory of the weights, in GiB.
pub(super) fn gib_of_weights(model: &Model, bytes_per_weight: f64) -> Result<f64, Unsupported> {
    let unknown =
        || Unsupported::UnknownFact { what: "number of parameters", of: model.model.as_str().to_owned() };
    Ok(model.params_total_b.ok_or_else(unknown)? * 1e9 * bytes_per_weight / f64::from(1 << 30))
}

/// The spread that was asked for if the weights fit at all, otherwise the smallest with room.
pub(super) fn spread(
    request: &DeploymentRequest<'_>,
    parts: &Parts,
    weights_gib: f64,
) -> Result<Parallelism, Unsupported> {
    let degrees = parts.degrees();
    let smallest = smallest_tensor_parallel(weights_gib, parts.memory_gib, &degrees);
    let too_large = |count: u32, nearest| Unsupported::TooLarge {
        model: request.model.model.clone(),
        weights_gib,
        instance_type: request.instance.instance_type.clone(),
        parts: count,
        unit: parts.unit,
        memory_gib: parts.memory_gib * MEMORY_SHARE * f64::from(count),
        nearest,
    };
    let Some(asked) = request.tensor_parallel else {
        let nearest = smaller_quantization(request, parts);
        let degree = smallest.ok_or_else(|| too_large(parts.most(), nearest))?;
        return parts.spread(degree);
    };
    let parallelism = parts.spread(asked)?;
    if weights_gib > parts.memory_gib * MEMORY_SHARE * f64::from(asked) {
        let nearest = match smallest {
            Some(_) => Nearest { quantization: None, tensor_parallel: smallest },
            None => smaller_quantization(request, parts),
        };
        return Err(too_large(asked, nearest));
    }
    Ok(parallelism)
}

/// A quantisation in which the weights would fit, where they can be converted.
fn smaller_quantization(request: &DeploymentRequest<'_>, parts: &Parts) -> Nearest {
    let generation = ChipGeneration::of(request.instance);
    let fits = |&quantization: &Quantization| {
        let wish = generation.map(|generation| Wish {
            model: &request.model.model,
            asked: Some(quantization),
            profile: generation.profile(),
            generation,
        });
        let precision = wish.and_then(|wish| wish.precision().ok());
        precision
            .and_then(|precision| gib_of_weights(request.model, precision.bytes_per_weight).ok())
            .is_some_and(|gib| smallest_tensor_parallel(gib, parts.memory_gib, &parts.degrees()).is_some())
    };
    let quantization = [Quantization::Fp8, Quantization::Int4].into_iter().find(fits);
    Nearest { quantization, tensor_parallel: None }
}
