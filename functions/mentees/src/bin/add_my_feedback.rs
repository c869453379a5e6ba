//! POST /me/mentoring/feedback — what a mentee thinks of the mentoring; an overall of 5 or less tells the mentor.

use mentees::{
    feedback::{Feedback, MenteeFeedbackInput, add},
    mentee::{MENTORING_ENDED, OWN_PLACE, Place},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/me/mentoring/feedback").fails(&[NOT_FOUND, MENTORING_ENDED]);

pub fn main() {
    serve(&ROUTE, add_my_feedback);
}

async fn add_my_feedback(
    context: Context,
    student: Student,
    _: IdempotencyKey,
    Json(input): Json<MenteeFeedbackInput>,
) -> Result<Created<Feedback>, Error> {
    let transaction = context.begin(&student).await?;
    let place = transaction.one::<Place>(OWN_PLACE, &[]).await?.goes_on()?;
    add(&context, transaction, student.company_id, &place, input).await
}
