//! GET and POST /setup/config, GET /setup/status, POST /setup/infrastructure

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, forge::settings, sandbox::fresh_number};
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
            the_mail_server_is_asked_to_let_us_in,
            a_secret_goes_only_where_it_was_given_for,
            when_the_company_works_is_looked_at,
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
        ("calendar", "missing"),
        ("mail", "ok"),
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
    // What is left out stays, be it the address.
    let renewed = save(&company, json!({"ai": {"api_key": "gsk-uma-nova"}})).await;
    assert_eq!((text(&renewed["ai"]["base_url"]), text(&renewed["ai"]["api_key"])), (base_url.as_str(), "••••nova"));
    assert_eq!(renewed["ai"]["model"], "llama-3.3-70b-versatile");
    let chosen = save(&company, json!({"ai": {"model": "openai/gpt-oss-20b"}})).await;
    assert_eq!((&chosen["ai"]["model"], text(&chosen["ai"]["api_key"])), (&json!("openai/gpt-oss-20b"), "••••nova"));
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
    for (host, code) in [
        ("10.0.0.1", "not_public"),
        ("::1", "not_public"),
        ("169.254.169.254", "not_public"),
        ("este-nome-nao-existe.invalid", "unknown_host"),
        ("smtp://1.1.1.1", "invalid_address"),
    ] {
        let mail = json!({"mail": {"host": host, "from_address": "escola@exemplo.com"}});
        let refused = company.admin.api.post("/setup/config", mail).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), ("mail.host", code), "{host}");
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

/// The sandbox's mail server as a company's own, and a name that nobody else logs in with.
async fn mail_server(stack: &Stack) -> (Value, String) {
    let (_, port) = stack.addresses.smtp.rsplit_once(':').expect("a port");
    let port: u16 = port.parse().expect("a port");
    let username = format!("escola-{}", Uuid::new_v4().simple());
    let authority = settings(stack).await["mail"]["authority"].clone();
    let mail = json!({
        "host": "127.0.0.1", "port": port, "username": username, "password": "senha do e-mail", "from_address": "Escola@Exemplo.com",
        "authority": authority,
    });
    (mail, username)
}

pub async fn the_mail_server_is_asked_to_let_us_in(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (mail, username) = mail_server(&stack).await;
    let saved = save(&company, json!({"mail": mail})).await;
    let shown = &saved["mail"];
    assert_eq!((text(&shown["security"]), text(&shown["from_address"])), ("starttls", "escola@exemplo.com"));
    assert!(shown["username"] == username && shown.get("password").is_none(), "{shown}");
    let found = status(&company).await;
    assert_eq!((state(&found, "mail"), text(&step(&found, "mail")["detail"])), ("ok", "127.0.0.1 aceita o acesso."));
    let mails = stack.control("GET", "/sandbox/mails", None).await;
    assert!(!mails.to_string().contains(&username), "none is sent");
    let told = async |fault: Value| {
        stack.control("POST", "/sandbox/faults", Some(fault)).await;
        let found = status(&company).await;
        let step = step(&found, "mail");
        assert_eq!(text(&step["state"]), "failing", "{step}");
        text(&step["detail"]).to_owned()
    };
    let at_login = |kind: &str| json!({"target": "mail", "step": "auth", "contains": username, "kind": kind, "times": 1});
    let mut refusal = at_login("error");
    refusal["code"] = json!(535);
    refusal["message"] = json!("5.7.8 Bad credentials");
    assert_eq!(told(refusal).await, "127.0.0.1 recusa o usuário ou a senha.");
    let begun = Instant::now();
    assert_eq!(told(at_login("timeout")).await, "Não respondeu a tempo.");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // A certificate that nobody vouches for.
    let mut strange = mail.clone();
    strange["authority"] = Value::Null;
    save(&company, json!({"mail": strange})).await;
    let detail = text(&step(&status(&company).await, "mail")["detail"]).to_owned();
    assert!(detail.contains("certificado"), "{detail}");
    // Nobody there.
    strange["port"] = json!(1);
    save(&company, json!({"mail": strange})).await;
    let detail = text(&step(&status(&company).await, "mail")["detail"]).to_owned();
    assert!(detail.starts_with("127.0.0.1 não responde"), "{detail}");
    // A name that was public when it was saved, and is not any more.
    let moved = "update mail_accounts set host = '10.0.0.1' where company_id = $1";
    stack.database().await.execute(moved, &[&company.id]).await.expect("it leads inside");
    assert_eq!(text(&step(&status(&company).await, "mail")["detail"]), "10.0.0.1: Este endereço não é público.");
    canary::assert_nowhere(&stack, &["senha do e-mail"], &[]).await;
    let without = save(&company, json!({"mail": {"host": null}})).await;
    assert_eq!(without["mail"], Value::Null);
    assert_eq!(text(&step(&status(&company).await, "mail")["detail"]), "Os e-mails saem pelo servidor do sistema.");
}

/// Whoever may name another server is not to be told the password by it.
pub async fn a_secret_goes_only_where_it_was_given_for(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (mut mail, _) = mail_server(&stack).await;
    let refused = async |body: Value, field: &str| {
        let refused = company.admin.api.post("/setup/config", body).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), (field, "required"));
    };
    let taken = |value: &Value, field: &str| {
        let mut value = value.clone();
        value.as_object_mut().expect("an object").remove(field);
        value
    };
    refused(json!({"mail": taken(&mail, "password")}), "mail.password").await;
    refused(json!({"mail": taken(&mail, "from_address")}), "mail.from_address").await;
    save(&company, json!({"mail": mail})).await;
    mail = taken(&mail, "password");
    mail["from_name"] = json!("Escola");
    assert_eq!(save(&company, json!({"mail": mail})).await["mail"]["from_name"], "Escola", "it stays where it was given for");
    assert_eq!(state(&status(&company).await, "mail"), "ok");
    for (field, value) in
        [("host", json!("1.1.1.1")), ("port", json!(25)), ("security", json!("tls")), ("username", json!("outra"))]
    {
        let mut elsewhere = mail.clone();
        elsewhere[field] = value;
        refused(json!({"mail": elsewhere}), "mail.password").await;
    }
    let base_url = format!("{}/llm/v1", stack.addresses.sandbox);
    save(&company, json!({"ai": {"base_url": base_url, "api_key": "gsk-alguma-chave"}})).await;
    refused(json!({"ai": {"base_url": "https://1.1.1.1/v1"}}), "ai.api_key").await;
    save(&company, json!({"ai": {"base_url": base_url}})).await;
    let mut strange = mail;
    strange["authority"] = json!("-----BEGIN CERTIFICATE-----\nnada\n-----END CERTIFICATE-----");
    let refused = company.admin.api.post("/setup/config", json!({"mail": strange})).await.expect(422);
    assert_eq!(text(&refused["errors"][0]["code"]), "invalid_certificate");
}

pub async fn when_the_company_works_is_looked_at(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let put = async |week: Value| company.admin.api.call(Method::PUT, "/calendar", Some(json!({"week": week}))).await.expect(200);
    put(json!({})).await;
    let found = status(&company).await;
    assert_eq!((state(&found, "calendar"), text(&step(&found, "calendar")["link"])), ("failing", "/calendar"));
    assert_eq!(found["ready"], false);
    put(Value::Null).await;
    assert_eq!(state(&status(&company).await, "calendar"), "missing");
    let made = company.admin.api.post("/setup/infrastructure", json!({})).await.expect(200);
    let keys: Vec<&str> = made["made"].as_array().expect("a list").iter().map(|made| text(&made["key"])).collect();
    assert!(!keys.contains(&"calendar"), "who took them away wants none: {keys:?}");
    let other = self::company(&stack).await;
    other.admin.api.post("/setup/infrastructure", json!({})).await.expect(200);
    assert_eq!(state(&status(&other).await, "calendar"), "ok");
    let calendar = other.admin.api.get("/calendar").await.expect(200);
    assert_eq!(calendar["week"]["friday"][1], json!({"from": "13:30", "to": "18:00"}));
    assert_eq!((&calendar["week"]["saturday"], &calendar["time_zone"]), (&json!([]), &json!("America/Sao_Paulo")));
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
    let mut agent = company.agents[0].socket().await;
    let body = json!({"company": {"name": "Escola Nova", "time_zone": "America/Manaus", "locale": "en"}});
    let saved = save(&company, body.clone()).await;
    assert_eq!((text(&saved["company"]["name"]), text(&saved["company"]["coin_name"])), ("Escola Nova", "moedas"));
    assert_eq!((&saved["version"], &saved["whatsapp"]), (&json!(1), &before["whatsapp"]));
    assert_eq!(save(&company, body).await, saved, "the same again is no change");
    assert_eq!(company.admin.api.get("/setup/config").await.expect(200), saved);
    let me = company.admin.api.get("/auth/me").await.expect(200);
    assert_eq!(text(&me["company"]["name"]), "Escola Nova", "it is the company's name everywhere");
    let told = agent.of_type("company.updated").await;
    assert_eq!(text(&told["data"]["company"]["name"]), "Escola Nova");
    for (field, wrong) in [
        ("company.time_zone", json!({"company": {"time_zone": "Etc/Unknown"}})),
        ("company.name", json!({"company": {"name": ""}})),
        ("company.locale", json!({"company": {"locale": "fr"}})),
        ("ai.api_key", json!({"ai": {"base_url": "https://1.1.1.1/v1", "api_key": "short"}})),
        ("ai.api_key", json!({"ai": {"base_url": "https://1.1.1.1/v1", "api_key": "abcdefgh\r\nX-Evil: 1"}})),
        ("ai.api_key", json!({"ai": {"base_url": "https://1.1.1.1/v1", "api_key": "chave-ç-longa"}})),
        ("ai.base_url", json!({"ai": {"api_key": "gsk-de-ninguem"}})),
        ("mail.host", json!({"mail": {"password": "de ninguém", "from_name": "Escola"}})),
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
    assert_eq!(names, ["Atendimento", "Comercial", "Financeiro", "Seg–sex 08:00–12:00, 13:30–18:00", "menu"]);
    let told = agent.drain().await;
    let of_type = |kind: &str| told.iter().filter(|frame| frame["type"] == kind).count();
    assert_eq!((of_type("department.created"), of_type("calendar.updated")), (3, 1));
    // Whatever day this is.
    company.admin.api.call(Method::PUT, "/calendar", Some(json!({"week": null}))).await.expect(200);
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
    let keys: Vec<&str> = made["made"].as_array().expect("a list").iter().map(|made| text(&made["key"])).collect();
    assert_eq!(keys, ["calendar", "bot_flow"]);
    let play = async |run: &Value, words: &str| {
        let turn = json!({"key": "menu", "run": run, "event": {"kind": "text", "text": words}});
        company.supervisor.api.post("/bot/simulate", turn).await.expect(200)
    };
    let greeted = play(&json!({}), "Oi").await;
    let asked = play(&greeted["run"], "3").await;
    let options: Vec<&str> =
        asked["says"][0]["payload"]["options"].as_array().expect("options").iter().map(|option| text(&option["title"])).collect();
    assert_eq!(options, ["Matrículas", "Professores", "Voltar ao menu"]);
    assert_eq!(text(&play(&asked["run"], "2").await["department_id"]), company.departments[1].1.to_string());
}
