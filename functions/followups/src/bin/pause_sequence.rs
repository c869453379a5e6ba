//! POST /followups/sequences/{id}/pause — a sequence does not run until it is activated again; nobody is taken in, no step is done.

use followups::{
    sequence::{LOCKED_SEQUENCE, Sequence, SequenceUpdated},
    settings::{Settings, write},
    switching::follow,
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/followups/sequences/{id}/pause").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, pause_sequence);
}

async fn pause_sequence(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Json<Sequence>, Error> {
    let transaction = context.begin(&caller).await?;
    let current: Sequence = transaction.one(LOCKED_SEQUENCE, &[&id]).await?;
    if !current.is_active {
        return transaction.commit(Json(current)).await;
    }
    let settings = Settings { is_active: false, ..Settings::of(&current) };
    let sequence = write(&transaction, id, &settings, false).await?;
    follow(&context, &transaction, id, true, false).await?;
    transaction.tell_staff(&SequenceUpdated { sequence: &sequence });
    transaction.audit(id, &current, &sequence);
    transaction.commit(Json(sequence)).await
}
