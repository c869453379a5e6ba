//! DELETE /followups/sequences/{id} — a sequence is no more; who was on the way through it goes no further.

use followups::sequence::{LOCKED_SEQUENCE, Sequence, SequenceDeleted};
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/followups/sequences/{id}").fails(&[NOT_FOUND]);

const DELETE: &str = "
    update followup_sequences set deleted_at = now(), is_active = false, version = version + 1, updated_at = now() where id = $1";

const CANCEL: &str = "
    update followup_executions
       set status = 'cancelled', reason = 'sequence_deleted', finished_at = now(), next_run_at = null
     where sequence_id = $1 and finished_at is null";

pub fn main() {
    serve(&ROUTE, delete_sequence);
}

async fn delete_sequence(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let current: Sequence = transaction.one(LOCKED_SEQUENCE, &[&id]).await?;
    try_join(transaction.execute(DELETE, &[&id]), transaction.execute(CANCEL, &[&id])).await?;
    transaction.tell_staff(&SequenceDeleted { sequence_id: id });
    transaction.audit(id, &current, &Value::Null);
    transaction.commit(NoContent).await
}
