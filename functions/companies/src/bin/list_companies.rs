//! GET /companies — the companies that the caller belongs to, with their role in each.

use auth::{MY_COMPANIES, MyCompany};
use shared::prelude::*;

const ROUTE: Route = Route::get("/companies");

pub fn main() {
    serve(&ROUTE, list_companies);
}

async fn list_companies(context: Context, caller: Member) -> Result<Page<MyCompany>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(MY_COMPANIES, &[]).await?))
}
