//! Since when a client waits for a human, whoever makes them wait; and where the bot stands meanwhile.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, eventually, sandbox::fresh_number};

fn times(conversation: &Value) -> (Option<Timestamp>, Option<Timestamp>) {
    let time = |name: &str| conversation[name].as_str().map(|time| time.parse().expect("a time"));
    (time("first_pending_at"), time("pending_since"))
}

pub async fn waiting_times_are_kept_whoever_moves_it(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![1])];
    let company = stack.company(Wanted { agents: 1, students: 0, departments, ..Wanted::default() }).await;
    let (agent, client) = (&company.agents[0], fresh_number());
    company.phone.receive_text(&client, "Oi").await;
    let opened = company.admin.conversation_of(&client).await;
    let id = text(&opened["id"]);
    let (first, since) = times(&opened);
    assert!(first.is_some() && first == since && opened["started_at"] == opened["pending_since"], "{opened}");
    // Another message does not begin the waiting anew.
    company.phone.receive_text(&client, "Alguém?").await;
    assert_eq!(times(&company.admin.conversation(id).await), (first, since));
    assert_eq!(times(&agent.take_over(id).await), (first, None));
    let moved = times(&agent.transfer(id, json!({"to_department_id": company.departments[1].1})).await);
    assert!(moved.0 == first && moved.1 > first, "{moved:?}");
    // From one queue to another it goes on waiting.
    assert_eq!(times(&agent.transfer(id, json!({"to_department_id": company.departments[0].1})).await), moved);
    assert_eq!(times(&agent.close(id).await), (first, None));
    company.phone.receive_text(&client, "Voltei").await;
    let reopened = times(&company.admin.conversation(id).await);
    assert!(reopened.0 == first && reopened.1 > moved.1, "{reopened:?}");
}

pub async fn waiting_begins_with_the_bots_handover(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    let (client, quick) = (fresh_number(), fresh_number());
    for client in [&client, &quick] {
        company.phone.receive_text(client, "Oi").await;
    }
    company.phone.sent_at_least(2).await;
    assert_eq!(times(&company.admin.conversation_of(&client).await), (None, None));
    company.phone.receive_text(&client, "atendente").await;
    let waiting = eventually("the handover", || async {
        let conversation = company.admin.conversation_of(&client).await;
        (conversation["status"] == "pending").then_some(conversation)
    })
    .await;
    let (first, since) = times(&waiting);
    let started: Timestamp = text(&waiting["started_at"]).parse().expect("a time");
    assert!(first == since && first > Some(started), "{waiting}");
    // Taken straight from the bot, a client has never waited.
    let id = company.admin.conversation_id_of(&quick).await;
    assert_eq!(times(&company.agents[0].take_over(&id).await), (None, None));
}

pub async fn node_of_the_bot_is_shown_while_it_waits(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, bot: true, ..Wanted::default() }).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    let conversation = company.admin.conversation_of(&client).await;
    assert_eq!((text(&conversation["mode"]), text(&conversation["bot_node"])), ("bot", "welcome"));
    let id = text(&conversation["id"]);
    let target = json!({"to_user_id": company.agents[0].id});
    assert_eq!(company.supervisor.transfer(id, target).await["bot_node"], Value::Null);
}
