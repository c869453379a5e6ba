//! What an agent may send, to whom and when.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::text,
    desk::{PDF, PNG, WEBP, text_message, voice_note},
    sandbox::fresh_number,
    soon,
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, agent_visibility: "company", ..Wanted::default() }).await
}

pub async fn nobody_talks_over_the_bot(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, bot: true, ..Wanted::default() }).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    for person in [&company.agents[0], &company.admin] {
        let refused = person.api.post("/messages", text_message(&id, "Olá")).await.expect(409);
        assert_eq!((text(&refused["code"]), text(&refused["current"]["mode"])), ("bot_mode", "bot"));
        assert_eq!(refused["detail"], "Assuma o atendimento para enviar mensagens");
    }
}

pub async fn only_the_holder_and_supervisors_answer(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    let refused = company.agents[0].api.post("/messages", text_message(&id, "Olá")).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["status"])), ("not_taken", "pending"));
    company.agents[0].take_over(&id).await;
    let refused = company.agents[1].api.post("/messages", text_message(&id, "Eu também")).await.expect(409);
    assert_eq!(refused["code"], "not_holder");
    assert_eq!(refused["current"]["assignee_id"], company.agents[0].id.to_string());
    company.agents[0].say(&id, "Olá").await;
    company.supervisor.say(&id, "Sou a supervisora").await;
    let sent = company.phone.sent_at_least(2).await;
    let words: Vec<&str> = sent.iter().map(|sent| text(&sent["body"]["text"]["body"])).collect();
    assert_eq!(words, ["Olá", "Sou a supervisora"]);
}

pub async fn nothing_goes_out_after_the_end_or_outside_the_window(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let row: uuid::Uuid = id.parse().expect("an id");
    let sql = "update conversations set window_expires_at = now() - interval '1 second' where id = $1";
    stack.database().await.execute(sql, &[&row]).await.expect("the window closes");
    let refused = company.agents[0].api.post("/messages", text_message(&id, "Tarde")).await.expect(409);
    assert_eq!(refused["code"], "window_closed");
    assert!(refused["current"]["window_expires_at"].is_string() && refused["current"]["allowed_templates"].is_array());
    assert_eq!(refused["current"]["id"], id.as_str());
    company.agents[0].close(&id).await;
    let refused = company.agents[0].api.post("/messages", text_message(&id, "Tarde")).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["status"])), ("conversation_closed", "closed"));
    soon().await;
    assert!(company.phone.sent().await.is_empty());
}

pub async fn same_client_message_id_is_sent_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let (_, other) = company.served().await;
    let api = &company.agents[0].api;
    let answers = join_all((0..5).map(|_| api.post("/messages", text_message(&id, "Uma vez")))).await;
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)["id"].clone()).collect();
    assert!(ids.iter().all(|found| *found == ids[0]), "{ids:?}");
    let mut elsewhere = text_message(&id, "Uma vez");
    elsewhere["conversation_id"] = json!(other);
    assert_eq!(api.post("/messages", elsewhere).await.problem(422), "client_message_id_reused");
    company.phone.sent_at_least(1).await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 1);
    let said = company.agents[0].thread(&id).await.into_iter().filter(|message| message["body"] == "Uma vez");
    assert_eq!(said.count(), 1);
}

pub async fn message_sent_again_is_answered_whatever_became_of_its_conversation(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let place = json!({"latitude": -23.550_519_999_999_995, "longitude": 1.5e-7, "name": "Escola"});
    let located = json!({"conversation_id": id, "client_message_id": "l", "kind": "location", "location": place});
    let picture = agent.upload("a.png", "image/png", PNG).await;
    let pictured = json!({"conversation_id": id, "client_message_id": "p", "kind": "image", "file_id": picture, "body": "Veja"});
    let messages = [text_message(&id, "Até logo"), located, pictured];
    let mut sent = Vec::new();
    for message in &messages {
        sent.push(agent.api.post("/messages", message.clone()).await.expect(201)["id"].clone());
    }
    let again = async || {
        for (message, id) in messages.iter().zip(&sent) {
            assert_eq!(agent.api.post("/messages", message.clone()).await.expect(201)["id"], *id);
        }
    };
    company.supervisor.transfer(&id, json!({"to_user_id": company.agents[1].id})).await;
    again().await;
    company.agents[1].close(&id).await;
    again().await;
    company.phone.sent_at_least(3).await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 3);
}

pub async fn client_message_id_is_for_one_message_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let first = agent.say(&id, "Bom dia").await;
    let with = |name: &str, value: Value| {
        let mut message = text_message(&id, "Bom dia");
        message[name] = value;
        agent.api.post("/messages", message)
    };
    let place = json!({"latitude": -23.5, "longitude": -46.6});
    let located = json!({"conversation_id": id, "client_message_id": first["client_message_id"], "kind": "location",
                         "body": "Bom dia", "location": place});
    for answer in [
        with("body", json!("Boa tarde")).await,
        with("reply_to_id", first["id"].clone()).await,
        agent.api.post("/messages", located).await,
        company.supervisor.api.post("/messages", text_message(&id, "Bom dia")).await,
    ] {
        assert_eq!(answer.problem(422), "client_message_id_reused");
    }
    agent.close(&id).await;
    assert_eq!(with("body", json!("Boa noite")).await.problem(422), "client_message_id_reused");
    let thread = agent.thread(&id).await;
    assert_eq!(thread.iter().filter(|message| message["sender_type"] == "agent").count(), 1);
}

pub async fn answer_quotes_a_message_of_its_conversation_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let (_, other) = company.served().await;
    let mut quoted = company.agents[0].thread(&id).await;
    let quoted = quoted.remove(0);
    let message = |reply_to: &Value| {
        let mut message = text_message(&id, "Respondo");
        message["reply_to_id"] = reply_to.clone();
        message
    };
    let foreign = company.agents[0].thread(&other).await.remove(0);
    let refused = company.agents[0].api.post("/messages", message(&foreign["id"])).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "reply_to_id");
    let sent = company.agents[0].api.post("/messages", message(&quoted["id"])).await.expect(201);
    assert_eq!(sent["reply_to_id"], quoted["id"]);
    let sent = company.phone.sent_at_least(1).await;
    let wamid = text(&sent[0]["body"]["context"]["message_id"]);
    assert!(wamid.starts_with("wamid."), "{sent:?}");
}

pub async fn texts_have_their_limits(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let api = &company.agents[0].api;
    let send = |body: String| {
        api.post(
            "/messages",
            json!({"conversation_id": id, "client_message_id": body.len().to_string(), "kind": "text", "body": body}),
        )
    };
    send("é".repeat(4096)).await.expect(201);
    send("é".repeat(4097)).await.expect(422);
    send(String::new()).await.expect(422);
    send("   ".into()).await.expect(422);
    api.post("/messages", json!({"conversation_id": id, "client_message_id": "x", "kind": "order", "body": "x"}))
        .await
        .expect(422);
    api.post("/messages", json!({"conversation_id": id, "client_message_id": "", "kind": "text", "body": "x"})).await.expect(422);
    api.post("/messages", json!({"conversation_id": id, "client_message_id": "y", "kind": "text", "body": "x", "to": "5511"}))
        .await
        .expect(422);
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!(text(&sent[0]["body"]["text"]["body"]).chars().count(), 4096);
}

pub async fn location_goes_out(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let place = json!({"latitude": -23.5, "longitude": -46.6, "name": "Escola"});
    let message = json!({"conversation_id": id, "client_message_id": "l", "kind": "location", "location": place});
    company.agents[0].api.post("/messages", message).await.expect(201);
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!(sent[0]["body"]["location"], place);
}

pub async fn cards_choices_and_stickers_go_out(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = company.served().await;
    let agent = &company.agents[0];
    let sticker = agent.upload("a.webp", "image/webp", WEBP).await;
    let cards = json!([{"name": "Ana Lima", "phones": ["+55 11 98765-4321"], "email": "ana@example.com", "company": "Escola"}]);
    let buttons = json!([{"id": "sim", "title": "Sim"}, {"id": "nao", "title": "Não"}]);
    let rows: Vec<Value> =
        (0..4).map(|row| json!({"id": row.to_string(), "title": format!("Turma {row}"), "description": "Noite"})).collect();
    let mut sent = Vec::new();
    for message in [
        json!({"kind": "contacts", "contacts": cards}),
        json!({"kind": "interactive", "body": "Confirma?", "options": buttons}),
        json!({"kind": "interactive", "body": "Qual turma?", "options": rows, "button": "Turmas"}),
        json!({"kind": "sticker", "file_id": sticker}),
    ] {
        let mut message = message;
        message["conversation_id"] = json!(id);
        sent.push(agent.api.post("/messages", message).await.expect(201));
    }
    agent.message_with_status(&sent[3], "read").await;
    let bodies: Vec<Value> = company.phone.sent().await.iter().map(|sent| sent["body"].clone()).collect();
    assert_eq!(bodies[0]["contacts"][0]["name"]["formatted_name"], "Ana Lima");
    assert_eq!(bodies[0]["contacts"][0]["phones"][0]["phone"], "+55 11 98765-4321");
    assert_eq!(bodies[1]["interactive"]["action"]["buttons"][1]["reply"], json!({"id": "nao", "title": "Não"}));
    assert_eq!(bodies[2]["interactive"]["action"]["button"], "Turmas");
    assert_eq!(bodies[2]["interactive"]["action"]["sections"][0]["rows"][3]["description"], "Noite");
    assert!(bodies[3]["sticker"]["id"].is_string(), "{:?}", bodies[3]);
    // What the client taps comes back with the id it was given.
    company.phone.receive(&client, json!({"button_reply": {"id": "nao", "title": "Não"}})).await;
    let reply =
        agent.message_when(&id, "the answer", |found| found["sender_type"] == "client" && found["kind"] == "interactive").await;
    assert_eq!((text(&reply["body"]), &reply["payload"]["reply"]["id"]), ("Não", &json!("nao")));
}

pub async fn files_must_be_of_their_kind(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let (picture, paper) = (agent.upload("a.png", "image/png", PNG).await, agent.upload("a.pdf", "application/pdf", PDF).await);
    let tune = agent.upload("a.aac", "audio/aac", b"\xff\xf1\x50\x80\x02\x1f\xfc and a tune").await;
    let message = |kind: &str, file: &str, voice: bool| json!({"conversation_id": id, "client_message_id": format!("{kind}{file}{voice}"), "kind": kind, "file_id": file, "voice": voice});
    for (kind, file, voice) in [
        ("image", &paper, false),
        ("audio", &picture, false),
        ("video", &picture, false),
        ("audio", &tune, true),
        ("sticker", &picture, false),
    ] {
        let refused = agent.api.post("/messages", message(kind, file, voice)).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "file_id", "{kind}: {refused}");
    }
    agent.api.post("/messages", message("image", &company.id.to_string(), false)).await.expect(422);
    let unfinished = agent.announce("b.png", "image/png", 10).await.expect(201);
    let refused = agent.api.post("/messages", message("image", text(&unfinished["file"]["id"]), false)).await.expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["status"])), ("file_not_ready", "pending"));
    // A colleague's upload is theirs until it is sent.
    let others = company.agents[1].upload("c.ogg", "audio/ogg", &voice_note(1)).await;
    agent.api.post("/messages", message("audio", &others, true)).await.expect(422);
    agent.api.post("/messages", message("document", &picture, false)).await.expect(201);
    agent.api.post("/messages", message("audio", &tune, false)).await.expect(201);
}
