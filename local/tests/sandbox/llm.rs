use axum::http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage};

async fn complete(stage: &Stage, with: Value) -> Answer {
    let mut request = json!({"model": "openai/gpt-oss-120b",
        "messages": [{"role": "system", "content": "Seja breve."}, {"role": "user", "content": "Quero visitar"}]});
    for (key, value) in with.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    stage.call("POST", "/llm/v1/chat/completions", Some(&request)).await
}

fn content(answer: &Answer) -> Value {
    answer.json()["choices"][0]["message"]["content"].clone()
}

#[tokio::test]
async fn answers_what_was_ordered_then_echoes() {
    let stage = Stage::new().await;
    let script = json!({"match": "visitar", "content": {"intent": "visita"}, "finish_reason": "length"});
    stage.order("/llm/script", json!({"match": "outra coisa", "content": "não"})).await;
    stage.order("/llm/script", script).await;
    let answer = complete(&stage, json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(content(&answer), r#"{"intent":"visita"}"#);
    assert_eq!(answer.json()["choices"][0]["finish_reason"], "length");
    let usage = &answer.json()["usage"];
    assert!(usage["total_tokens"].as_u64().unwrap() > usage["completion_tokens"].as_u64().unwrap());
    assert_eq!(content(&complete(&stage, json!({})).await), "Entendi: Quero visitar");
}

#[tokio::test]
async fn schema_gets_an_example() {
    let stage = Stage::new().await;
    let format = json!({"type": "json_schema", "json_schema": {"name": "lead", "strict": true, "schema":
        {"type": "object", "additionalProperties": false, "required": ["city"],
         "properties": {"city": {"type": ["string", "null"]}}}}});
    let answer = complete(&stage, json!({"response_format": format})).await;
    assert_eq!(content(&answer), r#"{"city":null}"#);
}

#[tokio::test]
async fn refuses_what_groq_refuses() {
    let stage = Stage::new().await;
    let json_mode = json!({"type": "json_object"});
    let cases = [
        (400, json!({"logit_bias": {}})),
        (400, json!({"n": 2})),
        (400, json!({"temperature": 3})),
        (400, json!({"messages": []})),
        (400, json!({"messages": [{"role": "user", "content": "x", "name": "y"}]})),
        (400, json!({"messages": [{"role": "robot", "content": "x"}]})),
        (400, json!({"response_format": json_mode})),
        (400, json!({"reasoning_effort": "none"})),
        (400, json!({"max_completion_tokens": 70_000})),
        (400, json!({"model": "llama-3.3-70b-versatile"})),
        (404, json!({"model": "nenhum"})),
    ];
    for (status, with) in cases {
        let answer = complete(&stage, with.clone()).await;
        assert_eq!(answer.status, status, "{with}");
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    }
    let said = json!({"response_format": {"type": "json_object"},
        "messages": [{"role": "user", "content": "Answer with JSON"}]});
    assert_eq!(complete(&stage, said).await.status, 200);
    let naked = Request::get(format!("{}/llm/v1/models", stage.base)).body(Full::default()).unwrap();
    assert_eq!(stage.send(naked).await.unwrap().status, 401);
    let models = stage.call("GET", "/llm/v1/models", None).await.json();
    assert_eq!(models["data"][0]["id"], "openai/gpt-oss-120b");
}

#[tokio::test]
async fn fails_as_ordered_for_one_key() {
    let stage = Stage::new().await;
    for (token, times) in [("another", 1), ("token-1", 1)] {
        let fault = json!({"target": "llm", "kind": "error", "status": 429, "retry_after": 2,
            "token": token, "times": times});
        stage.order("/faults", fault).await;
    }
    let answer = complete(&stage, json!({})).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "2");
    assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(complete(&stage, json!({})).await.status, 200);
    let html = json!({"target": "llm", "kind": "error", "status": 502, "body": "<html>", "times": 1});
    stage.order("/faults", html).await;
    let answer = complete(&stage, json!({})).await;
    assert_eq!((answer.status, &answer.bytes[..]), (502, &b"<html>"[..]));
}
