//! GET /knowledge/synonyms — words that mean the same in this company.

use knowledge::synonyms::{KnowledgeSynonyms, Row, SYNONYMS};
use shared::prelude::*;

const ROUTE: Route = Route::get("/knowledge/synonyms");

pub fn main() {
    serve(&ROUTE, get_knowledge_synonyms);
}

async fn get_knowledge_synonyms(context: Context, caller: Staff) -> Result<Json<KnowledgeSynonyms>, Error> {
    let transaction = context.begin(&caller).await?;
    let row: Option<Row> = transaction.first(SYNONYMS, &[]).await?;
    Ok(Json(row.into()))
}
