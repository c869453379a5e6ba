//! GET /leads/{id}/interactions — what was done with a lead, the newest first.

use futures_util::future::try_join;
use leads::{Interaction, LEAD, Lead, interaction_columns};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/leads/{id}/interactions").or(&["/leads/{id}/activities"]).fails(&[NOT_FOUND]);

const INTERACTIONS: TimeList = TimeList {
    rows: "select * from lead_interactions where lead_id = $1",
    at: "lead_interactions.at",
    id: "lead_interactions.id",
    shown: concat!("select ", interaction_columns!(), " from page lead_interactions"),
};

pub fn main() {
    serve(&ROUTE, list_lead_interactions);
}

async fn list_lead_interactions(context: Context, caller: Staff, Path(id): Path<Uuid>, asked: List) -> Result<Page<Interaction>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, rows): (Lead, Vec<Interaction>) =
        try_join(transaction.one(LEAD, &[&id]), transaction.list(&INTERACTIONS, &asked, &[&id])).await?;
    Ok(asked.page(rows, |interaction: &Interaction| (interaction.at, interaction.id)))
}
