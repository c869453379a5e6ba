//! POST /knowledge/manage — a new article, found from now on. With the `id` of one, it says this from now on; what is not given of it stays.

use knowledge::articles::{ANSWER, Article, Content, LOCKED, QUESTION, ReadBy, Status, TAG, TITLE, add, change};
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/knowledge/manage").fails(&[NOT_FOUND, STALE.showing::<Article>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenArticle {
    /// The article that is to be changed.
    #[garde(skip)]
    id: Option<Uuid>,
    #[garde(length(chars, min = 1, max = TITLE), custom(visible))]
    #[schemars(length(min = 1, max = 200), regex(pattern = VISIBLE))]
    title: String,
    #[garde(length(chars, min = 1, max = ANSWER))]
    #[schemars(length(min = 1, max = 20000))]
    answer: String,
    /// As people ask for it.
    #[garde(length(max = 50), inner(inner(length(chars, min = 1, max = QUESTION), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 300), regex(pattern = VISIBLE)))]
    questions: Option<Vec<String>>,
    #[garde(length(max = 20), inner(inner(length(chars, min = 1, max = TAG), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    tags: Option<Vec<String>>,
    /// Everybody without it.
    #[garde(skip)]
    audience: Option<ReadBy>,
    /// Active without it.
    #[garde(skip)]
    status: Option<Status>,
    #[garde(skip)]
    valid_from: Option<Timestamp>,
    #[garde(skip)]
    valid_until: Option<Timestamp>,
}

impl WrittenArticle {
    fn over(self, before: Option<&Article>) -> Content {
        let mut content = before.map_or_else(|| Content::new(String::new(), String::new()), Article::content);
        content.title = self.title;
        content.answer = self.answer;
        content.questions = self.questions.map_or(content.questions, clients::once_each);
        content.tags = self.tags.map_or(content.tags, clients::once_each);
        content.audience = self.audience.unwrap_or(content.audience);
        content.status = self.status.unwrap_or(content.status);
        content.valid_from = self.valid_from.or(content.valid_from);
        content.valid_until = self.valid_until.or(content.valid_until);
        content
    }
}

pub fn main() {
    serve(&ROUTE, create_knowledge);
}

async fn create_knowledge(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    if_match: IfMatch,
    Json(input): Json<WrittenArticle>,
) -> Result<Made<Article>, Error> {
    let transaction = context.begin(&caller).await?;
    let Some(id) = input.id else {
        let content = input.over(None);
        content.check()?;
        let article = add(&context, &transaction, &content, None).await?;
        transaction.audit(article.id, &Value::Null, &article);
        return transaction.commit(Made::Now(article)).await;
    };
    let current: Article = transaction.one(LOCKED, &[&id]).await?;
    if_match.check(&current)?;
    let wanted = input.over(Some(&current));
    wanted.check()?;
    let article = change(&transaction, &current, &wanted, None).await?;
    transaction.audit(id, &current, &article);
    transaction.commit(Made::Before(article)).await
}
