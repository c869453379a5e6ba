//! What subscribers show of their conversations

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tests::{
    Stack,
    company::{Person, text},
    eventually,
};

use super::{Account, northern_number};

const TAGS: [&str; 3] = ["Aguardando", "Em atendimento", "Encerrado"];

fn shows() -> Value {
    json!({"shows": {"pending": TAGS[0], "active": TAGS[1], "closed": TAGS[2], "field": "situacao", "agent_field": "atendente"}})
}

async fn connect(stack: &Arc<Stack>) -> Account {
    Account::connect_with(stack, json!({"tags": TAGS, "fields": ["situacao", "atendente"]}), shows()).await
}

async fn name_of(person: &Person) -> String {
    text(&person.api.get("/auth/me").await.expect(200)["name"]).to_owned()
}

/// Once the only subscriber shows this.
async fn once_shown(account: &Account, tag: &str, status: &str, holder: &str) {
    eventually(&format!("a subscriber who shows {status} {holder}"), || async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let subscriber = account.subscribers().await.remove(0);
        let tags: Vec<&str> = subscriber["tags"].as_array()?.iter().map(|tag| text(&tag["name"])).collect();
        let variables = &subscriber["variables"];
        (tags == [tag] && variables["situacao"] == status && variables["atendente"] == holder).then_some(())
    })
    .await;
}

pub async fn a_subscriber_shows_how_their_conversation_stands(stack: Arc<Stack>) {
    let account = connect(&stack).await;
    let number = northern_number();
    account.seed(json!({"subscribers": [{"phone": number, "first_name": "Maria"}]})).await;
    account.told(json!({"phone": number, "message": "Oi"})).await;
    once_shown(&account, TAGS[0], "pending", "-").await;
    let id = text(&account.conversation(&number).await["id"]).to_owned();
    let company = &account.company;
    let act = async |what: &str, body: Value| {
        company.supervisor.api.post(&format!("/conversations/{id}/{what}"), body).await.expect(200)
    };
    company.agents[0].api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    once_shown(&account, TAGS[1], "active", &name_of(&company.agents[0]).await).await;
    act("transfer", json!({"to_user_id": company.supervisor.id})).await;
    once_shown(&account, TAGS[1], "active", &name_of(&company.supervisor).await).await;
    act("close", json!({})).await;
    let subscriber = || async { account.subscribers().await.remove(0) };
    eventually("a subscriber whose conversation has ended", || async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let subscriber = subscriber().await;
        let tags = subscriber["tags"].as_array()?;
        (tags.len() == 1 && tags[0]["name"] == TAGS[2] && subscriber["variables"]["situacao"] == "closed").then_some(())
    })
    .await;
    // A change that shows nothing else calls nobody.
    account.forget_calls().await;
    act("reopen", json!({})).await;
    eventually("calls for what was opened again", || async { (!account.calls("/tags/").await.is_empty()).then_some(()) }).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    account.forget_calls().await;
    account.told(json!({"phone": number, "message": "Mais uma"})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(account.calls("").await.len(), 0);
}

pub async fn what_cannot_be_shown_hinders_nobody(stack: Arc<Stack>) {
    let account = connect(&stack).await;
    // Nobody there has this number.
    let number = northern_number();
    account.told(json!({"phone": number, "message": "Oi"})).await;
    let of_number = |calls: Vec<Value>| calls.len() >= 4;
    eventually("somebody who was looked for", || async { of_number(account.calls("get_by_phone").await).then_some(()) }).await;
    // Busy and failing for a while, then as it stands.
    account.seed(json!({"subscribers": [{"phone": number, "first_name": "Maria"}]})).await;
    account.fault("/tags/", json!({"kind": "error", "status": 503, "times": 1})).await;
    let id = text(&account.conversation(&number).await["id"]).to_owned();
    let agent = &account.company.agents[0];
    agent.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    once_shown(&account, TAGS[1], "active", &name_of(agent).await).await;
    // A key that is refused breaks the channel once, and nothing is tried again.
    account.settings(json!({"refuses_key": true})).await;
    account.forget_calls().await;
    account.company.supervisor.api.post(&format!("/conversations/{id}/close"), json!({})).await.expect(200);
    eventually("a channel that is broken", || async {
        let listed = account.company.admin.api.get("/integrations/config").await.expect(200);
        let rows = listed["data"].as_array().into_iter().flatten();
        rows.clone().any(|row| row["id"] == account.channel["id"] && row["status"] == "broken").then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(account.calls("").await.len(), 1);
    let left = "select count(*) from jobs where company_id = $1 and kind = 'show_conversation' and finished_at is null";
    assert_eq!(stack.database().await.query_one(left, &[&account.company.id]).await.expect("a count").get::<_, i64>(0), 0);
}
