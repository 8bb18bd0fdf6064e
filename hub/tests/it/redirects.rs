use std::sync::{Arc, OnceLock};

use accelbench_hub::HubError;

use crate::double::{
    self, Answer, Client as _, HubDouble, TOKEN, configuration, description, redirect, token,
};

/// A Hub whose files are kept elsewhere, as the real one's are.
async fn with_store(store: &HubDouble) -> HubDouble {
    let signed = store.url.join("files/config.json?X-Amz-Signature=abc").unwrap().to_string();
    double::start(move |asked| match asked.number {
        0 => Answer::Json(description()),
        _ => redirect(302, &signed),
    })
    .await
}

#[tokio::test]
async fn the_token_does_not_follow_to_another_origin() {
    let store = double::start(|_| Answer::Json(configuration())).await;
    let double = with_store(&store).await;
    let resolved = double.resolve(Some(TOKEN)).await.unwrap();
    assert_eq!(resolved.facts.layers, Some(36));
    assert!(double.asked().iter().all(|asked| asked.authorization.is_some()));
    let at_the_store = store.asked();
    assert_eq!(at_the_store.len(), 1);
    assert_eq!(at_the_store[0].authorization, None);
}

#[tokio::test]
async fn the_token_does_not_come_back_by_way_of_another_origin() {
    let back = Arc::new(OnceLock::<String>::new());
    let told = Arc::clone(&back);
    let store = double::start(move |_| redirect(302, told.get().unwrap())).await;
    let files = store.url.to_string();
    let double = double::start(move |asked| match asked.number {
        0 => Answer::Json(description()),
        1 => redirect(302, &files),
        _ => Answer::Json(configuration()),
    })
    .await;
    back.set(double.url.join("back").unwrap().into()).unwrap();
    double.resolve(Some(TOKEN)).await.unwrap();
    assert_eq!(store.asked()[0].authorization, None);
    let returned = &double.asked()[2];
    assert_eq!((returned.target.as_str(), returned.authorization.as_deref()), ("/back", None));
}

#[tokio::test]
async fn a_renamed_model_is_found_under_its_new_name() {
    let double = double::start(|asked| match asked.target.as_str() {
        "/api/models/old/name?blobs=true" => redirect(307, "/api/models/Qwen/Qwen3-8B?blobs=true"),
        target if target.starts_with("/api/models/") => Answer::Json(description()),
        target if target.starts_with("/old/name/") => {
            redirect(307, &target.replace("/old/name/", "/Qwen/Qwen3-8B/"))
        }
        _ => Answer::Json(configuration()),
    })
    .await;
    let token = token(TOKEN);
    let old = "old/name".parse().unwrap();
    let resolved = double.client().resolve(&old, None, Some(&token)).await.unwrap();
    assert_eq!(resolved.model.as_str(), "Qwen/Qwen3-8B");
    assert!(double.asked().iter().all(|asked| asked.authorization.is_some()));
}

#[tokio::test]
async fn redirects_without_end_are_given_up() {
    let double = double::start(|_| redirect(302, "/round")).await;
    let error = double.resolve(Some(TOKEN)).await.unwrap_err();
    assert!(matches!(error, HubError::Malformed { .. }), "{error:?}");
    assert!(double.asked().len() < 10);
}

#[tokio::test]
async fn a_store_that_is_kept_out_is_said_without_its_signed_address() {
    // Nobody listens on the port of the discard service.
    let signed = "http://localhost:9/files/config.json?X-Amz-Signature=abc";
    let double = double::start(move |asked| match asked.number {
        0 => Answer::Json(description()),
        _ => redirect(302, signed),
    })
    .await;
    let error = double.resolve(None).await.unwrap_err();
    assert!(error.to_string().contains("or the file store that it points to, cannot be reached"), "{error}");
    assert!(!format!("{error} {error:?}").contains("X-Amz-Signature"), "{error:?}");
}
