//! GET /whatsapp/instances — the company's instances at Evolution API servers.

use evolution::{Instance, instance::INSTANCES};
use shared::prelude::*;

const ROUTE: Route = Route::get("/whatsapp/instances");

pub fn main() {
    serve(&ROUTE, list_instances);
}

async fn list_instances(context: Context, caller: Staff) -> Result<Page<Instance>, Error> {
    let transaction = context.begin(&caller).await?;
    let instances: Vec<Instance> = transaction.all(INSTANCES, &[]).await?;
    Ok(Page::whole(instances.into_iter().map(|instance| instance.told(&context)).collect()))
}
