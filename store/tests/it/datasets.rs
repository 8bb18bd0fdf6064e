//! Datasets: stored once by their hash, found by name or hash.

use accelbench_core::dataset::{DatasetName, Sha256Hex};
use accelbench_store::datasets::{self, StoredDataset};
use accelbench_store::{Error, Result};

use crate::builders::{DATASET, Store};

fn name(text: &str) -> DatasetName {
    text.parse().unwrap()
}

impl Store {
    async fn put_dataset(&self, as_name: &str, raw: &[u8]) -> StoredDataset {
        datasets::put(&mut *self.connection().await, &name(as_name), raw, 1, Some("ada")).await.unwrap()
    }

    async fn find_dataset(&self, by: &str) -> Result<StoredDataset> {
        datasets::find(&mut *self.connection().await, &name(by)).await
    }
}

#[tokio::test]
async fn the_bytes_that_come_out_are_those_that_went_in() {
    let store = Store::new().await;
    let raw: Vec<u8> = b"{\"prompt\": \"again\"}\n".repeat(50_000);
    let stored = store.put_dataset("mine", &raw).await;
    assert_eq!((stored.size_bytes, stored.submitted_by.as_deref()), (raw.len() as u64, Some("ada")));
    assert_eq!(stored.sha256, Sha256Hex::of(&raw));
    let content = datasets::content(&mut *store.connection().await, &stored.sha256).await.unwrap();
    assert_eq!(content, raw);
    let kept = store.count("SELECT max(octet_length(content))::bigint FROM datasets").await;
    assert!(kept < 10_000, "{kept} bytes are not compressed");
}

#[tokio::test]
async fn the_same_bytes_under_another_name_keep_the_first_name() {
    let store = Store::new().await;
    let again = store.put_dataset("renamed", DATASET).await;
    assert_eq!((again.name, again.prompt_count), (name("standard"), 2));
    assert_eq!(datasets::names(&mut *store.connection().await).await.unwrap(), ["standard"]);
}

#[tokio::test]
async fn a_name_finds_its_newest_version_and_a_hash_its_own() {
    let store = Store::new().await;
    let first = store.put_dataset("mine", b"first").await;
    let second = store.put_dataset("mine", b"second").await;
    assert_eq!(store.find_dataset("mine").await.unwrap(), second);
    assert_eq!(store.find_dataset(first.sha256.as_str()).await.unwrap(), first);
    let listed = datasets::list(&mut *store.connection().await).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|dataset| dataset.name.as_str()).collect();
    assert_eq!(names, ["mine", "mine", "standard"]);
}

#[tokio::test]
async fn a_dataset_named_like_the_hash_of_another_does_not_take_its_place() {
    let store = Store::new().await;
    let honest = store.put_dataset("mine", b"honest").await;
    store.put_dataset(honest.sha256.as_str(), b"forged").await;
    assert_eq!(store.find_dataset(honest.sha256.as_str()).await.unwrap(), honest);
    assert_eq!(store.put_dataset("mine", b"honest").await, honest);
}

#[tokio::test]
async fn unknown_names_and_hashes_are_not_found() {
    let store = Store::new().await;
    let nothing = Sha256Hex::of(b"nothing");
    for by in ["unknown", nothing.as_str()] {
        let found = store.find_dataset(by).await;
        assert!(matches!(found, Err(Error::NotFound { what: "dataset", .. })), "{by}: {found:?}");
    }
    let content = datasets::content(&mut *store.connection().await, &nothing).await;
    assert!(matches!(content, Err(Error::NotFound { what: "dataset", .. })), "{content:?}");
}

#[tokio::test]
async fn bytes_that_rotted_are_noticed() {
    let store = Store::new().await;
    for rotten in [b"no zstd".to_vec(), zstd::encode_all(&b"other"[..], 3).unwrap()] {
        sqlx::query("UPDATE datasets SET content = $1").bind(rotten).execute(store.pool()).await.unwrap();
        let content = datasets::content(&mut *store.connection().await, &Sha256Hex::of(DATASET)).await;
        assert!(matches!(content, Err(Error::Corrupt { what: "content", .. })), "{content:?}");
    }
}
