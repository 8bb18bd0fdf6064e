//! The engines that workers offer.

use accelbench_core::engine::EngineName;
use accelbench_store::{Error, engines};

use crate::builders::{Store, constraint};

#[tokio::test]
async fn the_newest_command_of_an_engine_counts() {
    let store = Store::new().await;
    let mut connection = store.connection().await;
    let vllm: EngineName = "vllm".parse().unwrap();
    let command = |program: &str| vec![program.to_owned(), "serve".to_owned(), "{model}".to_owned()];
    engines::offer(&mut connection, &vllm, &command("old")).await.unwrap();
    let before = engines::find(&mut connection, &vllm).await.unwrap();
    engines::offer(&mut connection, &vllm, &command("new")).await.unwrap();
    engines::offer(&mut connection, &EngineName::simulator(), &command("accelbench")).await.unwrap();

    let found = engines::find(&mut connection, &vllm).await.unwrap();
    assert_eq!(found.command, command("new"));
    assert!(found.offered_at > before.offered_at);
    assert_eq!(engines::names(&mut connection).await.unwrap(), ["simulator", "vllm"]);
    assert_eq!(engines::list(&mut connection).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_engine_that_nobody_offers_is_not_found() {
    let store = Store::new().await;
    let outcome = engines::find(&mut *store.connection().await, &EngineName::simulator()).await;
    assert!(matches!(outcome, Err(Error::NotFound { what: "engine", .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_engine_has_a_command() {
    let store = Store::new().await;
    let refused = engines::offer(&mut *store.connection().await, &EngineName::simulator(), &[]).await;
    assert_eq!(constraint(refused), "engines_command_check");
}
