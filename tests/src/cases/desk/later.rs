//! Messages that are to be sent later: at their time, once, and judged again then.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    desk::{PDF, PNG, voice_note},
    eventually, soon,
};

use super::templates::{self, add, late, problems};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, agent_visibility: "company", ..Wanted::default() }).await
}

fn time_in(seconds: i64) -> String {
    (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string()
}

async fn plan(person: &Person, id: &str, words: &str, seconds: i64) -> Answer {
    person.api.post("/scheduled-messages", json!({"conversation_id": id, "body": words, "due_at": time_in(seconds)})).await
}

fn path(planned: &Value) -> String {
    format!("/scheduled-messages/{}", text(&planned["id"]))
}

/// Of this conversation's the one, once it is in this state.
async fn in_state(person: &Person, planned: &Value, state: &str) -> Value {
    let list = format!("/scheduled-messages?conversation_id={}&state={state}", text(&planned["conversation_id"]));
    eventually(&format!("the message {state}"), || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let page = person.api.get(&list).await.expect(200);
        page["data"].as_array().and_then(|rows| rows.iter().find(|row| row["id"] == planned["id"]).cloned())
    })
    .await
}

pub async fn planned_message_goes_out_at_its_time_and_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let mut socket = company.supervisor.socket().await;
    socket.follow(&id).await;
    let planned = plan(agent, &id, "Lembrete", 3).await.expect(201);
    assert_eq!((text(&planned["state"]), &planned["author_id"]), ("waiting", &json!(agent.id.to_string())));
    let told = socket.of_type("scheduled_message.updated").await;
    assert_eq!(told["data"]["scheduled_message"]["id"], planned["id"]);
    assert!(company.phone.sent().await.is_empty());
    let sent = in_state(agent, &planned, "sent").await;
    let message =
        agent.message_when(&id, "the message read", |found| found["id"] == sent["message_id"] && found["status"] == "read").await;
    assert_eq!((text(&message["body"]), &message["sender_id"]), ("Lembrete", &json!(agent.id.to_string())));
    let due: Timestamp = text(&planned["due_at"]).parse().expect("a time");
    let went: Timestamp = text(&message["sent_at"]).parse().expect("a time");
    assert!(went >= due && went.duration_since(due).as_secs() < 60, "{went}");
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
    let late = agent.api.call(Method::PUT, &path(&planned), Some(json!({"body": "Outra"}))).await.expect(409);
    assert_eq!((text(&late["code"]), &late["current"]["message_id"]), ("not_waiting", &sent["message_id"]));
    assert_eq!(agent.api.call(Method::DELETE, &path(&planned), None).await.problem(409), "not_waiting");
}

pub async fn what_may_not_be_sent_when_it_is_due_says_why(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, late) = company.served().await;
    let (_, given) = company.served().await;
    let agent = &company.agents[0];
    let first = plan(agent, &late, "Tarde", 2).await.expect(201);
    let second = plan(agent, &given, "De outro", 2).await.expect(201);
    let head = agent.head().await;
    let row: uuid::Uuid = late.parse().expect("an id");
    let sql = "update conversations set window_expires_at = now() - interval '1 second' where id = $1";
    stack.database().await.execute(sql, &[&row]).await.expect("the window closes");
    company.supervisor.transfer(&given, json!({"to_user_id": company.agents[1].id})).await;
    assert_eq!(in_state(agent, &first, "failed").await["failure"], "window_closed");
    assert_eq!(in_state(agent, &second, "failed").await["failure"], "not_holder");
    let told = agent.events_after(&head).await;
    let of_author = told
        .iter()
        .filter(|event| event["type"] == "scheduled_message.updated" && event["topic"] == json!(format!("user:{}", agent.id)));
    assert_eq!(of_author.count(), 2, "{told:?}");
    soon().await;
    assert!(company.phone.sent().await.is_empty());
    // Outside the window one may plan: the client may write meanwhile.
    plan(agent, &late, "Amanhã", 3600).await.expect(201);
}

pub async fn planned_message_is_changed_and_called_off(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    for (seconds, code) in [(-1, "in_the_past"), (400 * 86_400, "too_late")] {
        let refused = plan(agent, &id, "Não", seconds).await.expect(422);
        assert_eq!((text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])), ("due_at", code));
    }
    assert_eq!(plan(colleague, &id, "Não", 60).await.problem(409), "not_holder");
    let [moved, gone] = [plan(agent, &id, "Um", 3600).await.expect(201), plan(agent, &id, "Dois", 3).await.expect(201)];
    assert_eq!(colleague.api.call(Method::DELETE, &path(&gone), None).await.problem(403), "not_author");
    agent.api.call(Method::DELETE, &path(&gone), None).await.expect(204);
    assert_eq!(agent.api.call(Method::DELETE, &path(&gone), None).await.problem(404), "not_found");
    let change = json!({"body": "Primeiro", "due_at": time_in(2)});
    let changed = agent.api.call(Method::PUT, &path(&moved), Some(change)).await.expect(200);
    assert_eq!((text(&changed["body"]), &changed["version"]), ("Primeiro", &json!(2)));
    in_state(agent, &moved, "sent").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!((sent.len(), text(&sent[0]["body"]["text"]["body"])), (1, "Primeiro"));
    assert_eq!(in_state(agent, &gone, "cancelled").await["message_id"], Value::Null);
}

/// Plans whatever `POST /messages` takes.
async fn plan_message(person: &Person, id: &str, mut message: Value, seconds: i64) -> Answer {
    message["conversation_id"] = json!(id);
    message["due_at"] = json!(time_in(seconds));
    person.api.post("/scheduled-messages", message).await
}

/// A template with a variable, and one with a picture.
async fn reminders(stack: &Stack) -> (Company, String) {
    let (company, account) = templates::company(stack).await;
    let body = json!({"type": "BODY", "text": "Olá {{1}}, até amanhã."});
    add(stack, &account, "lembrete", json!({"components": [body]})).await;
    let header = json!({"type": "HEADER", "format": "IMAGE"});
    add(stack, &account, "cartaz", json!({"components": [header, body]})).await;
    templates::sync(&company).await;
    (company, account)
}

fn reminder(name: &str, value: &str) -> Value {
    json!({"kind": "template", "template": {"name": name, "parameters": [{"name": "1", "value": value}]}})
}

/// Of every kind at once, in and out of the window, each once.
pub async fn templates_and_files_are_planned_and_go_out(stack: Arc<Stack>) {
    let (company, _) = reminders(&stack).await;
    let agent = &company.agents[0];
    let late = late(&stack, &company).await;
    let (_, open) = company.served().await;
    let picture = agent.upload("a.png", "image/png", PNG).await;
    let note = agent.upload("a.ogg", "audio/ogg", &voice_note(2)).await;
    let document = agent.upload("a.pdf", "application/pdf", PDF).await;
    let mut poster = reminder("cartaz", "Bia");
    poster["file_id"] = json!(picture);
    let url = format!("/storage/download/{document}");
    let place = json!({"kind": "location", "location": {"latitude": -23.5, "longitude": -46.6}});
    let messages = [
        (&late, reminder("lembrete", "Ana"), "template", "Olá Ana, até amanhã."),
        (&late, poster, "template", "Olá Bia, até amanhã."),
        (&open, json!({"kind": "image", "file_id": picture, "body": "O cartaz"}), "image", "O cartaz"),
        (&open, json!({"kind": "audio", "file_id": note, "voice": true}), "audio", ""),
        (&open, json!({"kind": "document", "media_url": url, "client_message_id": "doc"}), "document", ""),
        (&open, place, "location", ""),
        (&open, json!({"body": "Palavras"}), "text", "Palavras"),
    ];
    for (id, message, kind, body) in &messages {
        let planned = plan_message(agent, id, message.clone(), 4).await.expect(201);
        assert_eq!((text(&planned["kind"]), text(&planned["body"])), (*kind, *body), "{planned}");
        assert_eq!(planned["file_id"].is_string(), message.get("file_id").is_some() || message.get("media_url").is_some());
    }
    assert!(company.phone.sent().await.is_empty());
    for id in [&late, &open] {
        let rows = eventually("nothing that waits", || async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let page = agent.api.get(&format!("/scheduled-messages?conversation_id={id}")).await.expect(200);
            page["data"].as_array().filter(|rows| rows.iter().all(|row| row["state"] != "waiting")).cloned()
        })
        .await;
        assert!(rows.iter().all(|row| row["state"] == "sent"), "{rows:?}");
    }
    let sent = company.phone.sent_at_least(messages.len()).await;
    let mut kinds: Vec<&str> = sent.iter().map(|sent| text(&sent["body"]["type"])).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["audio", "document", "image", "location", "template", "template", "text"]);
    let header = sent.iter().find(|sent| sent["body"]["template"]["name"] == "cartaz").expect("the template with a picture");
    assert_eq!(header["body"]["template"]["components"][0]["parameters"][0]["type"], "image", "{header}");
    for (id, messages) in [(&late, 2), (&open, 5)] {
        let list = format!("/scheduled-messages?conversation_id={id}&state=sent");
        let rows = eventually("all of them sent", || async {
            let page = agent.api.get(&list).await.expect(200);
            page["data"].as_array().filter(|rows| rows.len() == messages).cloned()
        })
        .await;
        for row in rows {
            let is_it = |message: &Value| message["id"] == row["message_id"] && message["status"] == "read";
            let message = agent.message_when(id, "the message read", is_it).await;
            assert_eq!((&message["kind"], &message["body"]), (&row["kind"], &row["body"]));
            assert_eq!(message["file"]["id"], row["file_id"]);
        }
    }
    soon().await;
    assert_eq!(company.phone.sent().await.len(), messages.len());
    // Whoever sees the conversation sees what was sent in it.
    assert_eq!(company.agents[1].download(&document).await.0, PDF);
}

pub async fn what_is_planned_is_judged_when_it_is_planned(stack: Arc<Stack>) {
    let (company, _) = reminders(&stack).await;
    let agent = &company.agents[0];
    let stranger = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let announced = agent.announce("a.png", "image/png", PNG.len()).await.expect(201);
    let pending = json!({"kind": "image", "file_id": announced["file"]["id"]});
    assert_eq!(plan_message(agent, &id, pending, 60).await.problem(409), "file_not_ready");
    let theirs = stranger.admin.upload("a.png", "image/png", PNG).await;
    let own = agent.upload("a.pdf", "application/pdf", PDF).await;
    let mut twice = reminder("lembrete", "Ana");
    twice["template"]["parameters"] = json!([{"name": "2", "value": "Ana"}]);
    for (message, field, code) in [
        (json!({"kind": "image", "file_id": theirs}), "file_id", "unknown_file"),
        (json!({"kind": "image", "file_id": own}), "file_id", "wrong_kind"),
        (json!({"kind": "image"}), "file_id", "required"),
        (json!({"kind": "text"}), "body", "required"),
        (json!({"body": "Oi", "reply_to_id": uuid::Uuid::now_v7()}), "reply_to_id", "unknown_message"),
        (reminder("nenhum", "Ana"), "template.name", "unknown_template"),
        (reminder("cartaz", "Ana"), "file_id", "required"),
        (reminder("lembrete", "Ana     Bia"), "template.parameters[0].value", "one_line"),
        (twice, "template.parameters", "missing_parameter"),
    ] {
        let refused = plan_message(agent, &id, message.clone(), 60).await;
        assert_eq!(refused.status, 422, "{message}: {}", refused.body);
        assert_eq!(problems(&refused)[0], (field.to_owned(), code.to_owned()), "{message}");
    }
    let page = agent.api.get(&format!("/scheduled-messages?conversation_id={id}")).await.expect(200);
    assert_eq!(page["data"], json!([]));
}

pub async fn what_is_planned_is_judged_again_when_it_is_due(stack: Arc<Stack>) {
    let (company, account) = reminders(&stack).await;
    let agent = &company.agents[0];
    let (_, id) = company.served().await;
    let late = late(&stack, &company).await;
    let gone = agent.upload("a.png", "image/png", PNG).await;
    let kept = agent.upload("a.pdf", "application/pdf", PDF).await;
    let paused = plan_message(agent, &id, reminder("lembrete", "Ana"), 4).await.expect(201);
    let without_file = plan_message(agent, &id, json!({"kind": "image", "file_id": gone}), 4).await.expect(201);
    let out_of_window = plan_message(agent, &late, json!({"kind": "document", "file_id": kept}), 4).await.expect(201);
    let reused = plan_message(agent, &id, json!({"body": "Oi", "client_message_id": "um"}), 4).await.expect(201);
    agent.api.call(Method::DELETE, &format!("/storage/{gone}"), None).await.expect(204);
    add(&stack, &account, "lembrete", json!({"status": "PAUSED"})).await;
    templates::sync(&company).await;
    let other = json!({"conversation_id": id, "body": "Outra", "client_message_id": "um"});
    agent.api.post("/messages", other).await.expect(201);
    for (planned, failure) in [
        (&paused, "not_approved"),
        (&without_file, "unknown_file"),
        (&out_of_window, "window_closed"),
        (&reused, "client_message_id_reused"),
    ] {
        let failed = in_state(agent, planned, "failed").await;
        assert_eq!((text(&failed["failure"]), &failed["message_id"]), (failure, &Value::Null));
    }
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
    // A file that is planned no more goes as any other.
    agent.api.call(Method::DELETE, &format!("/storage/{kept}"), None).await.expect(204);
}

pub async fn planned_message_becomes_one_of_another_kind(stack: Arc<Stack>) {
    let (company, _) = reminders(&stack).await;
    let agent = &company.agents[0];
    let (_, id) = company.served().await;
    let picture = agent.upload("a.png", "image/png", PNG).await;
    let planned = plan(agent, &id, "Um texto", 3600).await.expect(201);
    let change = async |input: Value| agent.api.call(Method::PUT, &path(&planned), Some(input)).await;
    let changed = change(json!({"message": reminder("lembrete", "Ana")})).await.expect(200);
    assert_eq!((text(&changed["kind"]), text(&changed["body"])), ("template", "Olá Ana, até amanhã."));
    assert_eq!(changed["payload"]["parameters"][0]["value"], "Ana");
    assert_eq!(problems(&change(json!({"body": "Outro"})).await)[0], ("body".to_owned(), "of_template".to_owned()));
    let refused = change(json!({"message": {"kind": "template", "template": {"name": "lembrete"}}})).await;
    assert_eq!(problems(&refused)[0], ("template.parameters".to_owned(), "missing_parameter".to_owned()));
    assert_eq!(change(json!({"body": "x", "message": {"body": "y"}})).await.status, 422);
    // The same again is no other version.
    let same = change(json!({"message": reminder("lembrete", "Ana")})).await.expect(200);
    assert_eq!(same["version"], changed["version"]);
    let image = json!({"message": {"kind": "image", "file_id": picture, "body": "O cartaz"}});
    assert_eq!(text(&change(image).await.expect(200)["file_id"]), picture);
    assert_eq!(problems(&change(json!({"body": "a".repeat(1_025)})).await)[0], ("body".to_owned(), "too_long".to_owned()));
    let captioned = change(json!({"body": "Outro cartaz", "due_at": time_in(2)})).await.expect(200);
    assert_eq!((text(&captioned["kind"]), text(&captioned["body"])), ("image", "Outro cartaz"));
    in_state(agent, &planned, "sent").await;
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!((sent.len(), text(&sent[0]["body"]["image"]["caption"])), (1, "Outro cartaz"));
}
