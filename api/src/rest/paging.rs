//! How lists go on: the same words for every one of them.

use std::str::FromStr;

use crate::error::ApiError;

/// Most of any list that one answer holds.
pub(crate) const MOST: u32 = 1000;

/// How many are asked for.
pub(crate) fn limit(asked: Option<u32>, usual: u32) -> Result<u32, ApiError> {
    let limit = asked.unwrap_or(usual);
    if (1..=MOST).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::bad_request(format!("limit is {limit}; it must be 1 to {MOST}"))
        .with_hint("ask for less, and for the next page with `cursor`"))
}

/// Where the page before ended.
pub(crate) fn cursor<T: FromStr>(asked: Option<&str>) -> Result<Option<T>, ApiError> {
    let read = |text: &str| {
        text.parse().map_err(|_unreadable| {
            ApiError::bad_request(format!("`{text}` is not a cursor of this list"))
                .with_hint("give `next_cursor` of the page before as it is, or nothing for the first page")
        })
    };
    asked.map(read).transpose()
}

/// The cursor after a page: nothing where it is not full.
pub(crate) fn next<T>(page: &[T], limit: u32, cursor: impl Fn(&T) -> String) -> Option<String> {
    page.last().filter(|_| page.len() == limit as usize).map(cursor)
}

#[cfg(test)]
mod tests {
    use super::{cursor, limit, next};

    #[test]
    fn a_limit_is_kept_and_a_full_page_goes_on() {
        assert_eq!(limit(None, 50).unwrap(), 50);
        assert_eq!(limit(Some(1000), 50).unwrap(), 1000);
        for refused in [0, 1001, u32::MAX] {
            assert!(limit(Some(refused), 50).is_err());
        }
        assert_eq!(next(&[1, 2], 2, ToString::to_string), Some("2".to_owned()));
        assert_eq!(next(&[1], 2, ToString::to_string), None);
        assert_eq!(cursor::<u32>(Some("7")).unwrap(), Some(7));
        assert!(cursor::<u32>(Some("x")).is_err());
    }
}
