//! `typing` — tells the staff who follow a conversation that somebody types, or has stopped.

use std::time::Duration;

use futures_util::future::join_all;
use realtime::{TOPIC_REFUSED, Typing};
use shared::{
    limits,
    prelude::*,
    realtime::{Connection, on_topic, post},
};

/// Within which the same news is told once.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// `conversation:<id>`, one the connection is on.
    #[garde(length(max = 60))]
    topic: String,
    #[garde(skip)]
    state: bool,
}

fn main() {
    serve_action_using(Uses::Nothing, "typing", typing);
}

async fn typing(context: Context, connection: Connection, input: Input) -> Result<(), Error> {
    let topic: Topic = input.topic.parse().map_err(|()| TOPIC_REFUSED)?;
    let Topic::Conversation(conversation_id) = topic else { return Err(TOPIC_REFUSED.into()) };
    if !connection.topics.contains(&topic) {
        return Err(TOPIC_REFUSED.into());
    }
    let counter = format!("typing:{}:{topic}:{}", connection.id, input.state);
    if limits::count(&context, &counter, 1, PAUSE).await.is_some_and(|(count, _)| count > 1) {
        return Ok(());
    }
    let user_id = connection.identity.user_id;
    let frame = json!({
        "type": Typing::TYPE,
        "topic": topic.to_string(),
        "at": context.now(),
        "data": Typing { conversation_id, user_id, name: connection.name, state: input.state },
    });
    let frame = frame.to_string();
    let listening = on_topic(&context, topic).await?;
    let others = listening.iter().filter(|other| other.id != connection.id && other.reader.is_staff);
    join_all(others.map(|other| post(&context, &other.id, &frame))).await;
    Ok(())
}
