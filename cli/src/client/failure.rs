//! Answers that are no success, as failures in the server's own words.

use reqwest::StatusCode;
use serde::Deserialize;

use crate::exit::Failure;

#[derive(Debug, Deserialize)]
struct Problem {
    detail: Option<String>,
    title: Option<String>,
    hint: Option<String>,
}

pub(super) fn failure(status: StatusCode, body: &[u8]) -> Failure {
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let (message, hint) = match problem {
        Some(Problem { detail, title, hint }) => (detail.or(title), hint),
        None => (None, None),
    };
    let message = message.unwrap_or_else(|| format!("the server answered {status}"));
    // A request as a whole can be refused because something in it is not there, or not open to everybody.
    let is_unprocessable = status == StatusCode::UNPROCESSABLE_ENTITY;
    let is_denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        || (is_unprocessable && message.contains("is gated"));
    if status == StatusCode::NOT_FOUND || (is_unprocessable && message.starts_with("there is no ")) {
        Failure::NotFound { message, hint }
    } else if is_denied {
        Failure::Denied { message, hint }
    } else {
        Failure::Refused { message, hint }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::failure;
    use crate::exit::Failure;

    #[test]
    fn the_server_speaks_for_itself() {
        let body = br#"{"title": "t", "detail": "there is no model `x`", "hint": "did you mean `y`?"}"#;
        assert_eq!(
            failure(StatusCode::NOT_FOUND, body),
            Failure::NotFound {
                message: "there is no model `x`".to_owned(),
                hint: Some("did you mean `y`?".to_owned())
            }
        );
        let code = |status, detail: &str| {
            failure(status, format!(r#"{{"detail": "{detail}"}}"#).as_bytes()).end().code()
        };
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(code(unprocessable, "there is no model `x` in the catalog"), 3);
        assert_eq!(code(unprocessable, "a/b is gated: accept its terms"), 4);
        assert_eq!(code(StatusCode::FORBIDDEN, "no"), 4);
        assert_eq!(code(unprocessable, "a/b does not fit g6e.xlarge"), 6);
        let other = failure(StatusCode::BAD_GATEWAY, b"<html>");
        assert!(matches!(other, Failure::Refused { message, .. } if message.contains("502")));
    }
}
