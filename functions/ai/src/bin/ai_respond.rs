//! POST /ai/respond — an answer out of the knowledge base for what the client has asked, with its sources, or why people should give it.

use ai::{
    NOTHING_SAID, TAKEN_OVER,
    answering::{self, Question, Reply},
    asking::PATIENCE,
    thread::Thread,
};
use conversations::{Author, Content, MessageKind, NewMessage, add_outgoing};
use futures_util::future::try_join;
use knowledge::search::Audience;
use shared::{
    ai::{self as models, About},
    error::NOT_FOUND,
    prelude::*,
};

const ROUTE: Route = Route::post("/ai/respond").fails(&[NOT_FOUND, NOTHING_SAID, TAKEN_OVER]);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RespondInput {
    #[garde(skip)]
    conversation_id: Uuid,
    /// The question; what the client has written last without it.
    #[garde(length(chars, min = 1, max = 4_000))]
    message: Option<String>,
    /// Whether an answer goes to the client as the bot's, while the bot has the conversation. In doubt nothing is sent.
    #[garde(skip)]
    #[serde(default)]
    send: bool,
}

/// What came of a question, and whether the client has it.
#[derive(Serialize, JsonSchema)]
struct Responded {
    #[serde(flatten)]
    reply: Reply,
    /// The message that was sent.
    message_id: Option<Uuid>,
}

const FENCE: &str = "select version from conversations where id = $1 and mode = 'bot' and ended_at is null";

/// Whoever moved the conversation meanwhile has the word.
const STILL: &str = "
    update conversations set bot_answered = inbound_count
     where id = $1 and version = $2 and mode = 'bot' and ended_at is null
    returning id";

pub fn main() {
    serve(&ROUTE, ai_respond);
}

async fn ai_respond(context: Context, agent: Staff, Json(input): Json<RespondInput>) -> Result<Json<Responded>, Error> {
    let transaction = context.begin(&agent).await?;
    let (thread, settings) = try_join(Thread::read(&transaction, input.conversation_id), models::settings(&transaction)).await?;
    let fence: Option<i32> =
        if input.send { transaction.query(FENCE, &[&thread.id]).await?.first().map(|row| row.get("version")) } else { None };
    if input.send && fence.is_none() {
        return Err(TAKEN_OVER.into());
    }
    let words = input.message.or_else(|| thread.last_words()).ok_or(NOTHING_SAID)?;
    transaction.commit_unaudited().await?;
    let about = About {
        company_id: agent.company_id,
        conversation_id: Some(thread.id),
        user_id: Some(agent.user_id),
        patience: PATIENCE,
    };
    let audience = if input.send { Audience::Bot } else { Audience::Agents };
    let reply = answering::answer(&context, &settings, Question { about, thread: &thread, words: &words }, audience).await?;
    let message_id = match (fence, &reply.text) {
        (Some(version), Some(text)) => Some(send(&context, agent.company_id, (thread.id, version), text).await?),
        _ => None,
    };
    Ok(Json(Responded { reply, message_id }))
}

async fn send(context: &Context, company_id: Uuid, (id, version): (Uuid, i32), text: &str) -> Result<Uuid, Error> {
    let transaction = context.begin_system(company_id).await?;
    if transaction.query(STILL, &[&id, &version]).await?.is_empty() {
        return Err(TAKEN_OVER.into());
    }
    let content = Content { kind: MessageKind::Text, body: text.to_owned(), payload: json!({}), file_id: None };
    let new = NewMessage {
        id: context.new_id(),
        conversation_id: id,
        sender_type: Author::Bot,
        sender_id: None,
        content,
        reply_to_id: None,
        client_message_id: None,
        is_reply: false,
    };
    let message_id = new.id;
    add_outgoing(context, &transaction, company_id, new).await?;
    transaction.commit_quietly().await?;
    Ok(message_id)
}
