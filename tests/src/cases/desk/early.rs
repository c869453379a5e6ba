//! What changes a message may come before the message: it waits for it and is nobody's word until then.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number, soon};

struct Scene {
    company: Company,
    client: String,
    /// WhatsApp's id of the message that is still on its way.
    target: String,
}

async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let target = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    Scene { company, client: fresh_number(), target }
}

impl Scene {
    async fn receive(&self, order: Value) {
        let received = self.company.phone.receive(&self.client, order).await;
        assert_eq!(received["status"], 200, "{received}");
    }

    async fn conversations(&self) -> usize {
        let list = self.company.admin.api.get("/conversations").await.expect(200);
        list["data"].as_array().map_or(0, Vec::len)
    }

    /// The message comes at last. Answers its conversation, itself and the event that told of it.
    async fn arrive(&self, words: &str) -> (Value, Value, Value) {
        assert_eq!(self.conversations().await, 0, "a change opened a conversation");
        let head = self.company.admin.head().await;
        self.receive(json!({"text": words, "id": self.target})).await;
        let conversation = self.company.admin.conversation_of(&self.client).await;
        let mut thread = self.company.admin.thread(text(&conversation["id"])).await;
        assert_eq!(thread.len(), 1, "{thread:?}");
        let events = self.company.admin.events_after(&head).await;
        let told: Vec<&Value> = events.iter().filter(|event| text(&event["type"]).starts_with("message.")).collect();
        assert_eq!((told.len(), text(&told[0]["type"])), (1, "message.created"), "{told:?}");
        (conversation, thread.remove(0), told[0]["data"]["message"].clone())
    }
}

fn edit(target: &str, words: &str) -> Value {
    json!({"type": "edit", "edit": {"original_message_id": target, "message": {"type": "text", "text": {"body": words}}}})
}

fn reaction(target: &str, emoji: &str) -> Value {
    json!({"type": "reaction", "reaction": {"message_id": target, "emoji": emoji}})
}

pub async fn edits_wait_for_their_message(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let now = jiff::Timestamp::now().as_second();
    for (words, at) in [("terceira versão", now), ("segunda versão", now - 5)] {
        scene.receive(json!({"message": edit(&scene.target, words), "timestamp": at})).await;
    }
    let (conversation, message, told) = scene.arrive("primeira versão").await;
    assert_eq!((text(&message["body"]), text(&told["body"])), ("terceira versão", "terceira versão"));
    assert!(message["edited_at"].is_string(), "{message}");
    assert_eq!((text(&conversation["last_message_preview"]), &conversation["unread"]), ("terceira versão", &json!(1)));
    let id: uuid::Uuid = text(&message["id"]).parse().expect("an id");
    let sql = "select jsonb_path_query_array(revisions, '$[*].body') from messages where id = $1";
    let row = stack.database().await.query_one(sql, &[&id]).await.expect("a row");
    assert_eq!(row.get::<_, Value>(0), json!(["primeira versão", "segunda versão"]));
}

pub async fn early_and_late_edits_stand_in_whatsapps_order(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let now = jiff::Timestamp::now().as_second();
    for (words, ago) in [("quinta", 5), ("terceira", 15)] {
        scene.receive(json!({"message": edit(&scene.target, words), "timestamp": now - ago})).await;
    }
    scene.arrive("primeira").await;
    for (words, ago) in [("quarta", 10), ("segunda", 20), ("sexta", 5)] {
        scene.receive(json!({"message": edit(&scene.target, words), "timestamp": now - ago})).await;
    }
    let sql = "select body, jsonb_path_query_array(revisions, '$[*].body') from messages where company_id = $1";
    let row = stack.database().await.query_one(sql, &[&scene.company.id]).await.expect("a row");
    assert_eq!(row.get::<_, &str>(0), "sexta");
    assert_eq!(row.get::<_, Value>(1), json!(["primeira", "segunda", "terceira", "quarta", "quinta"]));
}

pub async fn message_taken_back_early_is_never_shown(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.receive(json!({"message": {"type": "revoke", "revoke": {"original_message_id": scene.target}}})).await;
    let (conversation, message, told) = scene.arrive("segredo").await;
    assert!(message["deleted_at"].is_string(), "{message}");
    assert_eq!((text(&message["body"]), text(&told["body"])), ("", ""));
    assert_eq!(text(&conversation["last_message_preview"]), "🚫 Mensagem apagada");
}

pub async fn reactions_wait_for_their_message_and_are_no_words(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    for emoji in ["👍", "❤️"] {
        scene.receive(json!({"message": reaction(&scene.target, emoji)})).await;
    }
    let (conversation, message, _) = scene.arrive("Oi").await;
    assert_eq!(message["reactions"], json!([{"by": "client", "emoji": "❤️"}]));
    assert_eq!((text(&conversation["last_message_preview"]), &conversation["unread"]), ("Oi", &json!(1)));
}

pub async fn reaction_to_an_unknown_message_starts_no_turn(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let before = company.admin.conversation_of(&client).await;
    company.phone.receive(&client, json!({"message": reaction("wamid.FAKEOLD", "👍")})).await;
    company.phone.receive(&client, json!({"message": {"type": "reaction", "reaction": {"emoji": "👍"}}})).await;
    soon().await;
    assert_eq!(company.admin.conversation_of(&client).await, before);
    assert_eq!(company.phone.sent().await.len(), 1, "the bot answered a reaction");
}

pub async fn early_change_sent_twice_is_made_once(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    for _ in 0..2 {
        scene.receive(json!({"message": edit(&scene.target, "nova"), "id": "wamid.FAKEEDIT"})).await;
    }
    scene.arrive("velha").await;
    scene.receive(json!({"message": edit(&scene.target, "nova"), "id": "wamid.FAKEEDIT"})).await;
    let sql = "select jsonb_array_length(revisions) from messages where company_id = $1";
    let row = stack.database().await.query_one(sql, &[&scene.company.id]).await.expect("a row");
    assert_eq!(row.get::<_, i32>(0), 1);
}

pub async fn change_at_the_moment_of_its_message_is_not_lost(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let received = join_all((0..20).flat_map(|index| {
        let id = format!("{}.{index}", scene.target);
        let message = scene.receive(json!({"text": "velha", "id": id}));
        let change = scene.receive(json!({"message": edit(&id, "nova")}));
        [futures_util::future::Either::Left(message), futures_util::future::Either::Right(change)]
    }));
    received.await;
    let id = scene.company.admin.conversation_id_of(&scene.client).await;
    let thread = scene.company.admin.thread(&id).await;
    let bodies: Vec<&str> = thread.iter().map(|message| text(&message["body"])).collect();
    assert_eq!(bodies, ["nova"; 20]);
}

pub async fn changes_nobody_waits_for_are_swept(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let other = format!("{}.other", scene.target);
    for target in [&scene.target, &other] {
        scene.receive(json!({"message": edit(target, "nova")})).await;
    }
    let database = stack.database().await;
    let age = "update early_changes set received_at = now() - interval '8 days' where company_id = $1 and provider_id = $2";
    assert_eq!(database.execute(age, &[&scene.company.id, &other]).await.expect("it ages"), 1);
    stack.control("POST", "/fire/SweepExpired", None).await;
    let rows = database.query("select provider_id from early_changes where company_id = $1", &[&scene.company.id]).await;
    let kept: Vec<String> = rows.expect("rows").iter().map(|row| row.get(0)).collect();
    assert_eq!(kept, [scene.target]);
}
