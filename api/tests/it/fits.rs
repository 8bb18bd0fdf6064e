//! Whether a model fits, asked beforehand and checked with every request.

use accelbench_core::instance::InstanceType;
use accelbench_store::{instances, platforms, prices};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{TestApp, request};

const LLAMA: &str = "meta-llama/Llama-3.1-8B";
const LARGE: &str = "meta-llama/Llama-3.1-405B";

/// A server with a cluster, and with a dearer and a larger instance type than the usual one.
pub(crate) async fn app() -> TestApp {
    let app = TestApp::new().await;
    let mut connection = app.database.pool.acquire().await.unwrap();
    platforms::offer_kubernetes(&mut connection).await.unwrap();
    for (name, accelerator, count, memory_gib, per_hour) in [
        ("p5.48xlarge", "H100", 8, 80.0, 55.04),
        ("p5en.48xlarge", "H200", 8, 141.0, 63.296),
        ("g6e.xlarge", "L40S", 1, 44.7, 1.861),
    ] {
        let instance: InstanceType = serde_json::from_value(json!({
            "instance_type": name, "family": name.split('.').next(), "accelerator_kind": "gpu",
            "accelerator_name": accelerator, "accelerator_count": count, "accelerator_memory_gib": memory_gib,
            "accelerator_bandwidth_gb_per_s": 3350.0, "accelerator_bf16_tflops": 989.0,
            "vcpu": 192, "memory_gib": 2048.0, "source": "test",
        }))
        .unwrap();
        instances::upsert(&mut connection, &instance).await.unwrap();
        let price = json!({
            "instance_type": name, "region": "us-east-1", "tier": "on_demand", "currency": "USD",
            "price": {"value": {"per_hour": per_hour, "upfront": 0.0}}, "as_of": "2026-07-20T00:00:00Z", "source": "test",
        });
        prices::record(&mut connection, &[serde_json::from_value(price).unwrap()]).await.unwrap();
    }
    drop(connection);
    app
}

async fn fit(app: &TestApp, parameters: &str) -> Value {
    let answer = app.get(&format!("/api/v1/fits?{parameters}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn what_fits_is_answered_in_numbers() {
    let mut answer =
        fit(&app().await, &format!("model={LLAMA}&instance_type=p5.48xlarge&context=4096")).await;
    let room = answer["deployment"]["room"].take();
    // 80 x 0.9 - 14.957 of weights - 1 of the engine's, in GiB.
    assert!((room["kv_cache_gib"].as_f64().unwrap() - 56.043).abs() < 0.001, "{room}");
    insta::assert_json_snapshot!(answer, @r#"
    {
      "concurrency": 16,
      "context_tokens": 4096,
      "deployment": {
        "chips": 8,
        "chips_used": 8,
        "max_sequences": 16,
        "precision": "16-bit as published (W16A16)",
        "quantization": "bf16",
        "replicas": 8,
        "room": null,
        "sentence": "fits at tensor parallel 1: of 80.0 GiB on each accelerator 72.0 are usable, weights take 15.0 and the engine 1.0; the 56.0 GiB left hold the cache of 459103 tokens, which is 112 sequences of full length; 8 replicas over 1 GPU each: 8 of 8 chips used",
        "tensor_parallel": 1
      },
      "elsewhere": [],
      "fits": true,
      "instance_type": "p5.48xlarge",
      "misfit": null,
      "model": "meta-llama/Llama-3.1-8B",
      "sentence": "fits at tensor parallel 1: of 80.0 GiB on each accelerator 72.0 are usable, weights take 15.0 and the engine 1.0; the 56.0 GiB left hold the cache of 459103 tokens, which is 112 sequences of full length; 8 replicas over 1 GPU each: 8 of 8 chips used"
    }
    "#);
}

#[tokio::test]
async fn what_does_not_fit_is_told_with_what_would() {
    let app = app().await;
    let answer = fit(&app, &format!("model={LARGE}&instance_type=p5.48xlarge&quantization=bf16")).await;
    insta::assert_json_snapshot!(answer, @r#"
    {
      "concurrency": 16,
      "context_tokens": 8192,
      "deployment": null,
      "elsewhere": [
        {
          "instance_type": "p5en.48xlarge",
          "price_confirmed_at": "2026-07-20T00:00:00Z",
          "tensor_parallel": 8,
          "usd_per_hour": 63.296
        }
      ],
      "fits": false,
      "instance_type": "p5.48xlarge",
      "misfit": {
        "alternatives": [
          {
            "change": "quantization",
            "quantization": "fp8",
            "tensor_parallel": 8
          }
        ],
        "parts_per_accelerator": 1,
        "shortage": {
          "kind": "weights",
          "overhead_gib": 1.0,
          "usable_gib": 72.0,
          "weights_gib": 94.2964106798172
        },
        "split": {
          "expert_parallel": 8,
          "tensor_parallel": 8
        }
      },
      "model": "meta-llama/Llama-3.1-405B",
      "sentence": "meta-llama/Llama-3.1-405B on p5.48xlarge does not fit at tensor parallel 8: of 72.0 GiB usable on each accelerator weights take 94.3 and the engine 1.0, which is 23.3 too much; it would fit with fp8 weights at tensor parallel 8"
    }
    "#);
}

#[tokio::test]
async fn odd_questions_are_refused_with_what_to_do() {
    let app = app().await;
    for (parameters, status, part) in [
        (
            "model=meta-llama/Llama-3.1-8&instance_type=p5.48xlarge",
            404,
            "did you mean `meta-llama/Llama-3.1-8B`",
        ),
        ("model=meta-llama/Llama-3.1-8B&instance_type=p5.48xlarg", 404, "did you mean `p5.48xlarge`"),
        ("model=meta-llama/Llama-3.1-8B&instance_type=local", 422, "no engine profile serves local"),
        ("model=some/unknown&instance_type=p5.48xlarge", 422, "number of parameters of some/unknown"),
        (
            "model=meta-llama/Llama-3.1-8B&instance_type=p5.48xlarge&context=0",
            422,
            "context must be 1 or more",
        ),
        (
            "model=meta-llama/Llama-3.1-8B&instance_type=p5.48xlarge&tensor_parallel=16",
            422,
            "which has 8 GPUs",
        ),
        ("model=meta-llama/Llama-3.1-8B&instance_type=p5.48xlarge&quantization=int8", 422, "w8a8"),
        ("model=meta-llama/Llama-3.1-8B", 400, "instance_type"),
    ] {
        let answer = app.get(&format!("/api/v1/fits?{parameters}")).await;
        assert_eq!(answer.status.as_u16(), status, "{parameters}: {}", answer.text);
        assert!(answer.text.contains(part), "{parameters}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_run_that_does_not_fit_is_refused_with_numbers_and_where_it_would() {
    let app = app().await;
    let mut asked = request();
    asked["platform"] = json!({"kind": "kubernetes"});
    asked["model"] = json!(LARGE);
    let refused = app.post("/api/v1/runs", &asked).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!(refused.problem(), @r#"
    {
      "detail": "meta-llama/Llama-3.1-405B on g6e.xlarge does not fit at tensor parallel 1: of 40.2 GiB usable on each accelerator weights take 754.4 and the engine 1.0, which is 715.1 too much; nothing makes it fit this instance type: choose a larger one",
      "hint": "it fits p5en.48xlarge at tensor parallel 8 (63.30 USD an hour)",
      "status": 422,
      "title": "Unprocessable Entity",
      "type": "about:blank"
    }
    "#);
    let mut fitting = asked.clone();
    (fitting["instance_type"], fitting["quantization"]) = (json!("p5.48xlarge"), json!("fp8"));
    let run = app.post("/api/v1/runs", &fitting).await;
    assert_eq!((run.status, &run.json()["spec"]["tensor_parallel"]), (StatusCode::CREATED, &json!(8)));
}
