//! POST /mentees/{id}/feedback — what a mentee thinks, as staff were told; an overall of 5 or less tells the mentor and opens a task.

use mentees::{
    feedback::{Feedback, MenteeFeedbackInput, add},
    mentee::{PLACE, Place},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/mentees/{id}/feedback").or(&["POST /mentorados/{id}/feedback"]).fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, add_mentee_feedback);
}

async fn add_mentee_feedback(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<MenteeFeedbackInput>,
) -> Result<Created<Feedback>, Error> {
    let transaction = context.begin(&agent).await?;
    let place: Place = transaction.one(PLACE, &[&id]).await?;
    add(&context, transaction, agent.company_id, &place, input).await
}
