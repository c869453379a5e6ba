//! GET /leads/imports/{id} — how far an import of leads is, what came of its rows, and whether it may be undone.

use clients::import::{
    kept::{ImportRow, TableImport},
    run::Incoming,
};
use leads::import::ImportedLeads;
use shared::prelude::*;

const ROUTE: Route = Route::get("/leads/imports/{id}");

pub fn main() {
    serve(&ROUTE, get_lead_import);
}

async fn get_lead_import(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Json<TableImport>, Error> {
    let transaction = context.begin(&caller).await?;
    let import: ImportRow = transaction.one(ImportedLeads::STATEMENTS.one, &[&id]).await?;
    Ok(Json(import.into()))
}
