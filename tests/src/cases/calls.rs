//! GET /integrations/logs, GET /integrations/usage, GET and PUT /integrations/prices

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually};

use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as integration_calls;
    cases! {
        integration_calls::{
            calls_are_logged_with_how_long_they_took_and_what_they_cost,
            usage_is_summed_by_day_and_rounded_once,
            prices_are_checked,
        };
    }
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, ..Wanted::default() }).await
}

async fn save_prices(company: &Company, body: Value) -> tests::Answer {
    company.admin.api.call(Method::PUT, "/integrations/prices", Some(body)).await
}

async fn logged(company: &Company, query: &str) -> Vec<Value> {
    let page = company.supervisor.api.get(&format!("/integrations/logs?{query}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

pub async fn calls_are_logged_with_how_long_they_took_and_what_they_cost(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let price = json!({"provider": "whatsapp_cloud", "operation": "send", "price": "0.0315"});
    let saved = save_prices(&company, json!({"currency": "BRL", "prices": [price]})).await.expect(200);
    assert_eq!(company.supervisor.api.get("/integrations/prices").await.expect(200), saved);
    let (_, conversation) = company.served().await;
    company.agents[0].say(&conversation, "custa").await;
    company.phone.sent_at_least(1).await;
    company.phone.fault(json!({"target": "whatsapp.messages", "kind": "error", "status": 400, "code": 131_047})).await;
    company.agents[0].say(&conversation, "recusada").await;
    let calls = eventually("both calls", || async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let calls = logged(&company, "operation=send").await;
        (calls.len() == 2).then_some(calls)
    })
    .await;
    let (failed, sent) = (&calls[0], &calls[1]);
    assert_eq!((text(&sent["cost"]), text(&sent["currency"]), &sent["error_code"]), ("0.031500", "BRL", &Value::Null));
    assert_eq!((&failed["cost"], text(&failed["error_code"]), &failed["status"]), (&Value::Null, "131047", &json!(400)));
    assert!(sent["took_ms"].as_i64() > Some(0) || sent["took_ms"] == 0, "{sent}");
    assert_eq!(sent["channel_account_id"], company.channel_account_id.to_string());
    for (query, rows) in [
        ("failed=true&operation=send".to_owned(), 1),
        ("failed=false&operation=send".to_owned(), 1),
        ("provider=llm".to_owned(), 0),
        (format!("channel_account_id={}&operation=send", company.channel_account_id), 2),
        ("slower_than=1000000".to_owned(), 0),
        ("from=2099-01-01T00:00:00Z".to_owned(), 0),
        ("to=2020-01-01T00:00:00Z".to_owned(), 0),
    ] {
        assert_eq!(logged(&company, &query).await.len(), rows, "{query}");
    }
    company.agents[0].api.get("/integrations/logs").await.expect(403);
}

/// Calls at the end of a day where the company is, and at the beginning of the next.
const CALLS: &str = "
    insert into integration_calls (id, company_id, provider, operation, status, error_code, took_ms, cost, currency, at)
    select gen_random_uuid(), $1, 'llm', 'complete', call.status, call.code, call.took, call.cost, 'USD', call.at::timestamptz
      from (values (200, null, 100, 0.0315, '2026-03-02 02:59:59Z'), (200, null, 300, 0.0050, '2026-03-01 03:00:00Z'),
                   (200, null, 200, 0.0682, '2026-03-01 15:00:00Z'), (500, '500', 900, null, '2026-03-02 03:00:00Z')) call (status, code, took, cost, at)";

pub async fn usage_is_summed_by_day_and_rounded_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    stack.database().await.execute(CALLS, &[&company.id]).await.expect("calls");
    let path = "/integrations/usage?from=2026-03-01&to=2026-03-02&provider=llm";
    let usage = company.supervisor.api.get(path).await.expect(200);
    let first = json!({
        "day": "2026-03-01", "provider": "llm", "calls": 3, "failed": 0, "average_ms": 200, "p95_ms": 300, "cost": "0.10", "currency": "USD",
    });
    assert_eq!(usage["data"][1], first);
    assert_eq!(
        (text(&usage["data"][0]["day"]), &usage["data"][0]["failed"], &usage["data"][0]["cost"]),
        ("2026-03-02", &json!(1), &Value::Null)
    );
    for period in ["from=2026-01-01&to=2026-04-15", "from=2026-05-01&to=2026-03-01", "from=2000-01-01"] {
        let refused = company.supervisor.api.get(&format!("/integrations/usage?{period}")).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), "from", "{period}");
    }
    company.supervisor.api.get("/integrations/usage").await.expect(200);
    company.agents[0].api.get("/integrations/usage").await.expect(403);
}

pub async fn prices_are_checked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let price = |price: &str| json!({"provider": "llm", "operation": "complete", "price": price});
    for (field, wrong) in [
        ("prices[0].price", json!({"currency": "BRL", "prices": [price("-1")]})),
        ("prices[0].price", json!({"currency": "BRL", "prices": [price("0.1234567")]})),
        ("prices[1].operation", json!({"currency": "BRL", "prices": [price("1"), price("2")]})),
        ("currency", json!({"currency": "reais", "prices": []})),
    ] {
        let refused = save_prices(&company, wrong).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field);
    }
    assert_eq!(company.admin.api.get("/integrations/prices").await.expect(200)["version"], 0);
    company
        .supervisor
        .api
        .call(Method::PUT, "/integrations/prices", Some(json!({"currency": "BRL", "prices": []})))
        .await
        .expect(403);
}
