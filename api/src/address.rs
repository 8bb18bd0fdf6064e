//! Reading the parts of an address that name something. A name that cannot be one names nothing: 404.

use accelbench_core::dataset::Sha256Hex;
use accelbench_core::instance::InstanceTypeName;
use accelbench_core::model::ModelId;
use accelbench_core::result::ResultId;
use accelbench_store::logs::LogSource;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::error::ApiError;

/// Something that an address can name.
pub(crate) trait Named: Sized {
    /// The part of the address.
    const PART: &'static str;
    /// What it is called in an error.
    const WHAT: &'static str;
    /// Where the names that exist are listed.
    const LISTED: &'static str;

    fn read(text: &str) -> Option<Self>;
}

/// What the address names.
pub(crate) struct InAddress<T>(pub(crate) T);

impl<S: Send + Sync, T: Named> FromRequestParts<S> for InAddress<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = part(parts, state, T::PART).await?;
        let named = T::read(&text).map(Self);
        named.ok_or_else(|| ApiError::not_found(T::WHAT, &text).with_hint(T::LISTED))
    }
}

/// The text of a part of the address.
pub(crate) async fn part<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    part: &str,
) -> Result<String, ApiError> {
    let names = RawPathParams::from_request_parts(parts, state).await.map_err(|error| {
        ApiError::bad_request(error.body_text()).with_hint("percent-encode the address as UTF-8")
    })?;
    Ok(names.iter().find(|(name, _)| *name == part).map_or("", |(_, text)| text).to_owned())
}

impl Named for ResultId {
    const PART: &'static str = "result_id";
    const WHAT: &'static str = "result";
    const LISTED: &'static str = "GET /api/v1/results lists the results";

    fn read(text: &str) -> Option<Self> {
        text.parse::<Uuid>().ok().map(Self)
    }
}

impl Named for Sha256Hex {
    const PART: &'static str = "imported_result_id";
    const WHAT: &'static str = "imported result";
    const LISTED: &'static str = "GET /api/v1/imported-results lists the imported results";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Named for ModelId {
    const PART: &'static str = "model";
    const WHAT: &'static str = "model";
    const LISTED: &'static str = "GET /api/v1/models lists the models";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Named for InstanceTypeName {
    const PART: &'static str = "instance_type";
    const WHAT: &'static str = "instance type";
    const LISTED: &'static str = "GET /api/v1/instances lists the instance types";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Named for LogSource {
    const PART: &'static str = "source";
    const WHAT: &'static str = "log";
    const LISTED: &'static str = "ask for `engine` or `loadgen`";

    fn read(text: &str) -> Option<Self> {
        Self::from_word(text)
    }
}
