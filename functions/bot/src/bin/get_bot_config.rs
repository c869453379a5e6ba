//! GET /bot/config — what the company's bot says and hears, with what is built in.

use bot::config::{BotConfig, KEYS, ROWS, Row};
use shared::prelude::*;

const ROUTE: Route = Route::get("/bot/config");

pub fn main() {
    serve(&ROUTE, get_bot_config);
}

async fn get_bot_config(context: Context, caller: Supervisor) -> Result<Page<BotConfig>, Error> {
    let transaction = context.begin(&caller).await?;
    let rows: Vec<Row> = transaction.all(ROWS, &[]).await?;
    let told = |key| BotConfig::told(key, rows.iter().find(|row| row.key == key));
    Ok(Page::whole(KEYS.into_iter().map(told).collect()))
}
