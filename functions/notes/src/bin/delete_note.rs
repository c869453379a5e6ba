//! DELETE /notes/{id} — a note is shown to nobody any more; who took it away, and when, is kept.

use futures_util::future::try_join;
use notes::{HOLD_PLACE, LOCKED_NOTE, NOT_AUTHOR, Note, NoteDeleted, PlacedNote};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/notes/{id}").fails(&[NOT_FOUND, NOT_AUTHOR]);

const DELETE: &str = "update notes set deleted_at = now(), deleted_by_id = app.user_id(), version = version + 1 where id = $1";

pub fn main() {
    serve(&ROUTE, delete_note);
}

async fn delete_note(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&agent).await?;
    let (_, current): (_, PlacedNote) =
        try_join(transaction.query(HOLD_PLACE, &[&id]), transaction.one(LOCKED_NOTE, &[&id])).await?;
    if !current.may_be_changed_by(&agent) {
        return Err(NOT_AUTHOR.into());
    }
    transaction.execute(DELETE, &[&id]).await?;
    let Note { client_id, conversation_id, .. } = current.note;
    current.tell(&transaction, agent.company_id, &NoteDeleted { note_id: id, client_id, conversation_id });
    transaction.audit(id, &current.note, &Value::Null);
    transaction.commit(NoContent).await
}
