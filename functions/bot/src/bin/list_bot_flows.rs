//! GET /bot/flows — the company's flows, by key.

use bot::{flow_rows, stored::BotFlowRow};
use shared::prelude::*;

const ROUTE: Route = Route::get("/bot/flows");

const FLOWS: &str = flow_rows!("", "true");

pub fn main() {
    serve(&ROUTE, list_bot_flows);
}

async fn list_bot_flows(context: Context, caller: Supervisor) -> Result<Page<BotFlowRow>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(FLOWS, &[]).await?))
}
