//! The key of an installation: it seals the tokens of people and makes the tokens of load generators. Each use has a key
//! of its own, derived from the one that the operator keeps, so that one use says nothing about the other.

use std::fmt;

use accelbench_core::run::RunId;
use accelbench_core::secret::HfToken;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use rand::RngExt as _;
use sha2::Sha256;
use sqlx::PgConnection;

use crate::Result;

/// First byte of what is sealed: tells how it was.
const SEAL_VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// For how many hours a form may lie open before it is sent.
const FORM_HOURS: i64 = 24;

/// An installation's key: 32 random bytes.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

/// Why a text is no key; the text is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret key must be 64 hexadecimal digits; make one with `openssl rand -hex 32`")]
pub struct InvalidSecretKey;

/// Why a sealed token cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Hugging Face token of run {0} cannot be opened with this key; give every server and worker the same ACCELBENCH_SECRET_KEY, and submit the run again"
)]
pub struct UnsealError(RunId);

impl SecretKey {
    /// Reads a key of 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidSecretKey`].
    pub fn from_text(text: &str) -> std::result::Result<Self, InvalidSecretKey> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_not_hex| InvalidSecretKey)?;
        Ok(Self(bytes))
    }

    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::rng().random())
    }

    /// The key's 64 digits, for keeping it.
    #[must_use]
    pub fn to_text(&self) -> String {
        hex::encode(self.0)
    }

    /// Seals a token for one run: only this key opens it, and only for that run.
    #[must_use]
    pub fn seal(&self, run_id: RunId, token: &HfToken) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::rng().random();
        let payload = Payload { msg: token.expose().as_bytes(), aad: run_id.as_bytes() };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a token is far below the cipher's limit of 256 GiB");
        [&[SEAL_VERSION][..], &nonce, &sealed].concat()
    }

    /// Opens what was sealed for this run.
    ///
    /// # Errors
    /// [`UnsealError`] for another key, another run, or bytes that were tampered with.
    pub fn open(&self, run_id: RunId, sealed: &[u8]) -> std::result::Result<HfToken, UnsealError> {
        let failed = || UnsealError(run_id);
        let (&SEAL_VERSION, rest) = sealed.split_first().ok_or_else(failed)? else {
            return Err(failed());
        };
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(failed)?;
        let payload = Payload { msg: ciphertext, aad: run_id.as_bytes() };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_forged| failed())?;
        let text = String::from_utf8(opened).map_err(|_not_text| failed())?;
        HfToken::new(&text).map_err(|_not_a_token| failed())
    }

    /// The token with which the load generator of this run, and no other, is let in.
    #[must_use]
    pub fn run_token(&self, run_id: RunId) -> String {
        hex::encode(self.run_mac(run_id).finalize().into_bytes())
    }

    /// Whether `token` is this run's token, in constant time.
    #[must_use]
    pub fn verify_run_token(&self, run_id: RunId, token: &str) -> bool {
        hex::decode(token).is_ok_and(|bytes| self.run_mac(run_id).verify_slice(&bytes).is_ok())
    }

    /// The token of a form that is drawn at `moment`: only pages of this installation hold it.
    #[must_use]
    pub fn form_token(&self, moment: DateTime<Utc>) -> String {
        let hour = moment.timestamp().div_euclid(3600);
        format!("{hour}-{}", hex::encode(self.form_mac(hour).finalize().into_bytes()))
    }

    /// Whether `token` is of a form that was drawn within the day before `moment`, in constant time.
    #[must_use]
    pub fn verify_form_token(&self, moment: DateTime<Utc>, token: &str) -> bool {
        let now = moment.timestamp().div_euclid(3600);
        let Some((hour, mac)) = token.split_once('-') else { return false };
        let Some(hour) = hour.parse().ok().filter(|hour| (now - FORM_HOURS..=now + 1).contains(hour)) else {
            return false;
        };
        hex::decode(mac).is_ok_and(|bytes| self.form_mac(hour).verify_slice(&bytes).is_ok())
    }

    fn form_mac(&self, hour: i64) -> Hmac<Sha256> {
        mac(&self.derived("form token")).chain_update(hour.to_be_bytes())
    }

    fn run_mac(&self, run_id: RunId) -> Hmac<Sha256> {
        mac(&self.derived("run token")).chain_update(run_id.uuid().as_bytes())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derived("seal").into())
    }

    fn derived(&self, purpose: &str) -> [u8; 32] {
        mac(&self.0)
            .chain_update(b"accelbench ")
            .chain_update(purpose.as_bytes())
            .finalize()
            .into_bytes()
            .into()
    }
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(***)")
    }
}

/// The sealed token of a run, while it has one.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn sealed_token(connection: &mut PgConnection, run_id: RunId) -> Result<Option<Vec<u8>>> {
    let sealed = sqlx::query_scalar!("SELECT hf_token_sealed FROM runs WHERE run_id = $1", run_id.uuid());
    Ok(sealed.fetch_optional(connection).await?.flatten())
}

#[cfg(test)]
mod tests {
    use accelbench_core::run::RunId;
    use accelbench_core::secret::HfToken;
    use chrono::{DateTime, TimeDelta};

    use super::SecretKey;

    #[test]
    fn a_sealed_token_opens_for_its_run_and_key_alone() {
        let (key, run_id, token) = (SecretKey::generate(), RunId::new(), HfToken::new("hf_secret").unwrap());
        let sealed = key.seal(run_id, &token);
        assert!(!sealed.windows(9).any(|window| window == b"hf_secret"));
        assert_eq!(key.open(run_id, &sealed), Ok(token.clone()));
        assert!(key.open(RunId::new(), &sealed).is_err());
        assert!(SecretKey::generate().open(run_id, &sealed).is_err());
        assert_ne!(key.seal(run_id, &token), sealed, "each sealing has a nonce of its own");
        for index in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[index] ^= 1;
            assert!(key.open(run_id, &forged).is_err(), "byte {index}");
            assert!(key.open(run_id, &sealed[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn a_run_token_admits_to_its_run_alone() {
        let (key, run_id) = (SecretKey::generate(), RunId::new());
        let token = key.run_token(run_id);
        assert!(key.verify_run_token(run_id, &token));
        assert!(!key.verify_run_token(RunId::new(), &token));
        assert!(!SecretKey::generate().verify_run_token(run_id, &token));
        for forged in ["", "00", &token[1..], "zz"] {
            assert!(!key.verify_run_token(run_id, forged), "{forged}");
        }
    }

    #[test]
    fn a_form_token_is_good_for_a_day_and_for_its_key() {
        let (key, drawn) = (SecretKey::generate(), DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let token = key.form_token(drawn);
        for (minutes, good) in [(0, true), (59, true), (24 * 60, true), (26 * 60, false), (-90, false)] {
            let sent = drawn + TimeDelta::minutes(minutes);
            assert_eq!(key.verify_form_token(sent, &token), good, "after {minutes} minutes");
        }
        assert!(!SecretKey::generate().verify_form_token(drawn, &token));
        let (_, mac) = token.split_once('-').unwrap();
        for forged in ["", "-", mac, &token[..token.len() - 2], &format!("480001-{mac}"), "999999999999-00"] {
            assert!(!key.verify_form_token(drawn, forged), "{forged}");
        }
    }

    #[test]
    fn a_key_is_read_back_and_never_printed() {
        let key = SecretKey::generate();
        assert_eq!(SecretKey::from_text(&key.to_text()).unwrap().to_text(), key.to_text());
        assert_eq!(format!("{key:?}"), "SecretKey(***)");
        assert!(SecretKey::from_text("abc").is_err());
    }
}
