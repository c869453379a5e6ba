//! CRMs that fail

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, company::text};

use super::{Crm, config, fresh_key};

pub async fn a_busy_crm_is_left_alone_as_long_as_it_says(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    crm.lead(json!({"name": "Maria", "email": "maria@exemplo.com.br"})).await;
    crm.fault("upsert", json!({"kind": "error", "status": 429, "retry_after": 4, "times": 1})).await;
    let started = crm.start().await;
    let progress = crm.ends(&started, "done").await;
    assert_eq!(progress["result"]["records_made"], 1, "{progress}");
    let calls = crm.calls("POST", "upsert").await;
    let at = |place: usize| text(&calls[place]["at"]).parse::<jiff::Timestamp>().expect("a time");
    assert_eq!(calls.len(), 2);
    assert!(at(1).duration_since(at(0)).as_secs_f64() >= 4.0, "it was left alone");
    let attempts = "select attempts from jobs where id = $1::text::uuid";
    let row = stack.database().await.query_one(attempts, &[&text(&started["id"])]).await.expect("a job");
    assert_eq!(row.get::<_, i32>(0), 1, "waiting is no failure");
}

pub async fn a_crm_that_is_down_is_asked_again_when_it_is_up(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    crm.lead(json!({"name": "Maria", "email": "maria@exemplo.com.br"})).await;
    crm.seed(json!([{"firstname": "Rita", "email": "rita@exemplo.com.br"}])).await;
    crm.fault("search", json!({"kind": "error", "status": 502, "times": 1})).await;
    crm.fault("search", json!({"kind": "error", "status": 200, "body": "<html>maintenance</html>", "times": 1})).await;
    crm.fault("upsert", json!({"kind": "refuse", "times": 1})).await;
    let result = crm.synced().await;
    assert_eq!((&result["leads_made"], &result["records_made"]), (&json!(1), &json!(1)), "{result}");
    assert_eq!((crm.leads().await.len(), crm.records().await.len()), (2, 2));
    // Down for good, it is given up, and nothing is lost.
    let rita = crm.lead(json!({"name": "Bia", "email": "bia@exemplo.com.br"})).await;
    crm.fault("", json!({"kind": "error", "status": 503, "body": "<html>down</html>"})).await;
    let started = crm.start().await;
    crm.ends(&started, "failed").await;
    assert_eq!(crm.calls("POST", "search").await.iter().filter(|call| call["status"] == 503).count(), 5, "five tries");
    crm.heal().await;
    let result = crm.synced().await;
    assert_eq!(result["records_made"], 1, "{result}");
    assert!(!crm.now(&rita).await["crm_id"].is_null());
}

pub async fn a_refused_key_breaks_the_connection_until_another_is_saved(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "pipedrive").await;
    crm.lead(json!({"name": "Maria", "email": "maria@exemplo.com.br"})).await;
    crm.control("settings", json!({"refuses_key": true})).await;
    let started = crm.start().await;
    let failed = crm.ends(&started, "failed").await;
    assert!(!failed.to_string().contains(&crm.key), "{failed}");
    let listed = crm.company.admin.api.get("/integrations/config").await.expect(200);
    let shown = listed["data"].as_array().into_iter().flatten().find(|one| one["kind"] == "pipedrive").cloned().expect("the CRM");
    assert_eq!(shown["status"], "broken", "{shown}");
    assert_eq!(crm.company.supervisor.api.post("/integrations/crm/sync", json!({})).await.problem(409), "crm_not_active");
    let key = fresh_key(&stack).await;
    crm.company.admin.api.post("/integrations/config", config(&stack, "pipedrive", &key)).await.expect(200);
    assert_eq!(crm.synced().await["records_made"], 1);
}

pub async fn what_was_done_and_not_answered_is_not_done_twice(stack: Arc<Stack>) {
    for (kind, about) in
        [("hubspot", "upsert"), ("hubspot", "associations"), ("pipedrive", "emails"), ("generic_rest", "/contacts")]
    {
        let crm = Crm::connect(&stack, kind).await;
        crm.control("settings", json!({"indexed_after_ms": 3000})).await;
        let fields = if about == "associations" {
            json!({"name": "Maria", "phone": "+5511987654321"})
        } else {
            json!({"name": "Maria", "email": "maria@exemplo.com.br"})
        };
        let maria = crm.lead(fields).await;
        crm.fault(about, json!({"kind": "accept_then_timeout", "times": 1})).await;
        let started = crm.start().await;
        let progress = crm.ends(&started, "done").await;
        let records = crm.records().await;
        assert_eq!(records.len(), 1, "{kind} {about}: {progress} {records:?}");
        assert_eq!(crm.now(&maria).await["crm_id"], records[0]["id"], "{kind} {about}");
        assert!(crm.calls("POST", "").await.iter().any(|call| call["status"].is_null()), "{kind} {about}: it was not answered");
    }
}

pub async fn what_a_crm_does_not_take_holds_nobody_up(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    let refused = crm.lead(json!({"name": "Maria", "email": "maria+refused@exemplo.com.br"})).await;
    for number in 0..5 {
        crm.lead(json!({"name": format!("Ana {number}"), "email": format!("ana{number}@exemplo.com.br")})).await;
    }
    let result = crm.synced().await;
    assert_eq!((&result["records_made"], &result["refused"]), (&json!(5), &json!(1)), "{result}");
    let reason = "select refused from crm_records where lead_id = $1::text::uuid";
    let row = stack.database().await.query_one(reason, &[&text(&refused["id"])]).await.expect("a record");
    assert_eq!(row.get::<_, Option<String>>(0).as_deref(), Some("Property values were not valid"));
    crm.change(&refused, json!({"email": "maria@exemplo.com.br"})).await;
    assert_eq!(crm.synced().await["records_made"], 1, "it is tried when it has changed");
    // What makes it fail alone is given up after five tries, and the others go on.
    let poison = crm.lead(json!({"name": "Veneno", "email": "veneno@exemplo.com.br"})).await;
    crm.lead(json!({"name": "Bia", "email": "bia@exemplo.com.br"})).await;
    crm.fault("veneno", json!({"kind": "error", "status": 500})).await;
    let result = crm.synced().await;
    assert_eq!((&result["records_made"], &result["refused"]), (&json!(1), &json!(1)), "{result}");
    crm.heal().await;
    assert_eq!(crm.synced().await["records_made"], 1, "and tried once more when somebody wants it");
    assert!(!crm.now(&poison).await["crm_id"].is_null());
}
