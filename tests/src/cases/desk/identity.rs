//! Who a client is: numbers with and without the ninth digit, people without a visible number.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

async fn conversations(company: &Company) -> Vec<Value> {
    let list = company.admin.api.get("/conversations").await.expect(200);
    list["data"].as_array().cloned().unwrap_or_default()
}

pub async fn mobile_with_and_without_the_ninth_digit_is_one_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let long = fresh_number();
    let short = format!("{}{}", &long[..4], &long[5..]);
    // Numbers of the tests begin with 1 after the nine: this one needs a mobile's first digit.
    let (long, short) = (format!("5511987{}", &long[7..]), format!("551187{}", &short[6..]));
    assert_eq!((long.len(), short.len()), (13, 12));
    company.phone.receive(&short, json!({"text": "sem o nove", "user_id": "BR.81"})).await;
    company.phone.receive(&long, json!({"text": "com o nove", "user_id": "BR.81"})).await;
    let list = conversations(&company).await;
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(list[0]["client_phone"], long);
    assert_eq!(company.admin.thread(text(&list[0]["id"])).await.len(), 2);
}

pub async fn answer_goes_to_the_number_as_whatsapp_gave_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let short = format!("551186{}", &fresh_number()[7..]);
    company.phone.receive_text(&short, "Oi").await;
    let id = text(&conversations(&company).await[0]["id"]).to_owned();
    company.agents[0].take_over(&id).await;
    company.agents[0].say(&id, "Olá").await;
    assert_eq!(company.phone.sent_at_least(1).await[0]["body"]["to"], short);
}

pub async fn landlines_get_no_ninth_digit(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let tail = &fresh_number()[6..];
    company.phone.receive(&format!("55113{tail}"), json!({"text": "fixo"})).await;
    company.phone.receive(&format!("551193{tail}"), json!({"text": "celular"})).await;
    assert_eq!(conversations(&company).await.len(), 2);
}

pub async fn person_without_a_visible_number_is_served_and_linked_later(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let hidden = json!({"from": null, "user_id": "BR.910001", "username": "maria.t", "text": "sem número"});
    let received = company.phone.receive("", hidden).await;
    assert_eq!(received["status"], 200, "{received}");
    let list = conversations(&company).await;
    assert_eq!((list.len(), &list[0]["client_phone"]), (1, &Value::Null));
    let id = text(&list[0]["id"]).to_owned();
    company.agents[0].take_over(&id).await;
    company.agents[0].say(&id, "Olá").await;
    let sent = company.phone.sent_at_least(1).await;
    assert_eq!((&sent[0]["body"]["recipient"], &sent[0]["body"]["to"]), (&json!("BR.910001"), &Value::Null));

    let number = fresh_number();
    company.phone.receive(&number, json!({"user_id": "BR.910001", "text": "agora com número"})).await;
    company.phone.receive(&number, json!({"user_id": "BR.910002", "text": "só pelo número"})).await;
    let list = conversations(&company).await;
    assert_eq!((list.len(), &list[0]["client_phone"]), (1, &json!(number)));
    company.agents[0].say(&id, "Agora vai ao número").await;
    assert_eq!(company.phone.sent_at_least(2).await[1]["body"]["to"], number);
}

pub async fn changed_user_id_stays_the_same_client(stack: Arc<Stack>) {
    let company = company(&stack).await;
    company.phone.receive("", json!({"from": null, "user_id": "BR.920001", "text": "antes"})).await;
    let value = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": company.phone.number_id},
                       "detail": "changed", "user_id": {"previous": "BR.920001", "current": "BR.920002"}});
    let body = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "user_id_update", "value": value}]}]});
    let answered = company.phone.post("/whatsapp/webhook", json!({"raw": body.to_string()})).await;
    assert_eq!(answered["status"], 200, "{answered}");
    company.phone.receive("", json!({"from": null, "user_id": "BR.920002", "text": "depois"})).await;
    assert_eq!(conversations(&company).await.len(), 1);
}

pub async fn same_number_in_two_companies_is_two_clients(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let client = fresh_number();
    one.phone.receive_text(&client, "para uma").await;
    other.phone.receive_text(&client, "para outra").await;
    for (company, words) in [(&one, "para uma"), (&other, "para outra")] {
        let list = conversations(company).await;
        assert_eq!((list.len(), text(&list[0]["last_message_preview"])), (1, words));
    }
}
