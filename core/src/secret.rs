//! Values that must never be shown. They print as `***` and do not implement `Serialize`, so that no payload, log
//! line, event or error can carry them by accident.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

/// A user's Hugging Face token.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct HfToken(String);

/// Why a text is no Hugging Face token; the text itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Hugging Face token must be 1 to 512 visible characters without spaces; copy it again from your Hugging Face settings"
)]
pub struct InvalidHfToken;

impl HfToken {
    /// Takes a token as the user pasted it; surrounding white space is removed.
    ///
    /// # Errors
    /// [`InvalidHfToken`] for an empty text, one over 512 bytes, or one with anything but visible ASCII.
    pub fn new(text: &str) -> Result<Self, InvalidHfToken> {
        let text = text.trim();
        let acceptable =
            !text.is_empty() && text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if acceptable { Ok(Self(text.to_owned())) } else { Err(InvalidHfToken) }
    }

    /// The token itself, for the moment in which it is sealed or handed to the engine.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text with every occurrence of the token replaced by `***`: for what foreign programs wrote.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        text.replace(&self.0, "***")
    }
}

impl TryFrom<String> for HfToken {
    type Error = InvalidHfToken;

    fn try_from(text: String) -> Result<Self, InvalidHfToken> {
        Self::new(&text)
    }
}

impl fmt::Debug for HfToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HfToken(***)")
    }
}

impl fmt::Display for HfToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::{HfToken, InvalidHfToken};

    #[test]
    fn a_token_never_prints_itself() {
        let token = HfToken::new(" hf_abc123 ").unwrap();
        assert_eq!(token.expose(), "hf_abc123");
        assert_eq!(format!("{token} {token:?}"), "*** HfToken(***)");
        assert_eq!(token.redact("401 for hf_abc123 (hf_abc123)"), "401 for *** (***)");
    }

    #[test]
    fn a_refused_token_is_not_repeated_in_the_error() {
        for text in ["", "   ", "hf_a b", "hf_\u{e9}"] {
            assert_eq!(HfToken::new(text), Err(InvalidHfToken));
        }
        let message = serde_json::from_str::<HfToken>("\"hf_secret part\"").unwrap_err().to_string();
        assert!(!message.contains("hf_secret"), "{message}");
    }
}
