//! DELETE /messages/{id} — hides a message from staff, and takes it back from the client where its channel does that.

use conversations::{
    Conversation, ConversationUpdated, DeliveryStatus, Message, MessageDeleted, NOT_AUTHOR, SHOW_PREVIEW, TAKEN_BACK, Written,
    changed_message,
    changing::{self, ASK},
    emit_conversation, emit_message, lock_changeable_message,
};
use futures_util::future::join;
use integrations::ChannelKind;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/messages/{id}").fails(&[NOT_FOUND, NOT_AUTHOR]);

/// What still waits is not sent any more.
const HIDE: &str = changed_message!(
    "with changed as (
        update messages
           set deleted_at = now(),
               deleted_by_id = $2,
               error_code = case when status = 'queued' then 'taken_back' else error_code end,
               status = case when status = 'queued' then 'failed' else status end
         where id = $1 and deleted_at is null
        returning *
    )"
);

/// A message that nobody reads any more.
#[derive(Serialize, JsonSchema)]
struct DeletedMessage {
    #[serde(flatten)]
    message: Message,
    /// Whether the client keeps it on their phone: always, but for what had not been sent yet, and what is on its way to be taken back (`change`).
    client_keeps_copy: bool,
}

pub fn main() {
    serve(&ROUTE, delete_message);
}

async fn delete_message(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Json<DeletedMessage>, Error> {
    let transaction = context.begin(&agent).await?;
    let held = lock_changeable_message(&transaction, &agent, id).await?;
    let (hidden, shown) = join(
        transaction.one::<Written>(HIDE, &[&id, &agent.user_id]),
        transaction.first::<Conversation>(SHOW_PREVIEW, &[&held.conversation.id, &id, &TAKEN_BACK]),
    )
    .await;
    let Written { mut conversation, mut message } = hidden?;
    let change_id = context.new_id();
    let nothing: Option<&str> = None;
    if held.channel_kind == ChannelKind::Evolution
        && let Some(asked) = transaction.first::<Written>(ASK, &[&id, &change_id, &"revoke", &nothing]).await?
    {
        message = asked.message;
        changing::enqueue(&context, &transaction, conversation.id, changing::ChangeAsked { message_id: id, change_id });
    }
    if let Some(shown) = shown? {
        emit_conversation::<ConversationUpdated>(&transaction, agent.company_id, &shown, Some(agent.user_id), None);
        conversation = shown;
    }
    emit_message(&transaction, &conversation, &MessageDeleted { message: message.clone() });
    transaction.audit(id, &json!({"deleted_at": null}), &json!({"deleted_at": message.deleted_at}));
    let client_keeps_copy = message.status != Some(DeliveryStatus::Failed) && message.change.is_none();
    transaction.commit(Json(DeletedMessage { message, client_keeps_copy })).await
}
