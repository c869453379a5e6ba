//! GET /users and GET /users/online

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Api, Company, Stack, Wanted, company::text, eventually};

async fn company(stack: &Stack) -> Company {
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![2])];
    stack.company(Wanted { agents: 3, students: 2, departments, ..Wanted::default() }).await
}

fn names(list: &Value) -> Vec<String> {
    list["data"].as_array().into_iter().flatten().map(|row| text(&row["name"]).to_owned()).collect()
}

async fn online(company: &Company) -> Value {
    company.admin.api.get("/users/online").await.expect(200)["data"].clone()
}

async fn listed(api: &Api, query: &str) -> Vec<String> {
    names(&api.get(&format!("/users?{query}")).await.expect(200))
}

pub async fn people_are_listed_by_name(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let everybody = ["Aluno 1", "Aluno 2", "Bruna Lima", "Caio Matos", "Duda Reis", "Helena Prado", "Rafael Nunes"];
    assert_eq!(listed(&company.agents[0].api, "").await, everybody);
    let list = company.admin.api.get("/users?search=caio").await.expect(200);
    let caio = &list["data"][0];
    let departments: Vec<&str> = caio["departments"].as_array().into_iter().flatten().map(|row| text(&row["name"])).collect();
    assert_eq!(departments, ["Atendimento", "Financeiro"]);
    assert_eq!((&caio["is_active"], &caio["is_online"], &caio["role"]), (&json!(true), &json!(false), &json!("agent")));
}

pub async fn filters_narrow_the_list(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    assert_eq!(listed(api, "role=student").await, ["Aluno 1", "Aluno 2"]);
    assert_eq!(listed(api, "role=admin,supervisor").await, ["Helena Prado", "Rafael Nunes"]);
    // As other front ends call them.
    assert_eq!(listed(api, "role=ALUNO").await, ["Aluno 1", "Aluno 2"]);
    assert_eq!(listed(api, "role=Attendant").await, ["Bruna Lima", "Caio Matos", "Duda Reis"]);
    assert_eq!(listed(api, "role=equipe,operator,agent").await, ["Bruna Lima", "Caio Matos", "Duda Reis"]);
    let [first, second] = [company.departments[0].1, company.departments[1].1];
    assert_eq!(listed(api, &format!("department_id={second}")).await, ["Caio Matos"]);
    assert_eq!(listed(api, &format!("department_id={first},{second}")).await, ["Bruna Lima", "Caio Matos"]);
    assert_eq!(listed(api, &format!("department_id={first}&search=bru&role=agent")).await, ["Bruna Lima"]);
    let leave = "update memberships set status = 'inactive' where company_id = $1 and user_id = $2";
    stack.database().await.execute(leave, &[&company.id, &company.agents[2].id]).await.expect("leaves");
    assert_eq!(listed(api, "active=false").await, ["Duda Reis"]);
    assert!(!listed(api, "active=true").await.contains(&"Duda Reis".to_owned()));
    for query in ["role=boss", "department_id=x", "online=maybe", "active=2"] {
        assert_eq!(api.get(&format!("/users?{query}")).await.problem(422), "invalid", "{query}");
    }
}

pub async fn search_ignores_case_and_accents(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let rename = "update users set name = 'Flávia Conceição' where id = $1";
    stack.database().await.execute(rename, &[&company.agents[0].id]).await.expect("renames");
    for search in ["flavia", "CONCEICAO", "fl%C3%A1via", "%20via%20con", "agente1@"] {
        assert_eq!(listed(&company.admin.api, &format!("search={search}")).await, ["Flávia Conceição"], "{search}");
    }
    assert_eq!(listed(&company.admin.api, "search=%25").await, Vec::<String>::new());
    assert_eq!(listed(&company.admin.api, "search=").await.len(), 7);
}

pub async fn pages_hold_everybody_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    let mut all = Vec::new();
    for page in 1..=3 {
        let list = api.get(&format!("/users?limit=3&page={page}")).await.expect(200);
        assert_eq!(list["pagination"], json!({"page": page, "limit": 3, "total": 7, "pages": 3}));
        all.extend(names(&list));
    }
    assert_eq!(all, listed(api, "").await);
    let beyond = api.get("/users?limit=3&page=9").await.expect(200);
    assert_eq!(beyond["data"], json!([]));
    assert_eq!(beyond["pagination"], json!({"page": 9, "limit": 3, "total": 7, "pages": 3}));
}

pub async fn open_sockets_make_people_online(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let api = &company.admin.api;
    assert_eq!(online(&company).await, json!([]));
    let first = company.agents[0].socket().await;
    let second = company.agents[0].socket().await;
    let connected = online(&company).await;
    assert_eq!((text(&connected[0]["user"]["name"]), connected.as_array().map(Vec::len)), ("Bruna Lima", Some(1)));
    assert_eq!((&connected[0]["connections"], &connected[0]["status"]), (&json!(2), &json!("online")));
    assert_eq!(listed(api, "online=true").await, ["Bruna Lima"]);
    assert_eq!(listed(api, "online=false").await.len(), 6);
    first.close().await;
    eventually("one connection left", || async { (online(&company).await[0]["connections"] == 1).then_some(()) }).await;
    second.close().await;
    eventually("nobody online", || async { (online(&company).await == json!([])).then_some(()) }).await;
}

pub async fn a_chosen_status_is_for_all_connections(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut socket = company.agents[0].socket().await;
    socket.send(json!({"action": "setPresence", "status": "break"})).await;
    socket.of_type("presence").await;
    assert_eq!(online(&company).await[0]["status"], "break");
    let _second = company.agents[0].socket().await;
    let connected = online(&company).await;
    assert_eq!((&connected[0]["status"], &connected[0]["connections"]), (&json!("break"), &json!(2)));
}

pub async fn hashes_are_never_shown(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for path in ["/users", "/users/online", "/auth/me", "/auth/companies"] {
        let shown = company.admin.api.get(path).await.expect(200).to_string();
        assert!(!shown.contains("$2") && !shown.contains("password"), "{path}: {shown}");
    }
}
