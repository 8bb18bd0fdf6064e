//! What an answer other than success means: a pure function of status and headers.

use std::time::Duration;

use accelbench_core::model::ModelId;
use accelbench_core::secret::HfToken;
use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;

use crate::error::HubError;
use crate::resolved::Approval;

/// What was asked, as far as it decides what an answer means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) host: &'a str,
    /// The page of the model for people.
    pub(crate) page: &'a str,
    pub(crate) model: &'a ModelId,
    /// The revision, unless that of the main branch is meant.
    pub(crate) revision: Option<&'a str>,
    pub(crate) approval: Option<Approval>,
    pub(crate) token: Option<&'a HfToken>,
}

/// An answer other than success.
#[derive(Debug)]
pub(crate) enum Complaint {
    /// There is no such file at that commit.
    NoSuchFile,
    /// All others.
    Error(HubError),
}

/// The longest text of the Hub that is repeated.
const LONGEST_SAID: usize = 200;

impl Question<'_> {
    /// What the answer means. The headers tell more than the status, which is 401 for missing repositories too.
    pub(crate) fn complaint(&self, status: u16, headers: &HeaderMap) -> Complaint {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let message = text("x-error-message");
        let model = || self.model.clone();
        Complaint::Error(match (status, text("x-error-code")) {
            (404, "EntryNotFound") => return Complaint::NoSuchFile,
            (_, "GatedRepo") => self.gated(message),
            (_, "RevisionNotFound") => self.no_revision(),
            _ if message == "Access to this resource is disabled." => HubError::Disabled { model: model() },
            (401, _) if self.token.is_some() && message.starts_with("Invalid credentials") => {
                HubError::TokenRefused { said: self.said(message) }
            }
            (_, "RepoNotFound") => self.no_model(),
            (401, _) if self.token.is_some() => HubError::TokenRefused { said: self.said(message) },
            (401 | 404, _) => self.no_model(),
            (403, _) => HubError::Forbidden { model: model(), said: self.said(message) },
            (429, _) => HubError::RateLimited { retry_after: pause(headers) },
            _ => HubError::Failed { host: self.host.to_owned(), status, said: self.said(message) },
        })
    }

    fn gated(&self, message: &str) -> HubError {
        let (model, page, approval) = (self.model.clone(), self.page.to_owned(), self.approval);
        match self.token {
            None => HubError::TokenNeeded { model, page, approval },
            Some(_) => HubError::AccessNotGranted { model, page, approval, said: self.said(message) },
        }
    }

    fn no_model(&self) -> HubError {
        HubError::ModelNotFound { model: self.model.clone(), token_given: self.token.is_some() }
    }

    fn no_revision(&self) -> HubError {
        let revision = self.revision.unwrap_or("main").to_owned();
        HubError::RevisionNotFound { model: self.model.clone(), revision }
    }

    /// What the Hub says, should it repeat the token without it.
    fn said(&self, message: &str) -> Option<String> {
        let message = self.token.map_or_else(|| message.to_owned(), |token| token.redact(message));
        let said: String = message.chars().filter(|letter| !letter.is_control()).take(LONGEST_SAID).collect();
        (!said.trim().is_empty()).then_some(said)
    }
}

/// How long to stay away: `Retry-After`, in seconds or as a date, or the Hub's own `RateLimit: "api";r=0;t=55`.
pub(crate) fn pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |text: &str| text.parse::<u32>().ok().map(|seconds| Duration::from_secs(seconds.into()));
    let until = |text: &str| {
        let date = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
        Some((date - Utc::now()).to_std().unwrap_or(Duration::ZERO))
    };
    let retry_after = text("retry-after").and_then(|text| seconds(text).or_else(|| until(text)));
    let window = || text("ratelimit")?.split(';').find_map(|part| seconds(part.trim().strip_prefix("t=")?));
    retry_after.or_else(window)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use accelbench_core::secret::HfToken;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::{Complaint, Question, pause};
    use crate::resolved::Approval;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn sentence(status: u16, pairs: &[(&'static str, &'static str)], token: Option<&HfToken>) -> String {
        let model = "meta-llama/Llama-3.1-8B".parse().unwrap();
        let question = Question {
            host: "huggingface.co",
            page: "https://huggingface.co/meta-llama/Llama-3.1-8B",
            model: &model,
            revision: Some("v9"),
            approval: Some(Approval::Manual),
            token,
        };
        match question.complaint(status, &headers(pairs)) {
            Complaint::NoSuchFile => "no such file".to_owned(),
            Complaint::Error(error) => error.to_string(),
        }
    }

    #[test]
    fn each_answer_has_its_sentence() {
        let token = HfToken::new("hf_secret").unwrap();
        let (some, none) = (Some(&token), None);
        let gated = ("x-error-code", "GatedRepo");
        let missing = ("x-error-code", "RepoNotFound");
        let rows = [
            (
                401,
                vec![gated],
                none,
                "is gated: accept its terms at https://huggingface.co/meta-llama/Llama-3.1-8B, wait until its authors let you in, and give",
            ),
            (403, vec![gated], some, "has no access to meta-llama/Llama-3.1-8B, which is gated"),
            (
                401,
                vec![missing, ("x-error-message", "Invalid username or password.")],
                none,
                "is not on the Hugging Face Hub, or is private, which the Hub does not tell apart",
            ),
            (404, vec![missing], some, "whether the account of the token may read it"),
            (401, vec![], none, "if it is private, give a token"),
            (
                401,
                vec![("x-error-message", "Invalid credentials in Authorization header")],
                some,
                "refused the token given",
            ),
            (404, vec![("x-error-code", "RevisionNotFound")], none, "has no revision `v9`"),
            (404, vec![("x-error-code", "EntryNotFound")], none, "no such file"),
            (403, vec![("x-error-message", "Access to this resource is disabled.")], none, "has disabled"),
            (
                403,
                vec![("x-error-message", "no read scope")],
                some,
                "forbids reading meta-llama/Llama-3.1-8B",
            ),
            (429, vec![("retry-after", "30")], none, "try again in 30 s"),
            (429, vec![], none, "or give a token, whose limit is higher"),
            (
                500,
                vec![("x-error-message", "oops")],
                none,
                "huggingface.co answered the status 500 (the Hub says: oops)",
            ),
        ];
        for (status, pairs, token, part) in rows {
            let sentence = sentence(status, &pairs, token);
            assert!(sentence.contains(part), "{sentence}");
            assert!(!sentence.contains("hf_secret"), "{sentence}");
        }
    }

    #[test]
    fn what_the_hub_says_is_rid_of_the_token() {
        let token = HfToken::new("hf_secret").unwrap();
        let said = sentence(401, &[("x-error-message", "Bearer hf_secret is expired")], Some(&token));
        assert!(said.contains("Bearer *** is expired"), "{said}");
    }

    #[test]
    fn a_pause_is_in_seconds_a_date_or_a_window() {
        let rows = [
            (vec![("retry-after", "7")], Some(7)),
            (vec![("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], Some(0)),
            (vec![("ratelimit", "\"api\";r=0;t=55")], Some(55)),
            (vec![("retry-after", "soon"), ("ratelimit", "\"api\";r=0")], None),
            (vec![("retry-after", "-1")], None),
            (vec![], None),
        ];
        for (pairs, seconds) in rows {
            assert_eq!(pause(&headers(&pairs)), seconds.map(Duration::from_secs), "{pairs:?}");
        }
    }
}
