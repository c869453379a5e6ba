//! Models that answer badly, late or not at all; and what they are told.

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::Asked;

async fn compose(asked: &Asked) -> tests::Answer {
    asked.company.agents[0].api.post("/ai/compose-message", json!({"message": "oi"})).await
}

pub async fn answers_that_are_none_change_nothing(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    for (script, reason) in [
        (json!({"content": "isto não é JSON"}), None),
        (json!({"content": {"words": "Olá"}}), None),
        (json!({"content": "x".repeat(200_000)}), None),
        (json!({"content": {"text": "a".repeat(200_000)}}), None),
        (json!({"content": "", "times": 3}), Some("empty")),
        (
            json!({"content": null, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "apagar", "arguments": "{}"}}], "times": 3}),
            Some("empty"),
        ),
        (json!({"content": "{\"text\": \"Ol", "finish_reason": "length"}), Some("cut_off")),
        (json!({"content": "Não posso.", "refusal": "Não posso."}), Some("filtered")),
        (json!({"content": "", "finish_reason": "content_filter"}), Some("filtered")),
    ] {
        asked.script(script.clone()).await;
        assert_eq!(compose(&asked).await.problem(409), "ai_unclear", "{script}");
        let (_, status, why) = asked.runs().await.pop().expect("a run");
        assert_eq!(why.as_deref(), reason, "{script}");
        assert_eq!(status, if reason.is_some() { "failed" } else { "done" }, "{script}");
        asked.stack.control("DELETE", &format!("/sandbox/llm/script?token={}", asked.token), None).await;
    }
    for content in [json!({"text": "Olá!"}), json!("```json\n{\"text\": \"Olá!\"}\n```"), json!("Claro! {\"text\": \"Olá!\"}")]
    {
        asked.script(json!({"content": content})).await;
        assert_eq!(compose(&asked).await.expect(200)["text"], "Olá!");
    }
}

pub async fn a_busy_model_is_asked_again_and_then_the_second_one(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    // Only calls with these words are refused.
    let words = format!("oi {}", asked.token);
    let compose_words = async || asked.company.agents[0].api.post("/ai/compose-message", json!({"message": words})).await;
    let busy = async |more: Value| {
        let mut fault = json!({"target": "llm", "kind": "error", "status": 429, "contains": words});
        fault.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        text(&stack.control("POST", "/sandbox/faults", Some(fault)).await["id"]).to_owned()
    };
    asked.script(json!({"content": {"text": "Olá!"}, "times": 0})).await;
    busy(json!({"retry_after": 1, "times": 2})).await;
    assert_eq!(compose_words().await.expect(200)["text"], "Olá!", "asked again when its answer says");
    let calls = asked.asked().await.len();
    assert_eq!(calls, 3);
    // For an hour: nobody waits for that, and nobody asks meanwhile.
    let hour = busy(json!({"retry_after": 3_600})).await;
    assert_eq!(compose_words().await.problem(503), "ai_silent");
    assert_eq!(asked.asked().await.len(), calls + 1);
    stack.control("DELETE", &format!("/sandbox/faults?id={hour}"), None).await;
    // An account without money is its owner's to mend.
    let owed = busy(json!({"code": "insufficient_quota"})).await;
    assert_eq!(compose_words().await.problem(409), "ai_refused");
    stack.control("DELETE", &format!("/sandbox/faults?id={owed}"), None).await;
    // A page of a proxy's is no answer, and passes.
    busy(json!({"status": 502, "body": "<html>", "times": 1})).await;
    assert_eq!(compose_words().await.expect(200)["text"], "Olá!");
    stack.control("DELETE", &format!("/sandbox/llm/script?token={}", asked.token), None).await;
    // A key that is refused is not tried again, and the company is told whom to ask.
    let base_url = format!("{}/llm/v1", stack.addresses.sandbox);
    let wrong = json!({"ai": {"base_url": base_url, "api_key": "invalid-key"}});
    asked.company.admin.api.post("/setup/config", wrong).await.expect(200);
    assert_eq!(compose(&asked).await.problem(409), "ai_refused");
    assert_eq!(asked.runs().await.pop().expect("a run").2.as_deref(), Some("blocked"));
    // A model that was switched off: the second one answers.
    let gone = json!({"ai": {"base_url": base_url, "model": "llama-3.3-70b-versatile", "api_key": asked.token}});
    asked.company.admin.api.post("/setup/config", gone).await.expect(200);
    assert_eq!(compose(&asked).await.problem(409), "ai_refused");
    asked.set("ai_fallback_model", json!("openai/gpt-oss-20b")).await;
    asked.script(json!({"content": {"text": "Olá!"}})).await;
    assert_eq!(compose(&asked).await.expect(200)["text"], "Olá!");
    let model = "select model from ai_runs where company_id = $1 and status = 'done' order by created_at desc limit 1";
    let model: String = stack.database().await.query_one(model, &[&asked.company.id]).await.expect("a run").get(0);
    assert_eq!(model, "openai/gpt-oss-20b");
}

pub async fn servers_that_cannot_do_everything_are_asked_for_less(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    // This one takes no schemas.
    let base_url = format!("{}/llm/v1", stack.addresses.sandbox);
    let ai = json!({"ai": {"base_url": base_url, "model": "qwen/qwen3.6-27b", "api_key": asked.token}});
    asked.company.admin.api.post("/setup/config", ai).await.expect(200);
    asked.script(json!({"content": {"text": "Olá!"}})).await;
    assert_eq!(compose(&asked).await.expect(200)["text"], "Olá!");
    let asked = asked.asked().await;
    let formats: Vec<&str> = asked.iter().map(|call| text(&call["request"]["response_format"]["type"])).collect();
    assert!(formats == ["json_schema"] || formats == ["json_schema", "json_object"], "{formats:?}");
}

pub async fn a_silent_model_is_waited_for_no_longer_than_people_wait(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    asked.script(json!({"content": {"text": "Olá!"}, "delay_ms": 29_000, "times": 0})).await;
    let begun = Instant::now();
    assert_eq!(compose(&asked).await.problem(503), "ai_silent");
    assert!(begun.elapsed().as_secs() < 14, "{:?}", begun.elapsed());
    let (_, status, why) = asked.runs().await.pop().expect("a run");
    assert_eq!((status.as_str(), why.as_deref()), ("failed", Some("timed_out")));
    // Nobody knows what it took: what was claimed stays.
    let day = "select tokens from ai_days where company_id = $1";
    let tokens: i64 = stack.database().await.query_one(day, &[&asked.company.id]).await.expect("a day").get(0);
    assert!(tokens > 1_000);
}

pub async fn personal_data_does_not_leave(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let words = "Meu CPF é 529.982.247-25, e-mail ana@exemplo.com.br, cartão 4539 1488 0343 6467, fone (11) 98765-4321";
    let id = asked.conversation(words).await;
    asked.will_say("[CPF_1]", json!({"text": "O CPF [CPF_1] está certo?"})).await;
    let wish = json!({"conversation_id": id, "message": "confirme o CPF"});
    let composed = asked.company.agents[0].api.post("/ai/compose-message", wish.clone()).await.expect(200);
    assert_eq!(text(&composed["text"]), "O CPF 529.982.247-25 está certo?");
    let told = json!(asked.asked().await.pop().expect("a call")["request"]).to_string();
    for secret in ["529.982", "ana@exemplo", "4539", "98765"] {
        assert!(!told.contains(secret), "{secret} left: {told}");
    }
    for name in ["[CPF_1]", "[EMAIL_1]", "[CARTAO_1]", "[TELEFONE_1]"] {
        assert!(told.contains(name), "{name}: {told}");
    }
    asked.set("ai_masks_personal_data", json!(false)).await;
    asked.will_say("529.982.247-25", json!({"text": "Certo."})).await;
    asked.company.agents[0].api.post("/ai/compose-message", wish).await.expect(200);
}
