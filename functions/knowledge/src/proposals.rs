//! What could be better, until somebody has decided about it.

use futures_util::future::BoxFuture;
use shared::{closed_set, prelude::*};

use crate::{
    articles::{ANSWER, QUESTION, QUESTIONS, TITLE},
    words::distinct,
};

closed_set! {
    /// What speaks for a proposal: two articles that say the same, or one thing with other figures; one that no longer holds or helps; questions
    /// that nothing answers; what was said in a conversation.
    #[schemars(rename = "KnowledgeProposalKind")]
    pub Kind {
        Duplicate = "duplicate",
        Contradiction = "contradiction",
        Stale = "stale",
        Unanswered = "unanswered",
        Learned = "learned",
    }
}

closed_set! {
    #[schemars(rename = "KnowledgeProposalState")]
    pub State { Open = "open", Approved = "approved", Rejected = "rejected" }
}

pub const PROPOSAL_DECIDED: Problem =
    Problem::new(409, "proposal_decided", "Esta proposta já foi decidida.", "This proposal has been decided already.")
        .showing::<Proposal>();
pub const ARTICLE_CHANGED: Problem = Problem::new(
    409,
    "article_changed",
    "O artigo mudou desde a proposta. Rejeite-a e procure de novo.",
    "The article has changed since this was proposed. Reject it, and look again.",
)
.showing::<Proposal>();

/// An article that there would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "KnowledgeDraft")]
pub struct Draft {
    pub title: String,
    /// Empty where somebody has to write it.
    pub answer: String,
    pub questions: Vec<String>,
}

/// What could be better, with what speaks for it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "KnowledgeProposal")]
pub struct Proposal {
    pub id: Uuid,
    pub kind: Kind,
    pub state: State,
    /// The article that it is about; of two, the one that would stay.
    pub article_id: Option<Uuid>,
    pub article_title: Option<String>,
    /// The version that was looked at.
    pub article_version: Option<i32>,
    /// The one that would go.
    pub other_id: Option<Uuid>,
    pub other_title: Option<String>,
    pub other_version: Option<i32>,
    /// The article that there would be.
    #[schemars(with = "Option<Draft>")]
    pub draft: Option<Value>,
    /// What speaks for it, by its kind: how alike, which figures, what was asked and how often, where it was said.
    #[schemars(with = "Map<String, Value>")]
    pub evidence: Value,
    /// The article that came of it.
    pub result_id: Option<Uuid>,
    pub decided_by: Option<Uuid>,
    pub decided_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// The columns of `Proposal`, of a row of `knowledge_proposals`.
#[macro_export]
macro_rules! proposal_columns {
    () => {
        "knowledge_proposals.id, knowledge_proposals.kind, knowledge_proposals.state, knowledge_proposals.article_id,
         (select title from knowledge_articles where knowledge_articles.id = knowledge_proposals.article_id) as article_title,
         knowledge_proposals.article_version, knowledge_proposals.other_id,
         (select title from knowledge_articles where knowledge_articles.id = knowledge_proposals.other_id) as other_title,
         knowledge_proposals.other_version, knowledge_proposals.draft, knowledge_proposals.evidence, knowledge_proposals.result_id,
         knowledge_proposals.decided_by, knowledge_proposals.decided_at, knowledge_proposals.created_at"
    };
}

pub const PROPOSAL: &str = concat!("select ", proposal_columns!(), " from knowledge_proposals where knowledge_proposals.id = $1");

/// Nobody else decides about it meanwhile.
pub const LOCKED: &str = concat!(
    "select ",
    proposal_columns!(),
    " from knowledge_proposals where knowledge_proposals.id = $1 for update of knowledge_proposals"
);

/// No row once it was decided.
pub const DECIDE: &str = concat!(
    "with decided as (
        update knowledge_proposals
           set state = $2, result_id = $3, decided_by = app.user_id(), decided_at = now()
         where id = $1 and state = 'open'
        returning *
    ) select ",
    proposal_columns!(),
    " from decided knowledge_proposals"
);

/// Something was proposed, or decided.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KnowledgeProposalUpdated {
    pub proposal_id: Uuid,
    pub kind: Kind,
    pub state: State,
}

event!(KnowledgeProposalUpdated = "knowledge_proposal.updated");

impl Proposal {
    /// Tells staff what became of it.
    pub fn tell(&self, transaction: &Transaction) {
        transaction.tell_staff(&KnowledgeProposalUpdated { proposal_id: self.id, kind: self.kind, state: self.state });
    }
}

const PROPOSE: &str = "select app.propose_knowledge($1, $2, $3, $4, $5, $6, $7, $8, $9) as id";

#[derive(FromRow)]
struct Proposed {
    id: Option<Uuid>,
}

/// What is to be proposed.
#[derive(Clone, Debug)]
pub struct New {
    pub kind: Kind,
    /// The same is proposed once.
    pub key: String,
    /// Articles and their versions.
    pub article: Option<(Uuid, i32)>,
    pub other: Option<(Uuid, i32)>,
    pub draft: Option<Draft>,
    pub evidence: Value,
}

/// Adds a proposal; `None` when it is there, or was decided.
///
/// # Errors
/// As the database fails.
pub async fn add(context: &Context, transaction: &Transaction, new: &New) -> Result<Option<Uuid>, Error> {
    let New { kind, key, article, other, draft, evidence } = new;
    let parts = |article: &Option<(Uuid, i32)>| (article.map(|(id, _)| id), article.map(|(_, version)| version));
    let ((article, article_version), (other, other_version)) = (parts(article), parts(other));
    let draft = draft.as_ref().map(|draft| json!(draft));
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&context.new_id(), &kind.as_str(), key, &article, &article_version, &other, &other_version, &draft, evidence];
    let proposed: Proposed = transaction.one(PROPOSE, &row).await?;
    Ok(proposed.id)
}

/// What somebody may have learned from a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    pub title: &'a str,
    pub answer: &'a str,
    pub questions: &'a [String],
    pub conversation_id: Uuid,
}

/// Proposes an article that was learned from a conversation, in a transaction of staff or of the system. One that says the same as another joins it,
/// with its questions and its conversation. `None` when it was decided before, or says nothing.
///
/// # Errors
/// As the database fails.
pub fn propose<'a>(
    context: &'a Context,
    transaction: &'a Transaction,
    learned: Learned<'a>,
) -> BoxFuture<'a, Result<Option<Uuid>, Error>> {
    Box::pin(async move {
        let cut = |text: &str, most: usize| text.trim().chars().take(most).collect::<String>();
        let title = cut(&crate::import::shown(learned.title), TITLE);
        let answer = cut(&crate::import::kept(learned.answer), ANSWER);
        if title.is_empty() || answer.is_empty() {
            return Ok(None);
        }
        let questions = learned.questions.iter().map(|question| cut(&crate::import::shown(question), QUESTION));
        let questions = questions.filter(|question| !question.is_empty()).take(QUESTIONS).collect();
        let terms = |text: &str| {
            let mut terms = distinct(text);
            terms.sort_unstable();
            terms.join(" ")
        };
        let key = format!("{} / {}", terms(&title), terms(&answer));
        let evidence = json!({"conversation_ids": [learned.conversation_id]});
        let draft = Some(Draft { title, answer, questions });
        let new = New { kind: Kind::Learned, key, article: None, other: None, draft, evidence };
        let proposed = add(context, transaction, &new).await?;
        if let Some(proposal_id) = proposed {
            transaction.tell_staff(&KnowledgeProposalUpdated { proposal_id, kind: Kind::Learned, state: State::Open });
        }
        Ok(proposed)
    })
}
