//! Over what a model is split: as few accelerators as hold it with the requests that are asked for, reckoned by
//! [`crate::fit`] within what the profile allows.

use super::parallelism::Parts;
use super::precision::{Precision, Wish};
use super::{DeploymentRequest, Parallelism, Unsupported};
use crate::fit::{
    Demand, Fit, KvCachePrecision, Misfit, MissingFact, ModelFacts, Possible, Room, Split, fit_within,
    weights_gib,
};
use crate::model::{Model, Quantization};

/// The question of fit, all but the degree.
pub(super) struct Fitting<'a> {
    request: &'a DeploymentRequest<'a>,
    parts: &'a Parts,
    quantization: Quantization,
    facts: ModelFacts,
    possible: Possible,
    most_sequences: u32,
}

/// How a model is spread, and what room that leaves.
pub(super) struct Spread {
    pub(super) parallelism: Parallelism,
    /// Nothing where the size of the model's cache is not known.
    pub(super) room: Option<Room>,
}

/// Memory of the weights so stored, in GiB.
pub(super) fn gib_of_weights(model: &Model, quantization: Quantization) -> Result<f64, Unsupported> {
    let unknown =
        || Unsupported::UnknownFact { what: "number of parameters", of: model.model.as_str().to_owned() };
    Ok(weights_gib(model.params_total_b.ok_or_else(unknown)?, quantization))
}

impl<'a> Fitting<'a> {
    pub(super) fn of(
        request: &'a DeploymentRequest<'a>,
        parts: &'a Parts,
        wish: &Wish<'_>,
        precision: &Precision,
    ) -> Self {
        let served = |&quantization: &Quantization| {
            Wish { asked: Some(quantization), ..*wish }
                .precision()
                .is_ok_and(|it| it.quantization == quantization)
        };
        let possible = Possible {
            parts_per_accelerator: parts.per_chip,
            degrees: parts.degrees(),
            quantizations: [Quantization::Fp8, Quantization::Int4].into_iter().filter(served).collect(),
            // No run asks for another one yet.
            kv_caches: vec![KvCachePrecision::Bf16],
        };
        Self {
            request,
            parts,
            quantization: precision.quantization,
            facts: ModelFacts::from(request.model),
            possible,
            most_sequences: wish.profile.profile().most_sequences,
        }
    }

    /// The spread that was asked for if the model fits so; otherwise the smallest that holds all requests at their full
    /// length, or the one that holds most of them.
    pub(super) fn spread(&self) -> Result<Spread, Unsupported> {
        if let Some(asked) = self.request.tensor_parallel {
            return self.at(asked)?.map_err(|misfit| self.refusal(misfit));
        }
        let mut best: Option<Spread> = None;
        let mut refused = None;
        for &degree in &self.possible.degrees {
            match self.at(degree)? {
                Ok(spread) if spread.waiting() == 0 => return Ok(spread),
                Ok(spread) => match &best {
                    Some(known) if known.waiting() <= spread.waiting() => {}
                    _ => best = Some(spread),
                },
                Err(misfit) => refused = Some(misfit),
            }
        }
        match (best, refused) {
            (Some(spread), _) => Ok(spread),
            (None, Some(misfit)) => Err(self.refusal(misfit)),
            (None, None) => Err(Unsupported::Accelerator(self.request.instance.instance_type.clone())),
        }
    }

    fn at(&self, degree: u32) -> Result<Result<Spread, Misfit>, Unsupported> {
        let parallelism = self.parts.spread(degree)?;
        let sequences = self.request.sequences.div_ceil(parallelism.data_parallel.max(1));
        let demand = Demand {
            quantization: self.quantization,
            kv_cache: KvCachePrecision::Bf16,
            context_tokens: self.request.max_context_tokens(),
            sequences: sequences.clamp(1, self.most_sequences),
        };
        let split = Split::tensor_parallel(degree);
        match fit_within(&self.facts, self.request.instance, &demand, split, &self.possible) {
            Fit::Fits(room) => Ok(Ok(Spread { parallelism, room: Some(room) })),
            Fit::DoesNotFit(misfit) => Ok(Err(misfit)),
            Fit::Unknown { missing: MissingFact::KvCacheBytesPerToken } => {
                Ok(Ok(Spread { parallelism, room: None }))
            }
            Fit::Unknown { missing } => Err(self.unknown(missing)),
        }
    }

    fn refusal(&self, misfit: Misfit) -> Unsupported {
        Unsupported::DoesNotFit {
            model: self.request.model.model.clone(),
            instance_type: self.request.instance.instance_type.clone(),
            misfit: Box::new(misfit),
        }
    }

    fn unknown(&self, missing: MissingFact) -> Unsupported {
        let (what, of) = match missing {
            MissingFact::AcceleratorCount => {
                ("number of accelerators", self.request.instance.instance_type.as_str())
            }
            MissingFact::AcceleratorMemory => {
                ("accelerator memory", self.request.instance.instance_type.as_str())
            }
            _ => ("number of parameters", self.request.model.model.as_str()),
        };
        Unsupported::UnknownFact { what, of: of.to_owned() }
    }
}

impl Spread {
    /// Requests that wait for room, over all replicas.
    fn waiting(&self) -> u32 {
        self.room
            .map_or(0, |room| room.waiting_sequences.saturating_mul(self.parallelism.data_parallel.max(1)))
    }
}
