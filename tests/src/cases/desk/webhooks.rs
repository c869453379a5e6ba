//! Webhooks as Meta sends them and as nobody should: nothing is lost, nothing twice, nothing breaks.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

fn wamid() -> String {
    format!("wamid.{}", uuid::Uuid::now_v7().simple())
}

fn text_of(from: &str, id: &str, words: &str) -> Value {
    let at = jiff::Timestamp::now().as_second().to_string();
    json!({"from": from, "id": id, "timestamp": at, "type": "text", "text": {"body": words}})
}

fn change(number_id: &str, messages: &Value) -> Value {
    let metadata = json!({"display_phone_number": "551140000000", "phone_number_id": number_id});
    json!({"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, "messages": messages}})
}

fn envelope(changes: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "104200000000001", "changes": changes}]})
}

/// Posts these bytes, signed; answers the status and the answer's body.
async fn post(company: &Company, raw: impl AsRef<[u8]>) -> (u64, Value) {
    let attempt = company.phone.post("/whatsapp/webhook", json!({"base64": STANDARD.encode(raw)})).await;
    let answer = serde_json::from_str(text(&attempt["answer"])).unwrap_or_default();
    (attempt["status"].as_u64().unwrap_or_default(), answer)
}

async fn texts(company: &Company, client: &str) -> Vec<String> {
    let id = company.admin.conversation_id_of(client).await;
    company.admin.thread(&id).await.iter().map(|message| text(&message["body"]).to_owned()).collect()
}

pub async fn address_is_verified_with_the_token_only(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let verified = company.phone.post("/whatsapp/verify", json!({"challenge": "42"})).await;
    assert_eq!((&verified["status"], text(&verified["answer"])), (&json!(200), "42"));
    stack.openapi.note("verify_whatsapp_webhook", 200);
    let refused = company.phone.post("/whatsapp/verify", json!({"token": "another"})).await;
    assert_eq!(refused["status"], 403, "{refused}");
    let call = "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1";
    stack.api().get(call).await.expect(403);
    stack.api().get("/webhooks/whatsapp").await.expect(422);
}

pub async fn unsigned_and_wrongly_signed_are_refused_and_nothing_is_stored(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let body = envelope(&[change(&company.phone.number_id, &json!([text_of(&fresh_number(), &wamid(), "falso")]))]).to_string();
    let exact = ["", "sha256=", "sha256=zz", "sha1=00", &format!("sha256={}", "0".repeat(64))];
    for signature in ["none", "wrong"].into_iter().chain(exact) {
        let attempt = company.phone.post("/whatsapp/webhook", json!({"raw": body, "signature": signature})).await;
        assert_eq!(attempt["status"], 401, "{signature:?}: {attempt}");
    }
    let list = company.admin.api.get("/conversations").await.expect(200);
    assert_eq!(list["data"], json!([]));
    let database = stack.database().await;
    let rows = database.query("select from inbound_webhooks where company_id = $1", &[&company.id]).await.expect("rows");
    assert!(rows.is_empty());
}

pub async fn one_broken_item_of_ten_spoils_no_other(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let mut messages: Vec<Value> = (0..10).map(|index| text_of(&client, &wamid(), &format!("item {index}"))).collect();
    // No sender, and no contact that would name one.
    messages[4].as_object_mut().expect("an object").remove("from");
    let (status, answer) = post(&company, envelope(&[change(&company.phone.number_id, &json!(messages))]).to_string()).await;
    assert_eq!((status, &answer["stored"], &answer["failed"]), (200, &json!(9), &json!(1)));
    let found = texts(&company, &client).await;
    assert_eq!(found.len(), 9);
    assert!(!found.contains(&"item 4".to_owned()));
    let database = stack.database().await;
    let sql = "select outcome, failed_items from inbound_webhooks where company_id = $1";
    let row = database.query_one(sql, &[&company.id]).await.expect("the webhook is kept");
    let (outcome, failed): (tokio_postgres::types::Json<Value>, i32) = (row.get(0), row.get(1));
    assert_eq!((failed, outcome.0.as_array().map(Vec::len)), (1, Some(10)));
    assert_eq!(outcome.0[4]["error"], "it names no sender");
    assert_eq!(outcome.0[4]["id"], messages[4]["id"]);
}

pub async fn item_the_database_refuses_spoils_no_other(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let bad = [text_of(&client, "wamid.\0nul", "id com nulo"), text_of("55\u{0}11", &wamid(), "remetente com nulo")];
    let messages = json!([text_of(&client, &wamid(), "antes"), bad[0], bad[1], text_of(&client, &wamid(), "depois")]);
    let (status, answer) = post(&company, envelope(&[change(&company.phone.number_id, &messages)]).to_string()).await;
    assert_eq!(status, 200, "{answer}");
    let found = texts(&company, &client).await;
    assert!(found.contains(&"antes".to_owned()) && found.contains(&"depois".to_owned()), "{found:?}");
}

pub async fn replay_five_times_at_once_is_one_message(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let received = company.phone.receive(&client, json!({"text": "uma vez", "copies": 5})).await;
    let attempts = received["attempts"].as_array().expect("attempts");
    assert!(attempts.len() == 5 && attempts.iter().all(|attempt| attempt["status"] == 200), "{attempts:?}");
    company.phone.receive(&client, json!({"text": "uma vez", "id": received["id"]})).await;
    assert_eq!(texts(&company, &client).await, ["uma vez"]);
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!(conversation["unread"], 1);
}

pub async fn late_message_stands_where_it_belongs(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let now = jiff::Timestamp::now().as_second();
    for (words, at) in [("segunda", now - 60), ("terceira", now - 30), ("primeira", now - 90)] {
        company.phone.receive(&client, json!({"text": words, "timestamp": at})).await;
    }
    assert_eq!(texts(&company, &client).await, ["primeira", "segunda", "terceira"]);
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!((text(&conversation["last_message_preview"]), &conversation["unread"]), ("terceira", &json!(3)));
}

pub async fn three_megabytes_are_accepted_and_more_than_four_refused(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let padded = |size: usize| {
        let mut body = envelope(&[change(&company.phone.number_id, &json!([text_of(&client, &wamid(), "grande")]))]);
        body["entry"][0]["padding"] = json!("x".repeat(size));
        body.to_string()
    };
    assert_eq!(post(&company, padded(3_000_000)).await.0, 200);
    assert_eq!(texts(&company, &client).await, ["grande"]);
    assert_eq!(post(&company, padded(4_000_000)).await.0, 413);
    assert_eq!(post(&company, padded(11_000_000)).await.0, 413);
    assert_eq!(texts(&company, &client).await, ["grande"]);
}

pub async fn webhook_for_an_unknown_number_is_kept(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = format!("99{}", fresh_number());
    let (status, _) =
        post(&company, envelope(&[change(&number, &json!([text_of(&fresh_number(), &wamid(), "perdida")]))]).to_string()).await;
    assert_eq!(status, 200);
    let database = stack.database().await;
    let sql = "select convert_from(body, 'UTF8') from unrouted_webhooks where external_key = $1";
    let row = database.query_one(sql, &[&number]).await.expect("it is kept");
    assert!(row.get::<_, &str>(0).contains("perdida"));
}

pub async fn one_webhook_may_name_two_companies(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let client = fresh_number();
    let message = |words| json!([text_of(&client, &wamid(), words)]);
    let changes = [
        change(&one.phone.number_id, &message("para uma")),
        change(&other.phone.number_id, &message("para outra")),
        change("98000000000001", &message("para ninguém")),
        change(&one.phone.number_id, &message("de novo")),
    ];
    let (status, answer) = post(&one, envelope(&changes).to_string()).await;
    assert_eq!((status, &answer["stored"]), (200, &json!(3)));
    assert_eq!(texts(&one, &client).await, ["para uma", "de novo"]);
    assert_eq!(texts(&other, &client).await, ["para outra"]);
    let kept = "select convert_from(body, 'UTF8') from inbound_webhooks where company_id = $1 and position($2 in convert_from(body, 'UTF8')) > 0";
    let database = stack.database().await;
    let kept = async |company: &Company| {
        let row = database.query_one(kept, &[&company.id, &company.phone.number_id]).await.expect("the raw webhook");
        row.get::<_, String>(0)
    };
    let (of_one, of_other) = (kept(&one).await, kept(&other).await);
    assert!(of_one.contains("de novo") && !of_one.contains("para outra") && !of_one.contains("para ningu"), "{of_one}");
    assert!(of_other.contains("para outra") && !of_other.contains("para uma"), "{of_other}");
}

pub async fn webhook_of_a_thousand_messages_is_stored_in_parts(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let clients: Vec<String> = (0..10).map(|_| fresh_number()).collect();
    let messages: Vec<Value> = (0..1000).map(|index| text_of(&clients[index % 10], &wamid(), &format!("item {index}"))).collect();
    let (status, answer) = post(&company, envelope(&[change(&company.phone.number_id, &json!(messages))]).to_string()).await;
    assert_eq!((status, &answer["stored"], &answer["failed"]), (200, &json!(1000), &json!(0)));
    let counts = "
        select (select count(*) from messages where company_id = $1),
               (select count(distinct tx) from events where company_id = $1 and type = 'message.created'),
               (select jsonb_array_length(outcome)::bigint from inbound_webhooks where company_id = $1)";
    let row = stack.database().await.query_one(counts, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(2)), (1000, 1000));
    assert_eq!(row.get::<_, i64>(1), 10);
}

pub async fn nul_characters_in_texts_are_replaced(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, message) = company.received(json!({"text": "a\u{0}b", "name": "Ma\u{0}ria"})).await;
    assert_eq!(message["body"], "a\u{fffd}b");
}

/// Sent again, it would be no other: it is kept as it came, with the reason.
pub async fn what_nobody_can_read_is_kept_and_answered(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mark = uuid::Uuid::now_v7().to_string();
    let deep_inside = format!("{{\"entry\":[{{\"mark\":\"{mark}\",\"changes\":{deep}}}]}}");
    let cut_off = format!("{{\"entry\":[{{\"id\":\"{mark}");
    let bodies: [&[u8]; 9] =
        [b"", b"{", b"[]", b"null", b"\"text\"", b"{\"entry\":7}", cut_off.as_bytes(), deep.as_bytes(), deep_inside.as_bytes()];
    let kept = "select count(*) filter (where reason <> ''), count(*) from unrouted_webhooks where body = $1";
    let database = stack.database().await;
    for body in bodies {
        let before: i64 = database.query_one(kept, &[&body]).await.expect("counts").get(1);
        let (status, answer) = post(&company, body).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!((status, &answer["stored"]), (200, &json!(0)), "{shown:?}: {answer}");
        let after = database.query_one(kept, &[&body]).await.expect("counts");
        assert_eq!(after.get::<_, i64>(1), before + 1, "{shown:?} is kept as it came");
        // What is of an address, if of nobody's, has its reason in that.
        assert!(after.get::<_, i64>(0) == after.get::<_, i64>(1) || body == deep_inside.as_bytes(), "{shown:?}");
        let unsigned = json!({"base64": STANDARD.encode(body), "signature": "wrong"});
        assert_eq!(company.phone.post("/whatsapp/webhook", unsigned).await["status"], 401, "{shown:?}");
    }
}

pub async fn element_that_cannot_be_read_spoils_no_other(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (spoilt, is_stored) in [
        (format!("\"x\":{deep}").into_bytes(), false),
        (b"\"x\":1e999".to_vec(), false),
        (b"\"x\":123456789012345678901234567890".to_vec(), true),
        (b"\"x\":1,\"x\":2".to_vec(), true),
    ] {
        let client = fresh_number();
        let messages = ["um", "dois", "SPOILT", "três"].map(|words| text_of(&client, &wamid(), words));
        let body = envelope(&[change(&company.phone.number_id, &json!(messages))]).to_string().into_bytes();
        let before = b"\"type\":\"text\"";
        // The third of four.
        let starts: Vec<usize> = (0..body.len()).filter(|at| body[*at..].starts_with(before)).collect();
        let raw = [&body[..starts[2]], &spoilt, b",", &body[starts[2]..]].concat();
        let (status, answer) = post(&company, &raw).await;
        let (stored, failed) = if is_stored { (4, 0) } else { (3, 1) };
        let shown = String::from_utf8_lossy(&spoilt[..spoilt.len().min(30)]).into_owned();
        assert_eq!((status, &answer["stored"], &answer["failed"]), (200, &json!(stored), &json!(failed)), "{shown}");
        let mut found = texts(&company, &client).await;
        found.retain(|words| words != "SPOILT");
        found.sort();
        assert_eq!(found, ["dois", "três", "um"], "{shown}");
        let kept = "select outcome, failed_items from inbound_webhooks where company_id = $1 and body = $2";
        let row = stack.database().await.query_one(kept, &[&company.id, &raw]).await.expect("it is kept as it came");
        let (outcome, failed_items): (tokio_postgres::types::Json<Value>, i32) = (row.get(0), row.get(1));
        assert_eq!(failed_items, failed, "{shown}");
        if !is_stored {
            assert_eq!(outcome.0[2]["id"], messages[2]["id"], "{shown}");
            assert!(text(&outcome.0[2]["error"]).starts_with("unreadable: "), "{}", outcome.0);
        }
    }
}

/// The gateway hands on text: of bytes that are none it puts others in their place, and the signature is no longer theirs.
pub async fn bytes_that_are_no_text_are_not_what_was_signed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let body = envelope(&[change(&company.phone.number_id, &json!([text_of(&fresh_number(), &wamid(), "SPOILT")]))]).to_string();
    let (before, after) = body.split_once("SPOILT").expect("the words");
    assert_eq!(post(&company, [before.as_bytes(), b"\xff\xfe", after.as_bytes()].concat()).await.0, 401);
}

pub async fn unreadable_part_of_one_company_is_kept_with_it(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let client = fresh_number();
    let message = |words| json!([text_of(&client, &wamid(), words)]);
    let changes = [change(&one.phone.number_id, &message("SPOILT")), change(&other.phone.number_id, &message("inteira"))];
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let body = envelope(&changes).to_string().replacen("\"type\":\"text\"", &format!("\"x\":{deep},\"type\":\"text\""), 1);
    let (status, answer) = post(&one, body).await;
    assert_eq!((status, &answer["stored"], &answer["failed"]), (200, &json!(1), &json!(1)));
    assert_eq!(texts(&other, &client).await, ["inteira"]);
    let database = stack.database().await;
    let kept = "select failed_items, position($2 in convert_from(body, 'UTF8')) > 0 from inbound_webhooks where company_id = $1";
    for (company, failed, is_there) in [(&one, 1, true), (&other, 0, false)] {
        let row = database.query_one(kept, &[&company.id, &deep]).await.expect("its part is kept");
        assert_eq!((row.get::<_, i32>(0), row.get::<_, bool>(1)), (failed, is_there));
    }
}

pub async fn strange_but_readable_webhooks_are_answered(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let number = &company.phone.number_id;
    let odd = json!({"id": 7, "from": ["x"], "type": {"a": 1}, "timestamp": -5});
    let client = fresh_number();
    let timeless =
        json!({"from": client, "id": wamid(), "timestamp": "99999999999999999999", "type": "text", "text": {"body": "sem hora"}});
    let wordless = json!({"from": client, "id": wamid(), "timestamp": "0", "type": "text"});
    let bodies = [
        json!({}),
        json!({"entry": []}),
        json!({"entry": [{}, 7, null, {"changes": [null, {"field": "messages"}]}]}),
        envelope(&[change(number, &json!([odd, null, [], "x"]))]),
        envelope(&[change("", &json!([timeless]))]),
        envelope(&[change("1\u{0}2", &json!([timeless]))]),
        envelope(&[json!({"field": "calls", "value": {"metadata": {"phone_number_id": number}}})]),
        envelope(&[change(number, &json!([timeless, wordless]))]),
    ];
    for body in bodies {
        let (status, answer) = post(&company, body.to_string()).await;
        assert_eq!(status, 200, "{body}: {answer}");
    }
    assert!(texts(&company, &client).await.contains(&"sem hora".to_owned()));
}

pub async fn wild_times_count_as_now(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let now = jiff::Timestamp::now().as_second();
    let ahead = (now + 2 * 86_400).to_string();
    let wild = ["253402207200", "9223372036854775807", "-62135596800", "-5", "0", "1000000000", "250000000000", ahead.as_str()];
    for at in wild {
        let client = fresh_number();
        let mut messages = ["antes", "longe", "depois"].map(|words| text_of(&client, &wamid(), words));
        messages[1]["timestamp"] = json!(at);
        let (status, answer) = post(&company, envelope(&[change(&company.phone.number_id, &json!(messages))]).to_string()).await;
        assert_eq!((status, &answer["stored"]), (200, &json!(3)), "{at}: {answer}");
        let mut found = texts(&company, &client).await;
        found.sort_unstable();
        assert_eq!(found, ["antes", "depois", "longe"], "{at}");
        let conversation = company.admin.conversation_of(&client).await;
        let second = |name: &str| text(&conversation[name]).parse::<jiff::Timestamp>().expect("a time").as_second();
        assert!((now - 1..now + 120).contains(&second("last_message_at")), "{at}: {conversation}");
        assert!((now - 1..now + 120).contains(&(second("window_expires_at") - 86_400)), "{at}: {conversation}");
    }
}

pub async fn row_that_cannot_be_read_spoils_no_other(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (spoilt, client) = (fresh_number(), fresh_number());
    company.phone.receive_text(&spoilt, "Oi").await;
    // No calendar of ours goes so far.
    let sql = "update conversations set window_expires_at = '20000-01-01' where company_id = $1";
    stack.database().await.execute(sql, &[&company.id]).await.expect("the window moves");
    let messages =
        json!([text_of(&client, &wamid(), "antes"), text_of(&spoilt, &wamid(), "x"), text_of(&client, &wamid(), "depois")]);
    let (status, answer) = post(&company, envelope(&[change(&company.phone.number_id, &messages)]).to_string()).await;
    stack
        .database()
        .await
        .execute("update conversations set window_expires_at = null where company_id = $1", &[&company.id])
        .await
        .expect("back");
    assert_eq!((status, &answer["stored"], &answer["failed"]), (200, &json!(2), &json!(1)));
    assert_eq!(texts(&company, &client).await, ["antes", "depois"]);
    assert_eq!(texts(&company, &spoilt).await, ["Oi"]);
}
