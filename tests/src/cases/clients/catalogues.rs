//! The catalogues of tags and of the company's own fields.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
};

use super::as_changed;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 0, ..Wanted::default() }).await
}

async fn client(person: &Person, tags: Value) -> Value {
    person.api.post("/clients", json!({"name": "Ana", "tags": tags})).await.expect(201)
}

async fn tags_of(person: &Person, client: &Value) -> Value {
    person.api.get(&format!("/clients/{}", text(&client["id"]))).await.expect(200)["tags"].clone()
}

async fn catalogue(person: &Person) -> Vec<Value> {
    person.api.get("/tags").await.expect(200)["data"].as_array().cloned().unwrap_or_default()
}

fn names(tags: &[Value]) -> Vec<&str> {
    tags.iter().map(|tag| text(&tag["name"])).collect()
}

async fn change(person: &Person, tag: &Value, change: Value) -> tests::Answer {
    person.api.call(Method::PUT, &format!("/tags/{}", text(&tag["id"])), Some(change)).await
}

pub async fn what_is_put_on_a_client_is_spelled_as_in_the_catalogue(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let agent = &company.agents[0];
    let made = agent.api.post("/tags", json!({"name": "Inadimplência", "colour": "#FF0000"})).await.expect(201);
    assert_eq!(text(&made["colour"]), "#ff0000");
    let ana = client(agent, json!(["inadimplencia", "VIP", "vip", "INADIMPLÊNCIA"])).await;
    assert_eq!(ana["tags"], json!(["Inadimplência", "VIP"]));
    let bia = client(agent, json!(["Vip"])).await;
    assert_eq!(bia["tags"], json!(["VIP"]));
    assert_eq!(names(&catalogue(&company.agents[1]).await), ["Inadimplência", "VIP"]);
    assert!(catalogue(&other.admin).await.is_empty());
    let refused = agent.api.post("/tags", json!({"name": "vip"})).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["name"])), ("name_taken", "VIP"));
    for wrong in [
        json!({"name": ""}),
        json!({"name": "a\u{200b}b"}),
        json!({"name": "a", "colour": "red"}),
        json!({"name": "a".repeat(41)}),
    ] {
        agent.api.post("/tags", wrong).await.expect(422);
    }
}

pub async fn a_tag_that_is_renamed_or_deleted_is_so_everywhere(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, supervisor) = (&company.agents[0], &company.supervisor);
    let ana = client(agent, json!(["vip", "2026"])).await;
    drop(company.phone.receive_text(&tests::sandbox::fresh_number(), "Oi").await);
    let tag_conversations = "update conversations set tags = '{VIP,novo}' where company_id = $1";
    stack.database().await.execute(tag_conversations, &[&company.id]).await.expect("a tagged conversation");
    let vip = catalogue(agent).await.into_iter().find(|tag| tag["name"] == "vip").expect("the tag");
    change(agent, &vip, json!({"name": "Ouro"})).await.expect(403);
    let taken = change(supervisor, &vip, json!({"name": "NOVO"})).await.expect(409);
    assert_eq!((text(&taken["code"]), text(&taken["current"]["name"])), ("name_taken", "novo"));
    let head = agent.head().await;
    let gold = change(supervisor, &vip, json!({"name": "Ouro"})).await.expect(200);
    let told = agent.told_after(&head).await;
    assert_eq!((text(&told[0]["type"]), text(&told[0]["data"]["previous_name"])), ("tag.updated", "vip"));
    assert_eq!(tags_of(agent, &ana).await, json!(["Ouro", "2026"]));
    let row = company.admin.api.get("/conversations").await.expect(200)["data"][0].clone();
    assert_eq!(row["tags"], json!(["Ouro", "novo"]));
    let found = agent.api.get("/clients?tag=Ouro").await.expect(200);
    assert_eq!(found["data"][0]["id"], ana["id"]);
    // Another spelling of its own name is no other tag's.
    let again = change(supervisor, &gold, json!({"name": "OURO"})).await.expect(200);
    assert_eq!(tags_of(agent, &ana).await, json!(["OURO", "2026"]));
    let path = format!("/tags/{}", text(&again["id"]));
    agent.api.call(Method::DELETE, &path, None).await.expect(403);
    supervisor.api.call(Method::DELETE, &path, None).await.expect(204);
    assert_eq!(tags_of(agent, &ana).await, json!(["2026"]));
    let row = company.admin.api.get("/conversations").await.expect(200)["data"][0].clone();
    assert_eq!(row["tags"], json!(["novo"]));
}

/// Whoever is faster: no client is left with a tag that the catalogue does not have.
pub async fn a_tag_put_on_while_it_is_renamed_is_in_the_catalogue(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for round in 0..6 {
        let name = format!("Rodada {round}");
        let tag = company.admin.api.post("/tags", json!({"name": name})).await.expect(201);
        let clients = join_all((0..6).map(|at| client(&company.agents[at % 2], json!([name]))));
        let renamed = change(&company.supervisor, &tag, json!({"name": format!("Outra {round}")}));
        let (clients, renamed) = futures_util::future::join(clients, renamed).await;
        drop(renamed.expect(200));
        let known = catalogue(&company.admin).await;
        let known: BTreeSet<&str> = names(&known).into_iter().collect();
        for client in &clients {
            let tags = tags_of(&company.admin, client).await;
            let tags: Vec<&str> = tags.as_array().into_iter().flatten().map(text).collect();
            assert_eq!(tags.len(), 1);
            assert!(known.contains(tags[0]), "{tags:?} of {known:?}");
        }
    }
}

pub async fn fields_take_what_is_of_their_kind(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (agent, supervisor) = (&company.agents[0], &company.supervisor);
    let field = |key: &str, kind: &str| json!({"key": key, "label": key, "kind": kind});
    let mut plan = field("plano", "choice");
    plan["options"] = json!(["Básico", "Completo"]);
    let fields = json!({"fields": [field("turma", "text"), field("bolsa", "number"), field("nascimento", "date"), field("ativo", "boolean"), plan]});
    agent.api.call(Method::PUT, "/client-fields", Some(fields.clone())).await.expect(403);
    let saved = supervisor.api.call(Method::PUT, "/client-fields", Some(fields)).await.expect(200);
    assert_eq!(agent.api.get("/client-fields").await.expect(200), saved);
    let values = json!({"turma": "A", "bolsa": 30.5, "nascimento": "2001-02-28", "ativo": true, "plano": "Completo"});
    let made = agent.api.post("/clients", json!({"name": "Ana", "custom_fields": values})).await.expect(201);
    assert_eq!(made["custom_fields"], values);
    let path = format!("/clients/{}", text(&made["id"]));
    let changed =
        agent.api.call(Method::PUT, &path, Some(json!({"custom_fields": {"bolsa": null, "turma": "B"}}))).await.expect(200);
    let expected = json!({"turma": "B", "nascimento": "2001-02-28", "ativo": true, "plano": "Completo"});
    assert_eq!(changed["custom_fields"], expected);
    let wrong =
        json!({"turma": 1, "bolsa": "30", "nascimento": "2001-02-30", "ativo": "sim", "plano": "completo", "cor": "azul"});
    let refused = agent.api.call(Method::PUT, &path, Some(json!({"custom_fields": wrong}))).await.expect(422);
    let problems: BTreeSet<(&str, &str)> =
        refused["errors"].as_array().into_iter().flatten().map(|one| (text(&one["field"]), text(&one["code"]))).collect();
    let named =
        ["ativo", "bolsa", "nascimento", "plano", "turma"].map(|key| (format!("custom_fields.{key}"), "wrong_custom_value"));
    let mut expected: BTreeSet<(&str, &str)> = named.iter().map(|(field, code)| (field.as_str(), *code)).collect();
    expected.insert(("custom_fields.cor", "unknown_custom_field"));
    assert_eq!(problems, expected);
    assert_eq!(as_changed(agent.api.get(&path).await.expect(200)), changed);
}

pub async fn a_field_that_goes_keeps_its_kind_and_values(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let supervisor = &company.supervisor;
    let save = async |fields: Value| supervisor.api.call(Method::PUT, "/client-fields", Some(json!({"fields": fields}))).await;
    drop(save(json!([{"key": "turma", "label": "Turma", "kind": "text"}])).await.expect(200));
    let made = supervisor.api.post("/clients", json!({"name": "Ana", "custom_fields": {"turma": "A"}})).await.expect(201);
    drop(save(json!([])).await.expect(200));
    let path = format!("/clients/{}", text(&made["id"]));
    assert_eq!(supervisor.api.get(&path).await.expect(200)["custom_fields"], json!({"turma": "A"}));
    supervisor.api.call(Method::PUT, &path, Some(json!({"custom_fields": {"turma": "B"}}))).await.expect(422);
    let refused = save(json!([{"key": "turma", "label": "Turma", "kind": "number"}])).await.expect(422);
    assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("fields[0].kind", "kind_stays"));
    for wrong in [
        json!([{"key": "Turma", "label": "Turma", "kind": "text"}]),
        json!([{"key": "a", "label": "A", "kind": "choice"}]),
        json!([{"key": "a", "label": "A", "kind": "text", "options": ["x"]}]),
        json!([{"key": "a", "label": "A", "kind": "text"}, {"key": "a", "label": "B", "kind": "text"}]),
        json!([{"key": "a", "label": "A", "kind": "cor"}]),
    ] {
        save(wrong).await.expect(422);
    }
    drop(save(json!([{"key": "turma", "label": "Classe", "kind": "text"}])).await.expect(200));
}
