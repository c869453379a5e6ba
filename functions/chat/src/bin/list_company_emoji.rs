//! GET /chat/emoji — the company's own emoji, by name.

use chat::CompanyEmoji;
use shared::prelude::*;

const ROUTE: Route = Route::get("/chat/emoji");

const EMOJI: &str = "select id, name, file_id, created_by_id, created_at from company_emoji order by name";

pub fn main() {
    serve(&ROUTE, list_company_emoji);
}

async fn list_company_emoji(context: Context, caller: Staff) -> Result<Page<CompanyEmoji>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(EMOJI, &[]).await?))
}
