//! What Meta tells of an account, its numbers and its templates: where a person must act the company's admins are told, and nobody else.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    sandbox::fresh_number,
};
use uuid::Uuid;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 1, agent_visibility: "company", ..Wanted::default() }).await
}

fn fresh_account() -> String {
    format!("77{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000)
}

/// Puts the company's number into this account, at WhatsApp.
async fn put_into(stack: &Stack, company: &Company, account: &str) {
    let settings = json!({"phone_number_id": company.phone.number_id, "waba_id": account});
    stack.control("POST", "/sandbox/whatsapp/settings", Some(settings)).await;
}

/// A company whose number is alone in its account, as a message has proved.
async fn alone(stack: &Stack) -> Company {
    let company = company(stack).await;
    put_into(stack, &company, &fresh_account()).await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    company
}

async fn shown_number(stack: &Stack, company: &Company) -> Value {
    let path = format!("/sandbox/whatsapp/settings?phone_number_id={}", company.phone.number_id);
    stack.control("GET", &path, None).await["display_phone_number"].clone()
}

fn rejected(template: &str) -> Value {
    json!({"event": "REJECTED", "message_template_id": 7, "message_template_name": template, "message_template_language": "pt_BR",
           "reason": "INVALID_FORMAT"})
}

/// The notices this person was told of.
async fn notices(person: &Person, head: &str) -> Vec<Value> {
    let events = person.events_after(head).await;
    events.into_iter().filter(|event| event["type"] == "channel.flagged").map(|mut event| event["data"].take()).collect()
}

async fn codes(person: &Person, head: &str) -> Vec<String> {
    notices(person, head).await.iter().map(|notice| text(&notice["code"]).to_owned()).collect()
}

pub async fn admins_alone_are_told_where_a_person_must_act(stack: Arc<Stack>) {
    let company = alone(&stack).await;
    let head = company.admin.head().await;
    let mut admin = company.admin.socket().await;
    let mut others = [company.supervisor.socket().await, company.agents[0].socket().await, company.students[0].socket().await];
    let shown = shown_number(&stack, &company).await;
    let changes = [
        ("message_template_status_update", rejected("lembrete"), "template_rejected"),
        ("account_update", json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}), "account_disabled"),
        (
            "account_update",
            json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}]}),
            "account_restricted",
        ),
        ("phone_number_quality_update", json!({"event": "FLAGGED", "display_phone_number": shown}), "number_flagged"),
        (
            "phone_number_name_update",
            json!({"decision": "DECLINED", "display_phone_number": shown, "requested_verified_name": "X"}),
            "number_name_declined",
        ),
        ("security", json!({"event": "PIN_CHANGED", "display_phone_number": shown, "requester": "1"}), "pin_changed"),
    ];
    for (field, value, _) in &changes {
        company.phone.account_change(field, value.clone()).await;
    }
    let told = admin.of_type("channel.flagged").await["data"].clone();
    assert_eq!(
        (text(&told["code"]), text(&told["subject"]), text(&told["detail"])),
        ("template_rejected", "lembrete", "INVALID_FORMAT")
    );
    assert_eq!(
        (text(&told["channel_account_id"]), text(&told["text"])),
        (&*company.channel_account_id.to_string(), "A Meta recusou um modelo de mensagem.")
    );
    let expected: Vec<&str> = changes.iter().map(|(_, _, code)| *code).collect();
    assert_eq!(codes(&company.admin, &head).await, expected);
    for person in [&company.supervisor, &company.agents[0], &company.students[0]] {
        assert_eq!(codes(person, &head).await, Vec::<String>::new());
    }
    for socket in &mut others {
        let frames = socket.drain().await;
        assert!(frames.iter().all(|frame| frame["type"] != "channel.flagged"), "{frames:?}");
    }
    assert_eq!(
        company.outcomes(&stack).await[1..].to_vec(),
        expected.iter().map(|code| format!("told: {code}")).collect::<Vec<_>>()
    );
}

pub async fn what_nobody_must_act_on_is_kept_by_its_name(stack: Arc<Stack>) {
    let company = alone(&stack).await;
    let head = company.admin.head().await;
    let approved = json!({"event": "APPROVED", "message_template_name": "lembrete"});
    company.phone.account_change("message_template_status_update", approved).await;
    company.phone.account_change("template_category_update", json!({"new_category": "MARKETING"})).await;
    company.phone.account_change("business_capability_update", json!({"max_phone_numbers_per_business": 2})).await;
    company.phone.account_change("hologram_update", json!({"event": 7})).await;
    company.phone.change("calls", json!({"calls": [{"id": "wacid.1", "event": "connect"}]})).await;
    let outcomes = company.outcomes(&stack).await;
    let expected = [
        "ignored: message_template_status_update APPROVED lembrete",
        "ignored: template_category_update MARKETING",
        "ignored: business_capability_update",
        "ignored: hologram_update",
        "ignored: calls connect",
    ];
    assert_eq!(outcomes[1..], expected);
    assert_eq!(company.admin.events_after(&head).await, Vec::<Value>::new());
}

pub async fn account_of_two_companies_is_told_to_the_number_it_names_only(stack: Arc<Stack>) {
    let account = fresh_account();
    let (one, other) = (company(&stack).await, company(&stack).await);
    for company in [&one, &other] {
        put_into(&stack, company, &account).await;
        company.phone.receive_text(&fresh_number(), "Oi").await;
    }
    let (head, other_head) = (one.admin.head().await, other.admin.head().await);
    let shown = shown_number(&stack, &one).await;
    one.phone.account_change("message_template_status_update", rejected("de ninguém")).await;
    other.phone.account_change("security", json!({"event": "PIN_CHANGED", "display_phone_number": "15550000000"})).await;
    other.phone.account_change("security", json!({"event": "PIN_CHANGED", "display_phone_number": shown})).await;
    assert_eq!(codes(&one.admin, &head).await, ["pin_changed"]);
    assert_eq!(codes(&other.admin, &other_head).await, Vec::<String>::new());
    let kept = "select count(*) from unrouted_webhooks where external_key = $1";
    let row = stack.database().await.query_one(kept, &[&account]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 2);
}

pub async fn typed_account_of_another_company_tells_nothing(stack: Arc<Stack>) {
    let (victim, curious) = (company(&stack).await, company(&stack).await);
    let account = fresh_account();
    put_into(&stack, &victim, &account).await;
    put_into(&stack, &curious, &fresh_account()).await;
    connect(&curious, &account).await;
    let (head, curious_head) = (victim.admin.head().await, curious.admin.head().await);
    victim.phone.account_change("message_template_status_update", rejected("antes")).await;
    victim.phone.receive_text(&fresh_number(), "Oi").await;
    victim.phone.account_change("message_template_status_update", rejected("depois")).await;
    let told = notices(&victim.admin, &head).await;
    assert_eq!(told.iter().map(|notice| text(&notice["subject"])).collect::<Vec<_>>(), ["depois"]);
    assert_eq!(codes(&curious.admin, &curious_head).await, Vec::<String>::new());
}

/// The company's admin saves its number again, with a token and this account.
async fn connect(company: &Company, account: &str) {
    let body = json!({"kind": "whatsapp_cloud", "name": "Vendas", "phone_number_id": company.phone.number_id, "waba_id": account,
                      "access_token": "EAAG-renewed-1234"});
    company.admin.api.post("/integrations/config", body).await.expect(200);
}

pub async fn number_just_connected_is_told_before_its_first_message(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let account = fresh_account();
    put_into(&stack, &company, &account).await;
    connect(&company, &account).await;
    let head = company.admin.head().await;
    let rejected = json!({"field": "message_template_status_update", "value": rejected("lembrete")});
    let body =
        json!({"object": "whatsapp_business_account", "entry": [{"id": account, "time": 1_764_600_000, "changes": [rejected]}]});
    for _ in 0..2 {
        let told = company.phone.post("/whatsapp/webhook", json!({"raw": body.to_string()})).await;
        assert_eq!(told["status"], 200, "{told}");
    }
    assert_eq!(codes(&company.admin, &head).await, ["template_rejected"]);
    assert_eq!(company.outcomes(&stack).await, ["told: template_rejected", "duplicate"]);
    let told = notices(&company.admin, &head).await.remove(0);
    assert_eq!(told["at"], "2025-12-01T14:40:00Z");
}

pub async fn what_is_of_a_number_is_not_guessed_from_its_account(stack: Arc<Stack>) {
    let company = alone(&stack).await;
    let (client, id) = (fresh_number(), format!("wamid.{}", Uuid::now_v7().simple()));
    let message = json!({"from": client, "id": id, "type": "text", "text": {"body": "Para que número?"}});
    company.phone.account_change("messages", json!({"messages": [message]})).await;
    let list = company.admin.api.get(&format!("/conversations?search={client}")).await.expect(200);
    assert_eq!(list["data"], json!([]));
    let kept = "select count(*) from unrouted_webhooks where position($1 in convert_from(body, 'UTF8')) > 0";
    let row = stack.database().await.query_one(kept, &[&id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 1);
}

pub async fn changed_user_id_is_followed_by_the_account_alone(stack: Arc<Stack>) {
    let company = alone(&stack).await;
    let [previous, current] = ["BR.930001", "BR.930002"];
    company.phone.receive("", json!({"from": null, "user_id": previous, "text": "antes"})).await;
    let change = json!({"detail": "changed", "user_id": {"previous": previous, "current": current}});
    company.phone.account_change("user_id_update", change).await;
    company.phone.receive("", json!({"from": null, "user_id": current, "text": "depois"})).await;
    let list = company.admin.api.get("/conversations").await.expect(200);
    // The other one is of the message that proved the account.
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2), "{list}");
}

pub async fn notice_for_an_account_of_nobody_is_kept(stack: Arc<Stack>) {
    let company = alone(&stack).await;
    let head = company.admin.head().await;
    let account = fresh_account();
    put_into(&stack, &company, &account).await;
    company.phone.account_change("message_template_status_update", rejected("de outra conta")).await;
    assert_eq!(codes(&company.admin, &head).await, Vec::<String>::new());
    let kept = "select convert_from(body, 'UTF8') from unrouted_webhooks where external_key = $1";
    let row = stack.database().await.query_one(kept, &[&account]).await.expect("it is kept");
    assert!(row.get::<_, &str>(0).contains("de outra conta"));
}
