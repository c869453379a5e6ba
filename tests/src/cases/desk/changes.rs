//! What clients change in messages that are there: reactions, edits, messages taken back.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Company, Socket, Stack, Wanted,
    company::text,
    desk::{PNG, media},
    sandbox::fresh_number,
};

struct Scene {
    company: Company,
    client: String,
    id: String,
    /// WhatsApp's id of the client's message.
    target: String,
    socket: Socket,
}

async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let client = fresh_number();
    let target = company.phone.receive_text(&client, "texto velho").await;
    let id = company.admin.conversation_id_of(&client).await;
    let mut socket = company.agents[0].socket().await;
    socket.follow(&id).await;
    Scene { company, client, id, target, socket }
}

impl Scene {
    async fn receive(&self, message: Value) {
        let received = self.company.phone.receive(&self.client, json!({"message": message})).await;
        assert_eq!(received["status"], 200, "{received}");
    }

    async fn preview(&self) -> String {
        text(&self.company.admin.conversation(&self.id).await["last_message_preview"]).to_owned()
    }

    async fn message(&self) -> Value {
        self.company.admin.thread(&self.id).await.remove(0)
    }
}

fn edit(target: &str, words: &str) -> Value {
    json!({"type": "edit", "edit": {"original_message_id": target, "message": {"type": "text", "text": {"body": words}}}})
}

pub async fn reaction_is_added_replaced_and_removed(stack: Arc<Stack>) {
    let mut scene = scene(&stack).await;
    let target = scene.target.clone();
    let reaction = |emoji: &str| json!({"type": "reaction", "reaction": {"message_id": target, "emoji": emoji}});
    scene.receive(reaction("👍")).await;
    let event = scene.socket.of_type("message.updated").await;
    assert_eq!(event["data"]["message"]["reactions"], json!([{"by": "client", "emoji": "👍"}]));
    scene.receive(reaction("❤️")).await;
    assert_eq!(scene.message().await["reactions"], json!([{"by": "client", "emoji": "❤️"}]));
    scene.receive(json!({"type": "reaction", "reaction": {"message_id": scene.target}})).await;
    assert_eq!(scene.message().await["reactions"], json!([]));
    let conversation = scene.company.admin.conversation(&scene.id).await;
    assert_eq!((&conversation["unread"], text(&conversation["last_message_preview"])), (&json!(1), "texto velho"));
}

pub async fn late_older_reaction_changes_nothing(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let now = jiff::Timestamp::now().as_second();
    for (emoji, at) in [("❤️", now), ("👍", now - 30)] {
        let order = json!({"reaction": {"message_id": scene.target, "emoji": emoji}, "timestamp": at});
        scene.company.phone.receive(&scene.client, order).await;
    }
    assert_eq!(scene.message().await["reactions"], json!([{"by": "client", "emoji": "❤️"}]));
}

pub async fn reaction_to_the_agents_message_is_shown_on_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (client, id) = company.served().await;
    let agent = &company.agents[0];
    let message = agent.say(&id, "Bom dia!").await;
    agent.message_with_status(&message, "read").await;
    let wamid = company.phone.sent().await[0]["id"].clone();
    company.phone.receive(&client, json!({"reaction": {"message_id": wamid, "emoji": "✅"}})).await;
    let message = agent.message_when(&id, "the reaction", |found| found["id"] == message["id"]).await;
    assert_eq!(message["reactions"], json!([{"by": "client", "emoji": "✅"}]));
}

pub async fn edit_replaces_the_text_and_keeps_the_old_one(stack: Arc<Stack>) {
    let mut scene = scene(&stack).await;
    scene.receive(edit(&scene.target, "texto novo")).await;
    let event = scene.socket.of_type("message.updated").await;
    assert_eq!(event["data"]["message"]["body"], "texto novo");
    let message = scene.message().await;
    assert!(message["edited_at"].is_string(), "{message}");
    let database = stack.database().await;
    let id: uuid::Uuid = text(&message["id"]).parse().expect("an id");
    let row = database.query_one("select revisions #>> '{0,body}' from messages where id = $1", &[&id]).await.expect("a row");
    assert_eq!(row.get::<_, &str>(0), "texto velho");
}

pub async fn older_edit_after_a_newer_one_does_not_win(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let now = jiff::Timestamp::now().as_second();
    // Two of the same second count as they came.
    for (words, ago) in [("a nova", 5), ("a velha", 30), ("a última", 5)] {
        let order = json!({"message": edit(&scene.target, words), "timestamp": now - ago});
        let received = scene.company.phone.receive(&scene.client, order).await;
        assert_eq!(received["status"], 200, "{received}");
    }
    let message = scene.message().await;
    let edited_at = text(&message["edited_at"]).parse::<jiff::Timestamp>().expect("a time");
    assert_eq!((text(&message["body"]), edited_at.as_second()), ("a última", now - 5));
    assert_eq!(scene.preview().await, "a última");
    let id: uuid::Uuid = text(&message["id"]).parse().expect("an id");
    let sql = "select jsonb_path_query_array(revisions, '$[*].body') from messages where id = $1";
    let row = stack.database().await.query_one(sql, &[&id]).await.expect("a row");
    assert_eq!(row.get::<_, Value>(0), json!(["texto velho", "a velha", "a nova"]));
}

pub async fn message_taken_back_is_marked_told_and_blank(stack: Arc<Stack>) {
    let mut scene = scene(&stack).await;
    scene.receive(json!({"type": "revoke", "revoke": {"original_message_id": scene.target}})).await;
    let told = scene.socket.of_type("message.deleted").await["data"]["message"].clone();
    let message = scene.message().await;
    for shown in [&told, &message] {
        assert!(shown["deleted_at"].is_string(), "{shown}");
        assert_eq!((&shown["body"], &shown["payload"], &shown["file"]), (&json!(""), &json!({}), &Value::Null));
    }
    let event = scene.socket.of_type("conversation.updated").await;
    assert_eq!(event["data"]["conversation"]["last_message_preview"], "🚫 Mensagem apagada");
    assert_eq!(scene.preview().await, "🚫 Mensagem apagada");
    let found = scene.company.admin.api.get("/conversations?search=velho").await.expect(200);
    assert_eq!(found["data"], json!([]));
    // An edit that was slower brings nothing back.
    scene.receive(edit(&scene.target, "texto novo")).await;
    assert_eq!((&scene.message().await["body"], scene.preview().await.as_str()), (&json!(""), "🚫 Mensagem apagada"));
    let id: uuid::Uuid = text(&message["id"]).parse().expect("an id");
    let row = stack.database().await.query_one("select revisions #>> '{0,body}' from messages where id = $1", &[&id]).await;
    assert_eq!(row.expect("the row is kept").get::<_, &str>(0), "texto velho");
}

pub async fn file_of_a_message_taken_back_is_not_shown(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let client = fresh_number();
    let received = company.phone.receive(&client, media("image/png", PNG, json!({"caption": "Fachada"}))).await;
    let revoke = json!({"type": "revoke", "revoke": {"original_message_id": received["id"]}});
    company.phone.receive(&client, json!({"message": revoke})).await;
    let id = company.admin.conversation_id_of(&client).await;
    let message = company.admin.thread(&id).await.remove(0);
    assert_eq!((&message["kind"], &message["body"], &message["file"]), (&json!("image"), &json!(""), &Value::Null));
}

pub async fn preview_follows_changes_of_the_message_it_shows_only(stack: Arc<Stack>) {
    let mut scene = scene(&stack).await;
    scene.receive(edit(&scene.target, "texto novo")).await;
    let event = scene.socket.of_type("conversation.updated").await;
    assert_eq!(event["data"]["conversation"]["last_message_preview"], "texto novo");
    assert_eq!(scene.preview().await, "texto novo");
    let newer = scene.company.phone.receive_text(&scene.client, "mais nova").await;
    scene.receive(edit(&scene.target, "texto novíssimo")).await;
    assert_eq!(scene.preview().await, "mais nova");
    scene.receive(edit(&newer, "a mais nova")).await;
    assert_eq!(scene.preview().await, "a mais nova");
    scene.company.agents[0].take_over(&scene.id).await;
    scene.company.agents[0].say(&scene.id, "Resposta").await;
    scene.receive(json!({"type": "revoke", "revoke": {"original_message_id": newer}})).await;
    assert_eq!(scene.preview().await, "Resposta");
}
