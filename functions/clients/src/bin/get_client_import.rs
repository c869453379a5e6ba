//! GET /clients/imports/{id} — how far an import of clients is, what came of its rows, and whether it may be undone.

use clients::import::{
    kept::{ImportRow, TableImport},
    page::Clients,
    run::Incoming,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/clients/imports/{id}").or(&["/client-imports/{id}"]);

pub fn main() {
    serve(&ROUTE, get_client_import);
}

async fn get_client_import(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Json<TableImport>, Error> {
    let transaction = context.begin(&caller).await?;
    let import: ImportRow = transaction.one(Clients::STATEMENTS.one, &[&id]).await?;
    Ok(Json(import.into()))
}
