//! GET /mentees/{id}/evolution — all months of a mentee, the first one first, each with its growth.

use futures_util::future::join;
use mentees::{
    evolution::{EVOLUTIONS, Evolution, EvolutionRow, compared},
    mentee::{PLACE, Place},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/mentees/{id}/evolution").or(&["/mentorados/{id}/evolution"]).fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, list_mentee_evolution);
}

async fn list_mentee_evolution(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Page<Evolution>, Error> {
    let transaction = context.begin(&agent).await?;
    let (place, rows) = join(transaction.one::<Place>(PLACE, &[&id]), transaction.all::<EvolutionRow>(EVOLUTIONS, &[&id])).await;
    let place = place?;
    Ok(Page::whole(compared(rows?, place.entry_month)))
}
