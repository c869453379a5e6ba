//! POST /knowledge/proposals/{id}/approve — does what a proposal says, in words of one's own where they are given: of two articles one stays and has
//! the questions of both, what is stale goes to the archive, and what was learned or asked for becomes an article.

use futures_util::future::try_join;
use knowledge::{
    article_columns,
    articles::{ANSWER, Article, Content, QUESTION, ReadBy, Source, SourceKind, Status, TITLE, add, change},
    proposals::{ARTICLE_CHANGED, DECIDE, Draft, Kind, LOCKED, PROPOSAL_DECIDED, Proposal, State},
};
use shared::{
    VISIBLE,
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/knowledge/proposals/{id}/approve").fails(&[NOT_FOUND, PROPOSAL_DECIDED, ARTICLE_CHANGED]);

#[derive(Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KnowledgeApproval {
    /// Of two articles the one that stays, where that is not the one proposed.
    #[garde(skip)]
    keep_id: Option<Uuid>,
    /// In place of the proposed title.
    #[garde(length(chars, min = 1, max = TITLE), inner(custom(visible)))]
    #[schemars(length(min = 1, max = 200), regex(pattern = VISIBLE))]
    title: Option<String>,
    /// In place of the proposed answer; needed where there is none.
    #[garde(length(chars, min = 1, max = ANSWER))]
    #[schemars(length(min = 1, max = 20000))]
    answer: Option<String>,
    /// In place of the proposed questions.
    #[garde(length(max = 50), inner(inner(length(chars, min = 1, max = QUESTION), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 300), regex(pattern = VISIBLE)))]
    questions: Option<Vec<String>>,
    #[garde(skip)]
    audience: Option<ReadBy>,
}

impl KnowledgeApproval {
    /// With one's own words.
    fn over(self, mut content: Content) -> Content {
        content.title = self.title.unwrap_or(content.title);
        content.answer = self.answer.unwrap_or(content.answer);
        content.questions = self.questions.map_or(content.questions, clients::once_each);
        content.audience = self.audience.unwrap_or(content.audience);
        content
    }
}

/// Those that it is about, in their order; nobody changes them meanwhile.
const ARTICLES: &str = concat!(
    "select ",
    article_columns!(),
    " from knowledge_articles where id = any ($1) and removed_at is null order by id for no key update"
);

pub fn main() {
    serve(&ROUTE, approve_knowledge_proposal);
}

async fn approve_knowledge_proposal(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    Json(approval): Json<KnowledgeApproval>,
) -> Result<Json<Proposal>, Error> {
    let transaction = context.begin(&caller).await?;
    let proposal: Proposal = transaction.one(LOCKED, &[&id]).await?;
    if proposal.state != State::Open {
        return Err(PROPOSAL_DECIDED.with_current(&proposal));
    }
    let result = match proposal.kind {
        Kind::Learned | Kind::Unanswered => make(&context, &transaction, &proposal, approval).await?,
        Kind::Duplicate | Kind::Contradiction | Kind::Stale => mend(&transaction, &proposal, approval).await?,
    };
    let decided: Option<Proposal> = transaction.first(DECIDE, &[&id, &State::Approved.as_str(), &Some(result)]).await?;
    let Some(decided) = decided else { return Err(PROPOSAL_DECIDED.with_current(&proposal)) };
    decided.tell(&transaction);
    transaction.audit(id, &json!({"state": State::Open}), &json!({"state": decided.state, "result_id": result}));
    transaction.commit(Json(decided)).await
}

/// The article that was learned or asked for.
async fn make(
    context: &Context,
    transaction: &Transaction,
    proposal: &Proposal,
    approval: KnowledgeApproval,
) -> Result<Uuid, Error> {
    let draft: Draft = proposal.draft.as_ref().and_then(|draft| Draft::deserialize(draft).ok()).unwrap_or_default();
    let mut content = Content::new(draft.title, draft.answer);
    content.also_asked(draft.questions);
    let content = approval.over(content);
    refuse(
        content.answer.is_empty().then(|| FieldProblem::new("answer", "required", "Escreva a resposta.", "Write the answer.")),
    )?;
    let conversation = proposal.evidence["conversation_ids"][0].as_str().and_then(|id| id.parse().ok());
    let source = conversation.map(|id| Source {
        kind: SourceKind::Conversation,
        file_id: None,
        url: None,
        conversation_id: Some(id),
        name: None,
    });
    Ok(add(context, transaction, &content, source.as_ref()).await?.id)
}

/// What becomes of the articles that there are.
async fn mend(transaction: &Transaction, proposal: &Proposal, approval: KnowledgeApproval) -> Result<Uuid, Error> {
    let about: Vec<Uuid> = [proposal.article_id, proposal.other_id].into_iter().flatten().collect();
    let keeps = approval.keep_id.filter(|_| proposal.kind != Kind::Stale);
    refuse(keeps.filter(|id| !about.contains(id)).map(|_| {
        let (portuguese, english) = ("Escolha um dos dois artigos.", "Choose one of the two articles.");
        FieldProblem::new("keep_id", "unknown_article", portuguese, english)
    }))?;
    let articles: Vec<Article> = transaction.all(ARTICLES, &[&about]).await?;
    let seen = |id: Uuid| if Some(id) == proposal.article_id { proposal.article_version } else { proposal.other_version };
    if articles.len() != about.len() || articles.iter().any(|article| Some(article.version) != seen(article.id)) {
        return Err(ARTICLE_CHANGED.with_current(proposal));
    }
    let archived = |article: &Article| Content { status: Status::Archived, ..article.content() };
    let stays = keeps.or(proposal.article_id).filter(|_| proposal.other_id.is_some());
    let Some(stays) = articles.iter().find(|article| Some(article.id) == stays) else {
        let stale = articles.first().ok_or(ARTICLE_CHANGED)?;
        return Ok(change(transaction, stale, &archived(stale), None).await?.id);
    };
    let goes = articles.iter().find(|article| article.id != stays.id).ok_or(ARTICLE_CHANGED)?;
    let mut content = stays.content();
    content.also_asked(std::iter::once(goes.title.clone()).chain(goes.questions.clone()));
    let content = approval.over(content);
    let (kept, _) =
        try_join(change(transaction, stays, &content, None), change(transaction, goes, &archived(goes), None)).await?;
    Ok(kept.id)
}
