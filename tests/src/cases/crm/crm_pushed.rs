//! Leads that a CRM is told of

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, company::text};

use super::{Crm, config, merged};

pub async fn a_rest_crm_is_told_of_leads(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "generic_rest").await;
    let maria = crm
        .lead(json!({"name": "Maria Teste", "email": "maria@exemplo.com.br", "phone": "+55 11 98765-4321", "company": "Escola A",
                     "origin": "Feira", "potential_value": "1500.00"}))
        .await;
    crm.lead(json!({"name": "João Teste"})).await;
    let result = crm.synced().await;
    assert_eq!((&result["records_made"], &result["refused"]), (&json!(2), &json!(0)), "{result}");
    let records = crm.records().await;
    let told = records.iter().find(|record| record["fields"]["nome_completo"] == "Maria Teste").expect("Maria");
    let expected = json!({"nome_completo": "Maria Teste", "email": "maria@exemplo.com.br", "telefone": "5511987654321", "empresa": "Escola A",
                          "origem": "Feira", "temperatura": "frio", "valor_potencial": "1500.00", "status": "open", "campanha": null, "cargo": null,
                          "lead_score": maria["score"]});
    assert_eq!(told["fields"], expected);
    assert_eq!(crm.now(&maria).await["crm_id"], told["id"]);
    crm.change(&maria, json!({"company": "Escola B"})).await;
    crm.forget_calls().await;
    let result = crm.synced().await;
    assert_eq!((&result["records_changed"], &result["records_made"]), (&json!(1), &json!(0)), "{result}");
    let calls = crm.calls("POST", "/contacts").await;
    assert_eq!(
        (calls.len(), &calls[0]["request"]["empresa"], &calls[0]["request"]["crm_id"]),
        (1, &json!("Escola B"), &told["id"])
    );
    assert_eq!(crm.records().await.len(), 2);
    crm.forget_calls().await;
    crm.synced().await;
    assert_eq!(crm.calls("POST", "").await.len(), 0, "nothing is new");
}

pub async fn hubspot_is_told_of_leads_and_their_changes(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    let mut made = Vec::new();
    for number in 0..12 {
        made.push(crm.lead(json!({"name": format!("Ana Clara {number}"), "email": format!("ana{number}@exemplo.com.br")})).await);
    }
    let phone_only = crm.lead(json!({"name": "Rita", "phone": "+5511912345678"})).await;
    let result = crm.synced().await;
    assert_eq!(
        (&result["records_made"], &result["leads_made"], &result["conflicts"]),
        (&json!(13), &json!(0), &json!(0)),
        "{result}"
    );
    assert_eq!(crm.calls("POST", "upsert").await.len(), 1, "all of them in one call");
    let records = crm.records().await;
    assert_eq!(records.len(), 13);
    let ana = records.iter().find(|record| record["fields"]["email"] == "ana3@exemplo.com.br").expect("Ana");
    assert_eq!((&ana["fields"]["firstname"], &ana["fields"]["lastname"]), (&json!("Ana"), &json!("Clara 3")));
    assert_eq!(crm.now(&made[3]).await["crm_id"], ana["id"]);
    let rita = records.iter().find(|record| record["fields"]["firstname"] == "Rita").expect("Rita");
    assert_eq!(rita["fields"]["phone"], "+5511912345678");
    crm.change(&phone_only, json!({"company": "Escola B"})).await;
    crm.change(&made[3], json!({"phone": "+5511955554444", "email": "outra@exemplo.com.br"})).await;
    let result = crm.synced().await;
    assert_eq!((&result["records_changed"], &result["leads_changed"]), (&json!(2), &json!(0)), "{result}");
    let told = crm.calls("PATCH", "").await;
    let of_ana = told.iter().find(|call| text(&call["path"]).ends_with(text(&ana["id"]))).expect("a call");
    let expected = json!({"properties": {"phone": "+5511955554444", "email": "outra@exemplo.com.br"}});
    assert_eq!(of_ana["request"], expected, "only what is new");
    assert_eq!(crm.records().await.len(), 13);
}

pub async fn pipedrive_is_told_of_leads_and_their_changes(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "pipedrive").await;
    let maria = crm
        .lead(json!({"name": "Maria Teste", "email": "maria@exemplo.com.br", "phone": "+5511987654321", "job_title": "Diretora"}))
        .await;
    let result = crm.synced().await;
    assert_eq!(result["records_made"], 1, "{result}");
    let record = crm.records().await[0].clone();
    let entry = |value: &str, label: &str| json!({"value": value, "primary": true, "label": label});
    let expected = json!({"name": "Maria Teste", "job_title": "Diretora", "emails": [entry("maria@exemplo.com.br", "work")], "phones": [entry("+5511987654321", "mobile")]});
    assert_eq!(record["fields"], expected);
    // What else they have there stays.
    let emails =
        json!([entry("maria@exemplo.com.br", "work"), {"value": "casa@exemplo.com.br", "primary": false, "label": "home"}]);
    crm.change_there(text(&record["id"]), json!({"emails": emails})).await;
    crm.change(&maria, json!({"email": "nova@exemplo.com.br"})).await;
    let result = crm.synced().await;
    assert_eq!((&result["records_changed"], &result["conflicts"]), (&json!(1), &json!(0)), "{result}");
    let values: Vec<Value> =
        crm.records().await[0]["fields"]["emails"].as_array().into_iter().flatten().map(|one| one["value"].clone()).collect();
    assert_eq!(values, ["nova@exemplo.com.br", "casa@exemplo.com.br"]);
    assert_eq!(crm.records().await.len(), 1);
}

pub async fn what_was_told_does_not_come_back(stack: Arc<Stack>) {
    for kind in ["hubspot", "pipedrive"] {
        let crm = Crm::connect(&stack, kind).await;
        let maria =
            crm.lead(json!({"name": "Maria  Teste", "email": "maria@exemplo.com.br", "phone": "+55 31 98765-4321"})).await;
        crm.synced().await;
        let told = crm.now(&maria).await;
        crm.forget_calls().await;
        for _ in 0..2 {
            let result = crm.synced().await;
            for counted in ["leads_made", "leads_changed", "records_made", "records_changed", "conflicts"] {
                assert_eq!(result[counted], 0, "{kind} {result}");
            }
        }
        assert_eq!(crm.now(&maria).await["version"], told["version"], "{kind}");
        let writes = crm.calls("PATCH", "").await.len()
            + crm.calls("POST", "upsert").await.len()
            + crm.calls("POST", "persons").await.len();
        assert_eq!(writes, 0, "{kind}");
        assert_eq!(crm.leads().await.len(), 1, "{kind}");
    }
}

pub async fn a_deleted_lead_is_taken_away_there(stack: Arc<Stack>) {
    for kind in ["hubspot", "pipedrive"] {
        let crm = Crm::connect(&stack, kind).await;
        let maria = crm.lead(json!({"name": "Maria", "email": "maria@exemplo.com.br"})).await;
        let rita = crm.lead(json!({"name": "Rita", "email": "rita@exemplo.com.br"})).await;
        crm.synced().await;
        crm.company
            .supervisor
            .api
            .call(reqwest::Method::DELETE, &format!("/leads/{}", text(&maria["id"])), None)
            .await
            .expect(204);
        let result = crm.synced().await;
        assert_eq!((&result["records_removed"], &result["conflicts"]), (&json!(1), &json!(0)), "{kind} {result}");
        let is_archived = |records: &[Value], name: &str| {
            let is_it = |record: &&Value| record["fields"].to_string().contains(name);
            records.iter().filter(is_it).map(|record| record["is_archived"] == true).collect::<Vec<_>>()
        };
        let records = crm.records().await;
        assert_eq!((is_archived(&records, "maria@"), is_archived(&records, "rita@")), (vec![true], vec![false]), "{kind}");
        let result = crm.synced().await;
        assert_eq!((&result["conflicts"], &result["leads_made"]), (&json!(0), &json!(0)), "{kind}: it is no news to us");
        crm.company.supervisor.api.post(&format!("/leads/{}/restore", text(&maria["id"])), json!({})).await.expect(200);
        let result = crm.synced().await;
        assert_eq!(result["records_made"], 1, "{kind} {result}");
        assert_eq!(crm.now(&rita).await["deleted_at"], Value::Null);
    }
}

pub async fn two_leads_of_one_contact_are_not_one_record(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    let first = crm.lead(json!({"name": "Maria", "email": "maria@exemplo.com.br"})).await;
    let other = crm.lead(json!({"name": "Maria Outra", "email": "maria@exemplo.com.br"})).await;
    let result = crm.synced().await;
    assert_eq!((&result["records_made"], &result["refused"]), (&json!(1), &json!(1)), "{result}");
    let ids = [crm.now(&first).await["crm_id"].clone(), crm.now(&other).await["crm_id"].clone()];
    assert_eq!(ids.iter().filter(|id| !id.is_null()).count(), 1, "{ids:?}");
    let whole = |records: &[Value]| records.iter().map(|record| record["fields"].clone()).collect::<Vec<_>>();
    let there = whole(&crm.records().await);
    assert_eq!(there.len(), 1);
    // Whatever the second is called since, it writes over nobody.
    let second = if ids[0].is_null() { &first } else { &other };
    crm.change(second, json!({"job_title": "Diretora"})).await;
    crm.synced().await;
    crm.synced().await;
    assert_eq!(whole(&crm.records().await), there);
    let names = [crm.now(&first).await["name"].clone(), crm.now(&other).await["name"].clone()];
    assert_eq!(names, [json!("Maria"), json!("Maria Outra")]);
}

pub async fn a_family_with_one_phone_are_several_people(stack: Arc<Stack>) {
    for kind in ["pipedrive", "hubspot"] {
        let crm = Crm::connect(&stack, kind).await;
        let mut leads = Vec::new();
        for name in ["Ana Souza", "Bia Souza", "Caio Souza"] {
            leads.push(crm.lead(json!({"name": name, "phone": "11987650000"})).await);
        }
        crm.synced().await;
        crm.synced().await;
        let mut ids = Vec::new();
        for (lead, name) in leads.iter().zip(["Ana Souza", "Bia Souza", "Caio Souza"]) {
            let now = crm.now(lead).await;
            assert_eq!(now["name"], name, "{kind}");
            ids.push(text(&now["crm_id"]).to_owned());
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), crm.records().await.len()), (3, 3), "{kind}");
    }
}

pub async fn the_record_of_a_merged_lead_goes_with_it(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    let goes = crm.lead(json!({"name": "Ana", "email": "ana@exemplo.com.br"})).await;
    crm.synced().await;
    let id = crm.now(&goes).await["crm_id"].clone();
    let stays = crm.lead(json!({"name": "Ana Lima"})).await;
    let boss = &crm.company.supervisor.api;
    let merge = boss.post(&format!("/leads/{}/merge", text(&stays["id"])), json!({"lead_id": goes["id"]})).await.expect(201);
    let result = crm.synced().await;
    assert_eq!(
        (&result["records_removed"], &result["records_made"], &result["refused"]),
        (&json!(0), &json!(0), &json!(0)),
        "{result}"
    );
    assert_eq!((&crm.now(&stays).await["crm_id"], crm.records().await.len()), (&id, 1));
    crm.change_there(text(&id), json!({"jobtitle": "Diretora"})).await;
    crm.synced().await;
    assert_eq!(crm.now(&stays).await["job_title"], "Diretora");
    // Parted, each is told of by itself.
    boss.post(&format!("/lead-merges/{}/undo", text(&merge["id"])), json!({})).await.expect(200);
    crm.synced().await;
    let ids = [crm.now(&goes).await["crm_id"].clone(), crm.now(&stays).await["crm_id"].clone()];
    assert_eq!((&ids[0], crm.records().await.len()), (&id, 2));
    assert!(!ids[1].is_null() && ids[0] != ids[1], "{ids:?}");
}

pub async fn what_is_called_otherwise_is_read_anew(stack: Arc<Stack>) {
    let crm = Crm::connect_with(&stack, "hubspot", json!({"fields": {"origin": "origem"}})).await;
    crm.control("settings", json!({"properties": ["origem", "fonte"]})).await;
    let lead = crm.lead(json!({"name": "Ana", "email": "ana@exemplo.com.br", "origin": "google"})).await;
    crm.synced().await;
    let id = text(&crm.now(&lead).await["crm_id"]).to_owned();
    let version = crm.saved["version"].to_string();
    let renamed = merged(config(&stack, "hubspot", &crm.key), &json!({"fields": {"origin": "fonte"}}));
    let api = crm.company.admin.api.with_header("if-match", &version);
    api.post("/integrations/config", renamed).await.expect(200);
    crm.change_there(&id, json!({"jobtitle": "Diretora"})).await;
    crm.synced().await;
    let now = crm.now(&lead).await;
    assert_eq!((&now["origin"], &now["job_title"]), (&json!("google"), &json!("Diretora")));
    let record = crm.records().await[0]["fields"].clone();
    assert_eq!((&record["fonte"], &record["origem"]), (&json!("google"), &json!("google")), "{record}");
}

pub async fn two_companies_with_one_contact_do_not_meet(stack: Arc<Stack>) {
    let [one, other] = [Crm::connect(&stack, "hubspot").await, Crm::connect(&stack, "hubspot").await];
    for crm in [&one, &other] {
        crm.lead(json!({"name": "Maria", "email": "maria@exemplo.com.br"})).await;
    }
    one.synced().await;
    other.synced().await;
    let [first, second] = [one.records().await, other.records().await];
    assert_eq!((first.len(), second.len()), (1, 1));
    // The same account of both companies, even: each has its own lead of the contact.
    let key = config(&stack, "hubspot", &one.key);
    other.company.admin.api.post("/integrations/config", key).await.expect(200);
    one.change_there(text(&first[0]["id"]), json!({"company": "Escola A"})).await;
    one.synced().await;
    assert_eq!(one.leads().await[0]["company"], "Escola A");
    assert_eq!(other.leads().await[0]["company"], Value::Null);
    other.synced().await;
    assert_eq!((one.leads().await.len(), other.leads().await.len()), (1, 1));
    assert_eq!(other.leads().await[0]["company"], "Escola A");
}
