//! GET /knowledge/{id} — an article; with its versions, and what one of them said, for who may change it.

use futures_util::future::try_join3;
use knowledge::articles::{ARTICLE, Article, REVISION, REVISIONS, Revision, Version};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/knowledge/{id}").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// A version whose words are wanted.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    revision: Option<i32>,
}

/// An article with what it was.
#[derive(Serialize, JsonSchema)]
struct KnowledgeDetail {
    #[serde(flatten)]
    article: Article,
    /// The newest first, 100 at most; none for agents.
    revisions: Vec<Revision>,
    /// What the version that was asked for said.
    revision: Option<Version>,
}

pub fn main() {
    serve(&ROUTE, get_knowledge);
}

async fn get_knowledge(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Query(wish): Query<Wish>,
) -> Result<Json<KnowledgeDetail>, Error> {
    let transaction = context.begin(&caller).await?;
    let (article, revisions, revision): (_, _, Option<Version>) = try_join3(
        transaction.one(ARTICLE, &[&id]),
        transaction.all(REVISIONS, &[&id]),
        transaction.first(REVISION, &[&id, &wish.revision]),
    )
    .await?;
    if wish.revision.is_some() && revision.is_none() {
        return Err(NOT_FOUND.into());
    }
    Ok(Json(KnowledgeDetail { article, revisions, revision }))
}
