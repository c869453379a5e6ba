//! POST /clients/imports/{id}/undo — takes back what an import did, as a long job: who was made by it and is nobody's since goes, who was changed by
//! it is as before where nobody has changed them since.

use clients::import::{
    kept::{IMPORT_GOING, IMPORT_TOO_OLD, IMPORT_UNDONE, NOTHING_TO_UNDO},
    page::Clients,
    starting::undo,
};
use shared::{error::NOT_FOUND, prelude::*, progress::JobProgress};

const ROUTE: Route = Route::post("/clients/imports/{id}/undo").or(&["/client-imports/{id}/undo"]).fails(&[
    NOT_FOUND,
    IMPORT_GOING,
    IMPORT_TOO_OLD,
    IMPORT_UNDONE,
    NOTHING_TO_UNDO,
]);

pub fn main() {
    serve(&ROUTE, undo_client_import);
}

async fn undo_client_import(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Accepted<JobProgress>, Error> {
    undo::<Clients>(&context, &caller, id, (Queue::Export, "undo_client_import", "clients")).await
}
