//! GET /mentees/{id}/feedback — what a mentee has said of the mentoring.

use futures_util::future::join;
use mentees::{
    feedback::{FEEDBACK, Feedback},
    mentee::{PLACE, Place},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/mentees/{id}/feedback").or(&["/mentorados/{id}/feedback"]).fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, list_mentee_feedback);
}

async fn list_mentee_feedback(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    asked: List,
) -> Result<Page<Feedback>, Error> {
    let transaction = context.begin(&agent).await?;
    let (place, rows) =
        join(transaction.one::<Place>(PLACE, &[&id]), transaction.list::<Feedback, _>(&FEEDBACK, &asked, &[&id])).await;
    place?;
    Ok(asked.page(rows?, |row: &Feedback| (row.created_at, row.id)))
}
