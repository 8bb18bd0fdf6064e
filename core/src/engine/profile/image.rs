//! References to container images: a repository with a tag, a digest, or both. Where both are given the digest decides
//! what is pulled, and the tag is for people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::text_in_json;

/// A container image that is always the same one, or at least has a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no image reference: give repository:tag, repository@sha256:digest or both, and no moving tag such as latest"
)]
pub struct InvalidImage(String);

impl ImageReference {
    /// The repository with its registry, for instance `vllm/vllm-openai`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, for instance `v0.33.0`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, for instance `sha256:0123…`.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl FromStr for ImageReference {
    type Err = InvalidImage;

    fn from_str(text: &str) -> Result<Self, InvalidImage> {
        let invalid = || InvalidImage(text.to_owned());
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            _ => (name, None),
        };
        let sound = is_repository(repository)
            && tag.is_none_or(is_fixed_tag)
            && digest.is_none_or(is_digest)
            && (tag.is_some() || digest.is_some());
        if !sound {
            return Err(invalid());
        }
        let owned = |part: &str| part.to_owned();
        Ok(Self { repository: owned(repository), tag: tag.map(owned), digest: digest.map(owned) })
    }
}

fn is_repository(text: &str) -> bool {
    let acceptable = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' | b':');
    (1..=200).contains(&text.len())
        && text.bytes().all(acceptable)
        && text.split('/').all(|part| !part.is_empty())
}

fn is_fixed_tag(text: &str) -> bool {
    let acceptable = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=128).contains(&text.len()) && text.bytes().all(acceptable) && text != "latest"
}

fn is_digest(text: &str) -> bool {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix("sha256:").is_some_and(|hash| hash.len() == 64 && hash.bytes().all(hexadecimal))
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        self.digest.iter().try_for_each(|digest| write!(formatter, "@{digest}"))
    }
}

text_in_json!(ImageReference, InvalidImage);

#[cfg(test)]
mod tests {
    use super::ImageReference;
    use crate::engine::profile::ProfileName;

    #[test]
    fn references_are_taken_apart_and_written_alike() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, repository, tag) in [
            ("vllm/vllm-openai:v0.33.0".to_owned(), "vllm/vllm-openai", Some("v0.33.0")),
            (format!("registry.test:5000/a/b@{digest}"), "registry.test:5000/a/b", None),
            (format!("registry.test:5000/b:1@{digest}"), "registry.test:5000/b", Some("1")),
        ] {
            let image: ImageReference = text.parse().unwrap();
            assert_eq!((image.repository(), image.tag()), (repository, tag), "{text}");
            assert_eq!(image.digest().is_some(), text.contains('@'));
            assert_eq!(image.to_string(), text);
        }
    }

    #[test]
    fn images_that_may_change_are_refused() {
        for text in ["vllm/vllm-openai", "vllm:latest", "", ":1", "a//b:1", "a:1@sha256:12", "A:1", "a b:1"] {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_profile_names_an_image() {
        for name in ProfileName::ALL {
            assert!(name.profile().image.parse::<ImageReference>().is_ok(), "{name}");
            assert_eq!(name.as_str().parse(), Ok(name));
        }
    }
}
