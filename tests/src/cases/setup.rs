//! GET and POST /setup/config, GET /setup/status, POST /setup/infrastructure

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};
use uuid::Uuid;

use super::canary;
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as setup;
    cases! {
        setup::{
            what_is_missing_is_told_step_by_step,
            a_number_whose_token_is_refused_is_told,
            who_does_not_answer_is_not_waited_for,
            a_language_model_is_asked_with_the_companys_key,
            addresses_inside_are_neither_saved_nor_called,
            the_front_end_is_called_and_so_is_the_api_from_there,
            what_is_given_is_saved_and_the_rest_stays,
            of_two_admins_at_once_one_is_told_that_it_changed,
            defaults_are_made_once,
            departments_that_are_there_are_on_the_menu,
        };
    }
}

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, ..Wanted::default() }).await
}

async fn save(company: &Company, body: Value) -> Value {
    company.admin.api.post("/setup/config", body).await.expect(200)
}

async fn status(company: &Company) -> Value {
    company.admin.api.get("/setup/status").await.expect(200)
}

/// A step of the status.
fn step<'status>(status: &'status Value, key: &str) -> &'status Value {
    let steps = status["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["key"] == key).unwrap_or_else(|| panic!("no step {key} in {status}"))
}

fn state<'status>(status: &'status Value, key: &str) -> &'status str {
    text(&step(status, key)["state"])
}

pub async fn what_is_missing_is_told_step_by_step(stack: Arc<Stack>) {
    let company = company(&stack).await;
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
    let found = status(&company).await;
    for (key, expected) in [
        ("channel", "ok"),
        ("webhooks", "warning"),
        ("bot", "missing"),
        ("departments", "missing"),
        ("ai", "missing"),
        ("front_end", "missing"),
        ("storage", "ok"),
        ("queue", "ok"),
        ("scheduler", "ok"),
    ] {
        let step = step(&found, key);
        assert_eq!(text(&step["state"]), expected, "{step}");
        assert_eq!((step["action"].is_null(), step["link"].is_null()), (expected == "ok", expected == "ok"), "{step}");
    }
    assert_eq!(found["ready"], true);
    company.phone.receive_text(&fresh_number(), "Oi").await;
    company.admin.api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
    let found = status(&company).await;
    assert_eq!((state(&found, "webhooks"), state(&found, "departments")), ("ok", "warning"));
    assert_eq!(text(&step(&found, "departments")["detail"]), "Ninguém está em: Vendas.");
    let english = company.admin.api.with_header("accept-language", "en").get("/setup/status").await.expect(200);
    assert_eq!(text(&step(&english, "departments")["detail"]), "Nobody is in: Vendas.");
    company.supervisor.api.get("/setup/status").await.expect(403);
}

pub async fn a_number_whose_token_is_refused_is_told(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.phone.fault(json!({"target": "whatsapp.account", "kind": "error", "status": 401, "code": 190, "times": 0})).await;
    let found = status(&company).await;
    assert_eq!((state(&found, "channel"), &found["ready"]), ("failing", &json!(false)));
    assert_eq!(text(&step(&found, "channel")["link"]), "/integrations/config");
    company.phone.heal().await;
    assert_eq!(state(&status(&company).await, "channel"), "ok");
}

pub async fn who_does_not_answer_is_not_waited_for(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.phone.fault(json!({"target": "whatsapp.account", "kind": "timeout", "times": 0})).await;
    let begun = Instant::now();
    let found = status(&company).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((state(&found, "channel"), state(&found, "queue")), ("failing", "ok"));
    company.phone.heal().await;
}

pub async fn a_language_model_is_asked_with_the_companys_key(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let secret = format!("gsk-canary-{}", Uuid::new_v4().simple());
    let base_url = format!("{}/llm/v1", stack.addresses.sandbox);
    let saved = save(&company, json!({"ai": {"base_url": base_url, "api_key": secret}})).await;
    assert_eq!(text(&saved["ai"]["api_key"]), format!("••••{}", &secret[secret.len() - 4..]));
    let found = status(&company).await;
    assert_eq!(state(&found, "ai"), "ok", "{found}");
    // Without the key, it stays.
    save(&company, json!({"ai": {"base_url": base_url, "model": "llama-3.3-70b-versatile"}})).await;
    let found = status(&company).await;
    assert_eq!(text(&step(&found, "ai")["detail"]), "O provedor não oferece llama-3.3-70b-versatile.");
    save(&company, json!({"ai": {"base_url": base_url, "api_key": "invalid-key"}})).await;
    assert_eq!(text(&step(&status(&company).await, "ai")["detail"]), "O provedor recusa a chave.");
    let shown = company.admin.api.get("/setup/config").await.expect(200);
    assert!(!shown.to_string().contains(&secret));
    canary::assert_nowhere(&stack, &[&secret, "invalid-key"], &[]).await;
    let none = save(&company, json!({"ai": {"base_url": null}})).await;
    assert_eq!(none["ai"], Value::Null);
    let kept = "select count(*) from company_secrets where company_id = $1";
    assert_eq!(stack.database().await.query_one(kept, &[&company.id]).await.expect("a count").get::<_, i64>(0), 0);
    assert_eq!(state(&status(&company).await, "ai"), "missing");
}

pub async fn addresses_inside_are_neither_saved_nor_called(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for (url, code) in [
        ("http://10.0.0.1/v1", "not_public"),
        ("https://169.254.169.254/latest/meta-data", "not_public"),
        ("https://0x0a000001/v1", "not_public"),
        ("https://[::1]/v1", "not_public"),
        ("https://[::ffff:192.168.0.1]/v1", "not_public"),
        ("https://[fd00:ec2::254]/v1", "not_public"),
        ("https://este-nome-nao-existe.invalid/v1", "unknown_host"),
        ("http://1.1.1.1/v1", "not_encrypted"),
        ("https://someone:secret@1.1.1.1/v1", "invalid_address"),
        ("ftp://1.1.1.1/", "invalid_address"),
        ("file:///etc/passwd", "invalid_address"),
        ("não é", "invalid_address"),
    ] {
        let refused = company.admin.api.post("/setup/config", json!({"ai": {"base_url": url}})).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), ("ai.base_url", code), "{url}");
    }
    let refused = company.admin.api.post("/setup/config", json!({"front_end_origin": "https://1.1.1.1/path"})).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["field"]), "front_end_origin");
    assert_eq!(company.admin.api.get("/setup/config").await.expect(200)["version"], 0, "nothing was saved");
    // A name that was public when it was saved, and is not any more.
    save(&company, json!({"company": {"coin_name": "moedas de ouro"}})).await;
    let moved = "update company_setup set ai_base_url = 'https://10.0.0.1/v1', ai_model = 'x' where company_id = $1";
    stack.database().await.execute(moved, &[&company.id]).await.expect("it leads inside");
    let found = status(&company).await;
    assert_eq!(text(&step(&found, "ai")["detail"]), "O endereço não responde (not_public).");
}

pub async fn the_front_end_is_called_and_so_is_the_api_from_there(stack: Arc<Stack>) {
    let company = company(&stack).await;
    save(&company, json!({"front_end_origin": "http://127.0.0.1:9"})).await;
    let found = status(&company).await;
    assert_eq!((state(&found, "front_end"), &found["ready"]), ("failing", &json!(false)), "browsers may not call from there");
    // Where a front end is developed: it may call, and nothing is served there.
    save(&company, json!({"front_end_origin": "http://127.0.0.1:5173/"})).await;
    let found = status(&company).await;
    assert_eq!(text(&step(&found, "front_end")["detail"]), "http://127.0.0.1:5173 não responde.");
    assert_eq!(state(&found, "front_end"), "warning");
    let none = save(&company, json!({"front_end_origin": ""})).await;
    assert_eq!(none["front_end_origin"], Value::Null);
}

pub async fn what_is_given_is_saved_and_the_rest_stays(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let before = company.admin.api.get("/setup/config").await.expect(200);
    assert_eq!((&before["version"], text(&before["whatsapp"][0]["status"])), (&json!(0), "active"));
    let body = json!({"company": {"name": "Escola Nova", "time_zone": "America/Manaus", "locale": "en"}});
    let saved = save(&company, body.clone()).await;
    assert_eq!((text(&saved["company"]["name"]), text(&saved["company"]["coin_name"])), ("Escola Nova", "moedas"));
    assert_eq!((&saved["version"], &saved["whatsapp"]), (&json!(1), &before["whatsapp"]));
    assert_eq!(save(&company, body).await, saved, "the same again is no change");
    assert_eq!(company.admin.api.get("/setup/config").await.expect(200), saved);
    let me = company.admin.api.get("/auth/me").await.expect(200);
    assert_eq!(text(&me["company"]["name"]), "Escola Nova", "it is the company's name everywhere");
    for (field, wrong) in [
        ("company.time_zone", json!({"company": {"time_zone": "Brasil/Lugar"}})),
        ("company.name", json!({"company": {"name": ""}})),
        ("company.locale", json!({"company": {"locale": "fr"}})),
        ("ai.api_key", json!({"ai": {"base_url": "https://1.1.1.1/v1", "api_key": "short"}})),
    ] {
        let refused = company.admin.api.post("/setup/config", wrong).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field);
    }
    company.supervisor.api.post("/setup/config", json!({})).await.expect(403);
    let audited = "select before -> 'company' ->> 'name', after -> 'company' ->> 'name' from audit_log
                    where company_id = $1 and action = 'save_setup' and before <> 'null' order by id limit 1";
    let row = stack.database().await.query_one(audited, &[&company.id]).await.expect("an audit row");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), (text(&before["company"]["name"]), "Escola Nova"));
}

pub async fn of_two_admins_at_once_one_is_told_that_it_changed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    save(&company, json!({"company": {"coin_name": "estrelas"}})).await;
    let api = company.admin.api.with_header("if-match", "1");
    let named = |name: &str| api.post("/setup/config", json!({"company": {"coin_name": name}}));
    let (one, other) = (json!({"company": {"coin_name": "sóis"}}), json!({"company": {"coin_name": "luas"}}));
    let (one, other) = join(api.post("/setup/config", one), api.post("/setup/config", other)).await;
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!(lost.body["current"], won.body);
    assert_eq!(named("tarde").await.problem(409), "stale_version");
}

pub async fn defaults_are_made_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut agent = company.agents[0].socket().await;
    let answers = join_all((0..10).map(|_| company.admin.api.post("/setup/infrastructure", json!({})))).await;
    let made: Vec<Value> = answers.into_iter().map(|answer| answer.expect(200)["made"].clone()).collect();
    let winners: Vec<&Value> = made.iter().filter(|made| made.as_array().is_some_and(|made| !made.is_empty())).collect();
    assert_eq!(winners.len(), 1, "{made:?}");
    let names: Vec<&str> = winners[0].as_array().expect("a list").iter().map(|made| text(&made["name"])).collect();
    assert_eq!(names, ["Atendimento", "Comercial", "Financeiro", "menu"]);
    let told = agent.drain().await.iter().filter(|frame| frame["type"] == "department.created").count();
    assert_eq!(told, 3);
    let departments = company.admin.api.get("/departments").await.expect(200);
    assert_eq!((departments["data"].as_array().map(Vec::len), &departments["data"][0]["member_count"]), (Some(3), &json!(4)));
    // What it made works.
    let mut channel = json!({
        "kind": "whatsapp_cloud", "name": "WhatsApp", "phone_number_id": company.phone.number_id, "waba_id": "104200000000001",
    });
    channel["bot_flow_key"] = json!("menu");
    company.admin.api.post("/integrations/config", channel).await.expect(200);
    company.phone.receive_text(&fresh_number(), "Oi").await;
    let sent = company.phone.sent_at_least(1).await;
    assert!(sent[0]["body"].to_string().contains("Como podemos ajudar?"), "{sent:?}");
    assert_eq!(state(&status(&company).await, "bot"), "ok");
    // What was removed is not made again.
    let database = stack.database().await;
    for sql in ["delete from department_members where company_id = $1", "delete from departments where company_id = $1"] {
        database.execute(sql, &[&company.id]).await.expect("they are removed");
    }
    let again = company.admin.api.post("/setup/infrastructure", json!({})).await.expect(200);
    assert_eq!(again["made"], json!([]));
    assert_eq!(company.admin.api.get("/departments").await.expect(200)["data"], json!([]));
    company.supervisor.api.post("/setup/infrastructure", json!({})).await.expect(403);
}

pub async fn departments_that_are_there_are_on_the_menu(stack: Arc<Stack>) {
    let departments = vec![("Matrículas", vec![1]), ("Professores", vec![2])];
    let company = stack.company(Wanted { students: 0, departments, ..Wanted::default() }).await;
    let made = company.admin.api.post("/setup/infrastructure", json!({})).await.expect(200);
    assert_eq!(made["made"].as_array().map(Vec::len), Some(1), "{made}");
    let flow = "select definition from bot_flows where company_id = $1";
    let row = stack.database().await.query_one(flow, &[&company.id]).await.expect("a flow");
    let flow: Value = row.get(0);
    let options: Vec<&str> = flow["nodes"]["departments"]["options"]
        .as_array()
        .expect("options")
        .iter()
        .map(|option| text(&option["title"]))
        .collect();
    assert_eq!(options, ["Matrículas", "Professores", "Voltar ao menu"]);
    assert_eq!(text(&flow["nodes"]["department_2"]["department_id"]), company.departments[1].1.to_string());
}
