//! The reference data of a release, on a database.

use accelbench_core::dataset::{Dataset, DatasetName};
use accelbench_core::model::ModelId;
use accelbench_store::seed::seed;
use accelbench_store::{datasets, instances, models};
use accelbench_tests::database::TestDatabase;

/// All rows that the reference data is made of, hashed.
async fn fingerprint(database: &TestDatabase) -> String {
    sqlx::query_scalar(
        "SELECT md5(concat(
             (SELECT string_agg(to_jsonb(models)::text, '' ORDER BY model) FROM models),
             (SELECT string_agg(to_jsonb(instance_types)::text, '' ORDER BY instance_type) FROM instance_types),
             (SELECT string_agg(to_jsonb(imported_results)::text, '' ORDER BY imported_result_id) FROM imported_results),
             (SELECT string_agg(to_jsonb(datasets)::text, '' ORDER BY sha256) FROM datasets)))",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn the_release_is_written_whole() {
    let database = TestDatabase::create().await.unwrap();
    let seeded = seed(&database.pool).await.unwrap();
    assert_eq!((seeded.models, seeded.instance_types, seeded.datasets, seeded.prices), (220, 61, 1, 4309));
    assert_eq!(seeded.imported_results, 3453);

    let mut connection = database.pool.acquire().await.unwrap();
    assert_eq!(models::names(&mut connection).await.unwrap().len(), seeded.models);
    // `local` and `external` come with the schema.
    assert_eq!(instances::names(&mut connection).await.unwrap().len(), seeded.instance_types + 2);
    let llama: ModelId = "meta-llama/Llama-3.1-8B".parse().unwrap();
    let llama = models::find(&mut connection, &llama).await.unwrap();
    assert_eq!((llama.layers, llama.kv_cache_bytes_per_token), (Some(32), Some(131_072.0)));

    let standard = datasets::find(&mut connection, &DatasetName::standard()).await.unwrap();
    let content = datasets::content(&mut connection, &standard.sha256).await.unwrap();
    assert_eq!(Dataset::parse(&content).unwrap().len(), standard.prompt_count as usize);
    assert_eq!(content.len() as u64, standard.size_bytes);
}

#[tokio::test]
async fn seeding_again_changes_nothing() {
    let database = TestDatabase::create().await.unwrap();
    let first = seed(&database.pool).await.unwrap();
    let before = fingerprint(&database).await;
    assert_eq!(seed(&database.pool).await.unwrap(), first);
    assert_eq!(fingerprint(&database).await, before);
}

#[tokio::test]
async fn replicas_that_start_together_seed_in_turns() {
    let database = TestDatabase::create().await.unwrap();
    for outcome in futures::future::join_all((0..3).map(|_| seed(&database.pool))).await {
        outcome.unwrap();
    }
}
