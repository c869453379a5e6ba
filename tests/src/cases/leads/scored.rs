//! What leads are worth to call first

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, eventually};

use super::{change, company, did, fresh, lead, lead_with, path, pipeline};

/// Lead A of the book: 80 of qualification, a quick and a recent reply, three interactions, e-mail and phone.
pub async fn a_lead_of_the_book_scores_as_the_book_says(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let made =
        lead_with(agent, json!({"name": "Ana", "email": "a@x.com", "phone": "11987654321", "potential_value": "4500"})).await;
    let qualify = async |lead: &Value, body: Value| {
        let version = lead["version"].to_string();
        agent.api.with_header("if-match", &version).call(Method::PUT, &format!("{}/qualification", path(lead)), Some(body)).await
    };
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 59);
    let body = json!({
        "budget_confirmed": true, "budget_amount": "5000", "authority_level": "influencer", "need_level": "high",
        "decides_by": soon.to_string()[..10], "source": "ligação de segunda",
    });
    let qualified = qualify(&made, body.clone()).await.expect(200);
    assert_eq!(qualified["qualification"]["qualification_score"], 80);
    assert_eq!(qualified["score"], 46);
    assert_eq!(text(&qualified["qualification"]["sources"]["need_level"]["source"]), "ligação de segunda");
    let again = qualify(&qualified, body).await.expect(200);
    assert_eq!(again["version"], qualified["version"]);
    for _ in 0..3 {
        did(agent, &made, json!({"type": "whatsapp", "summary": "Conversa", "result": "contacted"})).await;
    }
    let warm = fresh(agent, &made).await;
    assert_eq!((&warm["score"], text(&warm["temperature"])), (&json!(52), "warm"));
    let database = stack.database().await;
    let replied =
        "update leads set replied_at = now(), quick_reply_at = now(), scored_at = '-infinity' where id = $1::text::uuid";
    database.execute(replied, &[&text(&made["id"])]).await.expect("set");
    let hot = eventually("the score to be made anew", || async {
        let shown = fresh(agent, &made).await;
        (shown["is_score_stale"] == false).then_some(shown)
    });
    stack.control("POST", "/fire/RescoreStaleLeads", None).await;
    let hot = hot.await;
    assert_eq!((&hot["score"], text(&hot["temperature"])), (&json!(72), "hot"));
    let why = agent.api.get(&format!("{}/score", path(&made))).await.expect(200);
    let points: i64 = why["evidence"].as_array().into_iter().flatten().filter_map(|row| row["points"].as_i64()).sum();
    assert_eq!((points, &why["score"]), (72, &json!(72)));
}

pub async fn a_sale_closes_its_lead_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let made = lead_with(agent, json!({"name": "Ana", "potential_value": "300", "closer_id": company.agents[1].id})).await;
    did(agent, &made, json!({"type": "call", "summary": "Fechou!", "result": "closed_won"})).await;
    let won = fresh(agent, &made).await;
    assert_eq!((text(&won["status"]), text(&won["value"]), text(&won["close_reason"])), ("won", "300.00", "Fechou!"));
    did(agent, &made, json!({"type": "note", "summary": "De novo", "result": "closed_won"})).await;
    let after = fresh(agent, &made).await;
    assert_eq!((&after["closed_at"], &after["interactions_count"]), (&won["closed_at"], &json!(2)));
    assert_eq!((&after["last_interaction"]["result"], &after["score"]), (&json!("closed_won"), &won["score"]));
    let listed = agent.api.get(&format!("{}/interactions", path(&made))).await.expect(200);
    assert_eq!(text(&listed["data"][1]["summary"]), "Fechou!");
    let activities = agent.api.get(&format!("{}/activities", path(&made))).await.expect(200);
    assert_eq!(activities["data"], listed["data"]);
    let told = company.agents[1].api.get("/notifications").await.expect(200);
    let kinds: Vec<&str> = told["data"].as_array().into_iter().flatten().map(|one| text(&one["type"])).collect();
    assert!(kinds.contains(&"lead_converted"), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "lead_converted").count(), 1);
}

pub async fn what_clients_write_counts(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (client, conversation) = company.served().await;
    let made = agent.api.post(&format!("/conversations/{conversation}/lead"), json!({})).await.expect(201);
    agent.say(&conversation, "Oi, tudo bem?").await;
    company.phone.receive_text(&client, "Tudo!").await;
    company.phone.receive_text(&client, "E o curso?").await;
    let lead = eventually("the reply to count", || async {
        let shown = fresh(agent, &made).await;
        (shown["interactions_count"] == 1).then_some(shown)
    })
    .await;
    assert_eq!(text(&lead["last_interaction"]["type"]), "whatsapp");
    let listed = agent.api.get(&format!("{}/interactions", path(&made))).await.expect(200);
    assert_eq!(
        (text(&listed["data"][0]["summary"]), &listed["data"][0]["author_id"]),
        ("Mensagem recebida via WhatsApp", &Value::Null)
    );
    let mut socket = agent.socket().await;
    stack.control("POST", "/fire/RescoreStaleLeads", None).await;
    let told = socket.of_type("lead.scored").await;
    // A quick and a recent reply, an interaction, a phone.
    assert_eq!((&told["data"]["lead_id"], &told["data"]["score"]), (&made["id"], &json!(25)));
    assert_eq!(fresh(agent, &made).await["version"], told["data"]["version"]);
}

pub async fn other_rules_score_all_leads_anew(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let leads = [
        lead_with(boss, json!({"name": "Ana", "email": "a@x.com", "origin": "site"})).await,
        lead_with(boss, json!({"name": "Beto", "origin": "indicação"})).await,
    ];
    let before = boss.api.get("/lead-scoring").await.expect(200);
    assert_eq!(before["version"], 0);
    company.agents[0].api.get("/lead-scoring").await.problem(403);
    let mut rules = before["rules"].clone();
    rules["profile"]["email"] = json!(9);
    rules["custom"] = json!([{"label": "Indicação", "field": "origin", "test": "equals", "value": "indicação", "points": 45}]);
    let save = async |version: &str, rules: &Value| {
        boss.api.with_header("if-match", version).call(Method::PUT, "/lead-scoring", Some(json!({"rules": rules}))).await
    };
    let mut socket = company.agents[0].socket().await;
    let saved = save("0", &rules).await.expect(200);
    assert_eq!(saved["version"], 1);
    assert_eq!(save("0", &rules).await.problem(409), "stale_version");
    assert_eq!(save("1", &rules).await.expect(200)["version"], 1);
    while socket.of_type("lead_scoring.updated").await["data"]["is_applied"] != true {}
    let shown = [fresh(boss, &leads[0]).await, fresh(boss, &leads[1]).await];
    assert_eq!(shown.each_ref().map(|lead| lead["score"].clone()), [json!(9), json!(45)]);
    assert_eq!((text(&shown[1]["temperature"]), &shown[1]["is_score_stale"]), ("warm", &json!(false)));
    // From scratch it is the same.
    let again = boss.api.post("/lead-scoring/recompute", json!({})).await.expect(202);
    eventually("all to be scored", || async {
        let job = boss.api.get(&format!("/jobs/{}", text(&again["id"]))).await.expect(200);
        (job["state"] == "done").then_some(())
    })
    .await;
    assert_eq!(
        [fresh(boss, &leads[0]).await["version"].clone(), fresh(boss, &leads[1]).await["version"].clone()],
        shown.each_ref().map(|lead| lead["version"].clone())
    );
    rules["warm_from"] = json!(70);
    let wrong = save("1", &rules).await;
    assert_eq!((wrong.status, text(&wrong.body["errors"][0]["field"])), (422, "warm_from"));
}

pub async fn a_rule_that_divides_by_nothing_stops_nobody(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let boss = &company.supervisor;
    let fields = json!({"fields": [{"key": "alunos", "label": "Alunos", "kind": "number"}]});
    boss.api.with_header("if-match", "0").call(Method::PUT, "/lead-fields", Some(fields)).await.expect(200);
    let mut rules = boss.api.get("/lead-scoring").await.expect(200)["rules"].clone();
    rules["custom"] = json!([
        {"label": "Valor por aluno", "field": "potential_value", "per": "custom_fields.alunos", "test": "above", "value": "10", "points": 30},
    ]);
    boss.api.with_header("if-match", "0").call(Method::PUT, "/lead-scoring", Some(json!({"rules": rules}))).await.expect(200);
    let made = lead_with(boss, json!({"name": "Ana", "potential_value": "1000", "custom_fields": {"alunos": 0}})).await;
    assert_eq!((&made["score"], &made["is_score_stale"]), (&json!(0), &json!(true)));
    did(boss, &made, json!({"type": "call", "summary": "Ligou", "result": "contacted"})).await;
    let shown = fresh(boss, &made).await;
    assert_eq!((&shown["score"], &shown["interactions_count"], &shown["is_score_stale"]), (&json!(2), &json!(1), &json!(true)));
    let why = boss.api.get(&format!("{}/score", path(&made))).await.expect(200);
    assert_eq!(why["broken_rules"], json!(["Valor por aluno"]));
    let whole = change(boss, &shown, json!({"custom_fields": {"alunos": 20}})).await.expect(200);
    assert_eq!((&whole["score"], &whole["is_score_stale"]), (&json!(32), &json!(false)));
}

pub async fn fields_of_the_companys_own_are_checked(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (boss, agent) = (&company.supervisor, &company.agents[0]);
    let pipeline = pipeline(boss).await;
    let other = boss.api.post("/pipelines", json!({"name": "Mentoria"})).await.expect(201);
    let save = async |version: i64, fields: Value| {
        let version = version.to_string();
        boss.api.with_header("if-match", &version).call(Method::PUT, "/lead-fields", Some(json!({"fields": fields}))).await
    };
    let fields = json!([
        {"key": "alunos", "label": "Alunos", "kind": "number"},
        {"key": "turma", "label": "Turma", "kind": "choice", "options": ["A", "B"], "pipeline_ids": [other["id"]]},
    ]);
    let saved = save(0, fields.clone()).await.expect(200);
    assert_eq!((saved["version"].as_i64(), saved["fields"].as_array().map(Vec::len)), (Some(1), Some(2)));
    assert_eq!(agent.api.get("/lead-fields").await.expect(200), saved);
    agent.api.with_header("if-match", "1").call(Method::PUT, "/lead-fields", Some(json!({"fields": []}))).await.problem(403);
    let wrong = agent.api.post("/leads", json!({"name": "A", "custom_fields": {"alunos": "muitos"}})).await;
    assert_eq!((wrong.status, text(&wrong.body["errors"][0]["field"])), (422, "custom_fields.alunos"));
    // Of the other pipeline.
    let wrong = agent.api.post("/leads", json!({"name": "A", "custom_fields": {"turma": "A"}})).await;
    assert_eq!((wrong.status, text(&wrong.body["errors"][0]["field"])), (422, "custom_fields.turma"));
    lead_with(agent, json!({"name": "A", "pipeline_id": other["id"], "custom_fields": {"turma": "A", "alunos": 3}})).await;
    let made = lead_with(agent, json!({"name": "B", "custom_fields": {"alunos": 3}})).await;
    let gone = change(agent, &made, json!({"custom_fields": {"alunos": null}})).await.expect(200);
    assert_eq!(gone["custom_fields"], json!({}));
    // Its kind stays while there are leads that may have it.
    let mut changed = fields;
    changed[0]["kind"] = json!("text");
    let wrong = save(1, changed).await;
    assert_eq!((wrong.status, text(&wrong.body["errors"][0]["code"])), (422, "kind_stays"));
    let unknown = save(1, json!([{"key": "x", "label": "X", "kind": "text", "pipeline_ids": [uuid::Uuid::now_v7()]}])).await;
    assert_eq!((unknown.status, text(&unknown.body["errors"][0]["code"])), (422, "unknown_pipeline"));
    assert_eq!(lead(agent, "C").await["pipeline_id"], pipeline["id"]);
}
