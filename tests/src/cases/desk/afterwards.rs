//! What staff do with messages that are there: hide them, send them again, react, send them on.

use std::sync::Arc;

use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    desk::PNG,
    sandbox::fresh_number,
    soon,
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { students: 0, agent_visibility: "company", ..Wanted::default() }).await
}

async fn delete(person: &Person, message: &Value) -> Answer {
    person.api.call(Method::DELETE, &format!("/messages/{}", text(&message["id"])), None).await
}

async fn command(person: &Person, message: &Value, verb: &str, body: Value) -> Answer {
    person.api.post(&format!("/messages/{}/{verb}", text(&message["id"])), body).await
}

pub async fn hidden_message_is_blank_for_staff_and_stays_with_the_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let file = agent.upload("a.png", "image/png", PNG).await;
    let picture = json!({"conversation_id": id, "kind": "image", "file_id": file, "body": "Segredo"});
    let message = agent.api.post("/messages", picture).await.expect(201);
    agent.message_with_status(&message, "read").await;
    assert_eq!(delete(colleague, &message).await.problem(403), "not_author");
    let head = company.admin.head().await;
    let hidden = delete(agent, &message).await.expect(200);
    assert_eq!((&hidden["client_keeps_copy"], &hidden["deleted_by_id"]), (&json!(true), &json!(agent.id.to_string())));
    assert_eq!((&hidden["body"], &hidden["file"]), (&json!(""), &Value::Null));
    let told = company.admin.told_after(&head).await;
    assert!(told.iter().any(|event| event["type"] == "message.deleted"), "{told:?}");
    assert!(!json!(told).to_string().contains("Segredo"), "{told:?}");
    assert_eq!(company.admin.conversation(&id).await["last_message_preview"], "🚫 Mensagem apagada");
    let shown = agent.thread(&id).await.into_iter().find(|found| found["id"] == message["id"]).expect("it keeps its place");
    assert_eq!((&shown["body"], &shown["deleted_at"]), (&json!(""), &hidden["deleted_at"]));
    assert_eq!(agent.api.get(&format!("/storage/download/{file}")).await.problem(404), "not_found");
    assert_eq!(delete(agent, &message).await.problem(404), "not_found");
    assert_eq!(company.phone.sent().await.len(), 1);
}

async fn edit(person: &Person, message: &Value, words: &str) -> Answer {
    person.api.call(Method::PUT, &format!("/messages/{}", text(&message["id"])), Some(json!({"body": words}))).await
}

/// A message that waits in its queue for some seconds.
async fn waiting(company: &Company, id: &str, words: &str) -> Value {
    let busy = json!({"target": "whatsapp.messages", "kind": "error", "code": 131_056, "retry_after": 3, "times": 1});
    company.phone.fault(busy).await;
    let message = company.agents[0].say(id, words).await;
    soon().await;
    let wanted = |found: &Value| found["id"] == message["id"] && found["status"] == "queued";
    company.agents[0].message_when(id, "the message in its queue again", wanted).await
}

pub async fn words_that_were_not_sent_yet_are_changed_and_others_are_not(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (client, id) = company.served().await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let message = waiting(&company, &id, "Bom dya").await;
    assert_eq!(edit(colleague, &message, "Intruso").await.problem(403), "not_author");
    assert_eq!(edit(agent, &message, "").await.problem(422), "invalid");
    let head = colleague.head().await;
    let edited = edit(agent, &message, "Bom dia").await.expect(200);
    assert_eq!(text(&edited["body"]), "Bom dia");
    assert!(edited["edited_at"].is_string(), "{edited}");
    assert_eq!(edit(agent, &message, "Bom dia").await.expect(200)["edited_at"], edited["edited_at"]);
    let told = colleague.told_after(&head).await;
    assert!(
        told.iter().any(|event| event["type"] == "message.updated" && event["data"]["message"]["body"] == "Bom dia"),
        "{told:?}"
    );
    assert_eq!(colleague.conversation(&id).await["last_message_preview"], "Bom dia");
    let revisions = agent.api.get(&format!("/messages/{}/revisions", text(&message["id"]))).await.expect(200);
    assert_eq!(revisions["data"].as_array().map(Vec::len), Some(1), "{revisions}");
    assert_eq!(revisions["data"][0]["body"], "Bom dya");
    agent.message_with_status(&message, "read").await;
    let sent = company.phone.sent().await;
    assert_eq!((sent.len(), text(&sent[0]["body"]["text"]["body"])), (1, "Bom dia"));
    // Now the client has it, and what they said was never anybody's to change.
    let late = edit(agent, &message, "Boa tarde").await.expect(409);
    assert_eq!((text(&late["code"]), text(&late["current"]["body"])), ("not_supported_by_channel", "Bom dia"));
    company.phone.receive_text(&client, "Oi?").await;
    let said = agent.thread(&id).await.into_iter().find(|found| found["body"] == "Oi?").expect("what the client said");
    assert_eq!(edit(agent, &said, "x").await.problem(403), "not_author");
    assert_eq!(edit(&company.supervisor, &said, "x").await.problem(409), "not_supported_by_channel");
    let path = format!("/whatsapp/messages/{}", text(&message["id"]));
    assert_eq!(agent.api.call(Method::PUT, &path, Some(json!({"content": "x"}))).await.problem(409), "not_supported_by_channel");
}

pub async fn failed_message_is_mended_before_it_is_sent_again(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    company.phone.fault(json!({"target": "whatsapp.messages", "kind": "error", "code": 131_051, "times": 1})).await;
    let message = agent.say(&id, "Sem jeito").await;
    agent.message_with_status(&message, "failed").await;
    let edited = edit(agent, &message, "Com jeito").await.expect(200);
    assert_eq!((text(&edited["status"]), text(&edited["body"])), ("failed", "Com jeito"));
    command(agent, &message, "retry", json!({})).await.expect(200);
    agent.message_with_status(&message, "read").await;
    let sent = company.phone.sent().await;
    assert_eq!((sent.len(), text(&sent[0]["body"]["text"]["body"])), (1, "Com jeito"));
}

/// Whoever wins, the client has what the row says.
pub async fn words_changed_while_they_are_sent_are_what_the_client_has(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let mut conversations = Vec::new();
    for _ in 0..4 {
        conversations.push(company.served().await.1);
    }
    let mut messages = Vec::new();
    for round in 0..5 {
        let one = |id: String| async move {
            let message = agent.say(&id, &format!("antes {round}")).await;
            let edited = edit(agent, &message, &format!("depois {round}")).await;
            assert!([200, 409].contains(&edited.status), "{}", edited.body);
            message
        };
        messages.extend(futures_util::future::join_all(conversations.iter().cloned().map(one)).await);
    }
    for message in &messages {
        agent.message_with_status(message, "read").await;
    }
    let mut had: Vec<String> =
        company.phone.sent().await.iter().map(|sent| text(&sent["body"]["text"]["body"]).to_owned()).collect();
    let mut shown = Vec::new();
    for id in &conversations {
        let thread = agent.thread(id).await;
        shown.extend(
            thread.iter().filter(|message| message["sender_type"] == "agent").map(|message| text(&message["body"]).to_owned()),
        );
    }
    had.sort_unstable();
    shown.sort_unstable();
    assert_eq!(had, shown);
    assert_eq!(had.len(), 20);
}

pub async fn what_a_client_said_is_a_supervisors_to_hide(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let message = company.admin.thread(&id).await.remove(0);
    assert_eq!(delete(&company.agents[0], &message).await.problem(403), "not_author");
    let hidden = delete(&company.supervisor, &message).await.expect(200);
    assert_eq!(hidden["client_keeps_copy"], true);
    // The line of the takeover is no message of anybody's.
    let line = company.admin.thread(&id).await.into_iter().find(|found| found["kind"] == "system").expect("a line");
    assert_eq!(delete(&company.admin, &line).await.problem(403), "not_author");
}

pub async fn message_hidden_before_it_is_sent_never_goes_out(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let busy = json!({"target": "whatsapp.messages", "kind": "error", "code": 131_056, "retry_after": 3, "times": 1});
    company.phone.fault(busy).await;
    let message = agent.say(&id, "Espere").await;
    soon().await;
    let wanted = |found: &Value| found["id"] == message["id"] && found["status"] == "queued";
    agent.message_when(&id, "the message in its queue again", wanted).await;
    let hidden = delete(agent, &message).await.expect(200);
    assert_eq!(hidden["client_keeps_copy"], false);
    assert_eq!((text(&hidden["status"]), text(&hidden["error_code"])), ("failed", "taken_back"));
    agent.say(&id, "Depois").await;
    let sent = company.phone.sent_at_least(1).await;
    soon().await;
    assert_eq!(text(&sent[0]["body"]["text"]["body"]), "Depois");
    assert_eq!(company.phone.sent().await.len(), 1);
    assert_eq!(command(agent, &message, "retry", Value::Null).await.problem(409), "not_failed");
}

pub async fn failed_message_is_sent_again_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let refused = json!({"target": "whatsapp.messages", "kind": "error", "code": 131_026, "times": 1});
    company.phone.fault(refused).await;
    let message = agent.say(&id, "De novo").await;
    agent.message_with_status(&message, "failed").await;
    let colleague = &company.agents[1];
    assert_eq!(command(colleague, &message, "retry", Value::Null).await.problem(409), "not_holder");
    let both =
        join(command(agent, &message, "retry", Value::Null), command(&company.supervisor, &message, "retry", Value::Null)).await;
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let sent = agent.message_with_status(&message, "read").await;
    assert_eq!((&sent["error_code"], &sent["error_detail"]), (&Value::Null, &Value::Null));
    let again = command(agent, &message, "retry", Value::Null).await.expect(409);
    assert_eq!((text(&again["code"]), &again["current"]["id"]), ("not_failed", &message["id"]));
    assert_eq!(company.phone.sent().await.len(), 1);
}

pub async fn reaction_goes_out_and_is_shown_on_its_message(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let message = agent.thread(&id).await.remove(0);
    let mut socket = company.agents[1].socket().await;
    socket.follow(&id).await;
    let before = agent.thread(&id).await.len();
    for (emoji, shown) in
        [("👍🏽", json!([{"by": "agent", "emoji": "👍🏽"}])), ("❤️", json!([{"by": "agent", "emoji": "❤️"}])), ("", json!([]))]
    {
        let reaction = command(agent, &message, "reactions", json!({"emoji": emoji})).await.expect(201);
        assert_eq!((text(&reaction["kind"]), &reaction["reply_to_id"]), ("reaction", &message["id"]));
        let told = socket.of_type("message.updated").await;
        assert_eq!((&told["data"]["message"]["id"], &told["data"]["message"]["reactions"]), (&message["id"], &shown));
    }
    let sent = company.phone.sent().await;
    let emojis: Vec<&str> = sent.iter().map(|sent| text(&sent["body"]["reaction"]["emoji"])).collect();
    assert_eq!(emojis, ["👍🏽", "❤️", ""]);
    assert_eq!(sent[0]["body"]["reaction"]["message_id"], message["provider_id"]);
    assert_eq!(agent.thread(&id).await.len(), before, "a reaction is no line of the thread");
    assert_eq!(agent.conversation(&id).await["last_message_preview"], "Oi");
}

pub async fn reaction_is_one_emoji_to_what_the_client_has(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let message = agent.thread(&id).await.remove(0);
    for emoji in ["👍👍", "ok", "1", "👍x"] {
        let refused = command(agent, &message, "reactions", json!({"emoji": emoji})).await.expect(422);
        assert_eq!(
            (text(&refused["errors"][0]["field"]), text(&refused["errors"][0]["code"])),
            ("emoji", "one_emoji"),
            "{emoji}"
        );
    }
    let colleague = &company.agents[1];
    assert_eq!(command(colleague, &message, "reactions", json!({"emoji": "👍"})).await.problem(409), "not_holder");
    let line = agent.thread(&id).await.into_iter().find(|found| found["kind"] == "system").expect("a line");
    assert_eq!(command(agent, &line, "reactions", json!({"emoji": "👍"})).await.problem(409), "not_delivered");
    soon().await;
    assert!(company.phone.sent().await.is_empty());
}

pub async fn message_is_sent_on_to_whom_the_caller_may_write(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (_, from) = company.served().await;
    let (_, open) = company.served().await;
    let (_, closed) = company.served().await;
    agent.close(&closed).await;
    let (_, late) = company.served().await;
    let row: uuid::Uuid = late.parse().expect("an id");
    let sql = "update conversations set window_expires_at = now() - interval '1 second' where id = $1";
    stack.database().await.execute(sql, &[&row]).await.expect("the window closes");
    let nobodys = uuid::Uuid::now_v7().to_string();
    let file = agent.upload("a.png", "image/png", PNG).await;
    let picture = json!({"conversation_id": from, "kind": "image", "file_id": file, "body": "Fachada"});
    let message = agent.api.post("/messages", picture).await.expect(201);
    let ids = [&closed, &open, &late, &nobodys];
    let forwarded = command(agent, &message, "forward", json!({"conversation_ids": ids})).await.expect(200);
    let codes: Vec<&Value> = forwarded["data"].as_array().expect("results").iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, [&json!("conversation_closed"), &Value::Null, &json!("window_closed"), &json!("not_found")]);
    let copy = &forwarded["data"][1]["message"];
    assert_eq!((text(&copy["conversation_id"]), text(&copy["body"])), (open.as_str(), "Fachada"));
    assert_eq!((&copy["payload"], &copy["file"]["id"]), (&json!({"forwarded": true}), &json!(file)));
    agent.message_with_status(copy, "read").await;
    assert_eq!(company.phone.sent_at_least(2).await.len(), 2);
    for refused in [json!([open, open]), json!([]), json!(vec![nobodys.clone(); 11])] {
        command(agent, &message, "forward", json!({"conversation_ids": refused})).await.expect(422);
    }
    let line = agent.thread(&from).await.into_iter().find(|found| found["kind"] == "system").expect("a line");
    let refused = command(agent, &line, "forward", json!({"conversation_ids": [open]})).await;
    assert_eq!(refused.problem(409), "not_forwardable");
}

pub async fn message_is_read_with_all_before_it_and_shows_what_it_said_before(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let first = company.phone.receive_text(&client, "velho").await;
    company.phone.receive_text(&client, "segunda").await;
    let id = company.admin.conversation_id_of(&client).await;
    let agent = &company.agents[0];
    let message = agent.thread(&id).await.remove(0);
    let path = format!("/messages/{}/read", text(&message["id"]));
    let read = agent.api.call(Method::PATCH, &path, None).await.expect(200);
    assert_eq!((text(&read["id"]), &read["unread"]), (id.as_str(), &json!(1)));
    let revisions = format!("/messages/{}/revisions", text(&message["id"]));
    assert_eq!(agent.api.get(&revisions).await.expect(200)["data"], json!([]));
    let edit =
        json!({"type": "edit", "edit": {"original_message_id": first, "message": {"type": "text", "text": {"body": "novo"}}}});
    company.phone.receive(&client, json!({"message": edit})).await;
    let shown = agent.api.get(&revisions).await.expect(200);
    assert_eq!((shown["data"].as_array().map(Vec::len), text(&shown["data"][0]["body"])), (Some(1), "velho"));
    delete(&company.supervisor, &message).await.expect(200);
    assert_eq!(agent.api.get(&revisions).await.expect(200)["data"], json!([]));
}
