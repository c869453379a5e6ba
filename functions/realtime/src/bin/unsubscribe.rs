//! `unsubscribe` — takes the connection off a topic it asked for. Its own topics stay.

use realtime::{Subscription, TOPIC_REFUSED, reply};
use shared::{
    prelude::*,
    realtime::{self as sockets, Connection},
};

pub fn main() {
    serve_action_using(Uses::Nothing, "unsubscribe", unsubscribe);
}

async fn unsubscribe(context: Context, connection: Connection, input: Subscription) -> Result<(), Error> {
    let topic: Topic = input.topic.parse().map_err(|()| TOPIC_REFUSED)?;
    if matches!(topic, Topic::Company(_) | Topic::User(_)) {
        return Err(TOPIC_REFUSED.into());
    }
    sockets::unsubscribe(&context, &connection.id, topic).await?;
    reply(&context, &connection, &json!({"type": "unsubscribed", "topic": topic.to_string()})).await;
    Ok(())
}
