//! Two clients who turn out to be one: a phone of one and a user id of the other in one message.

use std::sync::Arc;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

/// A company and two people of its: one known by phone, one by user id.
pub(super) struct Scene {
    pub(super) company: Company,
    pub(super) phone: String,
    pub(super) user_id: String,
}

pub(super) async fn scene(stack: &Stack, wanted: Wanted) -> Scene {
    let company = stack.company(wanted).await;
    let phone = fresh_number();
    Scene { company, user_id: format!("BR.J{phone}"), phone }
}

pub(super) fn two_agents() -> Wanted {
    Wanted { agents: 2, students: 1, ..Wanted::default() }
}

impl Scene {
    /// The older conversation and the other, each with an agent of its own.
    pub(super) async fn both_taken_over(&self) -> (String, String) {
        self.by_phone("um").await;
        let older = text(&self.conversations().await[0]["id"]).to_owned();
        self.by_user_id("dois").await;
        let other = self.conversations().await.into_iter().find(|row| text(&row["id"]) != older).expect("another");
        let other = text(&other["id"]).to_owned();
        self.company.agents[0].take_over(&older).await;
        self.company.agents[1].take_over(&other).await;
        (older, other)
    }

    pub(super) async fn by_phone(&self, words: &str) {
        let order = json!({"user_id": format!("BR.P{}", self.phone), "text": words});
        taken(&self.company.phone.receive(&self.phone, order).await);
    }

    pub(super) async fn by_user_id(&self, words: &str) {
        taken(&self.company.phone.receive("", json!({"from": null, "user_id": self.user_id, "text": words})).await);
    }

    /// The message that carries both.
    pub(super) async fn prove(&self, words: &str) {
        taken(&self.company.phone.receive(&self.phone, json!({"user_id": self.user_id, "text": words})).await);
    }

    pub(super) async fn conversations(&self) -> Vec<Value> {
        let list = self.company.admin.api.get("/conversations").await.expect(200);
        list["data"].as_array().cloned().unwrap_or_default()
    }

    /// The one open conversation, and those that became part of it.
    pub(super) async fn joined(&self) -> (Value, Vec<Value>) {
        let (open, closed): (Vec<Value>, Vec<Value>) =
            self.conversations().await.into_iter().partition(|row| row["ended_at"].is_null());
        assert_eq!(open.len(), 1, "{open:?}");
        assert!(closed.iter().all(|row| row["client_id"] == open[0]["client_id"]), "{open:?} {closed:?}");
        (open[0].clone(), closed)
    }

    async fn said(&self, conversation: &Value) -> Vec<String> {
        let thread = self.company.admin.thread(text(&conversation["id"])).await;
        let of_client = thread.iter().filter(|message| message["sender_type"] != "system");
        of_client.map(|message| text(&message["body"]).to_owned()).collect()
    }

    async fn merges(&self, stack: &Stack) -> i64 {
        let sql = "select count(*) from client_merges where company_id = $1";
        stack.database().await.query_one(sql, &[&self.company.id]).await.expect("a count").get(0)
    }
}

pub(super) fn taken(received: &Value) {
    assert_eq!(received["status"], 200, "{received}");
}

pub async fn message_of_two_clients_makes_them_one_with_all_messages_in_order(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    let now = jiff::Timestamp::now().as_second();
    for (words, ago) in [("1", 50), ("3", 30)] {
        scene.company.phone.receive(&scene.phone, json!({"user_id": "BR.FIRST", "text": words, "timestamp": now - ago})).await;
    }
    for (words, ago) in [("2", 40), ("4", 20)] {
        let order = json!({"from": null, "user_id": scene.user_id, "text": words, "timestamp": now - ago});
        scene.company.phone.receive("", order).await;
    }
    let before = scene.conversations().await;
    assert_eq!(before.len(), 2);
    let mut socket = scene.company.agents[0].socket().await;
    let head = scene.company.admin.head().await;
    scene.prove("5").await;
    let merged = socket.of_type("client.merged").await["data"].clone();
    let closing = socket.of_type("conversation.closed").await["data"]["conversation"].clone();
    let (open, closed) = scene.joined().await;
    assert_eq!((closed.len(), &closed[0]["close_reason"]), (1, &json!("merged")));
    assert_eq!((&closed[0]["merged_into_id"], &closed[0]["unread"]), (&open["id"], &json!(0)));
    assert_eq!((&closing["id"], &closing["merged_into_id"]), (&closed[0]["id"], &open["id"]));
    assert_eq!(merged["conversations"], json!([{"id": closed[0]["id"], "merged_into_id": open["id"]}]));
    assert_eq!((&merged["client_id"], &open["unread"]), (&open["client_id"], &json!(5)));
    assert_eq!((text(&open["last_message_preview"]), &open["client_phone"]), ("5", &json!(scene.phone)));
    assert_eq!(scene.said(&open).await, ["1", "2", "3", "4", "5"]);
    let thread = scene.company.admin.thread(text(&open["id"])).await;
    let numbers: Vec<i64> = thread.iter().filter_map(|message| message["inbound_number"].as_i64()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert!(scene.company.admin.thread(text(&closed[0]["id"])).await.is_empty());
    let version = |rows: &[Value]| rows.iter().filter_map(|row| row["version"].as_i64()).max();
    assert!(open["version"].as_i64() > version(&before), "{open} {before:?}");
    let events = scene.company.admin.events_after(&head).await;
    let of_kind = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((of_kind("client.merged"), of_kind("conversation.closed"), of_kind("conversation.created")), (1, 1, 0));
    let detail = scene.company.admin.conversation(text(&open["id"])).await;
    assert_eq!(detail["client"]["identities"].as_array().map(Vec::len), Some(3), "{detail}");
    assert_eq!(scene.merges(&stack).await, 1);
    // A front end that still has the other one open is told where it went.
    let refused = scene.company.supervisor.api.post(&format!("/conversations/{}/close", text(&closed[0]["id"])), json!({})).await;
    assert_eq!(refused.expect(409)["current"]["merged_into_id"], open["id"]);
    scene.by_user_id("6").await;
    scene.by_phone("7").await;
    assert_eq!(scene.said(&open).await, ["1", "2", "3", "4", "5", "6", "7"]);
}

pub async fn older_client_stays_whichever_id_it_has(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    scene.by_user_id("primeiro").await;
    let older = scene.conversations().await.remove(0);
    scene.by_phone("segundo").await;
    scene.prove("terceiro").await;
    let (open, _) = scene.joined().await;
    assert_eq!((&open["client_id"], &open["id"]), (&older["client_id"], &older["id"]));
    assert_eq!(scene.said(&open).await, ["primeiro", "segundo", "terceiro"]);
}

pub async fn conversation_that_people_hold_goes_on(stack: Arc<Stack>) {
    let scene = scene(&stack, Wanted { bot: true, ..two_agents() }).await;
    scene.by_phone("Oi").await;
    let older = scene.conversations().await.remove(0);
    scene.by_user_id("Bom dia").await;
    let held = scene.conversations().await.into_iter().find(|row| row["id"] != older["id"]).expect("another");
    let (agent, id) = (&scene.company.agents[0], text(&held["id"]).to_owned());
    agent.take_over(&id).await;
    agent.say(&id, "Olá, aqui é a Bia").await;
    scene.prove("Sou eu").await;
    let (open, closed) = scene.joined().await;
    assert_eq!((text(&open["id"]), &open["client_id"]), (id.as_str(), &older["client_id"]));
    assert_eq!((&open["mode"], &open["assignee_id"]), (&json!("human"), &json!(agent.id)));
    assert_eq!(closed[0]["id"], older["id"]);
    assert!(scene.said(&open).await.starts_with(&["Oi".to_owned()]));
    agent.say(&id, "Continuamos aqui").await;
    agent.api.post(&format!("/conversations/{id}/read"), json!({})).await.expect(200);
    assert_eq!(scene.joined().await.0["unread"], 0);
}

pub async fn client_with_one_open_conversation_keeps_it(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    scene.by_phone("antes").await;
    let (agent, ended) = (&scene.company.agents[0], text(&scene.conversations().await[0]["id"]).to_owned());
    agent.take_over(&ended).await;
    agent.close(&ended).await;
    scene.by_user_id("agora").await;
    scene.prove("também eu").await;
    let (open, closed) = scene.joined().await;
    assert_eq!(scene.said(&open).await, ["agora", "também eu"]);
    assert_eq!((text(&closed[0]["id"]), &closed[0]["merged_into_id"]), (ended.as_str(), &Value::Null));
    assert_eq!(scene.company.admin.conversation(&ended).await["client"]["conversation_count"], 2);
}

pub async fn repeated_proof_changes_nothing(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    scene.by_phone("um").await;
    scene.by_user_id("dois").await;
    let proof = json!({"user_id": scene.user_id, "text": "três", "id": format!("wamid.J{}", scene.phone)});
    taken(&scene.company.phone.receive(&scene.phone, proof.clone()).await);
    let (head, before) = (scene.company.admin.head().await, scene.conversations().await);
    taken(&scene.company.phone.receive(&scene.phone, proof).await);
    assert_eq!(scene.conversations().await, before);
    assert_eq!(scene.company.admin.events_after(&head).await, Vec::<Value>::new());
    assert_eq!(scene.merges(&stack).await, 1);
}

pub async fn many_proofs_at_once_join_once(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    scene.by_phone("um").await;
    scene.by_user_id("dois").await;
    let (written, retries) = (stack.database_log().len(), stack.lock_retries().await);
    // Both clients write at the same moment, too.
    join_all((0..8).map(|index| {
        let words = format!("prova {index}");
        let other = format!("outra {index}");
        let scene = &scene;
        async move {
            let other = async {
                if index % 2 == 0 {
                    scene.by_user_id(&other).await;
                } else {
                    scene.by_phone(&other).await;
                }
            };
            join(scene.prove(&words), other).await;
        }
    }))
    .await;
    let (open, closed) = scene.joined().await;
    assert_eq!((scene.said(&open).await.len(), closed.len(), &open["unread"]), (18, 1, &json!(18)));
    // `by_phone` names a third id, which becomes this client's as well.
    assert_eq!(scene.merges(&stack).await, 1);
    assert!(!stack.database_log()[written..].contains("deadlock detected"));
    assert_eq!(stack.lock_retries().await, retries);
}

pub async fn echo_and_changed_ids_prove_it_too(stack: Arc<Stack>) {
    let echoed = scene(&stack, two_agents()).await;
    echoed.by_phone("um").await;
    echoed.by_user_id("dois").await;
    let number_id = &echoed.company.phone.number_id;
    let order = json!({"phone_number_id": number_id, "from": echoed.phone, "user_id": echoed.user_id, "text": "resposta"});
    echoed.company.phone.post("/whatsapp/echo", order).await;
    let (open, _) = echoed.joined().await;
    assert_eq!((echoed.said(&open).await, &open["mode"]), (vec!["um".into(), "dois".into(), "resposta".into()], &json!("human")));

    let renamed = scene(&stack, two_agents()).await;
    renamed.by_phone("um").await;
    renamed.by_user_id("dois").await;
    let change = json!({"previous": format!("BR.P{}", renamed.phone), "current": renamed.user_id});
    let metadata = json!({"phone_number_id": renamed.company.phone.number_id});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "detail": "changed", "user_id": change});
    let entry = json!({"id": "1", "changes": [{"field": "user_id_update", "value": value}]});
    let raw = json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string();
    for _ in 0..2 {
        taken(&renamed.company.phone.post("/whatsapp/webhook", json!({"raw": raw})).await);
    }
    assert_eq!(renamed.said(&renamed.joined().await.0).await, ["um", "dois"]);
    assert_eq!(renamed.merges(&stack).await, 1);

    let moved = scene(&stack, two_agents()).await;
    let new = fresh_number();
    moved.by_phone("um").await;
    moved.company.phone.receive(&new, json!({"text": "dois"})).await;
    let system = json!({"type": "system", "system": {"type": "user_changed_number", "body": "mudou", "wa_id": new}});
    let order = json!({"user_id": format!("BR.P{}", moved.phone), "message": system});
    taken(&moved.company.phone.receive(&moved.phone, order).await);
    assert_eq!(moved.said(&moved.joined().await.0).await, ["um", "dois"]);
}

pub async fn answer_goes_where_the_client_was_last_heard_of(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    let newer = fresh_number();
    scene.by_phone("do primeiro").await;
    taken(&scene.company.phone.receive(&newer, json!({"user_id": scene.user_id, "text": "do segundo"})).await);
    scene.prove("do primeiro").await;
    let (open, _) = scene.joined().await;
    let (agent, id) = (&scene.company.agents[0], text(&open["id"]));
    agent.take_over(id).await;
    agent.say(id, "ao primeiro").await;
    assert_eq!(scene.company.phone.sent_at_least(1).await[0]["body"]["to"], scene.phone);
    taken(&scene.company.phone.receive(&newer, json!({"user_id": scene.user_id, "text": "do segundo"})).await);
    agent.say(id, "ao segundo").await;
    assert_eq!(scene.company.phone.sent_at_least(2).await[1]["body"]["to"], newer);
}

pub async fn what_waits_to_be_delivered_is_sent_in_order(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    let (older, other) = scene.both_taken_over().await;
    let agents = &scene.company.agents;
    let busy = json!({"target": "whatsapp.messages", "kind": "error", "code": 130_429});
    scene.company.phone.fault(busy).await;
    agents[1].say(&other, "primeira").await;
    scene.prove("três").await;
    assert_eq!(scene.joined().await.0["id"], older.as_str());
    agents[0].say(&older, "segunda").await;
    scene.company.phone.heal().await;
    let sent = scene.company.phone.sent_at_least(2).await;
    let bodies: Vec<&str> = sent.iter().map(|sent| text(&sent["body"]["text"]["body"])).collect();
    assert_eq!(bodies, ["primeira", "segunda"]);
    let is_read = |message: &Value| message["body"] == "primeira" && message["status"] == "read";
    scene.company.admin.message_when(&older, "the first read", is_read).await;
}

pub async fn message_sent_again_after_the_join_is_the_same(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    let (older, other) = scene.both_taken_over().await;
    let agents = &scene.company.agents;
    let first = agents[1].say(&other, "resposta").await;
    scene.prove("três").await;
    assert_eq!(scene.joined().await.0["id"], older.as_str());
    let again = agents[1].say(&other, "resposta").await;
    assert_eq!((&again["id"], &again["conversation_id"]), (&first["id"], &json!(older)));
    let bodies = scene.company.admin.thread(&older).await;
    assert_eq!(bodies.iter().filter(|message| message["body"] == "resposta").count(), 1, "{bodies:?}");
}

pub async fn bot_answers_what_came_with_the_other_conversation(stack: Arc<Stack>) {
    let scene = scene(&stack, Wanted { bot: true, ..two_agents() }).await;
    scene.by_phone("Oi").await;
    scene.by_user_id("Oi").await;
    scene.company.phone.sent_at_least(2).await;
    scene.prove("Mensalidades").await;
    let sent = scene.company.phone.sent_at_least(3).await;
    assert!(sent[2].to_string().contains("vencem no dia 10"), "{sent:?}");
    assert_eq!(scene.joined().await.0["mode"], "bot");
}
