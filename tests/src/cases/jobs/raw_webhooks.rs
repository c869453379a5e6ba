//! GET /inbound-webhooks, GET /inbound-webhooks/{id}, POST /inbound-webhooks/{id}/replay

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, company::text, eventually, sandbox::fresh_number};
use uuid::Uuid;

use super::company;

const ACCOUNT: &str = "104200000000001";

fn message(number: &str, from: &str, words: &str) -> Value {
    message_of(ACCOUNT, number, from, words)
}

/// A webhook as Meta sends it, for a number of an account.
fn message_of(account: &str, number: &str, from: &str, words: &str) -> Value {
    let at = jiff::Timestamp::now().as_second().to_string();
    let id = format!("wamid.{}", Uuid::now_v7().simple());
    let message = json!({"from": from, "id": id, "timestamp": at, "type": "text", "text": {"body": words}});
    let metadata = json!({"display_phone_number": "551140000000", "phone_number_id": number});
    let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]});
    json!({"object": "whatsapp_business_account", "entry": [{"id": account, "changes": [{"field": "messages", "value": value}]}]})
}

async fn receive(company: &Company, webhook: &Value) {
    let attempt = company.phone.post("/whatsapp/webhook", json!({"base64": STANDARD.encode(webhook.to_string())})).await;
    assert_eq!(attempt["status"], 200, "{attempt}");
}

fn fresh_digits() -> String {
    format!("34{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000)
}

async fn listed(company: &Company, query: &str) -> Vec<Value> {
    let page = company.admin.api.get(&format!("/inbound-webhooks?{query}")).await.expect(200);
    page["data"].as_array().cloned().unwrap_or_default()
}

async fn replay(company: &Company, id: &Value) -> Value {
    company.admin.api.post(&format!("/inbound-webhooks/{}/replay", text(id)), json!({})).await.expect(202)
}

/// The webhook once it was applied after this time, or at all.
async fn applied(company: &Company, id: &Value, before: &Value) -> Value {
    eventually("the webhook applied", || async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let webhook = company.admin.api.get(&format!("/inbound-webhooks/{}", text(id))).await.expect(200);
        (!webhook["applied_at"].is_null() && webhook["applied_at"] != *before).then_some(webhook)
    })
    .await
}

async fn texts(company: &Company, client: &str) -> Vec<String> {
    let id = company.admin.conversation_id_of(client).await;
    company.admin.thread(&id).await.iter().map(|message| text(&message["body"]).to_owned()).collect()
}

async fn connect(company: &Company, number: &str) {
    let channel = json!({
        "kind": "whatsapp_cloud", "name": "Outro número", "phone_number_id": number, "waba_id": ACCOUNT, "access_token": "EAAG-abcdefgh-1234",
    });
    company.admin.api.post("/integrations/config", channel).await.expect(200);
}

pub async fn webhooks_are_found_by_what_they_are(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    receive(&company, &message(&company.phone.number_id, &client, "procurada")).await;
    let mut broken = message(&company.phone.number_id, &client, "sem remetente");
    broken["entry"][0]["changes"][0]["value"]["messages"][0].as_object_mut().expect("a message").remove("from");
    receive(&company, &broken).await;
    receive(
        &company,
        &json!({"entry": [{"id": ACCOUNT, "changes": [
        {"field": "calls", "value": {"metadata": {"phone_number_id": company.phone.number_id}}}]}]}),
    )
    .await;
    let all = listed(&company, "").await;
    assert_eq!(all.len(), 3, "{all:?}");
    let kinds: Vec<&Value> = all.iter().rev().map(|webhook| &webhook["kinds"][0]).collect();
    assert_eq!((kinds[0], all[2]["items"].as_i64(), &all[1]["failed_items"]), (&json!("message"), Some(1), &json!(1)));
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("America/Sao_Paulo").expect("the zone")).date();
    let yesterday = today.yesterday().expect("a day");
    let channel = company.channel_account_id;
    for (query, rows) in [
        (format!("day={today}&channel_account_id={channel}"), 3),
        (format!("day={yesterday}"), 0),
        (format!("channel_account_id={}", Uuid::now_v7()), 0),
        ("state=failed".to_owned(), 1),
        ("state=applied&kind=message".to_owned(), 1),
        ("state=applied&kind=status".to_owned(), 0),
        ("state=pending".to_owned(), 0),
        ("state=unrouted".to_owned(), 0),
    ] {
        assert_eq!(listed(&company, &query).await.len(), rows, "{query}");
    }
    company.admin.api.get("/inbound-webhooks?day=2026-13-01").await.expect(422);
    company.admin.api.get("/inbound-webhooks?state=lost").await.expect(422);
    let opened = company.admin.api.get(&format!("/inbound-webhooks/{}", text(&all[2]["id"]))).await.expect(200);
    assert!(text(&opened["body"]).contains("procurada"), "{opened}");
    assert_eq!((text(&opened["outcomes"][0]["outcome"]), &opened["is_cut"]), ("stored", &json!(false)));
    let failed = company.admin.api.get(&format!("/inbound-webhooks/{}", text(&all[1]["id"]))).await.expect(200);
    assert!(!failed["outcomes"][0]["error"].is_null(), "{failed}");
    company.supervisor.api.get("/inbound-webhooks").await.expect(403);
}

/// Also after its conversation was closed, and many times at once.
pub async fn a_good_webhook_that_is_replayed_adds_nothing(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    receive(&company, &message(&company.phone.number_id, &client, "uma vez")).await;
    let conversation = company.admin.conversation_id_of(&client).await;
    company.admin.take_over(&conversation).await;
    company.admin.close(&conversation).await;
    let webhook = listed(&company, "").await.remove(0);
    let head = company.admin.head().await;
    let replay_path = format!("/inbound-webhooks/{}/replay", text(&webhook["id"]));
    for answer in join_all((0..5).map(|_| company.admin.api.post(&replay_path, json!({})))).await {
        answer.expect(202);
    }
    let again = applied(&company, &webhook["id"], &webhook["applied_at"]).await;
    assert_eq!((text(&again["outcomes"][0]["outcome"]), text(&again["state"])), ("duplicate", "applied"));
    let jobs = "select count(*) from jobs where company_id = $1 and finished_at is null";
    let database = stack.database().await;
    eventually("all replays done", || async {
        (database.query_one(jobs, &[&company.id]).await.expect("a count").get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    assert_eq!(company.admin.events_after(&head).await, [Value::Null; 0], "nothing has changed");
    assert_eq!(text(&company.admin.conversation(&conversation).await["status"]), "closed");
    let counts = "select (select count(*) from messages where company_id = $1 and sender_type = 'client'),
                         (select count(*) from clients where company_id = $1), (select count(*) from conversations where company_id = $1)";
    let row = database.query_one(counts, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)), (1, 1, 1));
    let audited = "select count(*) from audit_log where company_id = $1 and action = 'replay_inbound_webhook' and target = $2";
    let row = database.query_one(audited, &[&company.id, &text(&webhook["id"])]).await.expect("audit rows");
    assert_eq!(row.get::<_, i64>(0), 5);
}

pub async fn a_webhook_that_failed_is_stored_when_it_is_replayed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    receive(&company, &message(&company.phone.number_id, &client, "Oi")).await;
    let database = stack.database().await;
    // No calendar of ours goes so far.
    let spoil = "update conversations set window_expires_at = '20000-01-01' where company_id = $1";
    database.execute(spoil, &[&company.id]).await.expect("it is spoilt");
    receive(&company, &message(&company.phone.number_id, &client, "não coube")).await;
    let failed = listed(&company, "state=failed").await.remove(0);
    database
        .execute("update conversations set window_expires_at = now() where company_id = $1", &[&company.id])
        .await
        .expect("mended");
    assert_eq!(texts(&company, &client).await, ["Oi"]);
    replay(&company, &failed["id"]).await;
    let again = applied(&company, &failed["id"], &failed["applied_at"]).await;
    assert_eq!((text(&again["outcomes"][0]["outcome"]), &again["failed_items"]), ("stored", &json!(0)));
    assert_eq!(texts(&company, &client).await, ["Oi", "não coube"]);
}

pub async fn a_webhook_of_nobodys_is_the_companys_that_proves_the_number(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let (number, client) = (fresh_digits(), fresh_number());
    receive(&one, &message(&number, &client, "cedo demais")).await;
    let id = "select id::text from unrouted_webhooks where external_key = $1";
    let id: String = stack.database().await.query_one(id, &[&number]).await.expect("it is kept").get(0);
    for company in [&one, &other] {
        assert_eq!(listed(company, "state=unrouted").await, [Value::Null; 0]);
        company.admin.api.get(&format!("/inbound-webhooks/{id}")).await.expect(404);
        company.admin.api.post(&format!("/inbound-webhooks/{id}/replay"), json!({})).await.expect(404);
    }
    connect(&one, &number).await;
    let found = listed(&one, "state=unrouted&kind=message").await;
    assert_eq!((found.len(), text(&found[0]["id"]), text(&found[0]["state"])), (1, id.as_str(), "unrouted"));
    assert!(text(&one.admin.api.get(&format!("/inbound-webhooks/{id}")).await.expect(200)["body"]).contains("cedo demais"));
    assert_eq!(listed(&other, "state=unrouted").await, [Value::Null; 0]);
    other.admin.api.get(&format!("/inbound-webhooks/{id}")).await.expect(404);
    other.admin.api.post(&format!("/inbound-webhooks/{id}/replay"), json!({})).await.expect(404);
    one.supervisor.api.post(&format!("/inbound-webhooks/{id}/replay"), json!({})).await.expect(403);
    let path = format!("/inbound-webhooks/{id}/replay");
    for answer in join_all((0..5).map(|_| one.admin.api.post(&path, json!({})))).await {
        answer.expect(202);
    }
    let routed = applied(&one, &json!(id), &Value::Null).await;
    assert_eq!(text(&routed["state"]), "applied", "{routed}");
    assert_eq!(texts(&one, &client).await, ["cedo demais"]);
    assert_eq!(listed(&one, "state=unrouted").await, [Value::Null; 0]);
}

/// Of a number that somebody else had then, or of another account than the number is proved to be in.
pub async fn a_webhook_of_nobodys_is_no_other_companys(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let (lost, moved, client) = (fresh_digits(), fresh_digits(), fresh_number());
    connect(&one, &lost).await;
    let database = stack.database().await;
    let disable = "update channel_accounts set status = 'disabled' where external_key = $1";
    database.execute(disable, &[&lost]).await.expect("it is disabled");
    receive(&one, &message(&lost, &client, "para a primeira")).await;
    let remove = "delete from channel_accounts where external_key = $1";
    database.execute(remove, &[&lost]).await.expect("it is gone");
    receive(&one, &message_of("999900000000001", &moved, &client, "de outra conta")).await;
    for number in [&lost, &moved] {
        connect(&other, number).await;
    }
    assert_eq!(listed(&other, "state=unrouted").await, [Value::Null; 0]);
    let ids = "select id::text from unrouted_webhooks where external_key = any ($1)";
    let ids = database.query(ids, &[&vec![&lost, &moved]]).await.expect("they are kept");
    assert_eq!(ids.len(), 2);
    for row in ids {
        let id: &str = row.get(0);
        other.admin.api.get(&format!("/inbound-webhooks/{id}")).await.expect(404);
        other.admin.api.post(&format!("/inbound-webhooks/{id}/replay"), json!({})).await.expect(404);
    }
}

/// The number has become another company's: what was kept for the first is not the second's.
pub async fn a_webhook_of_a_number_that_was_lost_is_not_applied(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let (number, client) = (fresh_digits(), fresh_number());
    connect(&one, &number).await;
    receive(&one, &message(&number, &client, "da primeira")).await;
    let webhook = listed(&one, "").await.remove(0);
    let database = stack.database().await;
    let rename = "update channel_accounts set external_key = external_key || '0' where external_key = $1";
    database.execute(rename, &[&number]).await.expect("it is another number");
    connect(&other, &number).await;
    replay(&one, &webhook["id"]).await;
    let failed = "select last_error from jobs where company_id = $1 and kind = 'apply_webhook' and failed";
    let reason = eventually("the job failed", || async {
        Some(database.query_opt(failed, &[&one.id]).await.expect("an answer")?.get::<_, String>(0))
    })
    .await;
    assert_eq!(reason, "its number is not this company's any more");
    let list = other.admin.api.get("/conversations").await.expect(200);
    assert_eq!(list["data"], json!([]), "nothing of it is the other company's");
    let kept = one.admin.api.get(&format!("/inbound-webhooks/{}", text(&webhook["id"]))).await.expect(200);
    assert_eq!(text(&kept["outcomes"][0]["outcome"]), "stored", "what came of it before stays");
}
