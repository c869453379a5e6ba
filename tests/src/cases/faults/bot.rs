//! The bot's turn against a webhook that is still being committed.

use std::sync::Arc;

use serde_json::Value;
use tests::{Stack, Wanted, company::text, sandbox::fresh_number};
use uuid::Uuid;

use super::{dispatch, feed_after, feed_head, start, stop, until_all_done, until_blocked};

/// Part of what a webhook does: its message counts on the turn that waits already, so it adds none.
const SECOND_MESSAGE: &str = "
    with updated as (
        update conversations set inbound_count = inbound_count + 1 where id = $1 returning *
    )
    insert into messages (id, company_id, conversation_id, channel_account_id, sender_type, kind, body, inbound_number, sent_at)
    select $2, company_id, id, channel_account_id, 'client', 'text', 'Alguém?', inbound_count, now()
      from updated";

pub async fn a_turn_waits_for_the_message_that_counts_on_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted { bot: true, ..Wanted::default() }).await;
    stop(&stack, "sqs").await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    let database = stack.database().await;
    let conversation = "select id from conversations where company_id = $1";
    let conversation: Uuid = database.query_one(conversation, &[&company.id]).await.expect("the conversation").get(0);
    database.batch_execute("begin").await.expect("a transaction");
    database.execute(SECOND_MESSAGE, &[&conversation, &Uuid::now_v7()]).await.expect("a second message");
    start(&stack, "sqs").await;
    dispatch(&stack, &company).await;
    until_blocked(&stack, 1).await;
    database.batch_execute("commit").await.expect("the second message is there");
    until_all_done(&stack, &company).await;
    let answered = "select inbound_count = 2 and bot_answered = 2 from conversations where id = $1";
    assert_eq!(database.query_one(answered, &[&conversation]).await.expect("a row").get::<_, Option<bool>>(0), Some(true));
    assert_eq!(company.phone.sent_at_least(1).await.len(), 1);
}

/// The bot's last attempt was killed: whoever wrote to it waits for people, and they are told.
pub async fn a_turn_that_never_ends_hands_the_client_over(stack: Arc<Stack>) {
    let company = stack.company(Wanted { bot: true, ..Wanted::default() }).await;
    stop(&stack, "sqs").await;
    company.phone.receive_text(&fresh_number(), "Oi").await;
    let head = feed_head(&company).await;
    let spent = "update jobs set attempts = 10 where company_id = $1 and kind = 'bot_turn'";
    assert_eq!(stack.database().await.execute(spent, &[&company.id]).await.expect("attempts"), 1);
    start(&stack, "sqs").await;
    dispatch(&stack, &company).await;
    until_all_done(&stack, &company).await;
    let list = company.agents[0].api.get("/conversations").await.expect(200);
    let conversation = &list["data"][0];
    assert_eq!((text(&conversation["mode"]), text(&conversation["status"])), ("human", "pending"));
    let events = feed_after(&company, &head).await;
    let told = |event: &&Value| event["type"] == "conversation.updated" && event["data"]["conversation"]["mode"] == "human";
    assert_eq!(events.iter().filter(told).count(), 1);
    assert!(company.phone.sent().await.is_empty());
}
