//! POST /me/mentoring/evolution — a mentee tells of a month of theirs, anew where it was told of.

use mentees::{
    evolution::{Evolution, EvolutionInput, save},
    mentee::{MENTORING_ENDED, OWN_PLACE, Place},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/me/mentoring/evolution").fails(&[NOT_FOUND, MENTORING_ENDED]);

pub fn main() {
    serve(&ROUTE, save_my_evolution);
}

async fn save_my_evolution(
    context: Context,
    student: Student,
    Json(input): Json<EvolutionInput>,
) -> Result<Json<Evolution>, Error> {
    let transaction = context.begin(&student).await?;
    let place = transaction.one::<Place>(OWN_PLACE, &[]).await?.goes_on()?;
    save(&context, transaction, student.company_id, &place, input).await
}
