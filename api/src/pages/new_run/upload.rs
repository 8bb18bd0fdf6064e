//! A dataset that comes as a file of the form. It is kept like one that a program sends, under the file's name.

use accelbench_core::dataset::{DatasetName, Sha256Hex};
use accelbench_store::datasets;

use crate::app::App;
use crate::error::ApiError;
use crate::form::PostedFile;
use crate::rest::datasets::parse;

/// The field of the form, under which its faults are shown.
pub(super) const FIELD: &str = "dataset_file";

/// Most letters of a dataset's name.
const LONGEST_NAME: usize = 64;

/// Keeps the file if its every line can be read, and returns the name by which this version of it is found.
pub(super) async fn keep(app: &App, file: &PostedFile, by: Option<&str>) -> Result<String, ApiError> {
    let name = name_of(&file.name).ok_or_else(|| {
        about("the file's name has no letter or digit to call the dataset by; rename the file")
    })?;
    if name == DatasetName::standard() {
        return Err(about("`standard` is the dataset that comes with AccelBench; rename the file"));
    }
    let dataset = parse(file.bytes.clone())
        .await
        .map_err(|error| ApiError { detail: format!("{FIELD}: {}", error.detail), ..error })?;
    let mut connection = app.connection().await?;
    let stored = datasets::put(&mut connection, &name, &file.bytes, dataset.len(), by).await?;
    let newest: Sha256Hex = datasets::find(&mut connection, &stored.name).await?.sha256;
    let is_newest = newest == stored.sha256;
    Ok(if is_newest { stored.name.to_string() } else { stored.sha256.to_string() })
}

fn about(problem: &str) -> ApiError {
    ApiError::unprocessable(format!("{FIELD}: {problem}"))
}

/// The file's name without its ending, in the letters that a dataset's name may have.
fn name_of(file: &str) -> Option<DatasetName> {
    let last = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        plain @ ('a'..='z' | '0'..='9' | '.' | '_' | '-') => plain,
        _ => '-',
    };
    let name: String = stem.chars().map(letter).take(LONGEST_NAME).collect();
    let name = name.trim_matches(['-', '.', '_']);
    (!name.is_empty()).then(|| name.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_file_gives_its_dataset_a_name() {
        for (file, expected) in [
            ("chats.jsonl", Some("chats")),
            ("C:\\data\\My Chats (v2).json", Some("my-chats--v2")),
            ("../../etc/passwd", Some("passwd")),
            ("v1.2.csv", Some("v1.2")),
            ("対話.jsonl", None),
            ("", None),
        ] {
            assert_eq!(name_of(file).map(|name| name.to_string()).as_deref(), expected, "{file}");
        }
        assert_eq!(name_of(&"a".repeat(100)).map(|name| name.as_str().len()), Some(64));
    }
}
