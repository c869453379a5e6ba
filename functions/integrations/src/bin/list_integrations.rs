//! GET /integrations/config — the configured channels, without their secrets.

use integrations::{Integration, integration_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/integrations/config");

const INTEGRATIONS: &str = concat!(
    "select ",
    integration_columns!(),
    " from channel_accounts channel where channel.removed_at is null order by channel.created_at, channel.id"
);

pub fn main() {
    serve(&ROUTE, list_integrations);
}

async fn list_integrations(context: Context, caller: Admin) -> Result<Page<Integration>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(INTEGRATIONS, &[]).await?))
}
