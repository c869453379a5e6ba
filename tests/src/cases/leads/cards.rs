//! Leads as people write them down

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};

use super::{change, company, did, fresh, lead, lead_with, mov, names, path, pipeline, stage};

pub async fn a_lead_is_made_found_changed_deleted_and_brought_back(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let mut socket = company.agents[1].socket().await;
    let made = lead_with(
        agent,
        json!({
            "name": "Ana Conceição", "email": "Ana@Escola.com.br", "phone": "+55 (11) 98765-4321", "company": "Escola Azul",
            "job_title": "Diretora", "origin": "instagram", "campaign": "Black Friday", "closer_id": company.agents[1].id,
            "sdr_id": agent.id, "potential_value": "4500", "expected_close": "2026-12-20", "tags": ["vip", "curso", "vip"],
        }),
    )
    .await;
    assert_eq!((text(&made["email"]), text(&made["phone"])), ("ana@escola.com.br", "5511987654321"));
    assert_eq!((text(&made["potential_value"]), &made["tags"]), ("4500.00", &json!(["vip", "curso"])));
    assert_eq!(
        (text(&made["closer"]["name"]), &made["sdr"]["id"]),
        (text(&fresh(agent, &made).await["closer"]["name"]), &json!(agent.id))
    );
    // Profile alone: e-mail 3, phone 3, company 2, role 2.
    assert_eq!((&made["score"], text(&made["temperature"]), &made["is_score_stale"]), (&json!(10), "cold", &json!(false)));
    assert_eq!(text(&socket.of_type("lead.created").await["data"]["lead"]["id"]), text(&made["id"]));
    for search in ["conceicao", "98765", "ESCOLA AZUL", "ana@esc"] {
        let page = agent.api.get(&format!("/leads?search={search}")).await.expect(200);
        assert_eq!(names(&page), ["Ana Conceição"], "{search}");
    }
    let changed = change(agent, &made, json!({"job_title": null, "tags": ["curso"]})).await.expect(200);
    assert_eq!((&changed["job_title"], &changed["score"], &changed["tags"]), (&Value::Null, &json!(8), &json!(["curso"])));
    assert_eq!(text(&socket.of_type("lead.updated").await["data"]["lead"]["id"]), text(&made["id"]));
    let same = change(agent, &changed, json!({"tags": ["curso"]})).await.expect(200);
    assert_eq!(same["version"], changed["version"]);
    agent.api.call(Method::DELETE, &path(&made), None).await.expect(204);
    agent.api.call(Method::DELETE, &path(&made), None).await.problem(404);
    assert_eq!(socket.of_type("lead.deleted").await["data"]["lead_id"], made["id"]);
    assert_eq!(names(&agent.api.get("/leads").await.expect(200)), [""; 0]);
    assert_eq!(names(&agent.api.get("/leads?deleted=true").await.expect(200)), ["Ana Conceição"]);
    let back = agent.api.post(&format!("{}/restore", path(&made)), json!({})).await.expect(200);
    assert_eq!((&back["deleted_at"], &back["stage"]["id"]), (&Value::Null, &made["stage"]["id"]));
    assert_eq!(names(&agent.api.get("/leads").await.expect(200)), ["Ana Conceição"]);
}

pub async fn of_many_who_change_one_version_one_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let made = lead(agent, "Ana").await;
    let changes = (0..8).map(|number| change(agent, &made, json!({"origin": format!("origem {number}")})));
    let answers = join_all(changes).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let shown = fresh(agent, &made).await;
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.body["current"]["origin"], shown["origin"]);
        assert_eq!(answer.problem(409), "stale_version");
    }
}

pub async fn lists_are_filtered_and_summed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let ana = lead_with(
        agent,
        json!({"name": "Ana", "origin": "site", "potential_value": "10.10", "closer_id": agent.id, "tags": ["vip"]}),
    )
    .await;
    let beto = lead_with(agent, json!({"name": "Beto", "origin": "site", "potential_value": "20.25"})).await;
    lead_with(agent, json!({"name": "Caio", "campaign": "natal"})).await;
    mov(agent, &beto, json!({"stage_id": stage(&pipeline, "won")})).await.expect(200);
    let listed = async |query: &str| names(&agent.api.get(&format!("/leads?{query}")).await.expect(200));
    for (query, wanted) in [
        ("", vec!["Caio", "Beto", "Ana"]),
        ("status=open", vec!["Caio", "Ana"]),
        ("status=won,new", vec!["Caio", "Beto", "Ana"]),
        ("status=contacted", vec![]),
        ("closer=me", vec!["Ana"]),
        ("closer=none", vec!["Caio", "Beto"]),
        ("closer=none,me", vec!["Caio", "Beto", "Ana"]),
        ("origin=site", vec!["Beto", "Ana"]),
        ("campaign=natal", vec!["Caio"]),
        ("tag=vip", vec!["Ana"]),
        ("value_min=20", vec!["Beto"]),
        ("score_min=1", vec![]),
        ("temperature=cold,hot", vec!["Caio", "Beto", "Ana"]),
        ("temperature=hot", vec![]),
        ("inactive_days=1", vec![]),
        ("from=2026-01-01&to=2100-01-01", vec!["Caio", "Beto", "Ana"]),
        ("to=2026-01-01", vec![]),
        ("limit=1&page=2", vec!["Beto"]),
    ] {
        assert_eq!(listed(query).await, wanted, "{query}");
    }
    let page = agent.api.get("/leads?origin=site&limit=1").await.expect(200);
    assert_eq!(page["totals"], json!({"count": 2, "potential_value": "30.35"}));
    assert_eq!(page["pagination"]["total"], 2);
    let by_stage = listed(&format!("stage_id={}", text(&ana["stage"]["id"]))).await;
    assert_eq!(by_stage, ["Caio", "Ana"]);
    // A day is a day where the company is.
    let database = stack.database().await;
    let night = "update leads set created_at = '2026-05-02T02:30:00Z' where id = $1::text::uuid";
    database.execute(night, &[&text(&ana["id"])]).await.expect("set");
    assert_eq!(listed("from=2026-05-01&to=2026-05-01").await, ["Ana"]);
    assert_eq!(listed("from=2026-05-02&to=2026-05-02").await, [""; 0]);
    assert_eq!(agent.api.get("/leads?from=ontem").await.problem(422), "invalid");
}

pub async fn what_is_wrong_with_a_lead_is_named(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let elsewhere = stack.company(Wanted::default()).await;
    let foreign = elsewhere.agents[0].id;
    for (fields, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "A", "email": "nada"}), "email"),
        (json!({"name": "A", "phone": "abc"}), "phone"),
        (json!({"name": "A", "potential_value": "-1"}), "potential_value"),
        (json!({"name": "A", "potential_value": "1.234"}), "potential_value"),
        (json!({"name": "A", "expected_close": "2026-02-30"}), "expected_close"),
        (json!({"name": "A", "closer_id": foreign}), "closer_id"),
        (json!({"name": "A", "sdr_id": company.students[0].id}), "sdr_id"),
        (json!({"name": "A", "client_id": foreign}), "client_id"),
        (json!({"name": "A", "custom_fields": {"nada": 1}}), "custom_fields.nada"),
        (json!({"name": "A", "tags": vec!["t"; 31]}), "tags"),
    ] {
        let refused = agent.api.post("/leads", fields.clone()).await;
        assert_eq!((refused.status, text(&refused.body["errors"][0]["field"])), (422, field), "{fields}");
    }
    let foreign_stage = stage(&pipeline(&elsewhere.admin).await, "new");
    assert_eq!(agent.api.post("/leads", json!({"name": "A", "stage_id": foreign_stage})).await.problem(422), "unknown_stage");
    assert_eq!(names(&agent.api.get("/leads").await.expect(200)), [""; 0]);
    lead_with(agent, json!({"name": "A", "crm_id": "7"})).await;
    assert_eq!(agent.api.post("/leads", json!({"name": "B", "crm_id": "7"})).await.problem(409), "crm_id_taken");
}

pub async fn agents_see_what_is_theirs_and_their_departments(stack: Arc<Stack>) {
    let departments = vec![("Vendas", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { agents: 3, departments, agent_visibility: "own", ..Wanted::default() }).await;
    let (first, second) = (&company.agents[0], &company.agents[1]);
    let of_sales = json!({"name": "Cursos", "department_id": company.departments[0].1});
    let pipeline = company.supervisor.api.post("/pipelines", of_sales).await.expect(201);
    let fields = |name: &str, closer: Value| json!({"name": name, "pipeline_id": pipeline["id"], "closer_id": closer});
    let mut socket = second.socket().await;
    lead_with(&company.supervisor, fields("De ninguém", Value::Null)).await;
    let others = lead_with(&company.supervisor, fields("De outro", json!(company.agents[2].id))).await;
    let own = lead_with(&company.supervisor, fields("Seu", json!(first.id))).await;
    let listed = async |person: &tests::company::Person| names(&person.api.get("/leads").await.expect(200));
    assert_eq!(listed(first).await, ["Seu", "De ninguém"]);
    assert_eq!(listed(second).await, [""; 0]);
    assert_eq!(listed(&company.agents[2]).await, ["De outro"]);
    assert_eq!(listed(&company.supervisor).await, ["Seu", "De outro", "De ninguém"]);
    second.api.get(&path(&own)).await.problem(404);
    first.api.get(&path(&others)).await.problem(404);
    assert_eq!(
        first.api.post("/leads/bulk", json!({"lead_ids": [others["id"]], "delete": true})).await.problem(404),
        "not_found"
    );
    second.api.get(&format!("/pipelines/{}/board", text(&pipeline["id"]))).await.problem(404);
    let unseen = second.api.post("/leads", json!({"name": "Intruso", "pipeline_id": pipeline["id"]})).await;
    assert_eq!(unseen.problem(422), "unknown_stage");
    // Who gets it is told, and who had it, too.
    change(&company.supervisor, &own, json!({"closer_id": second.id})).await.expect(200);
    assert_eq!(socket.of_type("lead.updated").await["data"]["lead"]["id"], own["id"]);
    let seen = socket.drain().await;
    assert!(seen.iter().all(|frame| frame["type"] != "lead.created"), "{seen:?}");
    company.students[0].api.get("/leads").await.problem(403);
}

pub async fn a_conversation_becomes_a_lead_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (client, conversation) = company.served().await;
    let at = format!("/conversations/{conversation}/lead");
    let answers = join_all((0..6).map(|_| agent.api.post(&at, json!({"potential_value": "900"})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let made = answers.iter().find(|answer| answer.status == 201).expect("one").body.clone();
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.body["current"]["id"], made["id"]);
        assert_eq!(answer.problem(409), "lead_exists");
    }
    assert_eq!((text(&made["origin"]), text(&made["phone"]), &made["closer"]["id"]), ("whatsapp", &*client, &json!(agent.id)));
    assert_eq!(made["open_conversation"]["id"], json!(conversation));
    let of_client = agent.api.get(&format!("/leads?client_id={}", text(&made["client_id"]))).await.expect(200);
    assert_eq!(of_client["totals"]["count"], 1);
    // One by phone alone is the client's, too.
    let by_phone = lead_with(agent, json!({"name": "A mesma", "phone": client})).await;
    assert_eq!((&by_phone["client_id"], &by_phone["duplicates"][0]["id"]), (&made["client_id"], &made["id"]));
}

pub async fn a_next_step_is_a_task(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let lead = lead(agent, "Ana Lima").await;
    let call = |step: Value, at: &str| json!({"type": "call", "summary": "Pediu a proposta", "result": "contacted", "next_step": step, "next_step_at": at});
    let path = format!("{}/interactions", path(&lead));
    assert_eq!(agent.api.post(&path, call(Value::Null, "1999-01-01T10:00:00Z")).await.problem(422), "invalid");
    let mut socket = agent.socket().await;
    did(agent, &lead, call(json!("Mandar a proposta"), "2099-03-01T12:00:00Z")).await;
    did(agent, &lead, call(Value::Null, "2099-03-02T12:00:00Z")).await;
    did(agent, &lead, json!({"type": "call", "summary": "Só falei", "result": "contacted", "next_step": "Um dia"})).await;
    assert_eq!(socket.of_type("task.created").await["data"]["task"]["title"], "Mandar a proposta");
    let tasks = agent.api.get(&format!("/tasks?lead_id={}", text(&lead["id"]))).await.expect(200);
    let mut titles: Vec<(&str, &str)> =
        tasks["data"].as_array().into_iter().flatten().map(|task| (text(&task["title"]), text(&task["due_at"]))).collect();
    titles.sort_unstable();
    let wanted = [("Mandar a proposta", "2099-03-01T12:00:00Z"), ("Pediu a proposta", "2099-03-02T12:00:00Z")];
    assert_eq!(titles.len(), 2, "{tasks}");
    for ((title, at), (wanted, day)) in titles.into_iter().zip(wanted) {
        assert!(title == wanted && at.starts_with(&day[..16]), "{title} {at}");
    }
}

pub async fn everything_that_happened_is_in_the_history(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let pipeline = pipeline(agent).await;
    let made = lead(agent, "Ana").await;
    change(agent, &made, json!({"origin": "site"})).await.expect(200);
    super::did(agent, &made, json!({"type": "call", "summary": "Ligou", "result": "no_answer"})).await;
    mov(agent, &made, json!({"stage_id": stage(&pipeline, "qualified")})).await.expect(200);
    let history = agent.api.get(&format!("{}/history", path(&made))).await.expect(200);
    let entries = history["data"].as_array().cloned().unwrap_or_default();
    let kinds: Vec<&str> = entries.iter().map(|entry| text(&entry["kind"])).collect();
    let count = |kind: &str| kinds.iter().filter(|own| **own == kind).count();
    assert_eq!((count("stage"), count("interaction")), (2, 1), "{kinds:?}");
    let change = entries.iter().find(|entry| entry["data"]["changes"]["origin"].is_array()).expect("a change");
    assert_eq!((&change["data"]["changes"]["origin"], &change["by_id"]), (&json!([null, "site"]), &json!(agent.id)));
    let only = agent.api.get(&format!("{}/history?kind=stage&limit=1", path(&made))).await.expect(200);
    assert_eq!((text(&only["data"][0]["data"]["name"]), &only["data"][0]["data"]["left_at"]), ("Qualificado", &Value::Null));
}
