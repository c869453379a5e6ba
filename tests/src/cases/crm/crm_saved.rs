//! POST /integrations/config with a CRM, and who may begin a sync

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::{Crm, company, config, fresh_key};

pub async fn a_crm_is_connected_and_its_key_is_never_shown(stack: Arc<Stack>) {
    let (company, key) = (company(&stack).await, fresh_key(&stack).await);
    let api = &company.admin.api;
    let saved = api.post("/integrations/config", config(&stack, "hubspot", &key)).await.expect(200);
    let end = &key[key.len() - 4..];
    assert_eq!(
        (text(&saved["kind"]), text(&saved["status"]), text(&saved["api_key"])),
        ("hubspot", "active", format!("••••{end}").as_str())
    );
    assert!(text(&saved["webhook_url"]).contains("/webhooks/crm/"), "{saved}");
    let listed = api.get("/integrations/config").await.expect(200);
    let crm = listed["data"].as_array().into_iter().flatten().find(|one| one["kind"] == "hubspot").cloned().expect("the CRM");
    assert_eq!(crm["id"], saved["id"]);
    assert!(!listed.to_string().contains(&key) && !saved.to_string().contains(&key));
    let database = stack.database().await;
    let kept = "select (select string_agg(coalesce(before::text, '') || coalesce(after::text, ''), '') from audit_log where company_id = $1) || (select string_agg(c::text, '') from crm_connections c where company_id = $1)";
    let kept: String = database.query_one(kept, &[&company.id]).await.expect("rows").get(0);
    assert!(!kept.contains(&key), "the key is sealed");
    let again = api.post("/integrations/config", json!({"kind": "hubspot", "name": "Outro nome"})).await.expect(200);
    assert_eq!(
        (&again["id"], &again["name"], &again["api_key"], &again["version"]),
        (&saved["id"], &json!("Outro nome"), &saved["api_key"], &json!(2))
    );
    let same = api.post("/integrations/config", json!({"kind": "hubspot", "name": "Outro nome"})).await.expect(200);
    assert_eq!(same["version"], 2, "nothing has changed");
    assert_eq!(api.post("/integrations/config", config(&stack, "pipedrive", &key)).await.problem(409), "other_crm");
    for person in [&company.supervisor, &company.agents[0]] {
        person.api.post("/integrations/config", config(&stack, "hubspot", &key)).await.expect(403);
    }
}

pub async fn what_cannot_be_connected_is_named(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    for (body, field, code) in [
        (json!({"kind": "hubspot", "name": "CRM"}), "api_key", "required"),
        (
            json!({"kind": "generic_rest", "name": "CRM", "api_key": "12345678", "base_url": "http://10.0.0.1/x"}),
            "base_url",
            "not_public",
        ),
        (
            json!({"kind": "generic_rest", "name": "CRM", "api_key": "12345678", "base_url": "https://169.254.169.254/"}),
            "base_url",
            "not_public",
        ),
        (
            json!({"kind": "generic_rest", "name": "CRM", "api_key": "12345678", "base_url": "ftp://x"}),
            "base_url",
            "invalid_address",
        ),
        (json!({"kind": "hubspot", "name": "CRM", "api_key": "12345678", "fields": {"closer_id": "x"}}), "fields", "pattern"),
    ] {
        let refused = api.post("/integrations/config", body).await.expect(422);
        let errors = refused["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().any(|error| error["field"] == field && error["code"] == code), "{refused}");
    }
    api.post("/integrations/crm/sync", json!({})).await.expect(404);
    company.agents[0].api.post("/integrations/crm/sync", json!({})).await.expect(403);
    // The key stays with the server that it was given for.
    let crm = Crm::connect(&stack, "generic_rest").await;
    let moved = json!({"kind": "generic_rest", "name": "CRM", "base_url": format!("{}/elsewhere", stack.addresses.sandbox)});
    assert_eq!(crm.company.admin.api.post("/integrations/config", moved).await.problem(422), "invalid");
    let disabled = json!({"kind": "generic_rest", "name": "CRM", "base_url": crm.saved["base_url"], "status": "disabled"});
    crm.company.admin.api.post("/integrations/config", disabled).await.expect(200);
    assert_eq!(crm.company.supervisor.api.post("/integrations/crm/sync", json!({})).await.problem(409), "crm_not_active");
    assert_eq!(crm.hint().await, 401, "nobody listens");
}

pub async fn the_company_says_what_fields_are_called(stack: Arc<Stack>) {
    let fields = json!({"origin": "origem_do_lead", "job_title": null});
    let crm = Crm::connect_with(&stack, "hubspot", json!({"fields": fields})).await;
    crm.control("settings", json!({"properties": ["origem_do_lead"]})).await;
    crm.lead(json!({"name": "Maria Teste", "email": "maria@exemplo.com.br", "origin": "Feira", "job_title": "Diretora"})).await;
    crm.synced().await;
    let records = crm.records().await;
    assert_eq!(records[0]["fields"]["origem_do_lead"], "Feira", "{records:?}");
    assert_eq!(records[0]["fields"].get("jobtitle"), None);
    crm.change_there(text(&records[0]["id"]), json!({"origem_do_lead": "Indicação"})).await;
    crm.synced().await;
    assert_eq!(crm.leads().await[0]["origin"], "Indicação");
}

pub async fn of_many_who_begin_at_once_one_sync_begins(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    crm.lead(json!({"name": "Maria Teste", "email": "maria@exemplo.com.br"})).await;
    crm.fault("search", json!({"kind": "timeout", "ms": 1500, "times": 1})).await;
    let begin = async |place: usize| {
        if place.is_multiple_of(3) {
            assert_eq!(crm.hint().await, 200);
            return Value::Null;
        }
        let person = if place.is_multiple_of(2) { &crm.company.admin } else { &crm.company.supervisor };
        person.api.post("/integrations/crm/sync", json!({})).await.expect(202)["id"].clone()
    };
    let started = futures_util::future::join_all((0..9).map(begin)).await;
    let ids: std::collections::HashSet<String> =
        started.iter().filter(|id| !id.is_null()).map(|id| text(id).to_owned()).collect();
    assert_eq!(ids.len(), 1, "{started:?}");
    for id in &ids {
        crate::cases::jobs::progress_when(&crm.company, id, "done").await;
    }
    assert_eq!(crm.records().await.len(), 1);
    assert_eq!(crm.calls("POST", "upsert").await.len(), 1);
}
