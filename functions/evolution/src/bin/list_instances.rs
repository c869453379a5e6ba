//! GET /whatsapp/instances — the company's instances at Evolution API servers.

use evolution::{Instance, instance::INSTANCES};
use shared::prelude::*;

const ROUTE: Route = Route::get("/whatsapp/instances");

pub fn main() {
    serve(&ROUTE, list_instances);
}

async fn list_instances(context: Context, caller: Staff) -> Result<Page<Instance>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(INSTANCES, &[]).await?))
}
