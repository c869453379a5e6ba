//! PUT /knowledge/manage/{id} — changes what is given of an article; lists are given whole. With a `revision`, it says again what it said then.

use futures_util::future::try_join;
use knowledge::articles::{ANSWER, Article, Content, LOCKED, QUESTION, REVISION, ReadBy, Status, TAG, TITLE, Version, change};
use shared::{
    VISIBLE,
    error::{FieldProblem, NOT_FOUND, STALE, refuse},
    prelude::*,
    visible,
};
use team::given::Given;

const ROUTE: Route =
    Route::put("/knowledge/manage/{id}").or(&["PATCH /knowledge/manage/{id}"]).fails(&[NOT_FOUND, STALE.showing::<Article>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArticleChanges {
    /// A version that is to be brought back; what is given besides goes before it.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    revision: Option<i32>,
    #[garde(length(chars, min = 1, max = TITLE), inner(custom(visible)))]
    #[schemars(length(min = 1, max = 200), regex(pattern = VISIBLE))]
    title: Option<String>,
    #[garde(length(chars, min = 1, max = ANSWER))]
    #[schemars(length(min = 1, max = 20000))]
    answer: Option<String>,
    #[garde(length(max = 50), inner(inner(length(chars, min = 1, max = QUESTION), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 300), regex(pattern = VISIBLE)))]
    questions: Option<Vec<String>>,
    #[garde(length(max = 20), inner(inner(length(chars, min = 1, max = TAG), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    tags: Option<Vec<String>>,
    #[garde(skip)]
    audience: Option<ReadBy>,
    #[garde(skip)]
    status: Option<Status>,
    /// Null: it has always held.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Timestamp>")]
    valid_from: Given<Timestamp>,
    /// Null: it holds for ever.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Timestamp>")]
    valid_until: Given<Timestamp>,
}

impl ArticleChanges {
    fn over(self, mut content: Content) -> Content {
        content.title = self.title.unwrap_or(content.title);
        content.answer = self.answer.unwrap_or(content.answer);
        content.questions = self.questions.map_or(content.questions, clients::once_each);
        content.tags = self.tags.map_or(content.tags, clients::once_each);
        content.audience = self.audience.unwrap_or(content.audience);
        content.status = self.status.unwrap_or(content.status);
        content.valid_from = self.valid_from.after(content.valid_from);
        content.valid_until = self.valid_until.after(content.valid_until);
        content
    }
}

pub fn main() {
    serve(&ROUTE, update_knowledge);
}

async fn update_knowledge(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ArticleChanges>,
) -> Result<Json<Article>, Error> {
    let transaction = context.begin(&caller).await?;
    let revision = input.revision;
    let (current, before): (Article, Option<Version>) =
        try_join(transaction.one(LOCKED, &[&id]), transaction.first(REVISION, &[&id, &revision])).await?;
    if_match.check(&current)?;
    let unknown = ("Este artigo não tem esta versão.", "This article has no such version.");
    let problem = FieldProblem::new("revision", "unknown_revision", unknown.0, unknown.1);
    refuse((revision.is_some() && before.is_none()).then_some(problem))?;
    let wanted = input.over(before.map_or_else(|| current.content(), Content::from));
    wanted.check()?;
    let article = change(&transaction, &current, &wanted, revision).await?;
    transaction.audit(id, &current, &article);
    transaction.commit(Json(article)).await
}
