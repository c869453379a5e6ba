//! What changes in a CRM and is taken

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};

use super::Crm;
use crate::cases::leads::automations::{automate, tasks};

fn contact(number: usize) -> Value {
    json!({"firstname": "Ana", "lastname": format!("Lima {number}"), "email": format!("ana{number}@exemplo.com.br"), "phone": format!("+55119{number:08}")})
}

pub async fn their_contacts_become_leads_and_what_they_change_is_taken(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    let ids = crm.seed(json!([contact(70_000_001), {"company": "nobody has a name here"}])).await;
    let mut socket = crm.company.supervisor.socket().await;
    let result = crm.synced().await;
    assert_eq!(
        (&result["leads_made"], &result["records_changed"], &result["records_made"]),
        (&json!(1), &json!(0), &json!(0)),
        "{result}"
    );
    socket.of_type("lead.created").await;
    let lead = crm.leads().await[0].clone();
    let said = ["name", "email", "phone", "crm_id"].map(|field| text(&lead[field]).to_owned());
    assert_eq!(said, ["Ana Lima 70000001", "ana70000001@exemplo.com.br", "5511970000001", &ids[0]]);
    crm.change_there(&ids[0], json!({"jobtitle": "Diretora", "email": ""})).await;
    let result = crm.synced().await;
    assert_eq!((&result["leads_changed"], &result["records_changed"]), (&json!(1), &json!(0)), "{result}");
    let event = socket.of_type("lead.updated").await;
    assert_eq!(event["data"]["lead"]["job_title"], "Diretora");
    let lead = crm.now(&lead).await;
    assert_eq!((&lead["job_title"], &lead["email"]), (&json!("Diretora"), &Value::Null));
    // What is no phone says nothing, and the name stays.
    crm.change_there(&ids[0], json!({"phone": "ligar depois", "firstname": "", "lastname": ""})).await;
    crm.synced().await;
    let lead = crm.now(&lead).await;
    assert_eq!((text(&lead["phone"]), text(&lead["name"])), ("5511970000001", "Ana Lima 70000001"));
}

pub async fn persons_of_pipedrive_become_leads(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "pipedrive").await;
    let person = |name: &str, email: &str| json!({"name": name, "emails": [{"value": "velho@exemplo.com.br", "primary": false}, {"value": email, "primary": true}]});
    let ids = crm
        .seed(json!([person("Ana Lima", "ana@exemplo.com.br"), {"name": "Rita", "phones": [{"value": "(11) 98765-4321"}]}]))
        .await;
    let result = crm.synced().await;
    assert_eq!((&result["leads_made"], &result["records_changed"]), (&json!(2), &json!(0)), "{result}");
    let leads = crm.leads().await;
    let ana = leads.iter().find(|lead| lead["name"] == "Ana Lima").expect("Ana");
    assert_eq!((&ana["email"], text(&ana["crm_id"])), (&json!("ana@exemplo.com.br"), ids[0].as_str()));
    crm.change_there(&ids[0], json!({"job_title": "Diretora"})).await;
    crm.control("remove", json!({"id": ids[1]})).await;
    let result = crm.synced().await;
    assert_eq!((&result["leads_changed"], &result["conflicts"]), (&json!(1), &json!(1)), "{result}");
    assert_eq!(crm.now(ana).await["job_title"], "Diretora");
    assert_eq!(crm.leads().await.len(), 2, "nothing of ours is deleted");
}

pub async fn one_person_on_both_sides_is_one_lead(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    let by_mail = crm.lead(json!({"name": "Maria Teste", "email": "maria@exemplo.com.br", "company": "Escola A"})).await;
    let by_phone = crm.lead(json!({"name": "Rita Lima", "phone": "+5511912345678"})).await;
    let ids = crm
        .seed(json!([{"firstname": "Maria", "lastname": "Teste", "email": "Maria@exemplo.com.br", "phone": "+5511911112222"},
                     {"firstname": "Rita", "lastname": "Lima", "phone": "+55 (11) 91234-5678", "jobtitle": "Diretora"},
                     // The same person twice there.
                     {"firstname": "Rita", "lastname": "L.", "phone": "+5511912345678"}]))
        .await;
    let result = crm.synced().await;
    assert_eq!(
        (&result["leads_made"], &result["leads_changed"], &result["records_made"]),
        (&json!(0), &json!(2), &json!(0)),
        "{result}"
    );
    let [maria, rita] = [crm.now(&by_mail).await, crm.now(&by_phone).await];
    assert_eq!((text(&maria["crm_id"]), text(&maria["phone"])), (ids[0].as_str(), "5511911112222"), "what was missing");
    assert_eq!((text(&rita["crm_id"]), text(&rita["job_title"])), (ids[1].as_str(), "Diretora"));
    let records = crm.records().await;
    assert_eq!((records.len(), &records[0]["fields"]["company"]), (3, &json!("Escola A")), "and they are told what they lacked");
    assert_eq!(crm.leads().await.len(), 2);
}

pub async fn pages_are_read_to_their_end(stack: Arc<Stack>) {
    for kind in ["hubspot", "pipedrive"] {
        let crm = Crm::connect(&stack, kind).await;
        crm.control("settings", json!({"page_size": 7})).await;
        let records: Vec<Value> = (0..40)
            .map(|number| match kind {
                "hubspot" => contact(80_000_000 + number),
                _ => json!({"name": format!("Ana {number}"), "emails": [{"value": format!("ana{number}@exemplo.com.br"), "primary": true}]}),
            })
            .collect();
        crm.seed(json!(records)).await;
        let result = crm.synced().await;
        assert_eq!((&result["leads_made"], &result["records_changed"]), (&json!(40), &json!(0)), "{kind} {result}");
        let result = crm.synced().await;
        assert_eq!((&result["leads_made"], &result["leads_changed"]), (&json!(0), &json!(0)), "{kind} {result}");
        assert_eq!(crm.leads().await.len(), 40, "{kind}");
    }
}

pub async fn who_was_there_before_sets_nothing_off(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    automate(
        &crm.company.admin,
        "new",
        json!([{"kind": "task", "title": "Ligar para {{client.name}}", "owner_id": crm.company.supervisor.id}]),
    )
    .await;
    crm.seed(json!([contact(95_000_001), contact(95_000_002)])).await;
    assert_eq!(crm.synced().await["leads_made"], 2);
    // Who comes in there from now on is a new lead here.
    crm.seed(json!([contact(95_000_003)])).await;
    assert_eq!(crm.synced().await["leads_made"], 1);
    let called: Vec<String> = eventually("the task about the third", || async {
        let tasks = tasks(&stack, &crm.company).await;
        (!tasks.is_empty()).then(|| tasks.into_iter().map(|(title, ..)| title).collect())
    })
    .await;
    assert_eq!(called, ["Ligar para Ana Lima 95000003"]);
}

pub async fn an_id_that_somebody_has_given_away_stops_nothing(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    let ids = crm.seed(json!([contact(96_000_001), contact(96_000_002)])).await;
    let taken = crm.lead(json!({"name": "Rita", "email": "rita@exemplo.com.br"})).await;
    crm.synced().await;
    let [first, rita] = [&ids[0], text(&crm.now(&taken).await["crm_id"])].map(str::to_owned);
    // Ana's contact is written down as Rita's, who has one of her own.
    let ana = crm.leads().await.into_iter().find(|lead| lead["crm_id"] == *first).expect("Ana");
    crm.change(&ana, json!({"crm_id": null})).await;
    crm.change(&taken, json!({"crm_id": first})).await;
    crm.seed(json!([contact(96_000_003)])).await;
    crm.change_there(&first, json!({"jobtitle": "Diretora"})).await;
    crm.change_there(&rita, json!({"jobtitle": "Professora"})).await;
    let result = crm.synced().await;
    assert_eq!(result["leads_made"], 1, "{result}");
    assert_eq!(crm.now(&taken).await["job_title"], "Professora");
}

pub async fn a_webhook_is_a_hint_to_look(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "hubspot").await;
    crm.seed(json!([contact(90_000_001)])).await;
    assert_eq!(crm.hint().await, 200);
    eventually("a lead of theirs", || async { (crm.leads().await.len() == 1).then_some(()) }).await;
    let url = text(&crm.saved["webhook_url"]).to_owned();
    let (before, token) = url.rsplit_once('/').expect("a token");
    let altered: String = token.chars().rev().collect();
    for bad in [altered.as_str(), "x", "a.b", &token[1..]] {
        let answer = stack.http.post(format!("{before}/{bad}")).json(&json!({})).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{bad}");
    }
    // Another company's address is its own.
    let other = Crm::connect(&stack, "hubspot").await;
    assert_eq!(other.hint().await, 200);
    assert_eq!((other.leads().await.len(), crm.leads().await.len()), (0, 1));
}
