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
