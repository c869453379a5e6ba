//! The way out: in order, once, and honest about what did not work.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually, soon};

struct Scene {
    company: Company,
    id: String,
}

async fn scene(stack: &Stack) -> Scene {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (_, id) = company.served().await;
    Scene { company, id }
}

impl Scene {
    async fn fault(&self, fault: Value) {
        let mut whole = json!({"target": "whatsapp.messages"});
        whole.as_object_mut().expect("an object").extend(fault.as_object().cloned().expect("an object"));
        self.company.phone.fault(whole).await;
    }

    async fn say(&self, words: &[&str]) -> Vec<Value> {
        let mut messages = Vec::new();
        for words in words {
            messages.push(self.company.agents[0].say(&self.id, words).await);
        }
        messages
    }

    /// The texts WhatsApp has accepted, in its order.
    async fn accepted(&self) -> Vec<String> {
        self.company.phone.sent().await.iter().map(|sent| text(&sent["body"]["text"]["body"]).to_owned()).collect()
    }

    async fn ends(&self, message: &Value, status: &str) -> Value {
        self.company.agents[0].message_with_status(message, status).await
    }
}

pub async fn ten_quick_messages_arrive_in_their_order(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let words: Vec<String> = (0..10).map(|index| format!("parte {index}")).collect();
    let messages = scene.say(&words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    scene.ends(&messages[9], "read").await;
    assert_eq!(scene.accepted().await, words);
    let thread = scene.company.agents[0].thread(&scene.id).await;
    let said: Vec<&str> =
        thread.iter().filter(|message| message["sender_type"] == "agent").map(|message| text(&message["body"])).collect();
    assert_eq!(said, words);
}

pub async fn concurrent_messages_are_each_sent_once_in_the_threads_order(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let words: Vec<String> = (0..8).map(|index| format!("junto {index}")).collect();
    let (agent, id) = (&scene.company.agents[0], &scene.id);
    let messages = join_all(words.iter().map(|words| agent.say(id, words))).await;
    for message in &messages {
        scene.ends(message, "read").await;
    }
    let mut accepted = scene.accepted().await;
    let thread = agent.thread(id).await;
    let said: Vec<&str> =
        thread.iter().filter(|message| message["sender_type"] == "agent").map(|message| text(&message["body"])).collect();
    assert_eq!(accepted, said);
    accepted.sort();
    assert_eq!(accepted, words);
}

async fn retried(stack: &Stack, fault: Value) {
    let scene = scene(stack).await;
    scene.fault(fault).await;
    let messages = scene.say(&["um", "dois", "três"]).await;
    scene.ends(&messages[2], "read").await;
    assert_eq!(scene.accepted().await, ["um", "dois", "três"]);
    for message in &messages {
        scene.ends(message, "read").await;
    }
}

pub async fn busy_whatsapp_is_asked_again_in_order(stack: Arc<Stack>) {
    retried(&stack, json!({"kind": "error", "code": 130_429, "retry_after": 1, "times": 2})).await;
}

pub async fn busy_recipient_is_written_again_in_order(stack: Arc<Stack>) {
    retried(&stack, json!({"kind": "error", "code": 131_056, "retry_after": 1, "times": 1})).await;
}

pub async fn too_many_requests_without_a_code_are_asked_again(stack: Arc<Stack>) {
    retried(&stack, json!({"kind": "error", "status": 429, "body": "slow down", "retry_after": 1, "times": 1})).await;
}

pub async fn refused_message_fails_with_its_reason_and_the_next_goes_out(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.fault(json!({"kind": "error", "code": 131_026, "times": 1, "contains": "recusada"})).await;
    let messages = scene.say(&["recusada", "aceita"]).await;
    let failed = scene.ends(&messages[0], "failed").await;
    assert_eq!(failed["error_code"], "131026");
    assert!(!text(&failed["error_detail"]).is_empty());
    scene.ends(&messages[1], "read").await;
    assert_eq!(scene.accepted().await, ["aceita"]);
}

pub async fn failure_told_later_by_status_is_shown(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let fault = json!({"target": "whatsapp.webhooks", "kind": "failed_status", "code": 131_047, "times": 1});
    scene.fault(fault).await;
    let messages = scene.say(&["fora da janela"]).await;
    let failed = scene.ends(&messages[0], "failed").await;
    assert_eq!(failed["error_code"], "131047");
}

pub async fn refused_token_breaks_the_channel_until_it_is_renewed(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.fault(json!({"kind": "error", "code": 190, "times": 1})).await;
    let mut socket = scene.company.agents[0].socket().await;
    let messages = scene.say(&["com token vencido"]).await;
    let failed = scene.ends(&messages[0], "failed").await;
    assert_eq!(failed["error_code"], "190");
    let admin = &scene.company.admin.api;
    let list = admin.get("/integrations/config").await.expect(200);
    assert_eq!(list["data"][0]["status"], "broken", "{list}");
    assert_eq!(socket.of_type("channel.updated").await["data"]["status"], "broken");
    let config = json!({"kind": "whatsapp_cloud", "name": "WhatsApp", "phone_number_id": scene.company.phone.number_id,
                        "waba_id": "104200000000001", "access_token": "EAAG-renewed", "display_phone_number": "+551140000000"});
    let saved = admin.post("/integrations/config", config).await.expect(200);
    assert_eq!(saved["status"], "active");
    let messages = scene.say(&["com token novo"]).await;
    scene.ends(&messages[0], "read").await;
}

pub async fn unknown_outcome_is_never_sent_again(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.fault(json!({"kind": "accept_then_timeout", "times": 1})).await;
    scene.company.phone.fault(json!({"target": "whatsapp.webhooks", "kind": "no_status"})).await;
    let messages = scene.say(&["será que foi?", "depois"]).await;
    scene.ends(&messages[1], "sent").await;
    // The schedule that brings what was put off back runs by order in tests.
    for _ in 0..30 {
        stack.control("POST", "/fire/DispatchDueJobs", None).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let thread = scene.company.agents[0].thread(&scene.id).await;
        if thread.iter().any(|message| message["status"] == "failed") {
            break;
        }
    }
    let failed = scene.ends(&messages[0], "failed").await;
    assert_eq!(failed["error_code"], "outcome_unknown");
    assert_eq!(scene.accepted().await, ["será que foi?", "depois"]);
}

pub async fn passing_error_is_tried_again(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    scene.fault(json!({"kind": "error", "code": 2, "retry_after": 1, "times": 1})).await;
    let messages = scene.say(&["volta já"]).await;
    scene.ends(&messages[0], "read").await;
    assert_eq!(scene.accepted().await, ["volta já"]);
}

pub async fn one_clients_pause_holds_up_nobody_else(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let (_, other) = scene.company.served().await;
    scene.fault(json!({"kind": "error", "code": 131_056, "retry_after": 3, "times": 1, "contains": "espera"})).await;
    let waiting = scene.say(&["espera"]).await;
    eventually("the refusal", || async {
        let base = format!("/sandbox/calls?phone_number_id={}&contains=espera", scene.company.phone.number_id);
        let calls = stack.control("GET", &base, None).await;
        calls.as_array().is_some_and(|calls| !calls.is_empty()).then_some(())
    })
    .await;
    let quick = scene.company.agents[0].say(&other, "rápida").await;
    scene.company.agents[0].message_with_status(&quick, "read").await;
    assert_eq!(scene.accepted().await, ["rápida"]);
    scene.ends(&waiting[0], "read").await;
}

pub async fn read_marks_reach_whatsapp(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let conversation = scene.company.agents[0].conversation(&scene.id).await;
    let phone = conversation["client_phone"].as_str().expect("a phone").to_owned();
    let mut last = String::new();
    for words in ["um", "dois"] {
        last = scene.company.phone.receive_text(&phone, words).await;
    }
    let unread = scene.company.agents[0].conversation(&scene.id).await["unread"].clone();
    assert_eq!(unread, 3);
    let path = format!("/conversations/{}/read", scene.id);
    let read = scene.company.agents[0].api.post(&path, json!({})).await.expect(200);
    assert_eq!(read["unread"], 0);
    let query = format!(
        "/sandbox/calls?phone_number_id={}&contains={}&count=1&wait_ms=20000",
        scene.company.phone.number_id,
        last.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    );
    let calls = stack.control("GET", &query, None).await;
    assert_eq!(
        (text(&calls[0]["request"]["status"]), text(&calls[0]["request"]["message_id"])),
        ("read", last.as_str()),
        "{calls}"
    );
}

pub async fn read_up_to_one_message_leaves_the_later_ones(stack: Arc<Stack>) {
    let scene = scene(&stack).await;
    let phone = text(&scene.company.agents[0].conversation(&scene.id).await["client_phone"]).to_owned();
    let now = jiff::Timestamp::now().as_second();
    for (words, at) in [("um", now + 1), ("dois", now + 2)] {
        scene.company.phone.receive(&phone, json!({"text": words, "timestamp": at})).await;
    }
    let thread = scene.company.agents[0].thread(&scene.id).await;
    let middle = thread.iter().find(|message| message["body"] == "um").expect("the message");
    let path = format!("/conversations/{}/read", scene.id);
    let read = scene.company.agents[0].api.post(&path, json!({"message_id": middle["id"]})).await.expect(200);
    assert_eq!(read["unread"], 1);
    let first = json!({"message_id": thread[0]["id"]});
    let read = scene.company.agents[0].api.post(&path, first).await.expect(200);
    assert_eq!(read["unread"], 1, "the read cursor went back");
    soon().await;
}
