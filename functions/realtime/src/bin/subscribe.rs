//! `subscribe` — puts the connection on a topic its person may see.

use realtime::{Subscription, TOPIC_REFUSED, reply};
use shared::{
    prelude::*,
    realtime::{self as sockets, Connection},
};

const IS_VISIBLE: &str = "select id from conversations where id = $1";

pub fn main() {
    serve_action("subscribe", subscribe);
}

async fn subscribe(context: Context, connection: Connection, input: Subscription) -> Result<(), Error> {
    let topic: Topic = input.topic.parse().map_err(|()| TOPIC_REFUSED)?;
    if !may_follow(&context, &connection.identity, topic).await? {
        return Err(TOPIC_REFUSED.into());
    }
    sockets::subscribe(&context, &connection, topic).await?;
    reply(&context, &connection, &json!({"type": "subscribed", "topic": topic.to_string()})).await;
    Ok(())
}

/// Row-level security decides about conversations, a student's own among them.
async fn may_follow(context: &Context, identity: &Identity, topic: Topic) -> Result<bool, Error> {
    match topic {
        Topic::Conversation(id) => {
            let transaction = context.begin(identity).await?;
            Ok(!transaction.query(IS_VISIBLE, &[&id]).await?.is_empty())
        }
        Topic::Dashboard(company_id) => {
            Ok(company_id == identity.company_id && matches!(identity.role, Role::Admin | Role::Supervisor))
        }
        Topic::Company(_) | Topic::User(_) => Ok(false),
    }
}
