//! What an hour of an instance costs, by pricing tier. A missing offer is absent with a reason, never 0.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::instance::InstanceTypeName;
use crate::observed::Observed;

/// The region whose prices are shown where none is named.
pub const DEFAULT_REGION: &str = "us-east-1";

/// Hours of a year as AWS spreads an upfront fee over them.
const HOURS_PER_YEAR: f64 = 8760.0;

/// How a commitment is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// By the hour, whether it is used or not.
    NoUpfront,
    /// Half in advance, half by the hour.
    PartialUpfront,
    /// All in advance.
    AllUpfront,
}

/// How long a commitment binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// One year.
    OneYear,
    /// Three years.
    ThreeYears,
}

/// A pricing tier; the payment option is part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "TierWords", into = "TierWords")]
pub enum PricingTier {
    /// By the second, without commitment.
    OnDemand,
    /// A standard reserved instance.
    Reserved(Term, Payment),
    /// A Compute Savings Plan, which any instance type of any region draws on.
    SavingsPlan(Term, Payment),
    /// Spare capacity that AWS may take back; an average over time.
    Spot,
    /// A block of capacity bought for some days.
    CapacityBlock,
}

/// A tier as SQL and JSON write it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct TierWords {
    tier: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<Payment>,
}

/// Why words name no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pricing tier: give on_demand, spot or capacity_block, or reserved_1_year, reserved_3_year, savings_plan_1_year or savings_plan_3_year with no_upfront, partial_upfront or all_upfront"
)]
pub struct InvalidTier(String);

/// The price of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HourlyPrice {
    /// US dollars or yuan an hour, with an upfront fee spread over the term.
    pub per_hour: f64,
    /// What is paid in advance, in the same currency.
    pub upfront: f64,
}

/// What one instance type costs in one region and tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    pub const WORDS: [&str; 7] = [
        "on_demand",
        "reserved_1_year",
        "reserved_3_year",
        "savings_plan_1_year",
        "savings_plan_3_year",
        "spot",
        "capacity_block",
    ];

    /// Every tier with every payment option.
    pub fn all() -> impl Iterator<Item = Self> {
        let bound = |tier: fn(Term, Payment) -> Self| {
            let terms = [Term::OneYear, Term::ThreeYears].into_iter();
            terms.flat_map(move |term| Payment::ALL.into_iter().map(move |payment| tier(term, payment)))
        };
        let committed = bound(Self::Reserved).chain(bound(Self::SavingsPlan));
        [Self::OnDemand].into_iter().chain(committed).chain([Self::Spot, Self::CapacityBlock])
    }

    /// Whether the tier of this word is a commitment, which a payment option is part of.
    #[must_use]
    pub fn is_commitment(word: &str) -> bool {
        Self::from_words(word, Some(Payment::NoUpfront)).is_ok()
    }

    /// The word for the tier without its payment option.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on_demand",
            Self::Reserved(Term::OneYear, _) => "reserved_1_year",
            Self::Reserved(Term::ThreeYears, _) => "reserved_3_year",
            Self::SavingsPlan(Term::OneYear, _) => "savings_plan_1_year",
            Self::SavingsPlan(Term::ThreeYears, _) => "savings_plan_3_year",
            Self::Spot => "spot",
            Self::CapacityBlock => "capacity_block",
        }
    }

    /// The payment option, which commitments alone have.
    #[must_use]
    pub fn payment(self) -> Option<Payment> {
        match self {
            Self::Reserved(_, payment) | Self::SavingsPlan(_, payment) => Some(payment),
            Self::OnDemand | Self::Spot | Self::CapacityBlock => None,
        }
    }

    /// The tier that the words stand for.
    ///
    /// # Errors
    /// [`InvalidTier`] for unknown words, a commitment without a payment option, or another tier with one.
    pub fn from_words(tier: &str, payment: Option<Payment>) -> Result<Self, InvalidTier> {
        match (tier, payment) {
            ("on_demand", None) => Ok(Self::OnDemand),
            ("reserved_1_year", Some(payment)) => Ok(Self::Reserved(Term::OneYear, payment)),
            ("reserved_3_year", Some(payment)) => Ok(Self::Reserved(Term::ThreeYears, payment)),
            ("savings_plan_1_year", Some(payment)) => Ok(Self::SavingsPlan(Term::OneYear, payment)),
            ("savings_plan_3_year", Some(payment)) => Ok(Self::SavingsPlan(Term::ThreeYears, payment)),
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

    /// The price of an hour that a savings plan covers. Its rate is what the whole commitment comes to by the hour, of
    /// which all, half or nothing is paid in advance.
    #[must_use]
    pub fn savings_plan(term: Term, payment: Payment, rate: f64) -> Self {
        let in_advance = match payment {
            Payment::NoUpfront => 0.0,
            Payment::PartialUpfront => 0.5,
            Payment::AllUpfront => 1.0,
        };
        Self { per_hour: rate, upfront: rate * in_advance * term.hours() }
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
        let plan = HourlyPrice::savings_plan(Term::ThreeYears, Payment::PartialUpfront, 0.05);
        assert!((plan.per_hour - 0.05).abs() < 1e-12 && (plan.upfront - 657.0).abs() < 1e-9, "{plan:?}");
        let partial = HourlyPrice::reserved(Term::ThreeYears, 0.02, 500.0);
        assert!((partial.per_hour - (0.02 + 500.0 / 26_280.0)).abs() < 1e-12);
    }

    #[test]
    fn a_tier_is_its_words() {
        assert_eq!(PricingTier::all().count(), 15);
        for tier in PricingTier::all() {
            assert_eq!(PricingTier::from_words(tier.as_str(), tier.payment()), Ok(tier));
            assert!(PricingTier::WORDS.contains(&tier.as_str()));
            assert_eq!(PricingTier::is_commitment(tier.as_str()), tier.payment().is_some());
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
