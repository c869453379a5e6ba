//! POST /knowledge/{id}/use — an article was used, and whether it helped. The same person says so once for a conversation; said again, the last
//! word counts. What helped is found sooner.

use futures_util::future::try_join;
use knowledge::articles::{ARTICLE, Article};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/knowledge/{id}/use").fails(&[NOT_FOUND]);

#[derive(Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KnowledgeUsed {
    /// Left out while nobody can tell.
    #[garde(skip)]
    helped: Option<bool>,
    /// Where it was used.
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    /// What was looked for.
    #[garde(length(chars, max = 500))]
    query: Option<String>,
}

/// How an article has fared.
#[derive(Serialize, JsonSchema)]
struct KnowledgeUse {
    article_id: Uuid,
    helped: i32,
    not_helped: i32,
}

const SEEN: &str = "select from conversations where id = $1";

const RECORD: &str = "
    insert into knowledge_uses (id, article_id, conversation_id, helped, query)
    values ($1, $2, $3, $4, $5)
        on conflict (company_id, article_id, user_id, conversation_id) do update
       set helped = coalesce(excluded.helped, knowledge_uses.helped), query = coalesce(excluded.query, knowledge_uses.query)";

pub fn main() {
    serve(&ROUTE, record_knowledge_use);
}

async fn record_knowledge_use(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(used): Json<KnowledgeUsed>,
) -> Result<Json<KnowledgeUse>, Error> {
    let KnowledgeUsed { helped, conversation_id, query } = used;
    let transaction = context.begin(&caller).await?;
    let (_, seen): (Article, _) =
        try_join(transaction.one(ARTICLE, &[&id]), transaction.query(SEEN, &[&conversation_id])).await?;
    if conversation_id.is_some() && seen.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let (_, article): (_, Article) = try_join(
        transaction.execute(RECORD, &[&context.new_id(), &id, &conversation_id, &helped, &query]),
        transaction.one(ARTICLE, &[&id]),
    )
    .await?;
    transaction.audit(id, &Value::Null, &json!({"helped": helped, "conversation_id": conversation_id}));
    let Article { helped, not_helped, .. } = article;
    transaction.commit(Json(KnowledgeUse { article_id: id, helped, not_helped })).await
}
