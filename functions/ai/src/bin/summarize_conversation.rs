//! POST /whatsapp/conversations/{id}/summary — sums a conversation up for whoever takes it over.

use ai::{
    NOTHING_SAID, ai_fails,
    insights::{Insight, Kind},
    made,
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/conversations/{id}/summary").fails(ai_fails!(NOT_FOUND, NOTHING_SAID));

reads!(REACHABLE_INSIDE);

pub fn main() {
    serve(&ROUTE, summarize_conversation);
}

async fn summarize_conversation(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Created<Insight>, Error> {
    made(&context, &agent, id, Kind::Summary).await.map(Created)
}
