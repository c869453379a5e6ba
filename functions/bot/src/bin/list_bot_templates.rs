//! GET /bot/templates — flows to start from.

use bot::templates::{self, BotTemplate};
use shared::prelude::*;

const ROUTE: Route = Route::get("/bot/templates");

pub fn main() {
    serve(&ROUTE, list_bot_templates);
}

async fn list_bot_templates(context: Context, caller: Supervisor) -> Result<Page<BotTemplate>, Error> {
    context.begin(&caller).await?.commit_unaudited().await?;
    Ok(Page::whole(templates::all()))
}
