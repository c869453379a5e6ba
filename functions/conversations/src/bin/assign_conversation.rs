//! POST /conversations/{id}/assign — gives it to somebody, whoever has it, or takes it back to its queue.

use conversations::{CONVERSATION, CONVERSATION_CLOSED, Conversation, Destination, INVALID_TARGET, Mode, lock, transfer};
use futures_util::future::try_join;
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/assign").fails(&[CONVERSATION_CLOSED, INVALID_TARGET]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewHolder {
    /// Nobody: it waits in its department again.
    #[garde(skip)]
    assignee_id: Option<Uuid>,
    #[garde(length(chars, max = 500))]
    reason: Option<String>,
}

pub fn main() {
    serve(&ROUTE, assign_conversation);
}

async fn assign_conversation(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    Json(input): Json<NewHolder>,
) -> Result<Json<Conversation>, Error> {
    let NewHolder { assignee_id, reason } = input;
    let to = Destination { user_id: assignee_id, department_id: None, reason };
    let transaction = context.begin(&caller).await?;
    let (held, name) = try_join(lock(&transaction, id), to.name(&transaction)).await?;
    if held.is_closed() {
        return Err(held.refuse(&transaction, CONVERSATION_CLOSED).await);
    }
    if held.assignee_id == assignee_id && held.mode == Mode::Human {
        let current: Conversation = transaction.one(CONVERSATION, &[&id]).await?;
        return transaction.commit(Json(current)).await;
    }
    let conversation = transfer(&context, &transaction, &caller, &held, to, name).await?;
    transaction.commit(Json(conversation)).await
}
