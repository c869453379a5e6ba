//! GET /pipelines/{id} — a pipeline with its stages.

use pipelines::{PIPELINE, Pipeline};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/pipelines/{id}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, get_pipeline);
}

async fn get_pipeline(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Pipeline>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(PIPELINE, &[&id]).await?))
}
