//! How an engine is reached besides its address.

use std::fmt;
use std::time::Duration;

use anyhow::ensure;

/// How an engine is reached.
#[derive(Debug, Clone)]
pub struct Access {
    /// A request that takes longer counts as failed.
    pub request_timeout: Duration,
    /// What it asks for, where it asks for a key.
    pub api_key: Option<ApiKey>,
}

/// The key of an engine: `Authorization: Bearer KEY`. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl Access {
    /// An engine that asks for no key.
    #[must_use]
    pub fn open(request_timeout: Duration) -> Self {
        Self { request_timeout, api_key: None }
    }
}

impl ApiKey {
    /// Takes a key.
    ///
    /// # Errors
    /// It holds what no header can.
    pub fn new(key: &str) -> anyhow::Result<Self> {
        let key = key.trim();
        let visible = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(visible, "the engine's API key must be one word of visible ASCII characters");
        Ok(Self(key.to_owned()))
    }

    /// The value of the header.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::ApiKey;

    #[test]
    fn a_key_fits_into_a_header_and_is_never_shown() {
        let key = ApiKey::new(" sk-123\n").unwrap();
        assert_eq!((key.bearer().as_str(), format!("{key:?}").as_str()), ("Bearer sk-123", "ApiKey(hidden)"));
        for wrong in ["", " ", "a b", "a\r\nhost: x", "schlüssel"] {
            assert!(!ApiKey::new(wrong).unwrap_err().to_string().contains("schl"), "{wrong:?}");
        }
    }
}
