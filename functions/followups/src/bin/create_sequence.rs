//! POST /followups/sequences — makes a sequence; one that is active takes in whoever meets its criteria at once.

use followups::{
    enrol::{MANY_LEADS, enroll_later},
    sequence::{NAME_TAKEN, Sequence, SequenceCreated, UNKNOWN_CHANNEL},
    settings::{NewSequence, write},
    switching::expect_few,
};
use shared::prelude::*;

const ROUTE: Route =
    Route::post("/followups/sequences").or(&["/followup/sequences"]).fails(&[NAME_TAKEN, UNKNOWN_CHANNEL, MANY_LEADS]);

pub fn main() {
    serve(&ROUTE, create_sequence);
}

async fn create_sequence(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewSequence>,
) -> Result<Created<Sequence>, Error> {
    let is_confirmed = input.confirm;
    let settings = input.settings()?;
    let transaction = context.begin(&caller).await?;
    let id = context.new_id();
    if settings.is_active {
        expect_few(&transaction, id, &settings, is_confirmed).await?;
    }
    let sequence = write(&transaction, id, &settings, true).await?;
    if sequence.is_active {
        enroll_later(&context, &transaction, id);
    }
    transaction.tell_staff(&SequenceCreated { sequence: &sequence });
    transaction.audit(id, &Value::Null, &sequence);
    transaction.commit(Created(sequence)).await
}
