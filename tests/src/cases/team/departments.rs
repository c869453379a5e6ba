//! GET and POST /departments

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};

use crate::cases::contract::sample;

pub async fn a_department_has_its_members(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let members = json!([company.agents[0].id, company.agents[1].id, company.agents[0].id]);
    let body = json!({"name": "Vendas", "description": "Novos alunos", "member_ids": members});
    let made = company.supervisor.api.post("/departments", body).await.expect(201);
    assert_eq!((&made["member_count"], &made["waiting_count"], &made["version"]), (&json!(2), &json!(0), &json!(1)));
    let listed = company.agents[0].api.get("/departments").await.expect(200);
    let row = &listed["data"][0];
    assert_eq!((&row["id"], &row["member_count"], &row["description"]), (&made["id"], &json!(2), &json!("Novos alunos")));
    let me = company.agents[0].api.get("/auth/me").await.expect(200);
    assert_eq!(me["department_ids"], json!([made["id"]]));
}

pub async fn names_are_unique_whatever_their_case(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let made = company.admin.api.post("/departments", json!({"name": "Atenção"})).await.expect(201);
    let refused = company.admin.api.post("/departments", json!({"name": "ATENÇÃO"})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("name_taken", &made["id"]));
    other.admin.api.post("/departments", json!({"name": "Atenção"})).await.expect(201);
    company.admin.api.post("/departments", json!({"name": "Vendas 2"})).await.expect(201);
    for alike in ["Atenc\u{327}a\u{303}o", "Vendas  2", "Vendas\u{a0}2", "VENDAS ２"] {
        let refused = company.admin.api.post("/departments", json!({"name": alike})).await.expect(409);
        assert_eq!(text(&refused["code"]), "name_taken", "{alike}");
    }
    for lines in ["Ven\ndas", "Ven\tdas"] {
        let refused = company.admin.api.post("/departments", json!({"name": lines})).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["code"]), "control_characters", "{lines:?}");
    }
}

pub async fn a_new_department_is_told_to_staff(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mut agent = company.agents[0].socket().await;
    let mut student = company.students[0].socket().await;
    let made = company.admin.api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
    let frame = agent.of_type("department.created").await;
    assert_eq!(frame["data"]["department"]["id"], made["id"]);
    assert!(student.drain().await.iter().all(|frame| frame["type"] != "department.created"));
    let audited = "select before, after from audit_log where company_id = $1 and action = 'create_department' and target = $2";
    let row = stack.database().await.query_one(audited, &[&company.id, &text(&made["id"])]).await.expect("an audit row");
    assert_eq!(row.get::<_, Option<Value>>(0).unwrap_or_default(), Value::Null);
    assert_eq!(row.get::<_, Value>(1)["name"], "Vendas");
}

pub async fn waiting_conversations_are_counted(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { departments, ..Wanted::default() }).await;
    let conversation = sample::conversation(&stack, &company).await;
    sample::conversation(&stack, &company).await;
    let counts = |list: Value| {
        let rows = list["data"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| (text(&row["name"]).to_owned(), row["waiting_count"].as_i64().unwrap_or(-1))).collect::<Vec<_>>()
    };
    let expected = |waiting| vec![("Atendimento".to_owned(), waiting), ("Financeiro".to_owned(), 0)];
    assert_eq!(counts(company.admin.api.get("/departments").await.expect(200)), expected(2));
    company.agents[0].api.post(&format!("/conversations/{conversation}/takeover"), json!({})).await.expect(200);
    assert_eq!(counts(company.admin.api.get("/departments").await.expect(200)), expected(1));
    // Who does not see the conversations does not count them.
    assert_eq!(counts(company.agents[1].api.get("/departments").await.expect(200)), expected(0));
}

pub async fn strangers_and_students_cannot_be_members(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let leave = "update memberships set status = 'inactive' where company_id = $1 and user_id = $2";
    stack.database().await.execute(leave, &[&company.id, &company.agents[1].id]).await.expect("leaves");
    let members = json!([company.agents[0].id, other.agents[0].id, company.students[0].id, company.agents[1].id]);
    let refused = company.admin.api.post("/departments", json!({"name": "Vendas", "member_ids": members})).await.expect(422);
    let fields: Vec<&str> = refused["errors"].as_array().into_iter().flatten().map(|error| text(&error["field"])).collect();
    assert_eq!(fields, ["member_ids[1]", "member_ids[2]", "member_ids[3]"]);
    assert_eq!(company.admin.api.get("/departments").await.expect(200)["data"], json!([]));
}
