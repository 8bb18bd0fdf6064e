//! The few static files, inside the program. Their addresses carry a part of their hash, so that browsers may keep them
//! for ever and still see a new release at once.

use std::sync::LazyLock;

use accelbench_core::dataset::Sha256Hex;
use axum::extract::{Path, RawQuery};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::error::ApiError;

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    version: String,
}

/// The style sheet, for pages that are kept as one file.
pub(crate) const STYLE: &str = include_str!("../../static/app.css");

static ASSETS: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    let script = "text/javascript; charset=utf-8";
    [
        asset("app.css", "text/css; charset=utf-8", STYLE),
        asset("favicon.svg", "image/svg+xml", include_str!("../../static/favicon.svg")),
        asset("htmx.min.js", script, include_str!("../../static/vendor/htmx.min.js")),
        asset("notify.js", script, include_str!("../../static/notify.js")),
        asset("hx-sse.min.js", script, include_str!("../../static/vendor/hx-sse.min.js")),
    ]
});

fn asset(name: &'static str, kind: &'static str, text: &'static str) -> Asset {
    let version = Sha256Hex::of(text.as_bytes()).as_str()[..12].to_owned();
    Asset { name, kind, text, version }
}

/// The address of a file with its version.
pub(crate) fn address(name: &str) -> String {
    let version = find(name).map_or("", |asset| asset.version.as_str());
    format!("/static/{name}?v={version}")
}

pub(crate) async fn show(Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let asset = find(&name).ok_or_else(|| ApiError::not_found("file", &name))?;
    // While releases change, a page of one may ask a server of the other.
    let is_current = query.is_some_and(|query| query == format!("v={}", asset.version));
    let caching = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, caching)], asset.text).into_response())
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use accelbench_core::dataset::Sha256Hex;

    use super::{ASSETS, address};

    #[test]
    fn vendored_files_are_those_that_are_listed() {
        let listed = include_str!("../../static/vendor/VENDOR.md");
        for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".min.js")) {
            let line = format!("| {} | {} |", asset.name, Sha256Hex::of(asset.text.as_bytes()));
            assert!(listed.contains(&line), "VENDOR.md lacks {line}");
        }
        assert_eq!(listed.matches(".js |").count(), 2, "each listed file is one that is served");
    }

    #[test]
    fn a_page_costs_little() {
        let bytes = |kind: &str| -> usize {
            ASSETS.iter().filter(|asset| asset.kind.starts_with(kind)).map(|asset| asset.text.len()).sum()
        };
        // As they stand here; `make test-web` measures what goes over the wire.
        assert!(bytes("text/css") <= 24 * 1024, "{}", bytes("text/css"));
        assert!(bytes("text/javascript") <= 48 * 1024, "{}", bytes("text/javascript"));
        assert_eq!(address("app.css").len(), "/static/app.css?v=".len() + 12);
    }
}
