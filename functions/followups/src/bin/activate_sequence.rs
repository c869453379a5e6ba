//! POST /followups/sequences/{id}/activate — a sequence runs: who was paused with it goes on, and whoever meets its criteria is taken in.

use followups::{
    enrol::MANY_LEADS,
    sequence::{LOCKED_SEQUENCE, Sequence, SequenceUpdated},
    settings::{Settings, write},
    switching::{expect_few, follow},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/followups/sequences/{id}/activate").fails(&[NOT_FOUND, MANY_LEADS]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FollowupActivation")]
struct Activation {
    /// That more than 500 leads are taken in at once is meant.
    #[garde(skip)]
    #[serde(default)]
    confirm: bool,
}

pub fn main() {
    serve(&ROUTE, activate_sequence);
}

async fn activate_sequence(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    Json(input): Json<Activation>,
) -> Result<Json<Sequence>, Error> {
    let transaction = context.begin(&caller).await?;
    let current: Sequence = transaction.one(LOCKED_SEQUENCE, &[&id]).await?;
    if current.is_active {
        return transaction.commit(Json(current)).await;
    }
    let settings = Settings { is_active: true, ..Settings::of(&current) };
    expect_few(&transaction, id, &settings, input.confirm).await?;
    let sequence = write(&transaction, id, &settings, false).await?;
    follow(&context, &transaction, id, false, true).await?;
    transaction.tell_staff(&SequenceUpdated { sequence: &sequence });
    transaction.audit(id, &current, &sequence);
    transaction.commit(Json(sequence)).await
}
