//! POST /leads/{id}/qualify — proposes what is known of budget, authority, need and time, each with the words that it is taken from. The lead stays as
//! it is until somebody confirms it.

use ai::ai_fails;
use leads::{NOTHING_KNOWN, Proposal, propose};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/leads/{id}/qualify").fails(ai_fails!(NOT_FOUND, NOTHING_KNOWN));

reads!(REACHABLE_INSIDE);

pub fn main() {
    serve(&ROUTE, qualify_lead);
}

async fn qualify_lead(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Created<Proposal>, Error> {
    propose(&context, &caller, id).await.map(Created)
}
