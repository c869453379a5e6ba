//! What the business does on its own phone is the business's: files, reactions, edits, messages taken back, and how they fared.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::text,
    desk::{PNG, media},
    sandbox::fresh_number,
};

struct Scene {
    company: Company,
    client: String,
    id: String,
    /// WhatsApp's id of the client's message.
    first: String,
}

async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let client = fresh_number();
    let first = company.phone.receive_text(&client, "Oi").await;
    let id = company.admin.conversation_id_of(&client).await;
    Scene { company, client, id, first }
}

impl Scene {
    /// The business does this on its phone. Answers WhatsApp's id of it.
    async fn echo(&self, content: Value) -> String {
        let mut order = json!({"phone_number_id": self.company.phone.number_id, "from": self.client});
        order.as_object_mut().expect("an object").extend(content.as_object().cloned().unwrap_or_default());
        let received = self.company.phone.post("/whatsapp/echo", order).await;
        assert_eq!(received["status"], 200, "{received}");
        text(&received["id"]).to_owned()
    }

    async fn last(&self) -> Value {
        self.company.admin.thread(&self.id).await.pop().expect("a message")
    }

    async fn tell(&self, wamid: &str, status: &str) {
        let number = &self.company.phone.number_id;
        let order = json!({"phone_number_id": number, "id": wamid, "status": status, "recipient_id": self.client});
        self.company.phone.post("/whatsapp/status", order).await;
    }
}

pub async fn file_sent_on_the_phone_arrives_as_the_agents(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.echo(media("image/png", PNG, json!({"caption": "Fachada"}))).await;
    let is_ready = |message: &Value| message["file"]["status"] == "ready";
    let message = scene.company.admin.message_when(&scene.id, "the picture", is_ready).await;
    assert_eq!((text(&message["sender_type"]), text(&message["body"])), ("agent", "Fachada"));
    assert_eq!(scene.company.admin.download(text(&message["file"]["id"])).await.0, PNG);
}

pub async fn reactions_of_both_sides_stand_beside_each_other(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let reaction = |emoji: &str| json!({"reaction": {"message_id": scene.first, "emoji": emoji}});
    scene.company.phone.receive(&scene.client, reaction("👍")).await;
    scene.echo(reaction("🙏")).await;
    let both = json!([{"by": "client", "emoji": "👍"}, {"by": "agent", "emoji": "🙏"}]);
    assert_eq!(scene.last().await["reactions"], both);
    scene.company.phone.receive(&scene.client, reaction("")).await;
    let conversation = scene.company.admin.conversation(&scene.id).await;
    assert_eq!(scene.last().await["reactions"], json!([{"by": "agent", "emoji": "🙏"}]));
    assert_eq!((&conversation["unread"], &conversation["first_human_at"]), (&json!(1), &Value::Null));
}

pub async fn reaction_on_the_phone_waits_for_its_message(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let late = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    scene.echo(json!({"reaction": {"message_id": late, "emoji": "🙏"}})).await;
    scene.company.phone.receive(&scene.client, json!({"text": "Obrigada", "id": late})).await;
    assert_eq!(scene.last().await["reactions"], json!([{"by": "agent", "emoji": "🙏"}]));
}

pub async fn edit_and_revocation_on_the_phone_are_followed(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let echoed = scene.echo(json!({"text": "Bom dai"})).await;
    let words = json!({"original_message_id": echoed, "message": {"type": "text", "text": {"body": "Bom dia"}}});
    scene.echo(json!({"message": {"type": "edit", "edit": words}})).await;
    let edited = scene.last().await;
    assert_eq!((text(&edited["sender_type"]), text(&edited["body"])), ("agent", "Bom dia"));
    scene.echo(json!({"message": {"type": "revoke", "revoke": {"original_message_id": echoed}}})).await;
    assert!(scene.last().await["deleted_at"].is_string());
    assert_eq!(scene.company.admin.thread(&scene.id).await.len(), 2);
}

pub async fn statuses_before_the_echo_are_merged(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let id = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    for status in ["sent", "read", "delivered"] {
        scene.tell(&id, status).await;
    }
    scene.echo(json!({"text": "Bom dia", "id": id})).await;
    assert_eq!(scene.last().await["status"], "read");
    let failed = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    scene.tell(&failed, "failed").await;
    scene.echo(json!({"text": "Boa tarde", "id": failed})).await;
    assert_eq!(scene.last().await["status"], "failed");
}

pub async fn status_at_the_moment_of_its_echo_is_not_lost(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    for index in 0..12 {
        let id = format!("wamid.{}", uuid::Uuid::now_v7().simple());
        tokio::join!(scene.echo(json!({"text": index.to_string(), "id": id})), scene.tell(&id, "read"));
    }
    let thread = scene.company.admin.thread(&scene.id).await;
    let statuses: Vec<&Value> = thread.iter().skip(1).map(|message| &message["status"]).collect();
    assert_eq!(statuses, ["read"; 12]);
}
