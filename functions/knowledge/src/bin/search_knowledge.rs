//! GET /knowledge/search — what answers a question, best first, whatever its accents, slips and short forms.

use knowledge::{Audience, Found, Wanted, find, search::misses};
use shared::prelude::*;

const ROUTE: Route = Route::get("/knowledge/search");

#[derive(Deserialize, Validate, JsonSchema)]
struct Question {
    /// As people ask.
    #[garde(length(chars, min = 1, max = 500))]
    #[schemars(length(min = 1, max = 500))]
    q: String,
    /// Who is to read the answer; agents without it.
    #[garde(skip)]
    audience: Option<Audience>,
    #[serde(default = "usual")]
    #[garde(range(min = 1, max = 50))]
    #[schemars(range(min = 1, max = 50))]
    limit: i64,
}

fn usual() -> i64 {
    10
}

pub fn main() {
    serve(&ROUTE, search_knowledge);
}

async fn search_knowledge(context: Context, caller: Staff, Query(asked): Query<Question>) -> Result<Page<Found>, Error> {
    let Question { q, audience, limit } = &asked;
    let transaction = context.begin(&caller).await?;
    let wanted = Wanted { query: q, audience: audience.unwrap_or(Audience::Agents), limit: *limit, embedding: None };
    let found = find(&transaction, wanted).await?;
    // That nothing answers it is kept.
    if misses(q, &found) {
        transaction.commit_unaudited().await?;
    }
    Ok(Page::whole(found))
}
