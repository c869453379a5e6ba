//! `typing` — tells the staff who follow a conversation that somebody types, or has stopped.

use std::time::Duration;

use realtime::{TOPIC_REFUSED, Typing};
use shared::{
    limits,
    prelude::*,
    realtime::{ALL_SHARDS, Connection, on_topic, post_all},
};

/// Within which the same news is told once, from when it was told: in windows of the clock, the end of one and the start of the next
/// would tell it twice at once. Clocks count whole seconds, so it may be one less.
const PAUSE: Duration = Duration::from_secs(3);

const CONVERSATION: &str = "^conversation:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    /// `conversation:<id>`, one the connection is on.
    #[garde(length(max = 60))]
    #[schemars(regex(pattern = CONVERSATION))]
    topic: String,
    #[garde(skip)]
    state: bool,
}

/// Who sees the conversation now. No row when the person does not.
const SIGHT: &str = "select department_id, assignee_id, participant_ids from conversations where id = $1";

#[derive(FromRow)]
struct Sight {
    department_id: Option<Uuid>,
    assignee_id: Option<Uuid>,
    participant_ids: Vec<Uuid>,
}

pub fn main() {
    serve_action("typing", typing);
}

async fn typing(context: Context, connection: Connection, input: Input) -> Result<(), Error> {
    let topic: Topic = input.topic.parse().map_err(|()| TOPIC_REFUSED)?;
    let Topic::Conversation(conversation_id) = topic else { return Err(TOPIC_REFUSED.into()) };
    if !connection.topics.contains(&topic) {
        return Err(TOPIC_REFUSED.into());
    }
    let counter = format!("typing:{}:{topic}:{}", connection.id, input.state);
    if limits::count_since_first(&context, &counter, PAUSE).await.is_some_and(|(count, _)| count > 1) {
        return Ok(());
    }
    let audience = audience(&context, &connection.identity, conversation_id).await?;
    let user_id = connection.identity.user_id;
    let frame = json!({
        "type": Typing::TYPE,
        "topic": topic.to_string(),
        "at": context.now(),
        "data": Typing { conversation_id, user_id, name: connection.name, state: input.state },
    });
    let frame = frame.to_string();
    let listening = on_topic(&context, topic, ALL_SHARDS).await?;
    let others = listening.iter().filter(|other| other.id != connection.id && audience.includes(&other.reader));
    let frames: Vec<_> = others.map(|other| (other.id.as_str(), vec![frame.as_str()])).collect();
    post_all(&context, frames).await;
    Ok(())
}

/// Being on a topic does not mean seeing it still: the conversation may have gone elsewhere since.
async fn audience(context: &Context, identity: &Identity, conversation_id: Uuid) -> Result<Audience, Error> {
    let transaction = context.begin(identity).await?;
    let sight: Option<Sight> = transaction.first(SIGHT, &[&conversation_id]).await?;
    let Sight { department_id, assignee_id, participant_ids } = sight.ok_or(TOPIC_REFUSED)?;
    Ok(Audience::conversation(department_id, assignee_id).and_participants(&participant_ids))
}
