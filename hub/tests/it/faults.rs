use std::time::Duration;

use accelbench_hub::{Hub, HubError, Timeouts};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use crate::double::{self, Answer, Asked, Client as _, configuration, description, model, timeouts};

type Scripted = fn() -> Answer;

fn too_many(retry_after: &str) -> Answer {
    Answer::Text(429, vec![("retry-after", retry_after.to_owned())], String::new())
}

fn well(asked: &Asked) -> Answer {
    let is_description = asked.target.starts_with("/api/models/");
    Answer::Json(if is_description { description() } else { configuration() })
}

#[tokio::test]
async fn what_may_be_bad_luck_is_asked_once_more() {
    let firsts: [Scripted; 3] = [
        || too_many("0"),
        || Answer::Text(503, vec![("retry-after", "0".to_owned())], String::new()),
        || Answer::Truncated("{\"sha\":"),
    ];
    for first in firsts {
        let double = double::start(move |asked| if asked.number == 0 { first() } else { well(asked) }).await;
        double.resolve(None).await.unwrap();
        assert_eq!(double.asked().len(), 3);
    }
}

#[tokio::test]
async fn nothing_is_asked_a_third_time() {
    let double = double::start(|_| too_many("0")).await;
    assert!(matches!(double.resolve(None).await, Err(HubError::RateLimited { .. })));
    assert_eq!(double.asked().len(), 2);
    let double = double::start(|_| Answer::Truncated("{")).await;
    assert!(matches!(double.resolve(None).await, Err(HubError::Unreachable { .. })));
    assert_eq!(double.asked().len(), 2);
}

#[tokio::test]
async fn a_long_pause_is_said_and_not_waited_for() {
    let double = double::start(|_| too_many("61")).await;
    let error = double.resolve(None).await.unwrap_err();
    assert!(error.to_string().ends_with("try again in 61 s"), "{error}");
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    let double = double::start(|_| Answer::Silence).await;
    let hurried = Timeouts { answer: Duration::from_millis(50), ..timeouts() };
    let hub = Hub::new(&double.url, hurried).unwrap();
    let error = hub.resolve(&model(), None, None).await.unwrap_err();
    assert!(error.to_string().starts_with("127.0.0.1 did not answer within 0.05 s"), "{error}");
    assert_eq!(double.asked().len(), 1);
}

#[tokio::test]
async fn nobody_there_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = Hub::new(&url, timeouts()).unwrap().resolve(&model(), None, None).await.unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_not_the_hubs_is_called_so() {
    let page = || {
        Answer::Text(
            200,
            vec![("content-type", "text/html; charset=utf-8".to_owned())],
            "<!doctype html><title>Sign in to the network</title>".to_owned(),
        )
    };
    let rows: [(Scripted, &str); 4] = [
        (page, "it is a web page"),
        (|| Answer::Text(200, vec![], "{\"sha\": nonsense".to_owned()), "it is no JSON, at line 1 column"),
        (|| Answer::Json(json!({"id": "Qwen/Qwen3-8B"})), "it names no commit (`sha`)"),
        (|| Answer::Text(200, vec![], "{\"sha\":".to_owned()), "it is no JSON, it ends too early"),
    ];
    for (answer, why) in rows {
        let double = double::start(move |_| answer()).await;
        let error = double.resolve(None).await.unwrap_err();
        assert!(matches!(error, HubError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_configuration_without_end_is_not_read() {
    let double = double::start(|asked| match asked.number {
        0 => Answer::Json(description()),
        _ => Answer::Text(200, vec![], " ".repeat(10_000_000)),
    })
    .await;
    let error = double.resolve(None).await.unwrap_err();
    assert!(matches!(error, HubError::TooLong { limit_bytes: 4_194_304, .. }), "{error:?}");
}

#[tokio::test]
async fn a_configuration_nested_without_end_is_no_configuration() {
    let double = double::start(|asked| match asked.number {
        0 => Answer::Json(description()),
        _ => Answer::Text(200, vec![], "[".repeat(100_000)),
    })
    .await;
    assert!(matches!(double.resolve(None).await, Err(HubError::Malformed { .. })));
}
