//! PUT /followups/sequences/{id} — changes a sequence; what is not given stays. Leads on their way go on by what it says then.

use followups::{
    enrol::MANY_LEADS,
    sequence::{LOCKED_SEQUENCE, NAME_TAKEN, Sequence, SequenceUpdated, UNKNOWN_CHANNEL},
    settings::{SequenceData, Settings, write},
    switching::{expect_few, follow},
};
use shared::{
    error::{NOT_FOUND, STALE},
    prelude::*,
};

const ROUTE: Route = Route::put("/followups/sequences/{id}").fails(&[
    NOT_FOUND,
    NAME_TAKEN,
    UNKNOWN_CHANNEL,
    MANY_LEADS,
    STALE.showing::<Sequence>(),
]);

pub fn main() {
    serve(&ROUTE, update_sequence);
}

async fn update_sequence(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<SequenceData>,
) -> Result<Json<Sequence>, Error> {
    let transaction = context.begin(&caller).await?;
    let current: Sequence = transaction.one(LOCKED_SEQUENCE, &[&id]).await?;
    if_match.check(&current)?;
    let (was, is_confirmed) = (Settings::of(&current), input.confirm);
    let settings = input.over(was.clone())?;
    if settings == was {
        return transaction.commit(Json(current)).await;
    }
    if settings.is_active && (!was.is_active || settings.criteria != was.criteria) {
        expect_few(&transaction, id, &settings, is_confirmed).await?;
    }
    let sequence = write(&transaction, id, &settings, false).await?;
    if (was.is_active, &was.criteria) != (settings.is_active, &settings.criteria) {
        follow(&context, &transaction, id, was.is_active, settings.is_active).await?;
    }
    transaction.tell_staff(&SequenceUpdated { sequence: &sequence });
    transaction.audit(id, &current, &sequence);
    transaction.commit(Json(sequence)).await
}
