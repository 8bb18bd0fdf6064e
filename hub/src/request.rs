//! One question to the Hub: a bounded answer, in bounded time, with one more try when the first may have been bad luck.

use std::time::Duration;

use accelbench_core::secret::HfToken;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response};
use serde_json::Value;
use url::{Host, Url};

use crate::complaint::{Complaint, Question, pause};
use crate::error::HubError;
use crate::hub::Timeouts;

/// Files lie behind one redirect, those of renamed repositories behind two.
const MOST_REDIRECTS: usize = 5;

/// A client that gives up as `timeouts` say.
pub(crate) fn client(base_url: &Url, timeouts: Timeouts) -> Result<Client, HubError> {
    let client = Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.answer)
        .redirect(Policy::custom(follow))
        .user_agent(concat!("accelbench/", env!("CARGO_PKG_VERSION")));
    // No proxy reaches our own loopback.
    let client = if is_loopback(base_url) { client.no_proxy() } else { client };
    client.build().map_err(HubError::Client)
}

/// reqwest takes the token off a request that goes to another host or port; here it is kept from leaving TLS.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let leaves_tls = attempt.url().scheme() != "https"
        && attempt.previous().last().is_some_and(|from| from.scheme() == "https");
    if leaves_tls {
        attempt.error("a redirect from https to another scheme")
    } else if attempt.previous().len() > MOST_REDIRECTS {
        attempt.error("too many redirects")
    } else {
        attempt.follow()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A question to the Hub.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) client: &'a Client,
    pub(crate) timeouts: Timeouts,
    pub(crate) url: Url,
    /// What is asked for, in words.
    pub(crate) what: &'static str,
    pub(crate) limit_bytes: usize,
    pub(crate) question: Question<'a>,
}

impl Request<'_> {
    /// The JSON that is the answer; `None` when the repository has no such file.
    pub(crate) async fn json(&self) -> Result<Option<Value>, HubError> {
        let (first, pause) = match self.attempt().await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        match pause.filter(|pause| *pause <= self.timeouts.longest_pause) {
            None => Err(first),
            Some(pause) => {
                tracing::debug!(hub.asked = self.what, error = %first, "asking the Hub once more");
                tokio::time::sleep(pause).await;
                self.attempt().await.map_err(|(second, _)| second)
            }
        }
    }

    /// An error comes with how long to wait before it is worth trying again, if it is.
    async fn attempt(&self) -> Result<Option<Value>, (HubError, Option<Duration>)> {
        let mut request = self.client.get(self.url.clone());
        if let Some(token) = self.question.token {
            request = request.header(AUTHORIZATION, bearer(token));
        }
        let response = request.send().await.map_err(|error| self.broken(error))?;
        let status = response.status().as_u16();
        if !response.status().is_success() {
            let pause = again(status, &response);
            return match self.question.complaint(status, response.headers()) {
                Complaint::NoSuchFile => Ok(None),
                Complaint::Error(error) => Err((error, pause)),
            };
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_html = kind.is_some_and(|kind| kind.starts_with("text/html"));
        let body = self.body(response).await?;
        let why = |error: serde_json::Error| {
            if is_html { "it is a web page".to_owned() } else { format!("it is no JSON, {}", place(&error)) }
        };
        serde_json::from_slice(&body).map(Some).map_err(|error| (self.malformed(why(error)), None))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, (HubError, Option<Duration>)> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + chunk.len() > self.limit_bytes {
                let (host, what) = (self.question.host.to_owned(), self.what);
                return Err((HubError::TooLong { host, what, limit_bytes: self.limit_bytes }, None));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn broken(&self, error: reqwest::Error) -> (HubError, Option<Duration>) {
        let (host, error) = (self.question.host.to_owned(), error.without_url());
        if error.is_timeout() {
            let limit = if error.is_connect() { self.timeouts.connect } else { self.timeouts.answer };
            return (HubError::TimedOut { host, limit }, None);
        }
        if error.is_redirect() {
            return (self.malformed("its redirects lead nowhere safe".to_owned()), None);
        }
        (HubError::Unreachable { host, source: error }, Some(Duration::ZERO))
    }

    /// An answer that is not what was asked for.
    pub(crate) fn malformed(&self, why: String) -> HubError {
        HubError::Malformed { host: self.question.host.to_owned(), what: self.what, why }
    }
}

fn bearer(token: &HfToken) -> HeaderValue {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
        .expect("a token is of visible ASCII characters");
    value.set_sensitive(true);
    value
}

/// How long to wait before the same question may be answered otherwise.
fn again(status: u16, response: &Response) -> Option<Duration> {
    let usual = Duration::from_secs(1);
    matches!(status, 429 | 502 | 503 | 504).then(|| pause(response.headers()).unwrap_or(usual))
}

/// Where the JSON ends to be one; serde's own words could repeat a part of it.
fn place(error: &serde_json::Error) -> String {
    if error.is_eof() {
        "it ends too early".to_owned()
    } else {
        format!("at line {} column {}", error.line(), error.column())
    }
}
