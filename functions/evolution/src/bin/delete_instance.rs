//! DELETE /whatsapp/instances/{id} — removes an instance at its server and here. What was said by it stays.

use std::time::Duration;

use conversations::removal::{OpenConversations, Removed, close_and_remove, reopen, shut};
use evolution::{Instance, Known, SERVER_FAILS, instance::INSTANCE, remove_there};
use shared::{
    error::{INTERNAL, NOT_FOUND},
    prelude::*,
};

const ROUTE: Route = Route::delete("/whatsapp/instances/{id}").limit(20, Duration::from_mins(1)).fails(&[
    NOT_FOUND,
    SERVER_FAILS[0],
    SERVER_FAILS[1],
    SERVER_FAILS[3],
]);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    #[garde(skip)]
    conversations: OpenConversations,
    /// Removes it here although its server does not answer or refuses the key, where it then stays.
    #[garde(skip)]
    force: Option<bool>,
}

pub fn main() {
    serve(&ROUTE, delete_instance);
}

async fn delete_instance(
    context: Context,
    caller: SteppedUp<Admin>,
    Path(id): Path<Uuid>,
    Query(wish): Query<Wish>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let known = Known::read(&context, &transaction, caller.company_id, Some(&ids), 1).await?;
    let known = known.into_iter().next().ok_or(NOT_FOUND)?;
    let instance: Instance = transaction.one(INSTANCE, &[&id]).await?;
    shut(&transaction, id).await?;
    transaction.commit_unaudited().await?;
    let was_removed_there = match remove_there(&context, &known, wish.force.unwrap_or_default()).await {
        Ok(was_removed) => was_removed,
        Err(error) => {
            reopen(&context, &caller, id, instance.status).await?;
            return Err(error);
        }
    };
    let wanted = (Some(wish.conversations), "Instância removida");
    let removed = close_and_remove(&context, &caller, id, wanted).await?;
    let Removed { transaction, closed, .. } =
        removed.map_err(|_| INTERNAL.caused_by("what becomes of open conversations was said"))?;
    transaction.audit(id, &instance, &json!({"was_removed_there": was_removed_there, "conversations_closed": closed}));
    transaction.commit(NoContent).await
}
