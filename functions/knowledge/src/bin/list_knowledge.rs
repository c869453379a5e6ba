//! GET /knowledge — articles, newest first. Agents see those that count; what is being written, and what no longer counts, is for who leads.

use knowledge::{
    article_columns,
    articles::{Article, ReadBy, Status},
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/knowledge");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    status: Option<Status>,
    #[garde(skip)]
    audience: Option<ReadBy>,
    #[garde(length(chars, max = 40))]
    tag: Option<String>,
    /// `true`: those that hold now; `false`: those that do not yet, or no longer.
    #[garde(skip)]
    valid: Option<bool>,
}

const ARTICLES: TimeList = TimeList {
    rows: "select *
             from knowledge_articles
            where removed_at is null
              and ($1::text is null or status = $1)
              and ($2::text is null or audience = $2)
              and ($3::text is null or $3 = any (tags))
              and ($4::boolean is null
                   or $4 = (coalesce(valid_from <= now(), true) and coalesce(valid_until > now(), true)))",
    at: "knowledge_articles.created_at",
    id: "knowledge_articles.id",
    shown: concat!("select ", article_columns!(), " from page knowledge_articles"),
};

pub fn main() {
    serve(&ROUTE, list_knowledge);
}

async fn list_knowledge(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<Article>, Error> {
    let Filters { status, audience, tag, valid } = &asked.filters;
    let (status, audience) = (status.map(Status::as_str), audience.map(ReadBy::as_str));
    let tag = tag.as_ref().filter(|tag| !tag.is_empty());
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&ARTICLES, &asked, &[&status, &audience, &tag, valid]).await?;
    Ok(asked.page(rows, |article: &Article| (article.created_at, article.id)))
}
