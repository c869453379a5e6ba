//! Staff write first: the client's open conversation on a number is found, or one begins.

use futures_util::future::try_join;
use shared::{
    error::{FieldProblem, INTERNAL, NOT_FOUND, refuse},
    files::QUARANTINED,
    prelude::*,
};

use crate::{
    ALREADY_OPEN, AllowedTemplate, Answerable, BOT_MODE, CHANNEL_REMOVED, CLIENT_BLOCKED, CLIENT_MESSAGE_ID_REUSED, CONVERSATION,
    Conversation, ConversationCreated, FILE_NOT_READY, Message, MessageToSend, NOT_HOLDER, NOT_TAKEN, SentBefore, SystemMessage,
    WINDOW_CLOSED, add_system_message, allowed_templates, emit_conversation, lock, phone::Phone,
};

/// `window_closed` where there may be no conversation yet.
pub const NO_TEXT_OUTSIDE: Problem = WINDOW_CLOSED.showing::<OnlyTemplates>();

/// What `begin` may answer.
pub const BEGIN_FAILS: [Problem; 10] = [
    ALREADY_OPEN,
    BOT_MODE,
    CHANNEL_REMOVED,
    CLIENT_BLOCKED,
    FILE_NOT_READY,
    NOT_HOLDER,
    NOT_TAKEN,
    NO_TEXT_OUTSIDE,
    QUARANTINED,
    CLIENT_MESSAGE_ID_REUSED,
];

const START: &str = "select * from app.start_conversation($1, $2, $3, $4, $5, $6, $7)";

/// A row when client `$1` is the named one, who may have become them, or has the phone.
const IS_RECIPIENT: &str = "
    select from clients where id = $2 and $1::uuid in (id, merged_into_id)
     union all
    select from client_identities where client_id = $1 and kind = 'phone' and value = $3";

/// What may be sent to a client who wrote too long ago.
#[derive(Debug, Serialize, JsonSchema)]
struct OnlyTemplates {
    /// Templates that may be sent instead, by name; the first hundred.
    allowed_templates: Vec<AllowedTemplate>,
}

/// Whom staff write to, and by which number.
#[derive(Debug)]
pub struct Recipient {
    pub client_id: Option<Uuid>,
    /// In place of `client_id`; of nobody's a client is made.
    pub phone: Option<Phone>,
    /// What a client is called who is made.
    pub name: Option<String>,
    /// The company's only active number without it.
    pub channel_account_id: Option<Uuid>,
}

/// Either the conversation or a refusal.
#[derive(Debug, FromRow)]
struct Found {
    conversation_id: Option<Uuid>,
    client_id: Option<Uuid>,
    channel_account_id: Option<Uuid>,
    is_new: bool,
    refusal: Option<String>,
}

/// What became of it.
#[derive(Debug)]
pub struct Begun {
    pub conversation: Conversation,
    pub message: Option<Message>,
    /// The conversation began now.
    pub is_new: bool,
    /// The message was sent before: there is nothing to commit.
    pub is_repeated: bool,
}

impl Begun {
    /// By a message that was sent already.
    async fn before(transaction: &Transaction, message: Message) -> Result<Self, Error> {
        let conversation = transaction.one(CONVERSATION, &[&message.conversation_id]).await?;
        Ok(Self { conversation, message: Some(message), is_new: false, is_repeated: true })
    }
}

/// Finds the open conversation or begins one that the caller holds, and sends the message with its caller's own id, if there is one.
///
/// # Errors
/// What keeps the caller from it; `already_open` when the conversation is out of their sight.
pub async fn begin(
    context: &Context,
    transaction: &Transaction,
    agent: &Identity,
    to: &Recipient,
    message: Option<(&MessageToSend, String)>,
) -> Result<Begun, Error> {
    let Recipient { client_id, phone, name, channel_account_id } = to;
    let number = phone.as_deref();
    let shown = name.clone().or_else(|| number.map(shared::phone::e164));
    let (new_id, new_client) = (context.new_id(), context.new_id());
    let found: Found =
        transaction.one(START, &[&new_id, &new_client, client_id, &number, &shown, &name.is_some(), channel_account_id]).await?;
    if let Some(refusal) = &found.refusal {
        let sent = match &message {
            Some((input, own_id)) => sent_to(transaction, agent, to, input, own_id).await?,
            None => None,
        };
        let Some(message) = sent else { return Err(refused(refusal, to)) };
        return Begun::before(transaction, message).await;
    }
    let id = found.conversation_id.ok_or_else(|| INTERNAL.caused_by("neither a conversation nor a refusal"))?;
    let is_new = found.is_new;
    let elsewhere = |error: Error| if error.problem() == NOT_FOUND { ALREADY_OPEN.into() } else { error };
    let named = [&id as &(dyn tokio_postgres::types::ToSql + Sync)];
    let current = transaction.one::<Conversation>(CONVERSATION, &named);
    let Some((input, own_id)) = message else {
        let (_, conversation) = try_join(lock(transaction, id), current).await.map_err(elsewhere)?;
        note(context, transaction, agent, &conversation, is_new);
        return Ok(Begun { conversation, message: None, is_new, is_repeated: false });
    };
    let (mut ready, conversation) =
        try_join(Answerable::read(transaction, id, input, &own_id), current).await.map_err(elsewhere)?;
    if let Some(sent) = ready.sent_before.take() {
        let is_there = (Some(sent.client_id), Some(sent.channel_account_id)) == (found.client_id, found.channel_account_id);
        let message = sent.again(agent, input, is_there)?;
        return Begun::before(transaction, message).await;
    }
    match ready.judge(context, agent, input) {
        Err(problem) if problem == WINDOW_CLOSED => {
            let allowed_templates = allowed_templates(transaction, conversation.channel_account_id).await?;
            return Err(NO_TEXT_OUTSIDE.with_current(&OnlyTemplates { allowed_templates }));
        }
        Err(problem) => return Err(problem.with_current(&conversation)),
        Ok(()) => {}
    }
    note(context, transaction, agent, &conversation, is_new);
    let (conversation, message) = ready.answer(context, transaction, agent, input, own_id).await?;
    Ok(Begun { conversation, message: Some(message), is_new, is_repeated: false })
}

/// What this request has sent before the recipient could not be written to any more.
async fn sent_to(
    transaction: &Transaction,
    agent: &Identity,
    to: &Recipient,
    input: &MessageToSend,
    own_id: &str,
) -> Result<Option<Message>, Error> {
    let Some(sent) = SentBefore::find(transaction, own_id).await? else { return Ok(None) };
    let is_channel = to.channel_account_id.is_none_or(|account| account == sent.channel_account_id);
    let rows = transaction.query(IS_RECIPIENT, &[&sent.client_id, &to.client_id, &to.phone.as_deref()]).await?;
    Ok(sent.again(agent, input, is_channel && !rows.is_empty()).ok())
}

/// Tells of one that began.
fn note(context: &Context, transaction: &Transaction, agent: &Identity, conversation: &Conversation, is_new: bool) {
    if !is_new {
        return;
    }
    emit_conversation::<ConversationCreated>(transaction, agent.company_id, conversation, Some(agent.user_id), None);
    let name = conversation.assignee_name.as_deref().unwrap_or_default();
    let line = SystemMessage {
        text: format!("{name} iniciou a conversa."),
        payload: json!({"act": "started", "by_user_id": agent.user_id}),
    };
    add_system_message(context, transaction, conversation, line);
    let after = json!({"client_id": conversation.client_id, "channel_account_id": conversation.channel_account_id});
    transaction.audit(conversation.id, &Value::Null, &after);
}

fn refused(refusal: &str, to: &Recipient) -> Error {
    let known_by = if to.client_id.is_some() { "client_id" } else { "phone" };
    let (field, portuguese, english) = match refusal {
        "client_blocked" => return CLIENT_BLOCKED.into(),
        "unknown_client" => (known_by, "Cliente não encontrado.", "Client not found."),
        "no_phone" => (
            known_by,
            "Este cliente não tem telefone, nem o id pelo qual este canal o alcançaria.",
            "This client has neither a phone nor the id that this channel would reach them by.",
        ),
        "unknown_channel" => ("channel_account_id", "Número não encontrado.", "Number not found."),
        "channel_disabled" => ("channel_account_id", "Este número está desativado.", "This number is disabled."),
        "channel_required" => ("channel_account_id", "Escolha de qual número enviar.", "Choose the number to send from."),
        other => return INTERNAL.caused_by(format!("no such refusal: {other}")),
    };
    refuse([FieldProblem::new(field, refusal, portuguese, english)]).err().unwrap_or_else(|| INTERNAL.into())
}
