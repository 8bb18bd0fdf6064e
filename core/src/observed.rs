//! A value that a platform may be unable to know. An absent one always says why: nothing is silently null.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A measured or learned value, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    /// The value, in the unit that the field's name gives.
    Value(T),
    /// Why there is no value, as a sentence for a person.
    Absent(String),
}

impl<T> Observed<T> {
    /// Makes an absent value with its reason.
    pub fn absent(reason: impl Into<String>) -> Self {
        Self::Absent(reason.into())
    }

    /// The value, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent(_) => None,
        }
    }

    /// The reason for the absence, if the value is absent.
    pub fn absent_reason(&self) -> Option<&str> {
        match self {
            Self::Value(_) => None,
            Self::Absent(reason) => Some(reason),
        }
    }

    /// Applies `convert` to a known value and keeps the reason of an absent one.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Value(value) => Observed::Value(convert(value)),
            Self::Absent(reason) => Observed::Absent(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Observed;

    #[test]
    fn both_forms_survive_json() {
        for observed in [Observed::Value(1.5), Observed::absent("the endpoint has no metrics")] {
            let json = serde_json::to_string(&observed).unwrap();
            assert_eq!(serde_json::from_str::<Observed<f64>>(&json).unwrap(), observed);
        }
    }
}
