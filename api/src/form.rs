//! Forms as browsers send them: plain, or with a file. Every form that changes something carries a token that only our own
//! pages hold, so that another site cannot send one in a person's name even where a browser does not say who asks.

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{Form, FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use chrono::Utc;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, MapDeserializer};

use crate::app::App;
use crate::error::ApiError;

/// The name of the field with the token.
const TOKEN: &str = "form_token";

/// A form of ours that a person sent.
pub(crate) struct PostedForm {
    fields: Vec<(String, String)>,
    file: Option<PostedFile>,
}

/// A file that came with a form.
pub(crate) struct PostedFile {
    /// What the person calls it.
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

impl FromRequest<App> for PostedForm {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let form = if is_multipart(request.headers()) {
            Self::of_parts(Multipart::from_request(request, app).await, app.max_dataset_bytes()).await?
        } else {
            let read = Form::from_request(request, app).await;
            let Form(fields) = read.map_err(|error| ApiError::bad_request(error.body_text()))?;
            Self { fields, file: None }
        };
        if form.fields.iter().any(|(_, value)| value.contains('\0')) {
            return Err(ApiError::bad_request("a field holds the character U+0000; leave it out"));
        }
        let token = form.fields.iter().find(|(name, _)| name == TOKEN).map_or("", |(_, value)| value);
        if app.secret_key().verify_form_token(Utc::now(), token) {
            return Ok(form);
        }
        Err(ApiError::new(StatusCode::FORBIDDEN, "the form was not drawn by this server within the last day")
            .with_hint("go back, reload the page and send it again; nothing was changed"))
    }
}

impl PostedForm {
    /// The fields as a type; what it does not name is left out.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        T::deserialize(MapDeserializer::<_, ValueError>::new(fields))
            .map_err(|error| ApiError::bad_request(format!("the form cannot be read: {error}")))
    }

    /// The file, if one was chosen: browsers send an empty one otherwise.
    pub(crate) fn file(&self) -> Option<&PostedFile> {
        self.file.as_ref().filter(|file| !(file.name.is_empty() && file.bytes.is_empty()))
    }

    async fn of_parts(
        parts: Result<Multipart, impl std::fmt::Display>,
        most_bytes: usize,
    ) -> Result<Self, ApiError> {
        let mut parts = parts.map_err(|error| ApiError::bad_request(error.to_string()))?;
        let (mut fields, mut file) = (Vec::new(), None);
        let refused = |error: MultipartError| refusal(error, most_bytes);
        while let Some(part) = parts.next_field().await.map_err(refused)? {
            let name = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(str::to_owned) {
                Some(of) => file = Some(PostedFile { name: of, bytes: part.bytes().await.map_err(refused)? }),
                None => fields.push((name, part.text().await.map_err(refused)?)),
            }
        }
        Ok(Self { fields, file })
    }
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("multipart/form-data"))
}

fn refusal(error: MultipartError, most_bytes: usize) -> ApiError {
    let text = error.body_text();
    let status = error.into_response().status();
    if status != StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::bad_request(format!("the form cannot be read: {text}"));
    }
    ApiError::new(status, format!("the form with its file is larger than {} MiB", most_bytes / (1024 * 1024)))
        .with_hint("send fewer prompts, or let the operator raise --max-dataset-mib")
}
