//! What an hour of an instance costs, by pricing tier. A missing offer is absent with a reason, never 0.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::instance::InstanceTypeName;
use crate::observed::Observed;

/// The region whose prices are shown where none is named.
pub const DEFAULT_REGION: &str = "us-east-1";

/// Hours of a year as AWS spreads an upfront fee over them.
const HOURS_PER_YEAR: f64 = 8760.0;

/// How a reserved instance is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// By the hour, whether it is used or not.
    NoUpfront,
    /// Half in advance, half by the hour.
    PartialUpfront,
    /// All in advance.
    AllUpfront,
}

/// How long a reserved instance is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// One year.
    OneYear,
    /// Three years.
    ThreeYears,
}

/// A pricing tier; the payment option is part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "TierWords", into = "TierWords")]
pub enum PricingTier {
    /// By the second, without commitment.
    OnDemand,
    /// A standard reserved instance.
    Reserved(Term, Payment),
    /// Spare capacity that AWS may take back; an average over time.
    Spot,
    /// A block of capacity bought for some days.
    CapacityBlock,
}

/// A tier as SQL and JSON write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TierWords {
    tier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<Payment>,
}

/// Why words name no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pricing tier: give on_demand, spot or capacity_block, or reserved_1_year or reserved_3_year with no_upfront, partial_upfront or all_upfront"
)]
pub struct InvalidTier(String);

/// The price of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HourlyPrice {
    /// US dollars or yuan an hour, with an upfront fee spread over the term.
    pub per_hour: f64,
    /// What is paid in advance, in the same currency.
    pub upfront: f64,
}

/// What one instance type costs in one region and tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// The instance type.
    pub instance_type: InstanceTypeName,
    /// AWS's name of the region, for instance `us-east-1`.
    pub region: String,
    /// The tier.
    #[serde(flatten)]
    pub tier: PricingTier,
    /// ISO 4217 code of the currency: `USD`, in China `CNY`.
    pub currency: String,
    /// The price, or why there is none.
    pub price: Observed<HourlyPrice>,
    /// For when the source states it.
    pub as_of: DateTime<Utc>,
    /// Where it comes from.
    pub source: String,
}

impl Payment {
    /// Every payment option.
    pub const ALL: [Self; 3] = [Self::NoUpfront, Self::PartialUpfront, Self::AllUpfront];

    /// The word in SQL, JSON and URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoUpfront => "no_upfront",
            Self::PartialUpfront => "partial_upfront",
            Self::AllUpfront => "all_upfront",
        }
    }

    /// The payment option that a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

impl Term {
    /// How long it is, in hours.
    #[must_use]
    pub fn hours(self) -> f64 {
        match self {
            Self::OneYear => HOURS_PER_YEAR,
            Self::ThreeYears => 3.0 * HOURS_PER_YEAR,
        }
    }
}

impl PricingTier {
    /// The words of all tiers, without their payment options.
    pub const WORDS: [&str; 5] =
        ["on_demand", "reserved_1_year", "reserved_3_year", "spot", "capacity_block"];

    /// Every tier with every payment option.
    pub fn all() -> impl Iterator<Item = Self> {
        let reserved = [Term::OneYear, Term::ThreeYears]
            .into_iter()
            .flat_map(|term| Payment::ALL.into_iter().map(move |payment| Self::Reserved(term, payment)));
        [Self::OnDemand].into_iter().chain(reserved).chain([Self::Spot, Self::CapacityBlock])
    }

    /// The word for the tier without its payment option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on_demand",
            Self::Reserved(Term::OneYear, _) => "reserved_1_year",
            Self::Reserved(Term::ThreeYears, _) => "reserved_3_year",
            Self::Spot => "spot",
            Self::CapacityBlock => "capacity_block",
        }
    }

    /// The payment option, which reserved instances alone have.
    #[must_use]
    pub fn payment(self) -> Option<Payment> {
        match self {
            Self::Reserved(_, payment) => Some(payment),
            Self::OnDemand | Self::Spot | Self::CapacityBlock => None,
        }
    }

    /// The tier that the words stand for.
    ///
    /// # Errors
    /// [`InvalidTier`] for unknown words, a reserved tier without a payment option, or another with one.
    pub fn from_words(tier: &str, payment: Option<Payment>) -> Result<Self, InvalidTier> {
        match (tier, payment) {
            ("on_demand", None) => Ok(Self::OnDemand),
            ("reserved_1_year", Some(payment)) => Ok(Self::Reserved(Term::OneYear, payment)),
            ("reserved_3_year", Some(payment)) => Ok(Self::Reserved(Term::ThreeYears, payment)),
            ("spot", None) => Ok(Self::Spot),
            ("capacity_block", None) => Ok(Self::CapacityBlock),
            _ => Err(InvalidTier(tier.to_owned())),
        }
    }
}

impl TryFrom<TierWords> for PricingTier {
    type Error = InvalidTier;

    fn try_from(words: TierWords) -> Result<Self, InvalidTier> {
        Self::from_words(&words.tier, words.payment)
    }
}

impl From<PricingTier> for TierWords {
    fn from(tier: PricingTier) -> Self {
        Self { tier: tier.as_str().to_owned(), payment: tier.payment() }
    }
}

impl HourlyPrice {
    /// The effective price of a reserved hour: what is paid by the hour, and the upfront fee spread over the term.
    #[must_use]
    pub fn reserved(term: Term, per_hour: f64, upfront: f64) -> Self {
        Self { per_hour: per_hour + upfront / term.hours(), upfront }
    }
}

#[cfg(test)]
mod tests {
    use super::{HourlyPrice, Payment, Price, PricingTier, Term};
    use crate::observed::Observed;

    #[test]
    fn an_upfront_fee_is_spread_over_the_term() {
        // m5.large in us-east-1, 2020: USD 494 in advance for a year.
        let all_upfront = HourlyPrice::reserved(Term::OneYear, 0.0, 494.0);
        assert!((all_upfront.per_hour - 0.056_393).abs() < 1e-6, "{all_upfront:?}");
        let partial = HourlyPrice::reserved(Term::ThreeYears, 0.02, 500.0);
        assert!((partial.per_hour - (0.02 + 500.0 / 26_280.0)).abs() < 1e-12);
    }

    #[test]
    fn a_tier_is_its_words() {
        for tier in [
            PricingTier::OnDemand,
            PricingTier::Reserved(Term::OneYear, Payment::NoUpfront),
            PricingTier::Reserved(Term::ThreeYears, Payment::AllUpfront),
            PricingTier::Spot,
            PricingTier::CapacityBlock,
        ] {
            assert_eq!(PricingTier::from_words(tier.as_str(), tier.payment()), Ok(tier));
            assert!(PricingTier::WORDS.contains(&tier.as_str()));
        }
        assert!(PricingTier::from_words("reserved_1_year", None).is_err());
        assert!(PricingTier::from_words("on_demand", Some(Payment::NoUpfront)).is_err());
    }

    #[test]
    fn a_price_in_json_says_tier_and_payment_side_by_side() {
        let price = Price {
            instance_type: "g6e.xlarge".parse().unwrap(),
            region: "us-east-1".to_owned(),
            tier: PricingTier::Reserved(Term::OneYear, Payment::AllUpfront),
            currency: "USD".to_owned(),
            price: Observed::Value(HourlyPrice { per_hour: 1.1, upfront: 9636.0 }),
            as_of: chrono::DateTime::UNIX_EPOCH,
            source: "test".to_owned(),
        };
        let json = serde_json::to_value(&price).unwrap();
        assert_eq!((&json["tier"], &json["payment"]), (&"reserved_1_year".into(), &"all_upfront".into()));
        assert_eq!(serde_json::from_value::<Price>(json).unwrap(), price);
    }
}
