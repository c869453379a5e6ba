//! DELETE /conversations/{id}/participants/{member} — somebody follows the conversation no more.

use conversations::{follow, lock};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/conversations/{id}/participants/{member}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, remove_participant);
}

async fn remove_participant(context: Context, agent: Staff, Path((id, user_id)): Path<(Uuid, Uuid)>) -> Result<NoContent, Error> {
    let transaction = context.begin(&agent).await?;
    let held = lock(&transaction, id).await?;
    follow(&transaction, &agent, &held, user_id, false).await?.ok_or(NOT_FOUND)?;
    transaction.commit(NoContent).await
}
