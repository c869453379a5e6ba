//! GET /conversations/{id}/participants — the staff who follow the conversation.

use conversations::{IS_SEEN, PARTICIPANTS, Participant};
use futures_util::future::join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/conversations/{id}/participants").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, list_participants);
}

async fn list_participants(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Page<Participant>, Error> {
    let transaction = context.begin(&agent).await?;
    let nobody: Option<Uuid> = None;
    let (seen, rows) = join(transaction.query(IS_SEEN, &[&id]), transaction.all(PARTICIPANTS, &[&id, &nobody])).await;
    if seen?.is_empty() {
        return Err(NOT_FOUND.into());
    }
    Ok(Page::whole(rows?))
}
