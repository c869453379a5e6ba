//! GET /companies/{id} — the company of this session with its settings.

use companies::{COMPANY, Company};
use shared::prelude::*;

const ROUTE: Route = Route::get("/companies/{id}");

pub fn main() {
    serve(&ROUTE, get_company);
}

async fn get_company(context: Context, caller: Member, Path(id): Path<Uuid>) -> Result<Json<Company>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(COMPANY, &[&id]).await?))
}
