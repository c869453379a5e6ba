//! GET /openapi.json — this API's description.

use shared::prelude::*;

const ROUTE: Route = Route::get("/openapi.json").uses(Uses::Nothing);

const OPENAPI: &str = include_str!("../../../../openapi.json");

pub fn main() {
    serve(&ROUTE, get_openapi);
}

async fn get_openapi(_: Context, _: Anyone) -> Result<Json<Map<String, Value>>, Error> {
    serde_json::from_str(OPENAPI).map(Json).map_err(|error| shared::error::INTERNAL.caused_by(error))
}
