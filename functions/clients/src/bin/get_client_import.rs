//! GET /clients/imports/{id} — how far an import of clients is, what came of its rows, and whether it may be undone.

use clients::import::kept::{ClientImport, IMPORT, ImportRow};
use shared::prelude::*;

const ROUTE: Route = Route::get("/clients/imports/{id}").or(&["/client-imports/{id}"]);

pub fn main() {
    serve(&ROUTE, get_client_import);
}

async fn get_client_import(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Json<ClientImport>, Error> {
    let transaction = context.begin(&caller).await?;
    let import: ImportRow = transaction.one(IMPORT, &[&id]).await?;
    Ok(Json(import.into()))
}
