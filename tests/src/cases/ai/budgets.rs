//! What a company's models may take.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tests::{Stack, company::text};

use super::Asked;

pub async fn what_is_used_up_is_refused_and_renewed_by_a_supervisor(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let compose = || async { asked.company.agents[0].api.post("/ai/compose-message", json!({"message": "oi"})).await };
    asked.script(json!({"content": {"text": "Olá!"}, "times": 0})).await;
    compose().await.expect(200);
    asked.set("ai_daily_tokens", json!(100)).await;
    assert_eq!(compose().await.problem(409), "ai_budget_gone");
    let id = asked.conversation("Oi, tudo bem?").await;
    let insight = asked.company.agents[0].api.post(&format!("/whatsapp/conversations/{id}/summary"), json!({})).await;
    assert_eq!(insight.problem(409), "ai_budget_gone");
    asked.set("ai_daily_tokens", json!(1_000_000)).await;
    compose().await.expect(200);
    asked.set("ai_monthly_tokens", json!(100)).await;
    assert_eq!(compose().await.problem(409), "ai_budget_gone");
    asked.set("ai_monthly_tokens", json!(1_000_000)).await;
    // What it may cost, where tokens have a price.
    asked.set("ai_input_price", json!(1_000)).await;
    asked.set("ai_daily_cost", json!(0.01)).await;
    assert_eq!(compose().await.problem(409), "ai_budget_gone", "one alone may cost more");
    asked.set("ai_daily_cost", json!(100)).await;
    compose().await.expect(200);
    asked.set("ai_enabled", json!(false)).await;
    assert_eq!(compose().await.problem(409), "ai_off");
    let none = stack.company(tests::Wanted { students: 0, ..tests::Wanted::default() }).await;
    let refused = none.admin.api.post("/ai/compose-message", json!({"message": "oi"})).await;
    assert_eq!(refused.problem(409), "ai_not_configured");
}

/// Each claims its room before it calls, so that however many come at once only as many are asked as fit; what they leave is there for the next.
pub async fn calls_at_once_take_no_more_than_there_is(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    asked.script(json!({"content": {"text": "Olá!"}, "times": 0, "delay_ms": 300})).await;
    // One claims some 2,000: what it answers may take and what it reads.
    asked.set("ai_daily_tokens", json!(7_000)).await;
    let calls = join_all((0..20).map(|number| {
        let agent = &asked.company.agents[number % 2].api;
        agent.post("/ai/compose-message", json!({"message": "oi"}))
    }));
    let answers = calls.await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..20).contains(&taken), "{taken} were asked");
    assert!(answers.into_iter().filter(|answer| answer.status != 200).all(|answer| answer.problem(409) == "ai_budget_gone"));
    assert_eq!(asked.asked().await.len(), taken);
    let database = stack.database().await;
    let row = database
        .query_one("select tokens, runs, refused from ai_days where company_id = $1", &[&asked.company.id])
        .await
        .expect("a day");
    let sum = "select sum(input_tokens + output_tokens)::bigint from ai_runs where company_id = $1 and status = 'done'";
    let told: i64 = database.query_one(sum, &[&asked.company.id]).await.expect("a sum").get(0);
    assert_eq!(row.get::<_, i64>("tokens"), told, "what was claimed has become what was taken");
    assert!(told <= 7_000);
    assert_eq!(
        (row.get::<_, i32>("runs"), row.get::<_, i32>("refused")),
        (i32::try_from(taken).expect("few"), 20 - i32::try_from(taken).expect("few"))
    );
}

/// Of what each may cost at most.
pub async fn calls_at_once_cost_no_more_than_there_is(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    asked.script(json!({"content": {"text": "Olá!"}, "times": 0, "delay_ms": 300})).await;
    for price in ["ai_input_price", "ai_output_price"] {
        asked.set(price, json!(1_000)).await;
    }
    // One claims some 2.00.
    asked.set("ai_daily_cost", json!(7)).await;
    let calls = join_all((0..20).map(|number| {
        let agent = &asked.company.agents[number % 2].api;
        agent.post("/ai/compose-message", json!({"message": "oi"}))
    }));
    let answers = calls.await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..20).contains(&taken), "{taken} were asked");
    assert!(answers.into_iter().filter(|answer| answer.status != 200).all(|answer| answer.problem(409) == "ai_budget_gone"));
    let usage = asked.company.supervisor.api.get("/ai/usage").await.expect(200);
    assert_eq!(usage["days"][0]["cost_micros"], usage["purposes"][0]["cost_micros"], "what was claimed has become what it cost");
    assert!(usage["days"][0]["cost_micros"].as_i64().is_some_and(|cost| (1..7_000_000).contains(&cost)), "{usage}");
}

pub async fn usage_tells_what_was_taken(stack: Arc<Stack>) {
    let asked = Asked::new(&stack, "gsk").await;
    let api = &asked.company.supervisor.api;
    let empty = api.get("/ai/usage").await.expect(200);
    assert_eq!((&empty["days"], &empty["purposes"]), (&json!([]), &json!([])));
    assert_eq!(empty["today"]["daily_tokens_left"], 500_000);
    asked.set("ai_input_price", json!(1)).await;
    asked.script(json!({"content": {"text": "Olá!"}, "times": 0})).await;
    for _ in 0..3 {
        asked.company.agents[0].api.post("/ai/compose-message", json!({"message": "oi"})).await.expect(200);
    }
    let usage = api.get("/ai/usage").await.expect(200);
    let (day, purpose) = (&usage["days"][0], &usage["purposes"][0]);
    assert_eq!((day["runs"].as_i64(), purpose["runs"].as_i64(), text(&purpose["purpose"])), (Some(3), Some(3), "compose"));
    assert_eq!((&day["tokens"], &day["cost_micros"]), (&purpose["tokens"], &purpose["cost_micros"]));
    assert!(day["cost_micros"].as_i64().expect("a cost") > 0 && purpose["median_ms"].is_i64());
    let left = usage["today"]["daily_tokens_left"].as_i64().expect("a number");
    assert_eq!(left, 500_000 - day["tokens"].as_i64().expect("a number"));
    for (query, status) in [("from=2026-02-01&to=2026-01-01", 422), ("from=2020-01-01&to=2026-01-01", 422), ("from=ontem", 422)] {
        assert_eq!(api.get(&format!("/ai/usage?{query}")).await.status, status, "{query}");
    }
    let before = api.get("/ai/usage?from=2020-01-01&to=2020-01-02").await.expect(200);
    assert_eq!(before["days"], json!([]));
}
