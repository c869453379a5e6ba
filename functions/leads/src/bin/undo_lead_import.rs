//! POST /leads/imports/{id}/undo — takes back what an import did, as a long job: with whom nobody has done anything since goes from the board, who was
//! changed by it is as before where nobody has changed them since.

use clients::import::{
    kept::{IMPORT_GOING, IMPORT_TOO_OLD, IMPORT_UNDONE, NOTHING_TO_UNDO},
    starting::undo,
};
use leads::import::ImportedLeads;
use shared::{error::NOT_FOUND, prelude::*, progress::JobProgress};

const ROUTE: Route =
    Route::post("/leads/imports/{id}/undo").fails(&[NOT_FOUND, IMPORT_GOING, IMPORT_TOO_OLD, IMPORT_UNDONE, NOTHING_TO_UNDO]);

pub fn main() {
    serve(&ROUTE, undo_lead_import);
}

async fn undo_lead_import(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Accepted<JobProgress>, Error> {
    undo::<ImportedLeads>(&context, &caller, id, (Queue::Leads, "undo_lead_import", "lead_imports")).await
}
