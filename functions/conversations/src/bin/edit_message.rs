//! PUT /messages/{id} — other words for a message: of one that the client has, where its channel changes what was sent.

use conversations::{
    CAPTION_TOO_LONG, Conversation, ConversationUpdated, DeliveryStatus, LONGEST_CAPTION, MESSAGE, Message, MessageKind,
    MessageUpdated, NOT_AUTHOR, SHOW_PREVIEW, Written, changed_message,
    changing::{self, ASK},
    emit_conversation, emit_message, lock_changeable_message,
};
use futures_util::future::join;
use integrations::ChannelKind;
use shared::{
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/messages/{id}").or(&["PATCH /messages/{id}", "PUT /whatsapp/messages/{id}"]).fails(&[
    NOT_AUTHOR,
    NOT_FOUND,
    NOT_SUPPORTED_BY_CHANNEL,
    TOO_LATE,
]);

const NOT_SUPPORTED_BY_CHANNEL: Problem = Problem::new(
    409,
    "not_supported_by_channel",
    "O WhatsApp não permite alterar o que já foi enviado.",
    "WhatsApp lets nobody change what was sent.",
)
.showing::<Message>();

const TOO_LATE: Problem = Problem::new(
    409,
    "too_late",
    "O WhatsApp só altera textos que o cliente já tem até 15 minutos depois do envio.",
    "WhatsApp changes texts that the client has until 15 minutes after they were sent.",
)
.showing::<Message>();

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewWords {
    /// A text, or the caption of a file (at most 1024 characters).
    #[garde(length(chars, min = 1, max = 4096))]
    body: String,
}

/// No row when it is on its way, or is of a kind without words of one's own.
const EDIT: &str = changed_message!("with changed as (select * from app.edit_unsent_message($1, $2))");

pub fn main() {
    serve(&ROUTE, edit_message);
}

async fn edit_message(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<NewWords>,
) -> Result<Json<Message>, Error> {
    let transaction = context.begin(&agent).await?;
    let held = lock_changeable_message(&transaction, &agent, id).await?;
    refuse((held.message.kind != MessageKind::Text && input.body.chars().count() > LONGEST_CAPTION).then(|| {
        let [code, portuguese, english] = CAPTION_TOO_LONG;
        FieldProblem::new("body", code, portuguese, english)
    }))?;
    // Of two who edit at once the second finds what the first wrote.
    let (current, edited) = join(transaction.one::<Message>(MESSAGE, &[&id]), transaction.first(EDIT, &[&id, &input.body])).await;
    let current = current?;
    let Some(Written { conversation, message }) = edited? else {
        if current.body == input.body {
            return transaction.commit(Json(current)).await;
        }
        if held.channel_kind != ChannelKind::Evolution {
            return Err(NOT_SUPPORTED_BY_CHANNEL.with_current(&current));
        }
        let change_id = context.new_id();
        let asked: Option<Written> = transaction.first(ASK, &[&id, &change_id, &"edit", &input.body]).await?;
        let Written { conversation, message } = asked.ok_or_else(|| refusal(&current).with_current(&current))?;
        changing::enqueue(&context, &transaction, conversation.id, changing::ChangeAsked { message_id: id, change_id });
        emit_message(&transaction, &conversation, &MessageUpdated { message: message.clone() });
        transaction.audit(id, &json!({"change": null}), &json!({"change": "edit"}));
        return transaction.commit(Json(message)).await;
    };
    emit_message(&transaction, &conversation, &MessageUpdated { message: message.clone() });
    let shown: Option<Conversation> =
        transaction.first(SHOW_PREVIEW, &[&message.conversation_id, &id, &message.preview()]).await?;
    if let Some(shown) = shown {
        emit_conversation::<ConversationUpdated>(&transaction, agent.company_id, &shown, Some(agent.user_id), None);
    }
    transaction.audit(id, &json!({"edited_at": current.edited_at}), &json!({"edited_at": message.edited_at}));
    transaction.commit(Json(message)).await
}

/// Why the client's phone is not to be told of other words: too late for a text that is there, or it is nothing that is changed.
fn refusal(message: &Message) -> Problem {
    let is_there = matches!(message.status, Some(DeliveryStatus::Sent | DeliveryStatus::Delivered | DeliveryStatus::Read));
    if is_there && message.kind == MessageKind::Text { TOO_LATE } else { NOT_SUPPORTED_BY_CHANNEL }
}
