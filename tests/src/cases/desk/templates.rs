//! Templates: fetched, followed, checked before they are sent, and sent when nothing else may be.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::text,
    desk::{PDF, PNG},
    sandbox::fresh_number,
    soon,
};
use uuid::Uuid;

const SYNC: &str = "/whatsapp/templates/sync";

/// A company whose number is alone in its account, as a message has proved. Every account has six templates.
pub async fn company(stack: &Stack) -> (Company, String) {
    let company = stack.company(Wanted { students: 0, agent_visibility: "company", ..Wanted::default() }).await;
    let account = format!("78{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
    put_into(stack, &company, &account).await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    (company, account)
}

async fn put_into(stack: &Stack, company: &Company, account: &str) {
    let settings = json!({"phone_number_id": company.phone.number_id, "waba_id": account});
    stack.control("POST", "/sandbox/whatsapp/settings", Some(settings)).await;
}

/// Adds a template to an account, or puts it in place of the one of the same name.
pub(super) async fn add(stack: &Stack, account: &str, name: &str, more: Value) -> Value {
    let mut template = json!({"name": name, "waba_id": account, "components": [{"type": "BODY", "text": "Olá"}]});
    for (field, value) in more.as_object().into_iter().flatten() {
        template[field] = value.clone();
    }
    stack.control("POST", "/sandbox/whatsapp/templates", Some(template)).await
}

pub async fn sync(company: &Company) -> Value {
    company.supervisor.api.post(SYNC, json!({})).await.expect(200)["data"][0].clone()
}

fn figures(synced: &Value) -> [i64; 4] {
    ["total", "added", "changed", "removed"].map(|name| synced[name].as_i64().unwrap_or(-1))
}

async fn template(company: &Company, name: &str) -> Value {
    let page = company.agents[0].api.get(&format!("/whatsapp/templates?search={name}")).await.expect(200);
    page["data"].as_array().and_then(|found| found.iter().find(|template| template["name"] == name)).cloned().unwrap_or_default()
}

/// A conversation of the first agent's, out of its window.
pub(super) async fn late(stack: &Stack, company: &Company) -> String {
    let (_, id) = company.served().await;
    let row: Uuid = id.parse().expect("an id");
    let sql = "update conversations set window_expires_at = now() - interval '1 second' where id = $1";
    stack.database().await.execute(sql, &[&row]).await.expect("the window closes");
    id
}

async fn send(company: &Company, id: &str, template: Value) -> Answer {
    company.agents[0].api.post("/messages", json!({"conversation_id": id, "kind": "template", "template": template})).await
}

pub(super) fn problems(answer: &Answer) -> Vec<(String, String)> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    errors.map(|error| (text(&error["field"]).to_owned(), text(&error["code"]).to_owned())).collect()
}

pub async fn templates_are_fetched_from_every_page_and_followed(stack: Arc<Stack>) {
    let (company, account) = company(&stack).await;
    for number in 0..230 {
        add(&stack, &account, &format!("aviso_{number:03}"), json!({"quality_score": {"score": "YELLOW"}})).await;
    }
    let mut socket = company.agents[0].socket().await;
    assert_eq!(figures(&sync(&company).await), [236, 236, 0, 0]);
    assert_eq!(socket.of_type("templates.synced").await["data"]["added"], 236);
    assert_eq!(figures(&sync(&company).await), [236, 0, 0, 0]);
    let mut names = Vec::new();
    let mut path = "/whatsapp/templates?limit=100".to_owned();
    loop {
        let page = company.agents[0].api.get(&path).await.expect(200);
        names.extend(page["data"].as_array().into_iter().flatten().map(|template| text(&template["name"]).to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/whatsapp/templates?limit=100&cursor={cursor}");
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 236);
    assert_eq!(template(&company, "aviso_007").await["quality"], "yellow");

    add(&stack, &account, "aviso_007", json!({"status": "REJECTED", "rejected_reason": "INVALID_FORMAT"})).await;
    assert_eq!(figures(&sync(&company).await), [236, 0, 1, 0]);
    let rejected = template(&company, "aviso_007").await;
    assert_eq!(
        (text(&rejected["status"]), text(&rejected["reason"]), &rejected["is_sendable"]),
        ("rejected", "INVALID_FORMAT", &json!(false))
    );

    // Moved to another account, the number has its templates only.
    put_into(&stack, &company, &format!("{account}9")).await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    assert_eq!(figures(&sync(&company).await), [6, 0, 0, 230]);
    assert!(template(&company, "aviso_007").await.is_null());
    let deleted = company.agents[0].api.get("/whatsapp/templates?status=deleted&limit=100").await.expect(200);
    assert_eq!(deleted["data"].as_array().map(Vec::len), Some(100));
}

pub async fn template_goes_out_when_nothing_else_may(stack: Arc<Stack>) {
    let (company, _) = company(&stack).await;
    sync(&company).await;
    let id = late(&stack, &company).await;
    let refused = company.agents[0].api.post("/messages", tests::desk::text_message(&id, "Tarde")).await.expect(409);
    let allowed = refused["current"]["allowed_templates"].as_array().cloned().unwrap_or_default();
    let welcome = allowed.iter().find(|template| template["name"] == "boas_vindas").expect("an approved one");
    assert_eq!(welcome["preview"], "Olá Maria, tudo bem? Aqui é da Escola.");
    let values = json!([{"name": "1", "value": "João"}, {"name": "2", "value": "Escola Sol"}]);
    let asked = json!({"name": welcome["name"], "language": welcome["language"], "parameters": values});
    let message = send(&company, &id, asked).await.expect(201);
    assert_eq!((text(&message["kind"]), text(&message["body"])), ("template", "Olá João, tudo bem? Aqui é da Escola Sol."));
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!((text(&sent[0]["body"]["type"]), text(&sent[0]["body"]["template"]["name"])), ("template", "boas_vindas"));
    company.agents[0].message_with_status(&message, "read").await;
    let reminder = json!({"name": "pedido_enviado", "parameters": [
        {"name": "nome", "value": "Ana"}, {"name": "numero", "value": "7"}, {"in": "button", "name": "0", "value": "7"}]});
    let message = send(&company, &id, reminder).await.expect(201);
    assert_eq!(
        (text(&message["body"]), &message["payload"]["buttons"]),
        ("Ana, seu pedido 7 foi enviado.", &json!(["Acompanhar"]))
    );
    company.agents[0].message_with_status(&message, "read").await;
}

pub async fn what_whatsapp_would_refuse_is_refused_before(stack: Arc<Stack>) {
    let (company, account) = company(&stack).await;
    add(&stack, &account, "pausado", json!({"status": "PAUSED"})).await;
    add(
        &stack,
        &account,
        "codigo",
        json!({"components": [{"type": "BODY", "text": "x"}, {"type": "BUTTONS", "buttons": [{"type": "OTP"}]}]}),
    )
    .await;
    sync(&company).await;
    let id = late(&stack, &company).await;
    let wrong = async |template: Value| problems(&send(&company, &id, template).await);
    let field = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    let values = json!([{"name": "1", "value": "a     b"}, {"name": "3", "value": "x"}]);
    let expected = [
        field("template.parameters", "missing_parameter"),
        field("template.parameters[0].value", "one_line"),
        field("template.parameters[1].name", "unknown_parameter"),
    ];
    assert_eq!(wrong(json!({"name": "boas_vindas", "parameters": values})).await, expected);
    let long = json!([{"name": "1", "value": "a".repeat(1020)}, {"name": "2", "value": "b"}]);
    assert_eq!(wrong(json!({"name": "boas_vindas", "parameters": long})).await, [field("template.parameters", "too_long")]);
    assert_eq!(wrong(json!({"name": "boas_vindas", "language": "en_US"})).await, [field("template.name", "unknown_template")]);
    assert_eq!(wrong(json!({"name": "nenhum"})).await, [field("template.name", "unknown_template")]);
    assert_eq!(wrong(json!({"name": "pausado"})).await, [field("template.name", "not_approved")]);
    assert_eq!(wrong(json!({"name": "codigo"})).await, [field("template.name", "not_sendable")]);
    let offer = json!({"name": "oferta", "parameters": [{"name": "1", "value": "Ana"}]});
    assert_eq!(wrong(offer.clone()).await, [field("file_id", "required")]);
    let document = company.agents[0].upload("a.pdf", "application/pdf", PDF).await;
    let with_file = |file: &Value| json!({"conversation_id": id, "kind": "template", "template": offer, "file_id": file});
    let answer = company.agents[0].api.post("/messages", with_file(&json!(document))).await;
    assert_eq!(problems(&answer), [field("file_id", "wrong_kind")]);
    soon().await;
    assert!(company.phone.sent().await.is_empty(), "nothing was sent");
    let picture = company.agents[0].upload("a.png", "image/png", PNG).await;
    let message = company.agents[0].api.post("/messages", with_file(&json!(picture))).await.expect(201);
    company.agents[0].message_with_status(&message, "read").await;
    let sent = company.phone.sent_at_least(1).await;
    let header = &sent[0]["body"]["template"]["components"][0];
    assert_eq!((text(&header["type"]), text(&header["parameters"][0]["type"])), ("header", "image"));
}

pub async fn same_template_is_sent_once(stack: Arc<Stack>) {
    let (company, _) = company(&stack).await;
    sync(&company).await;
    let id = late(&stack, &company).await;
    let message = |name: &str| {
        let template = json!({"name": "codigo_acesso", "parameters": [{"name": "1", "value": name}]});
        json!({"conversation_id": id, "client_message_id": "t", "kind": "template", "template": template})
    };
    let api = &company.agents[0].api;
    let first = api.post("/messages", message("123")).await.expect(201);
    assert_eq!(api.post("/messages", message("123")).await.expect(201)["id"], first["id"]);
    assert_eq!(api.post("/messages", message("456")).await.problem(422), "client_message_id_reused");
    company.phone.sent_at_least(1).await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
}

pub async fn whatsapp_tells_what_becomes_of_a_template(stack: Arc<Stack>) {
    let (company, account) = company(&stack).await;
    let added = add(&stack, &account, "lembrete", json!({})).await;
    sync(&company).await;
    let id = late(&stack, &company).await;
    let tell = async |field: &str, value: Value| {
        let mut value = value;
        value["message_template_id"] = json!(text(&added["id"]).parse::<u64>().expect("a number"));
        value["message_template_name"] = json!("lembrete");
        value["message_template_language"] = json!("pt_BR");
        company.phone.account_change(field, value).await;
    };
    let mut socket = company.agents[0].socket().await;
    tell(
        "message_template_status_update",
        json!({"event": "PAUSED", "reason": "NONE", "other_info": {"description": "Muitos bloqueios"}}),
    )
    .await;
    let told = socket.of_type("template.updated").await;
    assert_eq!((text(&told["data"]["status"]), text(&told["data"]["reason"])), ("paused", "Muitos bloqueios"));
    let refused = send(&company, &id, json!({"name": "lembrete"})).await;
    assert_eq!(problems(&refused), [("template.name".to_owned(), "not_approved".to_owned())]);
    tell("message_template_status_update", json!({"event": "FLAGGED"})).await;
    tell("message_template_quality_update", json!({"previous_quality_score": "GREEN", "new_quality_score": "RED"})).await;
    tell("template_category_update", json!({"previous_category": "UTILITY", "new_category": "MARKETING"})).await;
    let found = template(&company, "lembrete").await;
    assert_eq!(
        (text(&found["status"]), text(&found["quality"]), text(&found["category"])),
        ("paused", "red", "marketing"),
        "a flag announces what may come"
    );
    tell("message_template_status_update", json!({"event": "REINSTATED"})).await;
    let found = template(&company, "lembrete").await;
    assert_eq!((text(&found["status"]), &found["reason"]), ("approved", &Value::Null));
    let message = send(&company, &id, json!({"name": "lembrete"})).await.expect(201);
    company.agents[0].message_with_status(&message, "read").await;
}

pub async fn without_whatsapp_templates_stay_as_they_are(stack: Arc<Stack>) {
    let (company, account) = company(&stack).await;
    sync(&company).await;
    for number in 0..120 {
        add(&stack, &account, &format!("novo_{number:03}"), json!({})).await;
    }
    let fault = async |kind: Value| {
        let mut fault = json!({"target": "whatsapp.account", "token": format!("EAAG-local-{}", company.id.simple()), "times": 1});
        for (field, value) in kind.as_object().into_iter().flatten() {
            fault[field] = value.clone();
        }
        stack.control("POST", "/sandbox/faults", Some(fault)).await;
        company.supervisor.api.post(SYNC, json!({})).await
    };
    let silent = fault(json!({"kind": "error", "status": 500, "body": "oops"})).await;
    assert_eq!(silent.problem(503), "whatsapp_silent");
    assert_eq!(fault(json!({"kind": "refuse"})).await.problem(503), "whatsapp_silent");
    let refused = fault(json!({"kind": "error", "status": 401, "code": 190, "message": "Session has expired"})).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["code"])), ("refused_by_whatsapp", "190"));
    let page = company.agents[0].api.get("/whatsapp/templates?limit=100").await.expect(200);
    assert_eq!(page["data"].as_array().map(Vec::len), Some(6));
    assert_eq!(figures(&sync(&company).await), [126, 120, 0, 0]);
    assert_eq!(company.agents[0].api.post(SYNC, json!({})).await.status, 403);
    let unknown = json!({"channel_account_id": Uuid::new_v4()});
    assert_eq!(company.supervisor.api.post(SYNC, unknown).await.status, 404);
}
