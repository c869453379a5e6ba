//! What becomes of a message on its way to the client: statuses come twice, late, early and out of order.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, soon};

struct Scene {
    company: Company,
    id: String,
    head: String,
}

/// A conversation an agent holds, with a sandbox that sends no statuses by itself.
async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    company.phone.post("/whatsapp/settings", json!({"phone_number_id": company.phone.number_id, "statuses": false})).await;
    let head = company.agents[0].head().await;
    Scene { company, id, head }
}

impl Scene {
    /// Sends a text and waits until it is sent. Answers the message and WhatsApp's id of it.
    async fn sent(&self) -> (Value, String) {
        let message = self.company.agents[0].say(&self.id, "Bom dia!").await;
        self.company.agents[0].message_with_status(&message, "sent").await;
        (message, text(&self.company.phone.sent().await[0]["id"]).to_owned())
    }

    async fn tell(&self, wamid: &str, status: &str, more: Value) {
        let mut order = json!({"phone_number_id": self.company.phone.number_id, "id": wamid, "status": status});
        order.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let attempt = self.company.phone.post("/whatsapp/status", order).await;
        assert_eq!(attempt["status"], 200, "{attempt}");
    }

    /// The statuses told by events so far.
    async fn told(&self) -> Vec<String> {
        let events = self.company.agents[0].events_after(&self.head).await;
        let statuses = events.iter().filter(|event| event["type"] == "message.status");
        statuses.map(|event| text(&event["data"]["status"]).to_owned()).collect()
    }

    async fn status(&self, message: &Value) -> Value {
        self.company.agents[0].message_when(&self.id, "the message", |found| found["id"] == message["id"]).await
    }
}

pub async fn every_step_is_told_once_and_in_order(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let (message, wamid) = scene.sent().await;
    for status in ["sent", "delivered", "delivered", "read", "read"] {
        scene.tell(&wamid, status, json!({})).await;
    }
    assert_eq!(scene.status(&message).await["status"], "read");
    assert_eq!(scene.told().await, ["sent", "delivered", "read"]);
}

pub async fn status_never_goes_backward(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let (message, wamid) = scene.sent().await;
    for status in ["read", "delivered", "sent", "failed"] {
        scene.tell(&wamid, status, json!({})).await;
        assert_eq!(scene.status(&message).await["status"], "read", "after {status}");
    }
    assert_eq!(scene.told().await, ["sent", "read"]);
}

pub async fn played_voice_note_counts_as_read(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let (message, wamid) = scene.sent().await;
    scene.tell(&wamid, "played", json!({})).await;
    assert_eq!(scene.status(&message).await["status"], "read");
}

pub async fn failure_says_why_and_a_later_delivery_wins(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let (message, wamid) = scene.sent().await;
    scene.tell(&wamid, "failed", json!({"code": 131_026})).await;
    let failed = scene.status(&message).await;
    assert_eq!((text(&failed["status"]), text(&failed["error_code"])), ("failed", "131026"));
    assert!(failed["error_detail"].is_string(), "{failed}");
    scene.tell(&wamid, "sent", json!({})).await;
    assert_eq!(scene.status(&message).await["status"], "failed");
    scene.tell(&wamid, "delivered", json!({})).await;
    let delivered = scene.status(&message).await;
    assert_eq!((text(&delivered["status"]), text(&delivered["error_code"])), ("delivered", "131026"));
    assert_eq!(scene.told().await, ["sent", "failed", "delivered"]);
}

pub async fn statuses_faster_than_the_answer_are_kept(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.company.phone.fault(json!({"target": "whatsapp.messages", "kind": "timeout", "ms": 1500, "times": 1})).await;
    let message = scene.company.agents[0].say(&scene.id, "Bom dia!").await;
    let wamid = text(&scene.company.phone.sent_at_least(1).await[0]["id"]).to_owned();
    scene.tell(&wamid, "delivered", json!({})).await;
    assert_eq!(scene.status(&message).await["status"], "delivered");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(scene.status(&message).await["status"], "delivered");
}

pub async fn statuses_before_the_message_is_known_are_merged(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.company.phone.fault(json!({"target": "whatsapp.messages", "kind": "timeout", "ms": 1500, "times": 1})).await;
    let message = scene.company.agents[0].say(&scene.id, "Bom dia!").await;
    let wamid = text(&scene.company.phone.sent_at_least(1).await[0]["id"]).to_owned();
    // Without our own id in them nothing tells whose they are until WhatsApp's answer comes.
    let without_ours = json!({"with": {"biz_opaque_callback_data": null}});
    for status in ["read", "sent", "delivered"] {
        scene.tell(&wamid, status, without_ours.clone()).await;
    }
    assert_eq!(scene.status(&message).await["status"], "sending");
    scene.company.agents[0].message_with_status(&message, "read").await;
    assert_eq!(scene.told().await.last().map(String::as_str), Some("read"));
}

pub async fn proof_of_arrival_wins_over_a_failure_told_as_early(stack: Arc<Stack>) {
    for (order, wanted) in
        [(["failed", "delivered"], "delivered"), (["delivered", "failed"], "delivered"), (["failed", "sent"], "failed")]
    {
        let scene = scene(&stack).await;
        scene.company.phone.fault(json!({"target": "whatsapp.messages", "kind": "timeout", "ms": 1500, "times": 1})).await;
        let message = scene.company.agents[0].say(&scene.id, "Bom dia!").await;
        let wamid = text(&scene.company.phone.sent_at_least(1).await[0]["id"]).to_owned();
        for status in order {
            let code = (status == "failed").then_some(131_026);
            scene.tell(&wamid, status, json!({"code": code, "with": {"biz_opaque_callback_data": null}})).await;
        }
        assert_eq!(scene.status(&message).await["status"], "sending");
        let told = scene.company.agents[0].message_with_status(&message, wanted).await;
        assert_eq!(told["error_code"], "131026", "{order:?}");
    }
}

pub async fn lost_answer_is_recovered_by_its_status(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.company.phone.fault(json!({"target": "whatsapp.messages", "kind": "accept_then_timeout", "times": 1})).await;
    let message = scene.company.agents[0].say(&scene.id, "Bom dia!").await;
    let wamid = text(&scene.company.phone.sent_at_least(1).await[0]["id"]).to_owned();
    scene.tell(&wamid, "sent", json!({})).await;
    scene.company.agents[0].message_with_status(&message, "sent").await;
    soon().await;
    assert_eq!(scene.company.phone.sent().await.len(), 1, "it was sent again");
}

pub async fn status_of_a_message_nobody_knows_is_answered(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.tell("wamid.FAKENOBODYS", "delivered", json!({"recipient_id": "5511987654321"})).await;
    scene.tell("wamid.FAKENOBODYS", "delivered", json!({"recipient_id": "5511987654321"})).await;
    scene.tell("wamid.FAKENOBODYS", "exploded", json!({"recipient_id": "5511987654321"})).await;
    assert_eq!(scene.told().await, Vec::<String>::new());
}

pub async fn reordered_by_whatsapp_they_end_as_read(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    company.phone.fault(json!({"target": "whatsapp.webhooks", "kind": "reorder"})).await;
    let message = company.agents[0].say(&id, "Bom dia!").await;
    company.agents[0].message_with_status(&message, "read").await;
    soon().await;
    company.agents[0].message_with_status(&message, "read").await;
}
