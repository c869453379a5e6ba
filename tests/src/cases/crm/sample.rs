//! What sample events of CRMs are about.

use serde_json::json;
use tests::{Company, Stack, Wanted, company::text};
use uuid::Uuid;

use super::config;
use crate::cases::contract::sample::watched_job;

/// The value of a placeholder.
pub async fn value(stack: &Stack, company: &Company, placeholder: &str) -> String {
    match placeholder {
        "crm_conflict_id" => conflict(stack, company).await,
        "crm_token" => connected(stack, company).await.rsplit('/').next().unwrap_or_default().to_owned(),
        "crm_id" => {
            connected(stack, company).await;
            Uuid::new_v4().to_string()
        }
        _ => {
            // Of a company of its own: nothing else syncs there meanwhile.
            let company = stack.company(Wanted { agents: 0, students: 0, ..Wanted::default() }).await;
            connected(stack, &company).await;
            watched_job(stack, &company, ("sync_crm", "crm"), json!({"is_asked_for": true})).await
        }
    }
}

/// The address of the company's CRM, whoever connects it.
async fn connected(stack: &Stack, company: &Company) -> String {
    let key = format!("key-of-{}", company.id);
    stack.control("POST", "/sandbox/crm/settings", Some(json!({"key": key}))).await;
    loop {
        let saved = company.admin.api.post("/integrations/config", config(stack, "hubspot", &key)).await;
        // Of two who connect it at once the second looks again.
        if saved.status != 409 {
            return text(&saved.expect(200)["webhook_url"]).to_owned();
        }
    }
}

/// A lead and the CRM differ in a field; answers the conflict's id.
pub async fn conflict(stack: &Stack, company: &Company) -> String {
    let lead = company.admin.api.post("/leads", json!({"name": "Lead da casa", "company": "Escola A"})).await.expect(201);
    let add = "
        with record as (
            insert into crm_records (company_id, lead_id, crm_id, agreed) values ($1, $2::text::uuid, $2, '{}')
        )
        insert into crm_conflicts (company_id, lead_id, crm_id, kind, field, agreed, ours, theirs, created_at)
        values ($1, $2::text::uuid, $2, 'field', 'company', null, 'Escola A', 'Escola B', clock_timestamp())
        returning id";
    let row = stack.database().await.query_one(add, &[&company.id, &text(&lead["id"])]).await.expect("a conflict");
    row.get::<_, Uuid>(0).to_string()
}
