//! PUT /companies/{id}: each setting where it acts.

use std::sync::Arc;

use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Api, Company, Stack, Wanted, company::text, eventually, sandbox::fresh_number};

use crate::cases::contract::sample::conversation;

async fn save(api: &Api, company: &Company, settings: Value) -> Answer {
    api.call(Method::PATCH, &format!("/companies/{}", company.id), Some(settings)).await
}

async fn set(company: &Company, settings: Value) -> Value {
    save(&company.admin.api, company, settings).await.expect(200)
}

pub async fn only_what_is_given_changes(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let mut agent = company.agents[0].socket().await;
    let before = company.admin.api.get(&format!("/companies/{}", company.id)).await.expect(200);
    let changed = set(&company, json!({"name": "Escola Nova", "colour": "#FF8800", "coin_name": "zaynianas"})).await;
    assert_eq!((text(&changed["colour"]), text(&changed["coin_name"])), ("#ff8800", "zaynianas"));
    assert_eq!((&changed["time_zone"], &changed["slug"]), (&before["time_zone"], &before["slug"]));
    assert_eq!(changed["version"].as_i64(), before["version"].as_i64().map(|version| version + 1));
    assert_eq!(agent.of_type("company.updated").await["data"]["company"], changed);
    assert_eq!(set(&company, json!({})).await, changed);
    let me = company.agents[0].api.get("/auth/me").await.expect(200);
    assert!(me.to_string().contains("Escola Nova"), "{me}");
    for (settings, field) in [
        (json!({"time_zone": "Brasil/Centro"}), "time_zone"),
        (json!({"locale": "es"}), "locale"),
        (json!({"agent_visibility": "all"}), "agent_visibility"),
        (json!({"reopen_window": -1}), "reopen_window"),
        (json!({"colour": "azul"}), "colour"),
        (json!({"name": "  "}), "name"),
        (json!({"coin_name": ""}), "coin_name"),
        (json!({"slug": "outra"}), "slug"),
        (json!({"feature_flags": {"ai": true}}), "feature_flags"),
    ] {
        let refused = save(&company.admin.api, &company, settings.clone()).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{settings}");
    }
}

pub async fn what_agents_see_follows_at_once(stack: Arc<Stack>) {
    let departments = vec![("Vendas", vec![1, 2])];
    let company = stack.company(Wanted { departments, agent_visibility: "own", ..Wanted::default() }).await;
    let [me, colleague] = &company.agents[..] else { panic!("two agents") };
    let id = conversation(&stack, &company).await;
    colleague.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    let mut socket = me.socket().await;
    let seen = async || me.api.get("/conversations").await.expect(200)["data"].as_array().map_or(0, Vec::len);
    assert_eq!(seen().await, 0);
    set(&company, json!({"agent_visibility": "department"})).await;
    assert_eq!(seen().await, 1);
    socket.drain().await;
    colleague.say(&id, "Bom dia").await;
    let told = socket.of_type("conversation.updated").await;
    assert_eq!(told["data"]["conversation"]["id"], json!(id));
    set(&company, json!({"agent_visibility": "own"})).await;
    assert_eq!(seen().await, 0);
    socket.drain().await;
    colleague.say(&id, "Tudo bem?").await;
    let frames = socket.drain().await;
    assert!(!frames.iter().any(|frame| frame.to_string().contains("Tudo bem?")), "{frames:?}");
}

pub async fn a_client_who_writes_too_late_begins_anew(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let client = fresh_number();
    let open = async || {
        company.phone.receive_text(&client, "Oi").await;
        let sql = "
            select conversations.id::text
              from conversations
              join client_identities identity on identity.client_id = conversations.client_id
             where conversations.company_id = $1 and conversations.ended_at is null and identity.value = $2";
        let row = stack.database().await.query_one(sql, &[&company.id, &client]).await.expect("an open conversation");
        row.get::<_, String>(0)
    };
    let first = open().await;
    company.admin.close(&first).await;
    assert_eq!(open().await, first);
    company.admin.close(&first).await;
    set(&company, json!({"reopen_window": 0})).await;
    assert_ne!(open().await, first);
}

pub async fn words_at_a_takeover_are_the_companys(stack: Arc<Stack>) {
    let company = stack.company(Wanted { takeover_text: None, ..Wanted::default() }).await;
    let said = async |settings: Value| {
        set(&company, settings).await;
        let id = conversation(&stack, &company).await;
        company.agents[0].take_over(&id).await;
        let thread = company.admin.thread(&id).await;
        let said =
            thread.iter().find(|message| message["sender_type"] == "agent").map(|message| text(&message["body"]).to_owned());
        said.unwrap_or_default()
    };
    assert_eq!(said(json!({})).await, "Olá! Meu nome é Bruna Lima e vou continuar seu atendimento.");
    assert_eq!(said(json!({"takeover_text": "{{agent.name}} na linha."})).await, "Bruna Lima na linha.");
    assert_eq!(said(json!({"takeover_text": ""})).await, "");
    assert!(said(json!({"takeover_text": null})).await.starts_with("Olá!"));
}

pub async fn clients_are_told_who_writes_where_the_company_wants_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let unsigned = agent.say(&id, "Sem nome").await;
    agent.message_with_status(&unsigned, "read").await;
    set(&company, json!({"signs_messages": true})).await;
    let signed = agent.say(&id, "Com nome").await;
    agent.message_with_status(&signed, "read").await;
    let sent = company.phone.sent().await;
    let said: Vec<&str> = sent.iter().map(|sent| text(&sent["body"]["text"]["body"])).collect();
    assert_eq!(said, ["Sem nome", "*Bruna Lima:*\nCom nome"]);
    assert_eq!(text(&signed["body"]), "Com nome");
    assert_eq!(company.admin.conversation(&id).await["last_message_preview"], "Com nome");
}

pub async fn without_the_bot_clients_wait_for_people(stack: Arc<Stack>) {
    let company = stack.company(Wanted { bot: true, ..Wanted::default() }).await;
    let begun = fresh_number();
    company.phone.receive_text(&begun, "Oi").await;
    company.phone.sent_at_least(1).await;
    set(&company, json!({"bot_enabled": false})).await;
    let new = fresh_number();
    company.phone.receive_text(&new, "Oi").await;
    let status = async |client: &str| text(&company.admin.conversation_of(client).await["status"]).to_owned();
    assert_eq!(status(&new).await, "pending");
    // Whom it was talking to is handed over with their next word.
    company.phone.receive_text(&begun, "1").await;
    eventually("handed over", || async { (status(&begun).await == "pending").then_some(()) }).await;
    assert_eq!(company.phone.sent().await.len(), 1);
    set(&company, json!({"bot_enabled": true})).await;
    let back = fresh_number();
    company.phone.receive_text(&back, "Oi").await;
    company.phone.sent_at_least(2).await;
    assert_eq!(status(&back).await, "bot");
}

pub async fn new_people_begin_with_the_companys_language_and_zone(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    set(&company, json!({"locale": "en", "time_zone": "America/Rio_Branco"})).await;
    let email = format!("new@{}.example", company.slug);
    let new = json!({"name": "New One", "email": email, "role": "agent", "password": "girafa-azul-42-lenta"});
    let made = company.admin.api.post("/users", new).await.expect(201);
    assert_eq!((text(&made["user"]["locale"]), text(&made["user"]["time_zone"])), ("en", "America/Rio_Branco"));
    let old = company.admin.api.get(&format!("/users/{}", company.agents[0].id)).await.expect(200);
    assert_eq!(text(&old["locale"]), "pt-BR");
}

pub async fn of_two_who_save_at_once_one_is_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let path = format!("/companies/{}", company.id);
    let mut version = company.admin.api.get(&path).await.expect(200)["version"].clone();
    for round in 0..10 {
        let api = company.admin.api.with_header("if-match", &version.to_string());
        let names = [format!("Um {round}"), format!("Dois {round}")];
        let calls = join(
            api.call(Method::PUT, &path, Some(json!({"name": names[0]}))),
            api.call(Method::PUT, &path, Some(json!({"name": names[1]}))),
        );
        let (one, other) = calls.await;
        let (saved, refused) = if one.status == 200 { (one, other) } else { (other, one) };
        let (saved, refused) = (saved.expect(200), refused.expect(409));
        assert_eq!((text(&refused["code"]), &refused["current"]), ("stale_version", &saved));
        version = saved["version"].clone();
    }
}

pub async fn settings_are_the_admins(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for person in [&company.supervisor, &company.agents[0], &company.students[0]] {
        assert_eq!(save(&person.api, &company, json!({"name": "Minha"})).await.problem(403), "forbidden");
        assert_eq!(person.api.get(&format!("/companies/{}", company.id)).await.expect(200)["id"], json!(company.id));
    }
}

pub async fn logins_are_as_strict_as_the_company_says(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let changed = set(&company, json!({"two_factor_policy": ["agent", "equipe"], "idle_minutes": 30})).await;
    assert_eq!((&changed["two_factor_policy"], &changed["idle_minutes"]), (&json!(["agent"]), &json!(30)));
    assert_eq!(company.agents[0].api.get("/users").await.problem(403), "two_factor_required");
    let idle = "update sessions set last_seen_at = now() - interval '31 minutes' where user_id = $1";
    let database = stack.database().await;
    database.execute(idle, &[&company.supervisor.id]).await.expect("time passes");
    assert_eq!(company.supervisor.api.get("/users").await.problem(401), "session_revoked");
    set(&company, json!({"two_factor_policy": [], "idle_minutes": null})).await;
    company.agents[0].api.get("/users").await.expect(200);
    company.supervisor.api.get("/users").await.expect(200);
    for (settings, field) in
        [(json!({"idle_minutes": 31}), "idle_minutes"), (json!({"two_factor_policy": ["owner"]}), "two_factor_policy[0]")]
    {
        let refused = save(&company.admin.api, &company, settings.clone()).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{settings}");
    }
}
