//! What people choose about

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::Crm;

/// A lead that both sides know.
async fn known(stack: &Arc<Stack>) -> (Crm, Value, String) {
    let crm = Crm::connect(stack, "hubspot").await;
    let maria = crm.lead(json!({"name": "Maria Teste", "email": "maria@exemplo.com.br", "company": "Escola A"})).await;
    crm.synced().await;
    let id = text(&crm.now(&maria).await["crm_id"]).to_owned();
    (crm, maria, id)
}

async fn there(crm: &Crm, field: &str) -> Value {
    crm.records().await[0]["fields"][field].clone()
}

pub async fn what_both_have_changed_is_asked_about(stack: Arc<Stack>) {
    let (crm, maria, id) = known(&stack).await;
    for (keep, ours, theirs) in [("ours", "Escola B", "Escola C"), ("theirs", "Escola D", "Escola E")] {
        crm.change(&maria, json!({"company": ours, "job_title": ours})).await;
        crm.change_there(&id, json!({"company": theirs, "phone": "+5511987654321"})).await;
        let result = crm.synced().await;
        assert_eq!(result["conflicts"], 1, "{result}");
        let lead = crm.now(&maria).await;
        assert_eq!(
            (text(&lead["company"]), text(&lead["phone"])),
            (ours, "5511987654321"),
            "what only they have changed is taken"
        );
        assert_eq!(
            (there(&crm, "company").await, there(&crm, "jobtitle").await),
            (json!(theirs), json!(ours)),
            "what only we have is told"
        );
        let conflicts = crm.conflicts().await;
        let conflict = &conflicts[0];
        let shown = ["kind", "field", "ours", "theirs", "lead_name"].map(|field| text(&conflict[field]));
        assert_eq!((conflicts.len(), shown), (1, ["field", "company", ours, theirs, "Maria Teste"]));
        assert_eq!(crm.synced().await["conflicts"], 0, "it is asked once");
        let resolved = crm.resolve(conflict, keep).await;
        assert_eq!((text(&resolved["resolution"]), &resolved["resolved_by_id"]), (keep, &json!(crm.company.supervisor.id)));
        let path = format!("/integrations/crm/conflicts/{}/resolve", text(&conflict["id"]));
        assert_eq!(crm.company.admin.api.post(&path, json!({"keep": "ours"})).await.problem(409), "already_resolved");
        crm.synced().await;
        let wanted = if keep == "ours" { ours } else { theirs };
        assert_eq!((crm.now(&maria).await["company"].clone(), there(&crm, "company").await), (json!(wanted), json!(wanted)));
        assert_eq!(crm.conflicts().await.len(), 0);
    }
    let all = crm.company.admin.api.get("/integrations/crm/conflicts?resolved=true").await.expect(200);
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2));
}

pub async fn what_is_gone_there_is_asked_about(stack: Arc<Stack>) {
    let (crm, maria, id) = known(&stack).await;
    crm.control("remove", json!({"id": id})).await;
    crm.change(&maria, json!({"company": "Escola B"})).await;
    let result = crm.synced().await;
    assert_eq!((&result["conflicts"], &result["records_made"]), (&json!(1), &json!(0)), "{result}");
    assert_eq!(crm.now(&maria).await["deleted_at"], Value::Null, "ours is not deleted");
    let conflicts = crm.conflicts().await;
    assert_eq!((text(&conflicts[0]["kind"]), &conflicts[0]["field"]), ("deleted", &Value::Null));
    crm.resolve(&conflicts[0], "ours").await;
    let result = crm.synced().await;
    assert_eq!(result["records_made"], 1, "{result}");
    let again = text(&crm.now(&maria).await["crm_id"]).to_owned();
    assert_ne!(again, id);
    crm.control("remove", json!({"id": again})).await;
    assert_eq!(crm.synced().await["conflicts"], 1);
    crm.resolve(&crm.conflicts().await[0], "theirs").await;
    assert_eq!(crm.leads().await.len(), 0);
    let result = crm.synced().await;
    assert_eq!((&result["records_made"], &result["records_removed"]), (&json!(0), &json!(0)), "{result}");
}

pub async fn who_says_the_same_again_is_not_asked_any_more(stack: Arc<Stack>) {
    let (crm, maria, id) = known(&stack).await;
    crm.change(&maria, json!({"company": "Escola B"})).await;
    crm.change_there(&id, json!({"company": "Escola C"})).await;
    crm.synced().await;
    crm.change_there(&id, json!({"company": "Escola B"})).await;
    crm.synced().await;
    assert_eq!(crm.conflicts().await.len(), 0);
    let all = crm.company.admin.api.get("/integrations/crm/conflicts?resolved=true").await.expect(200);
    assert_eq!(all["data"][0]["resolution"], "same", "{all}");
}

pub async fn conflicts_are_the_leaders_of_their_company(stack: Arc<Stack>) {
    let (crm, maria, id) = known(&stack).await;
    crm.change(&maria, json!({"company": "Escola B"})).await;
    crm.change_there(&id, json!({"company": "Escola C"})).await;
    crm.synced().await;
    let conflict = crm.conflicts().await[0].clone();
    let path = format!("/integrations/crm/conflicts/{}/resolve", text(&conflict["id"]));
    let other = Crm::connect(&stack, "hubspot").await;
    assert_eq!(other.conflicts().await.len(), 0);
    other.company.admin.api.post(&path, json!({"keep": "theirs"})).await.expect(404);
    for agent in [&crm.company.agents[0], &other.company.agents[0]] {
        agent.api.get("/integrations/crm/conflicts").await.expect(403);
        agent.api.post(&path, json!({"keep": "theirs"})).await.expect(403);
    }
    crm.company.supervisor.api.post(&path, json!({"keep": "both"})).await.expect(422);
    // Of many who choose at once one does.
    let choose = async |place: usize| {
        let person = if place.is_multiple_of(2) { &crm.company.admin } else { &crm.company.supervisor };
        let keep = if place.is_multiple_of(3) { "ours" } else { "theirs" };
        person.api.post(&path, json!({"keep": keep})).await.status
    };
    let statuses = futures_util::future::join_all((0..8).map(choose)).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
}
