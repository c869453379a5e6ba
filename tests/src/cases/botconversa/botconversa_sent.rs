//! What goes out by an account of BotConversa

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tests::{Stack, company::text, eventually};

use super::{Account, northern_number};
use crate::cases::upload::PNG;

fn values(received: &[Value]) -> Vec<(&str, &str)> {
    received.iter().map(|one| (text(&one["type"]), text(&one["value"]))).collect()
}

/// Somebody who is subscribed has written and is served; their conversation.
async fn served(account: &Account, number: &str) -> String {
    account.seed(json!({"subscribers": [{"phone": number, "first_name": "Maria"}]})).await;
    account.served(number).await
}

async fn statuses(account: &Account) -> Vec<String> {
    let listed = account.company.admin.api.get("/integrations/config").await.expect(200);
    let rows = listed["data"].as_array().into_iter().flatten();
    rows.filter(|row| row["id"] == account.channel["id"]).map(|row| text(&row["status"]).to_owned()).collect()
}

pub async fn what_an_agent_writes_goes_out_to_the_subscriber(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let number = northern_number();
    let conversation = served(&account, &number).await;
    let id = account.subscribers().await[0]["id"].clone();
    let sent = account.send(&conversation, json!({"kind": "text", "body": "Olá, Maria"})).await;
    account.once(&conversation, &sent, "sent").await;
    assert_eq!(values(&account.received().await), [("text", "Olá, Maria")]);
    assert_eq!(account.received().await[0]["subscriber_id"], id);
    // Who they are there was looked up once.
    let looked_up = account.calls("get_by_phone").await.len();
    let agent = &account.company.agents[0];
    let file = agent.upload("foto.png", "image/png", PNG).await;
    let sent = account.send(&conversation, json!({"kind": "image", "file_id": file, "body": "Segue"})).await;
    account.once(&conversation, &sent, "sent").await;
    let received = account.received().await;
    assert_eq!((text(&received[1]["type"]), values(&received)[2]), ("file", ("text", "Segue")));
    let fetched = stack.http.get(text(&received[1]["value"])).send().await.expect("a public address");
    assert_eq!(fetched.bytes().await.expect("a body").as_ref(), PNG);
    assert_eq!(account.calls("get_by_phone").await.len(), looked_up);
    let place = json!({"kind": "location", "location": {"latitude": -23.5, "longitude": -46.6, "name": "Escola"}});
    let sent = account.send(&conversation, place).await;
    account.once(&conversation, &sent, "sent").await;
    assert!(text(&account.received().await[3]["value"]).starts_with("Escola\nhttps://maps"), "words");
    // Their answer finds the same conversation.
    account.told(json!({"phone": number, "message": "Obrigada"})).await;
    assert_eq!(account.messages(&conversation).await.len(), 5);
    // Somebody who was removed there and has come again.
    let gone = stack.http.delete(format!("{}/botconversa/api/v1/webhook/subscriber/{id}/delete/", stack.addresses.sandbox));
    assert!(gone.header("api-key", &account.key).send().await.expect("an answer").status().is_success());
    account.seed(json!({"subscribers": [{"phone": number, "first_name": "Maria"}]})).await;
    let sent = account.send(&conversation, json!({"kind": "text", "body": "De novo"})).await;
    account.once(&conversation, &sent, "sent").await;
    assert_ne!(account.received().await[4]["subscriber_id"], id);
}

pub async fn who_is_not_subscribed_is_when_they_have_agreed(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    account.settings(json!({"refuses_plus": true})).await;
    let begin = async |number: &str, words: &str| {
        let new = json!({"phone": number, "channel_account_id": account.id(), "message": {"kind": "text", "body": words}});
        account.company.agents[0].api.post("/conversations", new).await.expect(201)
    };
    let stranger = northern_number();
    let begun = begin(&stranger, "Posso?").await;
    let message = eventually("a message that failed", || async {
        let id = text(&begun["id"]);
        account.messages(id).await.into_iter().find(|message| message["status"] == "failed")
    })
    .await;
    assert_eq!(text(&message["error_code"]), "not_a_subscriber");
    assert!(account.subscribers().await.is_empty(), "nobody is subscribed who has not agreed");
    let number = northern_number();
    account.consenting(&number, json!({})).await;
    let begun = begin(&number, "Olá, Rita").await;
    eventually("a message that is sent", || async {
        let id = text(&begun["id"]);
        account.messages(id).await.into_iter().find(|message| message["status"] == "sent")
    })
    .await;
    let subscribers = account.subscribers().await;
    assert_eq!((subscribers.len(), text(&subscribers[0]["full_name"])), (1, "Rita Lima"));
    assert_eq!(text(&subscribers[0]["phone"]), format!("+{}{}", &number[..4], &number[5..]), "stored without its ninth digit");
}

pub async fn a_refused_key_is_told_once_and_not_tried_again(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let conversation = served(&account, &northern_number()).await;
    let mut socket = account.company.admin.socket().await;
    account.settings(json!({"refuses_key": true})).await;
    account.forget_calls().await;
    for round in 0..3 {
        let sent = account.send(&conversation, json!({"kind": "text", "body": format!("Tentativa {round}")})).await;
        let failed = account.once(&conversation, &sent, "failed").await;
        assert_eq!(text(&failed["error_code"]), "401");
    }
    assert_eq!(statuses(&account).await, ["broken"]);
    assert_eq!(account.calls("").await.len(), 3, "one for each message");
    let flagged = socket.of_type("channel.flagged").await;
    assert_eq!((text(&flagged["data"]["code"]), &flagged["data"]["channel_account_id"]), ("key_refused", &account.channel["id"]));
    let told = "select count(*) from channel_notices where company_id = $1 and code = 'key_refused'";
    assert_eq!(stack.database().await.query_one(told, &[&account.company.id]).await.expect("a count").get::<_, i64>(0), 1);
    // What is told by flows still comes in, and a key that is good mends it.
    account.settings(json!({"refuses_key": false})).await;
    let again = json!({"kind": "botconversa", "id": account.id(), "name": "Flows", "api_key": account.key});
    assert_eq!(text(&account.company.admin.api.post("/integrations/config", again).await.expect(200)["status"]), "active");
    let sent = account.send(&conversation, json!({"kind": "text", "body": "Agora sim"})).await;
    account.once(&conversation, &sent, "sent").await;
}

pub async fn a_busy_account_is_asked_again(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let conversation = served(&account, &northern_number()).await;
    account.fault("send_message", json!({"kind": "error", "status": 429, "retry_after": 1, "times": 2})).await;
    let sent = account.send(&conversation, json!({"kind": "text", "body": "Com pressa"})).await;
    let then = account.send(&conversation, json!({"kind": "text", "body": "Depois"})).await;
    account.once(&conversation, &then, "sent").await;
    account.once(&conversation, &sent, "sent").await;
    assert_eq!(values(&account.received().await), [("text", "Com pressa"), ("text", "Depois")]);
    // Without a word of when, five seconds.
    account.forget_calls().await;
    account.fault("send_message", json!({"kind": "error", "status": 429, "times": 1})).await;
    let sent = account.send(&conversation, json!({"kind": "text", "body": "Sem aviso"})).await;
    account.once(&conversation, &sent, "sent").await;
    let times: Vec<jiff::Timestamp> =
        account.calls("send_message").await.iter().map(|call| text(&call["at"]).parse().expect("a time")).collect();
    assert!(times.len() == 2 && times[1].duration_since(times[0]).as_secs() >= 4, "{times:?}");
}

pub async fn a_server_that_has_failed_is_asked_once_more_and_a_silent_one_is_not(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let conversation = served(&account, &northern_number()).await;
    account.fault("send_message", json!({"kind": "error", "status": 502, "times": 1})).await;
    let sent = account.send(&conversation, json!({"kind": "text", "body": "Uma vez"})).await;
    account.once(&conversation, &sent, "sent").await;
    assert_eq!(account.received().await.len(), 1);
    account.forget_calls().await;
    account.fault("send_message", json!({"kind": "error", "status": 500})).await;
    let sent = account.send(&conversation, json!({"kind": "text", "body": "Nunca"})).await;
    account.once(&conversation, &sent, "sending").await;
    eventually("two calls", || async { (account.calls("send_message").await.len() == 2).then_some(()) }).await;
    account.heal().await;
    account.forget_calls().await;
    // Nobody knows whether this one has arrived: it is not sent again by itself.
    account.fault("send_message", json!({"kind": "accept_then_timeout", "times": 1})).await;
    let other = account.served(&northern_number()).await;
    account
        .seed(json!({"subscribers": [{"phone": text(&account.client("Maria").await["phones"][0]), "first_name": "Outra"}]}))
        .await;
    let silent = account.send(&other, json!({"kind": "text", "body": "Em silêncio"})).await;
    account.once(&other, &silent, "sending").await;
    eventually("a call that was made", || async { (!account.calls("send_message").await.is_empty()).then_some(()) }).await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(account.calls("send_message").await.len(), 1);
    assert_eq!(values(&account.received().await)[1..], [("text", "Em silêncio")]);
}

pub async fn the_budget_of_an_account_holds_messages_back(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let conversation = served(&account, &northern_number()).await;
    account.forget_calls().await;
    // As if there had been that many calls in this minute and in the next one.
    account.count_calls(620).await;
    let sent = account.send(&conversation, json!({"kind": "text", "body": "Espere"})).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(account.calls("").await.len(), 0);
    assert_eq!(text(&account.once(&conversation, &sent, "queued").await["id"]), text(&sent["id"]), "it waits in its queue");
    account.count_calls(0).await;
    let now = "update jobs set run_at = now(), leased_until = null where company_id = $1 and finished_at is null";
    stack.database().await.execute(now, &[&account.company.id]).await.expect("it is due");
    stack.control("POST", "/queues/DeliveryQueue/give-back", None).await;
    account.once(&conversation, &sent, "sent").await;
}
