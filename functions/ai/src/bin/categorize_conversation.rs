//! POST /whatsapp/conversations/{id}/categorize — says which of the company's categories a conversation is of.

use ai::{
    NOTHING_SAID, ai_fails,
    insights::{Insight, Kind},
    made,
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/conversations/{id}/categorize").fails(ai_fails!(NOT_FOUND, NOTHING_SAID));

reads!(REACHABLE_INSIDE);

pub fn main() {
    serve(&ROUTE, categorize_conversation);
}

async fn categorize_conversation(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Created<Insight>, Error> {
    made(&context, &agent, id, Kind::Category).await.map(Created)
}
