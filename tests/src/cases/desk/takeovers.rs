//! What a takeover leaves behind besides its holder: words to the client, a row, a line, events.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number, soon};

async fn company(stack: &Stack, takeover_text: Option<&'static str>) -> Company {
    stack.company(Wanted { students: 0, takeover_text, ..Wanted::default() }).await
}

/// A new client's conversation, waiting.
async fn waiting(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.admin.conversation_id_of(&client).await
}

/// The texts WhatsApp has accepted, once there are so many.
async fn said(company: &Company, count: usize) -> Vec<String> {
    let sent = company.phone.sent_at_least(count).await;
    sent.iter().map(|sent| text(&sent["body"]["text"]["body"]).to_owned()).collect()
}

pub async fn client_is_told_who_goes_on(stack: Arc<Stack>) {
    let company = company(&stack, None).await;
    let (agent, id) = (&company.agents[0], waiting(&company).await);
    let head = agent.head().await;
    let taken = agent.take_over(&id).await;
    let words = "Olá! Meu nome é Bruna Lima e vou continuar seu atendimento.";
    assert_eq!(said(&company, 1).await, [words]);
    assert_eq!((text(&taken["status"]), text(&taken["last_message_preview"])), ("active", words));
    let rows = agent.api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    assert_eq!(rows["data"].as_array().map(Vec::len), Some(1));
    assert_eq!((&rows["data"][0]["from_user_id"], &rows["data"][0]["to_user_id"]), (&Value::Null, &json!(agent.id)));
    let thread = agent.thread(&id).await;
    let acts: Vec<(&str, &str)> =
        thread.iter().map(|message| (text(&message["sender_type"]), text(&message["payload"]["act"]))).collect();
    assert_eq!(acts, [("client", ""), ("system", "taken_over"), ("agent", "")]);
    assert_eq!(thread[2]["payload"], json!({"automatic": true}));
    let kinds: Vec<String> = agent.events_after(&head).await.iter().map(|event| text(&event["type"]).to_owned()).collect();
    assert_eq!(kinds[..4], ["conversation.assigned", "message.created", "message.created", "conversation.updated"]);
    // Once more by the holder, with words or without: nothing changes and nothing is said.
    let again = agent.take_over(&id).await;
    assert_eq!((&again["version"], &again["assignee_id"]), (&taken["version"], &json!(agent.id)));
    let path = format!("/conversations/{id}/takeover");
    let again = agent.api.post(&path, json!({"greeting": "Oi de novo"})).await.expect(200);
    assert_eq!(again["version"], taken["version"]);
    soon().await;
    assert_eq!(said(&company, 1).await.len(), 1);
    let rows = agent.api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    assert_eq!(rows["data"].as_array().map(Vec::len), Some(1));
}

pub async fn takeover_from_the_bot_stops_it_and_greets(stack: Arc<Stack>) {
    let wanted = Wanted { students: 0, bot: true, takeover_text: None, ..Wanted::default() };
    let company = stack.company(wanted).await;
    let (agent, client) = (&company.agents[0], fresh_number());
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let id = company.admin.conversation_id_of(&client).await;
    let taken = agent.api.post(&format!("/chats/{id}/start"), json!({})).await.expect(200);
    assert_eq!((text(&taken["mode"]), text(&taken["status"]), &taken["bot_node"]), ("human", "active", &Value::Null));
    assert_eq!(said(&company, 2).await[1], "Olá! Meu nome é Bruna Lima e vou continuar seu atendimento.");
    let rows = agent.api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    let row = &rows["data"][0];
    assert_eq!((&row["from_user_id"], &row["to_user_id"], &row["reason"]), (&Value::Null, &json!(agent.id), &Value::Null));
    company.phone.receive_text(&client, "menu").await;
    soon().await;
    assert_eq!(company.phone.sent().await.len(), 2, "the bot spoke over a human");
}

pub async fn companies_word_it_themselves_or_say_nothing(stack: Arc<Stack>) {
    let own = company(&stack, Some("Aqui é {{agent.name}}. {{agent.name}} vai ajudar.")).await;
    let id = waiting(&own).await;
    own.agents[1].take_over(&id).await;
    assert_eq!(said(&own, 1).await, ["Aqui é Caio Matos. Caio Matos vai ajudar."]);
    let silent = company(&stack, Some("")).await;
    let id = waiting(&silent).await;
    silent.agents[0].take_over(&id).await;
    // What somebody writes for it comes in place of either.
    let id = waiting(&own).await;
    own.agents[0]
        .api
        .post(&format!("/conversations/{id}/takeover"), json!({"greeting": "Oi, {{agent.name}}!"}))
        .await
        .expect(200);
    assert_eq!(said(&own, 2).await[1], "Oi, {{agent.name}}!");
    assert!(silent.phone.sent().await.is_empty());
}

/// A greeting that the company's rule says answers nothing: what the client wrote is still to be read.
pub async fn automatic_words_are_no_reply(stack: Arc<Stack>) {
    let company = company(&stack, None).await;
    let id = waiting(&company).await;
    assert_eq!(company.agents[0].take_over(&id).await["unread"], 1);
    let id = waiting(&company).await;
    let path = format!("/conversations/{id}/takeover");
    assert_eq!(company.agents[0].api.post(&path, json!({"greeting": "Já li."})).await.expect(200)["unread"], 0);
}

pub async fn nothing_is_said_after_the_window(stack: Arc<Stack>) {
    let company = company(&stack, None).await;
    let id = waiting(&company).await;
    let row: uuid::Uuid = id.parse().expect("an id");
    let past = "update conversations set window_expires_at = now() - interval '1 minute' where id = $1";
    stack.database().await.execute(past, &[&row]).await.expect("the window closes");
    let (api, path) = (&company.agents[0].api, format!("/conversations/{id}/takeover"));
    assert_eq!(api.post(&path, json!({"greeting": "Olá!"})).await.problem(409), "window_closed");
    let rows = api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    assert_eq!(rows["data"], json!([]), "a refused takeover left a row");
    let taken = company.agents[0].take_over(&id).await;
    assert_eq!(taken["assignee_id"], json!(company.agents[0].id));
    soon().await;
    assert!(company.phone.sent().await.is_empty());
}
