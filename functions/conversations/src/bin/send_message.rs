//! POST /messages — an agent answers the client.

use conversations::{
    Attachments, Author, BOT_MODE, CLIENT_BLOCKED, CONVERSATION_CLOSED, FILE_NOT_READY, HeldConversation, Message, NOT_HOLDER,
    NOT_TAKEN, NewMessage, SendMessage, TemplateRow, WINDOW_CLOSED, add_outgoing, check_attachments, lock, may_send,
    message_columns, message_joins, template_columns,
};
use futures_util::future::join4;
use shared::{error::NOT_FOUND, parameters, prelude::*};

const ROUTE: Route = Route::post("/messages").fails(&[
    BOT_MODE,
    CLIENT_BLOCKED,
    CONVERSATION_CLOSED,
    FILE_NOT_READY,
    NOT_FOUND,
    NOT_HOLDER,
    NOT_TAKEN,
    WINDOW_CLOSED,
    CLIENT_MESSAGE_ID_REUSED,
]);

reads!(PUBLIC_API_URL);

const CLIENT_MESSAGE_ID_REUSED: Problem = Problem::new(
    422,
    "client_message_id_reused",
    "Este client_message_id já foi usado em outra mensagem.",
    "This client_message_id was already used for another message.",
);

const SENT_BEFORE: &str =
    concat!("select ", message_columns!(), " from messages ", message_joins!(), " where messages.client_message_id = $1");

/// The file and the answered message, as far as this caller sees them.
const ATTACHMENTS: &str = "
    select (select status from files where id = $1) as file_status,
           (select mime_type from files where id = $1) as mime_type,
           (select id from messages where id = $2 and conversation_id = $3) as reply_to_id";

const TEMPLATE: &str = concat!(
    "select ",
    template_columns!(),
    " from conversations
      join message_templates on message_templates.channel_account_id = conversations.channel_account_id
     where conversations.id = $1 and message_templates.name = $2 and message_templates.language = $3"
);

const ATTACH_FILE: &str = "update files set conversation_id = $2 where id = $1 and conversation_id is null";

/// Locked, so that one that goes meanwhile is not named.
const USE_QUICK_REPLY: &str = "
    with reply as materialized (select id from quick_replies where id = $2 for no key update)
    insert into quick_reply_uses (message_id, quick_reply_id) select $1, id from reply on conflict do nothing";

pub fn main() {
    serve(&ROUTE, send_message);
}

async fn send_message(
    context: Context,
    agent: Staff,
    IdempotencyKey(key): IdempotencyKey,
    Json(input): Json<SendMessage>,
) -> Result<Created<Message>, Error> {
    let (client_message_id, file_id) = (input.own_id(&context, &agent, key), input.file());
    let transaction = context.begin(&agent).await?;
    // The lock comes first: what the other one of two at once has sent is there to be found.
    let template = async {
        let Some(asked) = &input.template else { return Ok(None) };
        transaction.first::<TemplateRow>(TEMPLATE, &[&input.conversation_id, &asked.name, &asked.language()]).await
    };
    let (held, attachments, sent_before, template) = join4(
        lock(&transaction, input.conversation_id),
        transaction.one(ATTACHMENTS, &[&file_id, &input.reply_to_id, &input.conversation_id]),
        transaction.first::<Message>(SENT_BEFORE, &[&client_message_id]),
        template,
    )
    .await;
    let (held, attachments): (HeldConversation, Attachments) = (held?, attachments?);
    if let Some(message) = sent_before? {
        return if input.is_of(&agent, &held, &message) { Ok(Created(message)) } else { Err(CLIENT_MESSAGE_ID_REUSED.into()) };
    }
    if let Err(problem) = may_send(context.now(), &agent, &held, input.kind.into()) {
        return Err(held.refuse(&transaction, problem).await);
    }
    let content = input.content(template?.as_ref())?;
    check_attachments(&input, &attachments, &content)?;
    if let Some(file_id) = file_id {
        transaction.defer(ATTACH_FILE, parameters![file_id, input.conversation_id]);
    }
    let new = NewMessage {
        id: context.new_id(),
        conversation_id: input.conversation_id,
        sender_type: Author::Agent,
        sender_id: Some(agent.user_id),
        content,
        reply_to_id: input.reply_to_id,
        client_message_id: Some(client_message_id),
        is_reply: true,
    };
    // Only a message out of this caller's sight is in the way now.
    let (_, message) = add_outgoing(&context, &transaction, agent.company_id, new).await?.ok_or(CLIENT_MESSAGE_ID_REUSED)?;
    if let Some(quick_reply_id) = input.quick_reply_id {
        transaction.defer(USE_QUICK_REPLY, parameters![message.id, quick_reply_id]);
    }
    transaction.audit(message.id, &Value::Null, &Value::Null);
    transaction.commit(Created(message)).await
}
