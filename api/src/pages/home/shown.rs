//! The answer arranged for reading: of each instance type its cheapest configuration, with the evidence in words.

use accelbench_core::recommendation::{Certainty, Choice, Evidence, Excluded, Recommendation};

use crate::decision::Decision;

/// The cheapest configuration of an instance type that keeps the limits at the load.
pub(crate) struct Offer {
    pub(crate) choice: Choice,
    /// How many other configurations of the same instance type keep them too.
    pub(crate) others: usize,
    /// The pages of the points that it rests on.
    pub(crate) evidence: Vec<(String, String)>,
}

/// An instance type none of whose configurations is a choice.
pub(crate) struct Loser {
    pub(crate) excluded: Excluded,
    /// How many other configurations of it lose as well.
    pub(crate) others: usize,
}

/// The choices, the cheapest first.
pub(crate) fn offers(decision: &Decision) -> Vec<Offer> {
    let Recommendation::Found { choices, .. } = &decision.recommendation else { return Vec::new() };
    let mut offers: Vec<Offer> = Vec::new();
    for choice in choices {
        let instance_type = &choice.configuration.instance_type;
        match offers.iter_mut().find(|offer| offer.choice.configuration.instance_type == *instance_type) {
            Some(offer) => offer.others += 1,
            None => offers.push(Offer { choice: choice.clone(), others: 0, evidence: evidence(choice) }),
        }
    }
    offers
}

/// The instance types that are no choice.
pub(crate) fn losers(decision: &Decision, offers: &[Offer]) -> Vec<Loser> {
    let excluded = match &decision.recommendation {
        Recommendation::Found { excluded, .. }
        | Recommendation::NothingMeets { excluded }
        | Recommendation::NotEnoughData { excluded, .. } => excluded,
    };
    let is_offered = |loser: &&Excluded| {
        offers
            .iter()
            .any(|offer| offer.choice.configuration.instance_type == loser.configuration.instance_type)
    };
    let mut losers: Vec<Loser> = Vec::new();
    for excluded in excluded.iter().filter(|loser| !is_offered(loser)) {
        let instance_type = &excluded.configuration.instance_type;
        match losers.iter_mut().find(|loser| loser.excluded.configuration.instance_type == *instance_type) {
            Some(loser) => loser.others += 1,
            None => losers.push(Loser { excluded: excluded.clone(), others: 0 }),
        }
    }
    losers
}

/// The pages of the points that a choice rests on, with the load of each.
fn evidence(choice: &Choice) -> Vec<(String, String)> {
    let points = choice.sustainable.basis.points();
    let page = |evidence: &Evidence| match evidence {
        Evidence::Result(id) => format!("/results/{}", id.0),
        Evidence::Published(id) => format!("/published/{id}"),
    };
    points.into_iter().map(|point| (page(&point.result), point.offered_load.to_string())).collect()
}

impl Offer {
    /// How sure it is that the limits are kept.
    pub(crate) fn certainty(&self) -> &'static str {
        match self.choice.sustainable.certainty {
            Certainty::Clear => "kept by more than chance",
            Certainty::WithinError => "kept, but within the error of the measurement",
            Certainty::Unknown => "kept by the published number; its error is not known",
        }
    }

    /// The oldest point that it rests on, as a day.
    pub(crate) fn oldest(&self) -> String {
        let points = self.choice.sustainable.basis.points();
        let oldest = points.iter().map(|point| point.recorded_at).min();
        oldest.map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default()
    }
}
