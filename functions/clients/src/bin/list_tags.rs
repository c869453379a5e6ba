//! GET /tags — all tags of the company, by name.

use clients::tags::Tag;
use shared::prelude::*;

const ROUTE: Route = Route::get("/tags");

const TAGS: &str = "select id, name, colour, created_at, version from tags order by app.look(name)";

pub fn main() {
    serve(&ROUTE, list_tags);
}

async fn list_tags(context: Context, caller: Staff) -> Result<Json<Page<Tag>>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(Page::whole(transaction.all(TAGS, &[]).await?)))
}
