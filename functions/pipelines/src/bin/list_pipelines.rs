//! GET /pipelines — the pipelines that the caller sees, with their stages.

use pipelines::{PIPELINES, Pipeline};
use shared::prelude::*;

const ROUTE: Route = Route::get("/pipelines");

pub fn main() {
    serve(&ROUTE, list_pipelines);
}

async fn list_pipelines(context: Context, caller: Staff) -> Result<Page<Pipeline>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(PIPELINES, &[]).await?))
}
