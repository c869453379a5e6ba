//! GET /followups/sequences — sequences, newest first; those that run alone, where they are asked for.

use followups::{sequence::Sequence, sequence_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/followups/sequences").or(&["/followup/sequences"]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    is_active: Option<bool>,
}

const SEQUENCES: TimeList = TimeList {
    rows: "select * from followup_sequences where deleted_at is null and ($1::boolean is null or is_active = $1)",
    at: "followup_sequences.created_at",
    id: "followup_sequences.id",
    shown: concat!("select ", sequence_columns!(), " from page followup_sequences"),
};

pub fn main() {
    serve(&ROUTE, list_sequences);
}

async fn list_sequences(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<Sequence>, Error> {
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&SEQUENCES, &asked, &[&asked.filters.is_active]).await?;
    Ok(asked.page(rows, |sequence: &Sequence| (sequence.created_at, sequence.id)))
}
