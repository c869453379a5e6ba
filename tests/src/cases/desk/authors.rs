//! A message is changed by those whose it is: another client's edit, revocation or reaction changes nothing.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

struct Scene {
    company: Company,
    client: String,
    id: String,
    /// WhatsApp's id of the client's message.
    target: String,
    /// Another client of the company, who has a conversation too.
    stranger: String,
}

async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (client, stranger) = (fresh_number(), fresh_number());
    let target = company.phone.receive_text(&client, "Sou eu").await;
    company.phone.receive_text(&stranger, "Sou outro").await;
    let id = company.admin.conversation_id_of(&client).await;
    Scene { company, client, id, target, stranger }
}

impl Scene {
    async fn receive(&self, from: &str, message: Value) {
        taken(&self.company.phone.receive(from, json!({"message": message})).await);
    }

    /// Done on the business's own phone.
    async fn echo(&self, message: Value) {
        let order = json!({"phone_number_id": self.company.phone.number_id, "from": self.client, "message": message});
        taken(&self.company.phone.post("/whatsapp/echo", order).await);
    }

    /// What became of the last items.
    async fn last_outcomes(&self, stack: &Stack, count: usize) -> Vec<String> {
        let mut outcomes = self.company.outcomes(stack).await;
        outcomes.split_off(outcomes.len() - count)
    }
}

fn taken(received: &Value) {
    assert_eq!(received["status"], 200, "{received}");
}

fn edit(target: &str) -> Value {
    let words = json!({"type": "text", "text": {"body": "falsificado"}});
    json!({"type": "edit", "edit": {"original_message_id": target, "message": words}})
}

fn revoke(target: &str) -> Value {
    json!({"type": "revoke", "revoke": {"original_message_id": target}})
}

fn reaction(target: &str) -> Value {
    json!({"type": "reaction", "reaction": {"message_id": target, "emoji": "👎"}})
}

fn refused(kinds: &[&str]) -> Vec<String> {
    kinds.iter().map(|kind| format!("ignored: {kind} of a message that is not its author's")).collect()
}

pub async fn another_client_changes_nothing(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let (before, head) = (scene.company.admin.thread(&scene.id).await, scene.company.admin.head().await);
    for change in [edit(&scene.target), revoke(&scene.target), reaction(&scene.target)] {
        scene.receive(&scene.stranger, change).await;
    }
    assert_eq!(scene.company.admin.thread(&scene.id).await, before);
    assert_eq!(scene.company.admin.events_after(&head).await, Vec::<Value>::new());
    assert_eq!(scene.last_outcomes(&stack, 3).await, refused(&["edit", "revoke", "reaction"]));
    for change in [edit(&scene.target), reaction(&scene.target)] {
        scene.receive(&scene.client, change).await;
    }
    let message = scene.company.admin.thread(&scene.id).await.remove(0);
    assert_eq!((text(&message["body"]), text(&message["reactions"][0]["emoji"])), ("falsificado", "👎"));
}

pub async fn change_of_another_client_that_waits_changes_nothing(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let late = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    for change in [edit(&late), revoke(&late), reaction(&late)] {
        scene.receive(&scene.stranger, change).await;
    }
    scene.receive(&scene.client, reaction(&late)).await;
    assert_eq!(scene.last_outcomes(&stack, 4).await, ["held"; 4]);
    taken(&scene.company.phone.receive(&scene.client, json!({"text": "Cheguei", "id": late})).await);
    let message = scene.company.admin.thread(&scene.id).await.pop().expect("a message");
    assert_eq!((text(&message["body"]), &message["edited_at"], &message["deleted_at"]), ("Cheguei", &Value::Null, &Value::Null));
    assert_eq!(message["reactions"], json!([{"by": "client", "emoji": "👎"}]));
    let waiting = "select count(*) from early_changes where company_id = $1";
    let waiting = stack.database().await.query_one(waiting, &[&scene.company.id]).await.expect("a count");
    assert_eq!(waiting.get::<_, i64>(0), 0);
}

/// Neither side rewrites what the other said in their own conversation; both react to it.
pub async fn words_of_the_other_side_stand(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let agent = &scene.company.agents[0];
    agent.take_over(&scene.id).await;
    let said = agent.say(&scene.id, "Bom dia!").await;
    agent.message_with_status(&said, "read").await;
    let wamid = text(&scene.company.phone.sent().await[0]["id"]).to_owned();
    for change in [edit(&wamid), revoke(&wamid)] {
        scene.receive(&scene.client, change).await;
    }
    for change in [edit(&scene.target), revoke(&scene.target)] {
        scene.echo(change).await;
    }
    assert_eq!(scene.last_outcomes(&stack, 4).await, refused(&["edit", "revoke", "edit", "revoke"]));
    scene.receive(&scene.client, reaction(&wamid)).await;
    scene.echo(reaction(&scene.target)).await;
    assert_eq!(scene.last_outcomes(&stack, 2).await, ["stored"; 2]);
    let thread = scene.company.admin.thread(&scene.id).await;
    let of_clients: Vec<&Value> = thread.iter().filter(|message| message["sender_type"] != "system").collect();
    assert_eq!(of_clients.iter().map(|message| text(&message["body"])).collect::<Vec<_>>(), ["Sou eu", "Bom dia!"]);
    assert!(of_clients.iter().all(|message| message["deleted_at"].is_null() && message["reactions"][0]["emoji"] == "👎"));
}

/// By any of a client's ids, and whoever they were before they were joined.
pub async fn client_of_several_ids_changes_their_own(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (phone, user_id) = (fresh_number(), format!("BR.A{}", fresh_number()));
    let first = company.phone.receive_text(&phone, "por telefone").await;
    let hidden = |message: Value| json!({"from": null, "user_id": user_id, "message": message});
    let second = company.phone.receive("", json!({"from": null, "user_id": user_id, "text": "por nome"})).await;
    // Two clients so far.
    taken(&company.phone.receive("", hidden(edit(&first))).await);
    taken(&company.phone.receive(&phone, json!({"user_id": user_id, "text": "os dois"})).await);
    taken(&company.phone.receive("", hidden(edit(&first))).await);
    taken(&company.phone.receive(&phone, json!({"message": edit(text(&second["id"]))})).await);
    let list = company.admin.api.get("/conversations").await.expect(200);
    let open = list["data"].as_array().into_iter().flatten().find(|row| row["ended_at"].is_null()).expect("an open one");
    let thread = company.admin.thread(text(&open["id"])).await;
    let of_client = thread.iter().filter(|message| message["sender_type"] == "client");
    assert_eq!(of_client.map(|message| text(&message["body"])).collect::<Vec<_>>(), ["falsificado", "falsificado", "os dois"]);
    let outcomes = company.outcomes(&stack).await;
    assert_eq!((&outcomes[2..3], &outcomes[4..]), (&refused(&["edit"])[..], &["stored".to_owned(), "stored".to_owned()][..]));
}

pub async fn answer_to_another_clients_message_names_none(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let answer = json!({"type": "text", "text": {"body": "Respondo"}, "context": {"id": scene.target}});
    scene.receive(&scene.stranger, answer.clone()).await;
    scene.receive(&scene.client, answer).await;
    let theirs = scene.company.admin.conversation_id_of(&scene.stranger).await;
    let last = |mut thread: Vec<Value>| thread.pop().expect("a message");
    assert_eq!(last(scene.company.admin.thread(&theirs).await)["reply_to_id"], Value::Null);
    let thread = scene.company.admin.thread(&scene.id).await;
    assert_eq!(thread[1]["reply_to_id"], thread[0]["id"]);
}
