//! What is asked of EC2: instance types and spot prices. Requests are signed by AWS's crate and answers are read by serde;
//! only the query protocol between them is written here, because the SDK of EC2 takes minutes to compile and more disk than
//! all other dependencies together.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws_config::BehaviorVersion;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use chrono::Utc;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

pub mod instance_types;

/// The version of the API whose answers are read.
const VERSION: &str = "2016-11-15";

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// How often a question is put that EC2 could not answer for the moment, and the pauses between.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// More pages than any answer has.
const MOST_PAGES: usize = 200;

/// EC2 in every region.
#[derive(Debug, Clone)]
pub struct Ec2 {
    http: Client,
    credentials: Option<SharedCredentialsProvider>,
    /// One address for all regions, instead of AWS's.
    endpoint: Option<Url>,
}

/// A page of an answer.
pub(crate) trait Page {
    /// Asks for the next page, if there is one.
    fn next_token(&self) -> Option<&str>;
}

/// A list as EC2 writes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Items<T> {
    #[serde(default = "Vec::new")]
    pub(crate) item: Vec<T>,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self { item: Vec::new() }
    }
}

impl Ec2 {
    /// EC2 as the credentials of this process reach it; without any, each question fails.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub async fn from_environment() -> anyhow::Result<Self> {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self::new(config.credentials_provider(), None)
    }

    /// EC2 with these credentials, at another address if one is given.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(
        credentials: Option<SharedCredentialsProvider>,
        endpoint: Option<Url>,
    ) -> anyhow::Result<Self> {
        let http = Client::builder().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, credentials, endpoint })
    }

    /// All pages of an answer.
    pub(crate) async fn pages<P: Page + DeserializeOwned>(
        &self,
        region: &str,
        action: &str,
        parameters: &[(String, String)],
    ) -> anyhow::Result<Vec<P>> {
        let mut pages: Vec<P> = Vec::new();
        while pages.len() < MOST_PAGES {
            let next = pages.last().and_then(Page::next_token).filter(|it| !it.is_empty()).map(str::to_owned);
            if !pages.is_empty() && next.is_none() {
                return Ok(pages);
            }
            let fixed =
                [("Action".to_owned(), action.to_owned()), ("Version".to_owned(), VERSION.to_owned())];
            let token = next.map(|token| ("NextToken".to_owned(), token));
            let form: Vec<_> = fixed.iter().chain(parameters).cloned().chain(token).collect();
            let text = self.answer(region, action, &form).await?;
            let page = quick_xml::de::from_str(&text)
                .with_context(|| format!("EC2's answer to {action} in {region} cannot be read"))?;
            pages.push(page);
        }
        bail!("EC2's answer to {action} in {region} does not end")
    }

    /// The answer to a question, which is put again when EC2 is busy.
    async fn answer(&self, region: &str, action: &str, form: &[(String, String)]) -> anyhow::Result<String> {
        let body = serde_urlencoded::to_string(form)?;
        let mut pauses = PAUSES.into_iter();
        loop {
            let (status, text) = self
                .send(region, &body)
                .await
                .with_context(|| format!("EC2 gave no answer to {action} in {region}"))?;
            if status.is_success() {
                return Ok(text);
            }
            let busy = status.is_server_error() || text.contains("RequestLimitExceeded");
            match pauses.next().filter(|_| busy) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => bail!("EC2 refuses {action} in {region} with {status}: {}", complaint(&text)),
            }
        }
    }

    async fn send(&self, region: &str, body: &str) -> anyhow::Result<(StatusCode, String)> {
        let url = self.url(region)?;
        let credentials = self.credentials.as_ref().context("there are no AWS credentials")?;
        let identity =
            credentials.provide_credentials().await.context("there are no AWS credentials")?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("ec2")
            .time(Utc::now().into())
            .settings(SigningSettings::default())
            .build()?;
        let headers = [("content-type", CONTENT_TYPE)].into_iter();
        let signable =
            SignableRequest::new("POST", url.as_str(), headers, SignableBody::Bytes(body.as_bytes()))?;
        let (signature, _) = sign(signable, &parameters.into())?.into_parts();
        let (signed, _) = signature.into_parts();
        let request = self.http.post(url).header("content-type", CONTENT_TYPE).body(body.to_owned());
        let request =
            signed.iter().fold(request, |request, header| request.header(header.name(), header.value()));
        let response = request.send().await?;
        Ok((response.status(), response.text().await?))
    }

    fn url(&self, region: &str) -> anyhow::Result<Url> {
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        match &self.endpoint {
            Some(endpoint) => Ok(endpoint.clone()),
            None => Url::parse(&format!("https://ec2.{region}.{domain}/"))
                .with_context(|| format!("`{region}` is no region of AWS")),
        }
    }
}

/// What EC2 says is wrong, or the beginning of an answer that does not say.
fn complaint(text: &str) -> String {
    #[derive(Deserialize)]
    struct Response {
        #[serde(rename = "Errors")]
        errors: Errors,
    }
    #[derive(Deserialize)]
    struct Errors {
        #[serde(rename = "Error")]
        error: Vec<Complaint>,
    }
    #[derive(Deserialize)]
    struct Complaint {
        #[serde(rename = "Code")]
        code: String,
        #[serde(rename = "Message")]
        message: String,
    }
    let told =
        quick_xml::de::from_str::<Response>(text).ok().and_then(|it| it.errors.error.into_iter().next());
    match told {
        Some(Complaint { code, message }) => format!("{message} ({code})"),
        None => text.chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn complaints_are_read_and_other_texts_are_shown() {
        let denied = "<?xml version=\"1.0\"?><Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You \
                      are not authorized to perform this operation.</Message></Error></Errors><RequestID>ea966190\
                      </RequestID></Response>";
        assert_eq!(
            complaint(denied),
            "You are not authorized to perform this operation. (UnauthorizedOperation)"
        );
        assert_eq!(complaint("<html>Bad gateway"), "<html>Bad gateway");
    }
}
