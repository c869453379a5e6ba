//! GET /auth/companies — the companies the caller may enter.

use auth::{MY_COMPANIES, MyCompany};
use shared::prelude::*;

const ROUTE: Route = Route::get("/auth/companies");

pub fn main() {
    serve(&ROUTE, list_my_companies);
}

async fn list_my_companies(context: Context, caller: SettingUp<Member>) -> Result<Page<MyCompany>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(MY_COMPANIES, &[]).await?))
}
