//! POST /ai/respond — an answer out of the knowledge base for what the client has asked, with its sources, or why people should give it.

use ai::{
    MOVED_ON, NOTHING_SAID, TAKEN_OVER,
    answering::{self, Question, Reply},
    asking::PATIENCE,
    thread::Thread,
};
use conversations::{Author, CLIENT_MESSAGE_ID_REUSED, Content, MessageKind, NewMessage, add_outgoing};
use futures_util::future::try_join4;
use knowledge::search::Audience;
use shared::{
    ai::{self as models, About},
    error::NOT_FOUND,
    prelude::*,
};

const ROUTE: Route = Route::post("/ai/respond").fails(&[NOT_FOUND, CLIENT_MESSAGE_ID_REUSED, MOVED_ON, NOTHING_SAID, TAKEN_OVER]);

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
    /// Of what is sent. Who asks again with it, not having seen the answer, is told what was sent, and nothing is sent twice.
    #[garde(length(chars, min = 1, max = 100))]
    client_message_id: Option<String>,
}

/// What came of a question, and whether the client has it.
#[derive(Serialize, JsonSchema)]
struct Responded {
    #[serde(flatten)]
    reply: Reply,
    /// The message that was sent.
    message_id: Option<Uuid>,
}

const FENCE: &str = "select version, last_message_id from conversations where id = $1 and mode = 'bot' and ended_at is null";

/// How the conversation was when the question was read.
#[derive(FromRow)]
struct Fence {
    version: i32,
    last_message_id: Option<Uuid>,
}

const SENT: &str = "
    select id, conversation_id, sender_type, body from messages where client_message_id = $1";

/// What was sent under this id.
#[derive(FromRow)]
struct Sent {
    id: Uuid,
    conversation_id: Uuid,
    sender_type: Author,
    body: String,
}

/// Whoever moved the conversation meanwhile has the word, and whoever wrote in it.
const STILL: &str = "
    update conversations set bot_answered = inbound_count
     where id = $1 and version = $2 and last_message_id is not distinct from $3 and mode = 'bot' and ended_at is null
    returning id";

pub fn main() {
    serve(&ROUTE, ai_respond);
}

async fn ai_respond(context: Context, agent: Staff, Json(input): Json<RespondInput>) -> Result<Json<Responded>, Error> {
    let transaction = context.begin(&agent).await?;
    let own_id = input.client_message_id.filter(|_| input.send);
    let (thread, settings, fence, sent): (_, _, Option<Fence>, Option<Sent>) = try_join4(
        Thread::read(&transaction, input.conversation_id),
        models::settings(&transaction),
        transaction.first(FENCE, &[&input.conversation_id]),
        transaction.first(SENT, &[&own_id]),
    )
    .await?;
    if let Some(sent) = sent {
        let is_it = sent.conversation_id == thread.id && sent.sender_type == Author::Bot;
        return if is_it { Ok(Json(sent.into())) } else { Err(CLIENT_MESSAGE_ID_REUSED.into()) };
    }
    let fence = fence.filter(|_| input.send);
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
        once: None,
    };
    let audience = if input.send { Audience::Bot } else { Audience::Agents };
    let reply = answering::answer(&context, &settings, Question { about, thread: &thread, words: &words }, audience).await?;
    let message_id = match (fence, &reply.text) {
        (Some(fence), Some(text)) => Some(send(&context, agent.company_id, (thread.id, &fence), (text, own_id)).await?),
        _ => None,
    };
    Ok(Json(Responded { reply, message_id }))
}

impl From<Sent> for Responded {
    fn from(Sent { id, body, .. }: Sent) -> Self {
        let reply = Reply {
            run_id: None,
            text: Some(body),
            sources: Vec::new(),
            confidence: None,
            doubt: None,
            detail: None,
            summary: None,
        };
        Self { reply, message_id: Some(id) }
    }
}

async fn send(
    context: &Context,
    company_id: Uuid,
    (id, fence): (Uuid, &Fence),
    (text, client_message_id): (&str, Option<String>),
) -> Result<Uuid, Error> {
    let transaction = context.begin_system(company_id).await?;
    if transaction.query(STILL, &[&id, &fence.version, &fence.last_message_id]).await?.is_empty() {
        let now: Option<Fence> = transaction.first(FENCE, &[&id]).await?;
        let is_taken = now.is_none_or(|now| now.version != fence.version);
        return Err(if is_taken { TAKEN_OVER } else { MOVED_ON }.into());
    }
    let content = Content { kind: MessageKind::Text, body: text.to_owned(), payload: json!({}), file_id: None };
    let new = NewMessage {
        id: context.new_id(),
        conversation_id: id,
        sender_type: Author::Bot,
        sender_id: None,
        content,
        reply_to_id: None,
        client_message_id,
        is_reply: false,
    };
    let message_id = new.id;
    add_outgoing(context, &transaction, company_id, new).await?.ok_or(CLIENT_MESSAGE_ID_REUSED)?;
    transaction.commit_quietly().await?;
    Ok(message_id)
}
