//! What is said in groups of people is nobody's private word: it is kept as it came, and neither shown, told nor answered.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number, soon};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await
}

fn wamid() -> String {
    format!("wamid.{}", uuid::Uuid::now_v7().simple())
}

pub async fn nothing_of_a_group_is_stored_told_or_answered(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let first = company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let before = company.admin.conversation_of(&client).await;
    company.admin.message_when(text(&before["id"]), "the menu read", |message| message["status"] == "read").await;
    let thread = company.admin.thread(text(&before["id"])).await;
    let head = company.admin.head().await;

    let contents = [
        json!({"type": "text", "text": {"body": "para o grupo"}}),
        json!({"type": "image", "image": {"id": "9", "mime_type": "image/png"}}),
        json!({"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": "human", "title": "x"}}}),
        json!({"type": "reaction", "reaction": {"message_id": first, "emoji": "👍"}}),
        json!({"type": "edit", "edit": {"original_message_id": first, "message": {"type": "text", "text": {"body": "outro"}}}}),
        json!({"type": "revoke", "revoke": {"original_message_id": first}}),
        json!({"type": "system", "system": {"type": "user_changed_number", "wa_id": fresh_number()}}),
        json!({"type": "unsupported"}),
    ];
    for mut message in contents.clone() {
        message["group_id"] = json!("120363000000000000");
        let received = company.phone.receive(&client, json!({"message": message})).await;
        assert_eq!(received["status"], 200, "{received}");
        let echo = json!({"phone_number_id": company.phone.number_id, "from": client, "message": message});
        assert_eq!(company.phone.post("/whatsapp/echo", echo).await["status"], 200);
    }
    company.phone.change("group_participants_update", json!({"groups": [{"group_id": "120363000000000000"}]})).await;
    soon().await;
    assert_eq!(company.admin.conversation_of(&client).await, before);
    assert_eq!(company.admin.thread(text(&before["id"])).await, thread);
    assert_eq!(company.phone.sent().await.len(), 1, "the bot answered a group");
    assert_eq!(company.admin.events_after(&head).await, Vec::<Value>::new());
    let outcomes = company.outcomes(&stack).await;
    let of_group = outcomes.iter().filter(|outcome| *outcome == "ignored_group").count();
    assert_eq!(of_group, contents.len() * 2 + 1, "{outcomes:?}");

    // Somebody known from groups only is no client, and who writes beside the group is served.
    let stranger = fresh_number();
    let at = jiff::Timestamp::now().as_second().to_string();
    let messages = json!([
        {"from": stranger, "id": wamid(), "timestamp": at, "type": "text", "text": {"body": "no grupo"}, "group_id": "120363"},
        {"from": client, "id": wamid(), "timestamp": at, "type": "text", "text": {"body": "só para vocês"}},
    ]);
    company.phone.change("messages", json!({"messages": messages})).await;
    let list = company.admin.api.get(&format!("/conversations?search={stranger}")).await.expect(200);
    assert_eq!(list["data"], json!([]));
    let last = company.admin.message_when(text(&before["id"]), "the private word", |message| message["body"] == "só para vocês");
    assert_eq!(last.await["sender_type"], "client");
}

pub async fn statuses_of_groups_are_left_alone(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    let sent = company.phone.sent_at_least(1).await.remove(0);
    let id = company.admin.conversation_id_of(&client).await;
    let is_read = |message: &Value| message["sender_type"] == "bot" && message["status"] == "read";
    company.admin.message_when(&id, "the greeting read", is_read).await;
    let head = company.admin.head().await;
    let status = |wamid: &str| {
        json!({"id": wamid, "status": "failed", "timestamp": "1764600000", "recipient_id": client, "recipient_type": "group",
               "recipient_participant_id": client, "errors": [{"code": 131_026}]})
    };
    company.phone.change("messages", json!({"statuses": [status(text(&sent["id"])), status(&wamid())]})).await;
    assert_eq!(company.admin.events_after(&head).await, Vec::<Value>::new());
    let outcomes = company.outcomes(&stack).await;
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "ignored_group").count(), 2, "{outcomes:?}");
}
