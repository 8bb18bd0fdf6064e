//! The client: from a model's name to its commit and facts.

use std::time::Duration;

use accelbench_core::model::{ModelId, Revision};
use accelbench_core::secret::HfToken;
use reqwest::Client;
use serde_json::Value;
use url::Url;

use crate::answer::RepositoryInfo;
use crate::complaint::Question;
use crate::config::Config;
use crate::error::HubError;
use crate::facts::{Beside, DecoderFacts};
use crate::refusal::{self, Refusal, RefusalReason};
use crate::request::{Request, client};
use crate::resolved::{Access, ResolvedModel, WeightsBasis, WeightsSize};

/// A description lists every file; the largest repositories have some thousand.
const LONGEST_DESCRIPTION: usize = 16 << 20;
/// The largest real ones, with a list of the layers left unquantised, are about 100 KiB.
const LONGEST_CONFIGURATION: usize = 4 << 20;
/// An index names every tensor; that of DeepSeek-V3 is 9 MB.
const LONGEST_INDEX: usize = 64 << 20;

/// How long the Hub may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// For one answer, redirects and body included.
    pub answer: Duration,
    /// The longest pause that is waited for when the Hub asks for one; a longer one is an error that says so.
    pub longest_pause: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(5), answer: seconds(20), longest_pause: seconds(3) }
    }
}

/// A Hugging Face Hub, or what speaks like one.
#[derive(Debug, Clone)]
pub struct Hub {
    base_url: Url,
    client: Client,
    timeouts: Timeouts,
}

/// Who asks what.
#[derive(Clone, Copy)]
struct Asker<'a> {
    model: &'a ModelId,
    revision: Option<&'a str>,
    token: Option<&'a HfToken>,
}

impl Hub {
    /// The Hub at this address: `https://huggingface.co`, or a mirror's, which may have a path.
    ///
    /// # Errors
    /// [`HubError::InvalidBaseUrl`] for an address that no Hub can have; [`HubError::Client`] without TLS certificates.
    pub fn new(base_url: &Url, timeouts: Timeouts) -> Result<Self, HubError> {
        let is_plain = base_url.username().is_empty()
            && base_url.password().is_none()
            && base_url.query().is_none()
            && base_url.fragment().is_none();
        if !matches!(base_url.scheme(), "http" | "https") || !is_plain {
            return Err(HubError::InvalidBaseUrl(without_user(base_url)));
        }
        Ok(Self { base_url: base_url.clone(), client: client(base_url, timeouts)?, timeouts })
    }

    /// The commit and facts of a model at a branch, tag or commit, or at its main branch.
    ///
    /// # Errors
    /// See [`HubError`]: each says what to do.
    pub async fn resolve(
        &self,
        model: &ModelId,
        revision: Option<&str>,
        token: Option<&HfToken>,
    ) -> Result<ResolvedModel, HubError> {
        let asker = Asker { model, revision: revision.map(checked).transpose()?, token };
        let info = self.describe(asker).await?;
        let refused = |refusal| HubError::NotADecoder { model: model.clone(), refusal };
        if let Some(refusal) = refusal::by_description(&info) {
            return Err(refused(refusal));
        }
        let files = Files { hub: self, asker, info: &info };
        let no_configuration = Refusal { reason: RefusalReason::NoConfiguration, architecture: None };
        let json = files.configuration().await?.ok_or_else(|| refused(no_configuration))?;
        let config = Config::of(&json).ok_or_else(|| files.malformed_configuration())?;
        if let Some(refusal) = refusal::by_configuration(config) {
            return Err(refused(refusal));
        }
        let modelopt = files.modelopt(config).await?;
        let weights = files.weights().await?;
        let model = info.model.clone().unwrap_or_else(|| model.clone());
        let stored_elements = info.stored.map(|stored| stored.elements);
        let beside = Beside { model: &model, stored_elements, modelopt: modelopt.as_ref() };
        let facts = DecoderFacts::read(config, beside);
        let source = self.source(&model, &info.revision, &facts);
        Ok(ResolvedModel {
            model,
            revision: info.revision,
            access: info.access,
            licence: info.licence,
            facts,
            weights,
            source,
        })
    }

    async fn describe(&self, asker: Asker<'_>) -> Result<RepositoryInfo, HubError> {
        let mut segments = vec!["api", "models"];
        segments.extend(asker.model.as_str().split('/'));
        if let Some(revision) = asker.revision {
            segments.extend(["revision", revision]);
        }
        let mut url = self.url(&segments);
        url.query_pairs_mut().append_pair("blobs", "true");
        let page = self.page(asker.model);
        let question = self.question(asker, &page, None);
        let request = self.request(url, "a description of the model", LONGEST_DESCRIPTION, question);
        let json = request.json().await?.ok_or_else(|| HubError::ModelNotFound {
            model: asker.model.clone(),
            token_given: asker.token.is_some(),
        })?;
        RepositoryInfo::read(&json).map_err(|why| request.malformed(why.to_owned()))
    }

    fn request<'a>(
        &'a self,
        url: Url,
        what: &'static str,
        limit_bytes: usize,
        question: Question<'a>,
    ) -> Request<'a> {
        Request { client: &self.client, timeouts: self.timeouts, url, what, limit_bytes, question }
    }

    fn question<'a>(&'a self, asker: Asker<'a>, page: &'a str, access: Option<Access>) -> Question<'a> {
        let approval = match access {
            Some(Access::Gated { approval }) => Some(approval),
            Some(Access::Open | Access::Private) | None => None,
        };
        let Asker { model, revision, token } = asker;
        Question { host: self.host(), page, model, revision, approval, token }
    }

    fn source(&self, model: &ModelId, revision: &Revision, facts: &DecoderFacts) -> String {
        let basis = facts.parameters.map(|parameters| format!(", {}", parameters.basis.words()));
        format!("{}/{model}@{revision} config.json{}", self.host(), basis.unwrap_or_default())
    }

    fn page(&self, model: &ModelId) -> String {
        self.url(&model.as_str().split('/').collect::<Vec<_>>()).into()
    }

    fn host(&self) -> &str {
        self.base_url.host_str().unwrap_or_default()
    }

    /// A segment's own slashes and question marks are encoded.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        url.path_segments_mut().expect("http addresses have a path").pop_if_empty().extend(segments);
        url
    }
}

/// The files of a repository at one commit.
struct Files<'a> {
    hub: &'a Hub,
    asker: Asker<'a>,
    info: &'a RepositoryInfo,
}

impl Files<'_> {
    async fn configuration(&self) -> Result<Option<Value>, HubError> {
        self.json("config.json", "a config.json", LONGEST_CONFIGURATION).await
    }

    /// ModelOpt's own file, where the configuration does not say how the weights are quantised.
    async fn modelopt(&self, config: Config<'_>) -> Result<Option<Value>, HubError> {
        const PATH: &str = "hf_quant_config.json";
        if config.value_or_whole("quantization_config").is_some() || !self.info.has(PATH) {
            return Ok(None);
        }
        self.json(PATH, "an hf_quant_config.json", LONGEST_CONFIGURATION).await
    }

    async fn weights(&self) -> Result<Option<WeightsSize>, HubError> {
        const INDEX: &str = "model.safetensors.index.json";
        if let Some(size) = self.info.weights() {
            return Ok(Some(size));
        }
        if !self.info.has(INDEX) {
            return Ok(None);
        }
        let index = self.json(INDEX, "an index of the weights", LONGEST_INDEX).await?;
        let total = index.as_ref().and_then(|index| index.get("metadata")?.get("total_size")?.as_u64());
        Ok(total.map(|bytes| WeightsSize { bytes, basis: WeightsBasis::Index }))
    }

    async fn json(
        &self,
        path: &str,
        what: &'static str,
        limit_bytes: usize,
    ) -> Result<Option<Value>, HubError> {
        let mut segments: Vec<&str> = self.asker.model.as_str().split('/').collect();
        segments.extend(["resolve", self.info.revision.as_str(), path]);
        let page = self.hub.page(self.asker.model);
        let question = self.hub.question(self.asker, &page, Some(self.info.access));
        self.hub.request(self.hub.url(&segments), what, limit_bytes, question).json().await
    }

    fn malformed_configuration(&self) -> HubError {
        let (host, why) = (self.hub.host().to_owned(), "it is no JSON object".to_owned());
        HubError::Malformed { host, what: "a config.json", why }
    }
}

/// `.` and `..` would vanish from the address.
fn checked(revision: &str) -> Result<&str, HubError> {
    let acceptable = (1..=200).contains(&revision.len())
        && revision.bytes().all(|byte| byte.is_ascii_graphic())
        && !revision.split('/').any(|part| matches!(part, "" | "." | ".."));
    let shown = || revision.chars().filter(|letter| !letter.is_control()).take(60).collect();
    if acceptable { Ok(revision) } else { Err(HubError::InvalidRevision(shown())) }
}

/// A password in an address is not repeated.
fn without_user(url: &Url) -> String {
    let mut url = url.clone();
    // Fails for addresses that cannot have a user, which then have none.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    url.into()
}
