use std::error::Error;
use std::iter::successors;

use accelbench_hub::{Access, Approval, HubError};
use serde_json::json;

use crate::double::{
    self, Answer, Asked, Client as _, TOKEN, configuration, described, description, model, refusal,
};

/// A gated model, whose description everyone may read, and whose files the token alone opens.
fn gated(asked: &Asked) -> Answer {
    let bearer = asked.authorization.as_deref();
    match (asked.target.starts_with("/api/models/"), bearer) {
        (true, _) => Answer::Json(described("gated", json!("manual"))),
        (false, Some("Bearer hf_verysecret")) => Answer::Json(configuration()),
        (false, None) => refusal(401, "GatedRepo", "Access to model Qwen/Qwen3-8B is restricted."),
        (false, Some(_)) => refusal(403, "GatedRepo", "You are not in the authorized list."),
    }
}

#[tokio::test]
async fn a_gated_model_opens_to_the_token_that_may() {
    let double = double::start(gated).await;
    let resolved = double.resolve(Some(TOKEN)).await.unwrap();
    assert_eq!(resolved.access, Access::Gated { approval: Approval::Manual });
    assert!(
        double.asked().iter().all(|asked| asked.authorization.as_deref() == Some("Bearer hf_verysecret"))
    );
    assert!(double.targets().iter().all(|target| !target.contains(TOKEN)));
}

#[tokio::test]
async fn a_gated_model_says_how_to_get_in() {
    let double = double::start(gated).await;
    let page = double.url.join("Qwen/Qwen3-8B").unwrap();
    let without = double.resolve(None).await.unwrap_err();
    assert!(matches!(without, HubError::TokenNeeded { approval: Some(Approval::Manual), .. }), "{without:?}");
    assert!(without.to_string().contains(&format!("accept its terms at {page}, wait until")), "{without}");
    let other = double.resolve(Some("hf_other")).await.unwrap_err();
    assert!(matches!(other, HubError::AccessNotGranted { .. }), "{other:?}");
    assert!(other.to_string().contains("You are not in the authorized list."), "{other}");
}

#[tokio::test]
async fn what_is_no_decoder_needs_no_token_to_say_so() {
    let double = double::start(|asked| {
        if asked.target.starts_with("/api/models/") {
            let mut description = described("gated", json!("auto"));
            description["pipeline_tag"] = json!("text-to-image");
            Answer::Json(description)
        } else {
            refusal(401, "GatedRepo", "restricted")
        }
    })
    .await;
    assert!(matches!(double.resolve(None).await, Err(HubError::NotADecoder { .. })));
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn missing_and_private_are_the_same_to_the_hub() {
    let double = double::start(|asked| match asked.authorization {
        None => refusal(401, "RepoNotFound", "Invalid username or password."),
        Some(_) => refusal(404, "RepoNotFound", "Repository not found"),
    })
    .await;
    for token in [None, Some(TOKEN)] {
        match double.resolve(token).await.unwrap_err() {
            error @ HubError::ModelNotFound { token_given, .. } => {
                assert_eq!(token_given, token.is_some());
                assert!(error.to_string().contains("which the Hub does not tell apart"), "{error}");
            }
            error => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_branch_that_is_not_there_is_said() {
    let double = double::start(|_| refusal(404, "RevisionNotFound", "Invalid rev id: nope")).await;
    let error = double.client().resolve(&model(), Some("nope"), None).await.unwrap_err();
    assert!(error.to_string().starts_with("Qwen/Qwen3-8B has no revision `nope`"), "{error}");
}

#[tokio::test]
async fn a_wrong_token_is_told_from_a_missing_model() {
    let double = double::start(|_| {
        let message = "Invalid credentials in Authorization header";
        Answer::Text(401, vec![("x-error-message", message.to_owned())], String::new())
    })
    .await;
    assert!(matches!(double.resolve(Some(TOKEN)).await, Err(HubError::TokenRefused { .. })));
}

#[tokio::test]
async fn a_private_model_is_called_so() {
    let double = double::with(described("private", json!(true)), configuration()).await;
    assert_eq!(double.resolve(Some(TOKEN)).await.unwrap().access, Access::Private);
}

#[tokio::test]
async fn nothing_that_is_shown_holds_the_token() {
    let scripts: [fn(&Asked) -> Answer; 7] = [
        |_| refusal(401, "GatedRepo", "Bearer hf_verysecret may not"),
        |_| refusal(403, "", "hf_verysecret may not"),
        |_| refusal(500, "", "hf_verysecret broke it"),
        |_| Answer::Text(200, vec![], "hf_verysecret".to_owned()),
        |_| Answer::Json(json!({"sha": "hf_verysecret"})),
        |_| Answer::Truncated("hf_verysecret"),
        |asked| match asked.number {
            0 => Answer::Json(description()),
            _ => Answer::Json(json!("hf_verysecret")),
        },
    ];
    for script in scripts {
        let double = double::start(script).await;
        let error = everything(&double.resolve(Some(TOKEN)).await.unwrap_err());
        assert!(!error.contains("hf_verysecret"), "{error}");
        assert!(!format!("{:?}", double.client()).contains("hf_verysecret"));
    }
}

/// All that a log line could show of an error.
fn everything(error: &HubError) -> String {
    let sources = successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
    sources.map(|error| format!("{error} {error:?}")).collect::<Vec<_>>().join("\n")
}
