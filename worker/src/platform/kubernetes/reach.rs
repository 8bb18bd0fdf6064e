//! The way from the worker to an engine: straight to its Service from within the cluster, through the API server's proxy
//! from outside.

use std::env;
use std::time::Duration;

use accelbench_core::run::RunId;
use async_trait::async_trait;
use kube::{Client, Error};
use reqwest::StatusCode;
use url::Url;

use super::KubernetesPlatform;
use super::names::{self, Component};
use crate::platform::probe::{Answer, Direct, Reach};

/// How long an engine has for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) enum Reached<'a> {
    Inside(Direct),
    Outside { client: &'a Client, service: String },
}

impl<'a> Reached<'a> {
    pub(super) fn of(platform: &'a KubernetesPlatform, run_id: RunId, base_url: &Url) -> Self {
        // The variable that every pod has.
        if env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
            return Self::Inside(Direct::new(base_url.clone()));
        }
        let (namespace, name) = (platform.cluster.namespace(), names::object(run_id, Component::Engine));
        let port = base_url.port().unwrap_or_default();
        let service = format!("/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy");
        Self::Outside { client: platform.cluster.client(), service }
    }
}

#[async_trait]
impl Reach for Reached<'_> {
    async fn get(&self, path: &str) -> Result<Answer, String> {
        match self {
            Self::Inside(direct) => direct.get(path).await,
            Self::Outside { client, service } => through(client, &format!("{service}/{path}")).await,
        }
    }
}

async fn through(client: &Client, path: &str) -> Result<Answer, String> {
    let request = http::Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
    let asked = tokio::time::timeout(PATIENCE, client.request_text(request)).await;
    match asked.map_err(|_elapsed| "no answer in time".to_owned())? {
        Ok(body) => Ok(Answer { status: StatusCode::OK, server: String::new(), body: body.into_bytes() }),
        Err(Error::Api(status)) => Ok(Answer {
            status: StatusCode::from_u16(status.code).unwrap_or(StatusCode::BAD_GATEWAY),
            server: String::new(),
            body: status.message.into_bytes(),
        }),
        Err(error) => Err(error.to_string()),
    }
}
