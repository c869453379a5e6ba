//! What WhatsApp tells of clients besides their messages: whether they take marketing, and what the business calls them.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, sandbox::fresh_number};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn preference(client: &str, value: &str, at: i64) -> Value {
    json!({
        "contacts": [{"profile": {"name": "Maria Teste"}, "wa_id": client}],
        "user_preferences": [{"wa_id": client, "detail": "User requested it", "category": "marketing_messages",
                              "value": value, "timestamp": at}],
    })
}

fn entry(number: &str, name: &str, at: i64) -> Value {
    let contact = json!({"full_name": name, "first_name": name, "phone_number": number});
    json!({"state_sync": [{"type": "contact", "action": "add", "contact": contact, "metadata": {"timestamp": at.to_string()}}]})
}

async fn consent(company: &Company, client: &str) -> Value {
    let id = company.admin.conversation_id_of(client).await;
    company.admin.conversation(&id).await["client"]["accepts_marketing"].clone()
}

/// What clients' events told after `head`, to an agent.
async fn told(company: &Company, head: &str) -> Vec<Value> {
    let events = company.agents[0].events_after(head).await;
    events.into_iter().filter(|event| event["type"] == "client.updated").map(|mut event| event["data"].take()).collect()
}

pub async fn marketing_stopped_and_resumed_is_the_clients_consent(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    assert_eq!(consent(&company, &client).await, Value::Null);
    let head = company.admin.head().await;
    let at = now();
    for (value, at, is_granted) in [
        ("stop", at - 50, false),
        ("resume", at - 30, true),
        // Late, and of an earlier time.
        ("stop", at - 40, true),
        // The refusal counts of two at the same second.
        ("stop", at - 30, false),
        ("resume", at - 30, false),
        ("resume", at - 10, true),
    ] {
        company.phone.change("user_preferences", preference(&client, value, at)).await;
        assert_eq!(consent(&company, &client).await, is_granted, "{value} {at}");
    }
    let events = told(&company, &head).await;
    let accepted: Vec<&Value> = events.iter().map(|event| &event["accepts_marketing"]).collect();
    assert_eq!(accepted, [false, true, false, true], "{events:?}");
    assert_eq!(text(&events[0]["name"]), "Maria Teste");
    let rows = "
        select granted, source, proof ->> 'detail'
          from client_consents
         where company_id = $1 and purpose = 'marketing' and channel = 'whatsapp'";
    let rows = stack.database().await.query(rows, &[&company.id]).await.expect("the consents");
    assert_eq!(rows.len(), 5, "one was told twice");
    assert!(rows.iter().all(|row| (row.get(1), row.get(2)) == ("whatsapp_preference", "User requested it")));
}

pub async fn refusal_is_known_before_anybody_writes(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (short, long) = {
        let end = fresh_number()[7..].to_owned();
        (format!("551187{end}"), format!("5511987{end}"))
    };
    let stop = preference(&short, "stop", now());
    let twice =
        tokio::join!(company.phone.change("user_preferences", stop.clone()), company.phone.change("user_preferences", stop));
    assert_eq!(twice, ((), ()));
    assert_eq!(company.admin.api.get("/conversations").await.expect(200)["data"], json!([]));
    company.phone.receive_text(&long, "Oi").await;
    assert_eq!(consent(&company, &long).await, false);
    let counts = "
        select (select count(*) from clients where company_id = $1), (select count(*) from client_consents where company_id = $1)";
    let row = stack.database().await.query_one(counts, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1));
}

pub async fn address_book_names_clients_whom_staff_have_not_named(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = format!("551186{}", &fresh_number()[7..]);
    company.phone.receive_text(&client, "Oi").await;
    let name = async || text(&company.admin.conversation_of(&client).await["client_name"]).to_owned();
    let head = company.admin.head().await;
    let at = now();
    // The phone has the ninth digit that WhatsApp leaves out.
    let on_the_phone = format!("+{}9{}", &client[..4], &client[4..]);
    company.phone.change("smb_app_state_sync", entry(&on_the_phone, "Maria da Padaria", at - 20)).await;
    assert_eq!(name().await, "Maria da Padaria");
    company.phone.change("smb_app_state_sync", entry(&client, "Antes disso", at - 30)).await;
    company.phone.change("smb_app_state_sync", entry(&client, "Maria da Padaria", at - 10)).await;
    company.phone.change("smb_app_state_sync", entry(&client, "Antes disso", at - 15)).await;
    assert_eq!(name().await, "Maria da Padaria");
    let mut removed = entry(&client, "", at)["state_sync"][0].clone();
    removed["action"] = json!("remove");
    company.phone.change("smb_app_state_sync", json!({"state_sync": [removed]})).await;
    assert_eq!(name().await, "Maria da Padaria");
    let events = told(&company, &head).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!((text(&events[0]["name"]), text(&events[0]["name_source"])), ("Maria da Padaria", "address_book"));
    company.phone.change("smb_app_state_sync", entry(&client, "Maria da Praça", at)).await;
    assert_eq!(name().await, "Maria da Praça");

    let by_staff = "update clients set name = 'Maria Souza', name_source = 'staff' where company_id = $1";
    stack.database().await.execute(by_staff, &[&company.id]).await.expect("a name by staff");
    company.phone.change("smb_app_state_sync", entry(&client, "Maria da Padaria", at + 10)).await;
    assert_eq!(name().await, "Maria Souza");
}

pub async fn address_book_makes_no_clients(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let client = fresh_number();
    other.phone.receive_text(&client, "Oi").await;
    company.phone.change("smb_app_state_sync", entry(&client, "Só da agenda", now())).await;
    let count = "select count(*) from clients where company_id = $1";
    let row = stack.database().await.query_one(count, &[&company.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
    assert_eq!(company.outcomes(&stack).await, ["ignored: a name that changes no client"]);
    assert_eq!(text(&other.admin.conversation_of(&client).await["client_name"]), "Maria Teste");
}
