//! GET /setup/config — what the company has given for going live, secrets only by their ends.

use setup::{Setup, SetupRow, setup_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/setup/config");

const SETUP: &str = concat!(
    "select ",
    setup_columns!(),
    " from companies left join company_setup on company_setup.company_id = companies.id where companies.id = app.company_id()"
);

pub fn main() {
    serve(&ROUTE, get_setup);
}

async fn get_setup(context: Context, caller: Admin) -> Result<Json<Setup>, Error> {
    let transaction = context.begin(&caller).await?;
    let row: SetupRow = transaction.one(SETUP, &[]).await?;
    Ok(Json(row.into()))
}
