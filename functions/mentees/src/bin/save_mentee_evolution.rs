//! POST /mentees/{id}/evolution — figures of a month, new or told anew; what was told before is kept.

use mentees::{
    evolution::{Evolution, EvolutionInput, save},
    mentee::{PLACE, Place},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/mentees/{id}/evolution").or(&["POST /mentorados/{id}/evolution"]).fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, save_mentee_evolution);
}

async fn save_mentee_evolution(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<EvolutionInput>,
) -> Result<Json<Evolution>, Error> {
    let transaction = context.begin(&agent).await?;
    let place: Place = transaction.one(PLACE, &[&id]).await?;
    save(&context, transaction, agent.company_id, &place, input).await
}
