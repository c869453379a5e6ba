//! POST /webhooks/botconversa/{token}

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Stack, company::text, sandbox::fresh_number};

use super::{Account, northern_number, post};

fn words(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| text(&message["body"])).collect()
}

pub async fn who_writes_by_a_flow_has_a_conversation(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let number = northern_number();
    let fields = json!({"fields": [{"key": "cidade", "label": "Cidade", "kind": "text"}, {"key": "idade", "label": "Idade", "kind": "number"}]});
    account.company.admin.api.call(reqwest::Method::PUT, "/client-fields", Some(fields)).await.expect(200);
    // As WhatsApp knows it: without the ninth digit.
    let known = format!("+{}{}", &number[..4], &number[5..]);
    let body = json!({"event": "duvida", "phone": known, "name": "Maria Teste", "subscriber_id": 900_000_001, "message": "Quanto custa?",
        "fields": {"cidade": "Recife", "idade": "31", "apelido": "x", "estado": "{{estado}}"}});
    assert_eq!(account.told(body).await, json!({"ok": true, "reply": "Recebido!"}));
    let conversation = account.conversation(&number).await;
    assert_eq!((&conversation["unread"], text(&conversation["status"])), (&json!(1), "pending"));
    assert_eq!(
        (text(&conversation["channel_kind"]), &conversation["channel_account_id"]),
        ("botconversa", &account.channel["id"])
    );
    assert!(text(&conversation["window_expires_at"]).starts_with("9999"), "{conversation}");
    let messages = account.messages(text(&conversation["id"])).await;
    assert_eq!(words(&messages), ["Quanto custa?"]);
    let client = account.client(&number).await;
    assert_eq!((text(&client["name"]), &client["phones"]), ("Maria Teste", &json!([number])));
    assert_eq!(client["custom_fields"], json!({"cidade": "Recife", "idade": 31}));
    let id = format!("{}:900000001", account.id());
    assert!(
        client["identities"].as_array().expect("identities").contains(&json!({"kind": "botconversa", "value": id})),
        "{client}"
    );
    // What staff have said stays; what is news is filled in.
    let path = format!("/clients/{}", text(&client["id"]));
    account.company.admin.api.call(reqwest::Method::PUT, &path, Some(json!({"name": "Maria Silva"}))).await.expect(200);
    account.told(json!({"phone": number, "name": "Mary", "message": "Alô?", "fields": {"cidade": "Olinda"}})).await;
    let client = account.client(&number).await;
    assert_eq!((text(&client["name"]), &client["custom_fields"]["cidade"]), ("Maria Silva", &json!("Olinda")));
    let messages = account.messages(text(&conversation["id"])).await;
    assert_eq!(words(&messages), ["Quanto custa?", "Alô?"]);
}

pub async fn a_webhook_that_comes_again_is_one(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let number = fresh_number();
    let body = json!({"phone": number, "name": "Ana", "message": "Bom dia"});
    let all = join_all((0..8).map(|_| account.tell(&body))).await;
    assert!(all.iter().all(|(status, answer)| *status == 200 && answer["ok"] == true), "{all:?}");
    let conversation = account.conversation(&number).await;
    assert_eq!(words(&account.messages(text(&conversation["id"])).await), ["Bom dia"]);
    // In the next minute it is still the same, as long as that is less than a minute later.
    let earlier = "
        update messages set provider_id = split_part(provider_id, ':', 1) || ':' || split_part(provider_id, ':', 2) || ':'
                                       || (split_part(provider_id, ':', 3)::bigint - 1)
         where company_id = $1 and channel_account_id = $2::text::uuid";
    let database = stack.database().await;
    let changed = database.execute(earlier, &[&account.company.id, &account.id()]).await.expect("an earlier minute");
    assert_eq!(changed, 1);
    account.told(body.clone()).await;
    assert_eq!(account.messages(text(&conversation["id"])).await.len(), 1);
    // With an id it is the same for ever; other words are another, should the id be the same for all.
    for said in ["Com número", "Com número", "Outra vez"] {
        account.told(json!({"phone": number, "message": said, "message_id": "1-2026"})).await;
    }
    assert_eq!(words(&account.messages(text(&conversation["id"])).await), ["Bom dia", "Com número", "Outra vez"]);
    let count = "select count(*) from clients where company_id = $1";
    assert_eq!(database.query_one(count, &[&account.company.id]).await.expect("a count").get::<_, i64>(0), 1);
}

pub async fn who_has_written_nothing_is_a_client_and_no_more(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let number = fresh_number();
    for _ in 0..2 {
        account.told(json!({"event": "lead", "phone": number, "name": "Bia Lead", "message": "{{ultima_mensagem}}"})).await;
    }
    assert_eq!(account.conversation(&number).await, Value::Null);
    assert_eq!(text(&account.client(&number).await["name"]), "Bia Lead");
    let outcomes = account.company.outcomes(&stack).await;
    assert!(outcomes.iter().all(|outcome| outcome == "stored"), "{outcomes:?}");
    // With their first words they are the same.
    account.told(json!({"phone": number, "message": "Agora sim"})).await;
    let conversation = account.conversation(&number).await;
    assert_eq!(conversation["client_id"], account.client(&number).await["id"]);
}

pub async fn without_a_phone_the_subscriber_is_known(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    account.told(json!({"phone": "", "subscriber_id": "77", "name": "Sem Telefone", "message": "Do Instagram"})).await;
    let page = account.company.supervisor.api.get("/conversations?search=Sem%20Telefone").await.expect(200);
    let conversation = &page["data"][0];
    let messages = account.messages(text(&conversation["id"])).await;
    assert_eq!(words(&messages), ["Do Instagram"]);
    // The phone that comes later is theirs.
    let number = fresh_number();
    account.told(json!({"phone": number, "subscriber_id": 77, "message": "Meu número"})).await;
    assert_eq!(account.conversation(&number).await["id"], conversation["id"]);
    // The same id in another account is somebody else.
    let other = Account::connect(&stack).await;
    other.told(json!({"phone": "", "subscriber_id": "77", "name": "Outra", "message": "Oi"})).await;
    assert_eq!(account.messages(text(&conversation["id"])).await.len(), 2);
}

pub async fn secrets_open_their_own_account_only(stack: Arc<Stack>) {
    let (account, other) = (Account::connect(&stack).await, Account::connect(&stack).await);
    let number = fresh_number();
    let body = json!({"phone": number, "message": "Intruso"});
    let token = account.url.rsplit('/').next().unwrap_or_default();
    for (url, secret) in [
        (account.url.as_str(), other.secret.as_str()),
        (other.url.as_str(), account.secret.as_str()),
        (account.url.as_str(), "wrong"),
        (account.url.as_str(), ""),
        (account.url.as_str(), token),
        (account.url.as_str(), &format!("{token}.guessed")),
    ] {
        let (status, answer) = post(&stack, url, secret, &body).await;
        assert_eq!((status, text(&answer["code"])), (401, "signature_invalid"), "{url} {secret}");
    }
    let kept = "select count(*) from inbound_webhooks where company_id = any ($1)";
    let ids = vec![account.company.id, other.company.id];
    assert_eq!(stack.database().await.query_one(kept, &[&ids]).await.expect("a count").get::<_, i64>(0), 0);
    assert_eq!(account.client(&number).await, Value::Null);
    account.told(body).await;
    assert_eq!(other.client(&number).await, Value::Null);
}

pub async fn what_nobody_can_read_is_answered_and_kept(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    for body in [json!([]), json!("texto"), json!({"phone": "{{telefone}}", "message": "Oi"}), json!({"phone": "123"})] {
        let (status, answer) = account.tell(&body).await;
        assert_eq!((status, &answer["ok"]), (200, &json!(false)), "{body}");
        assert!(!text(&answer["reply"]).is_empty() && answer.as_object().map(serde_json::Map::len) == Some(2), "{answer}");
    }
    let request = stack.http.post(&account.url).header("x-webhook-secret", &account.secret).body("<html>");
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    assert_eq!(account.company.outcomes(&stack).await, ["failed", "failed"]);
    let count = "select count(*) from clients where company_id = $1";
    assert_eq!(stack.database().await.query_one(count, &[&account.company.id]).await.expect("a count").get::<_, i64>(0), 0);
}

pub async fn one_person_by_two_channels_is_one_client(stack: Arc<Stack>) {
    let account = Account::connect(&stack).await;
    let number = northern_number();
    let known = format!("{}{}", &number[..4], &number[5..]);
    account.company.phone.receive_text(&known, "Pela Cloud").await;
    account.told(json!({"phone": number, "message": "Pelo fluxo"})).await;
    let page = account.company.supervisor.api.get(&format!("/conversations?search={number}")).await.expect(200);
    let rows = page["data"].as_array().expect("rows");
    assert_eq!((rows.len(), text(&rows[0]["client_id"])), (2, text(&rows[1]["client_id"])));
    // Where WhatsApp answers them is WhatsApp's word.
    let address = "select address from client_identities where company_id = $1 and kind = 'phone'";
    let row = stack.database().await.query_one(address, &[&account.company.id]).await.expect("one phone");
    assert_eq!(row.get::<_, String>(0), known);
}
