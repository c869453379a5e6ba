//! Finding what answers a question, for people and for the AI.

use futures_util::future::BoxFuture;
use shared::{closed_set, error::INTERNAL, parameters, prelude::*};

use crate::score::{self, Question, signs, together};

closed_set! {
    /// Who is to read the answer.
    #[schemars(rename = "KnowledgeReader")]
    pub Audience { Bot = "bot", Agents = "agents" }
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// As people ask; what is longer than they ask is cut.
    pub query: &'a str,
    pub audience: Audience,
    pub limit: i64,
    /// Of the question, where somebody has one. Articles with one of another model or length are found by their words alone.
    pub embedding: Option<&'a [f32]>,
}

/// An article that answers, as far as can be told.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "FoundKnowledge")]
pub struct Found {
    pub id: Uuid,
    pub title: String,
    pub answer: String,
    pub questions: Vec<String>,
    pub tags: Vec<String>,
    /// From 0 to 1, and the same for every question: above 0.7 it is nearly always the answer, below 0.35 hardly ever.
    pub score: f32,
    pub version: i32,
    pub updated_at: Timestamp,
    pub valid_until: Option<Timestamp>,
}

/// What scores less answers nothing that anybody would call an answer.
pub const HOPELESS: f32 = 0.12;

/// Where the best that is found scores less, the question counts as unanswered.
pub const ANSWERED: f32 = 0.45;

/// Articles that are judged, at most.
const JUDGED: i32 = 50;

/// Characters of a question that count.
const LONGEST: usize = 500;

/// What may answer, and what the first row says of all: the policies decide once more.
const FIND: &str = "
    with found as materialized (
        select app.find_knowledge($1, $2, $3, $4, $5, $6, $7, $8) as found
    )
    select case row_number() over (order by place) when 1 then found end as found, id, title, answer, questions, tags, version, updated_at, valid_until
      from found
     cross join lateral jsonb_array_elements(found -> 'articles') with ordinality candidates (candidate, place)
      join knowledge_articles on knowledge_articles.id = (candidate ->> 'id')::uuid
     where status = 'active' and removed_at is null
     order by place";

#[derive(FromRow)]
struct Row {
    found: Option<Value>,
    id: Uuid,
    title: String,
    answer: String,
    questions: Vec<String>,
    tags: Vec<String>,
    version: i32,
    updated_at: Timestamp,
    valid_until: Option<Timestamp>,
}

impl Row {
    fn scored(self, score: f32) -> Found {
        let Self { id, title, answer, questions, tags, version, updated_at, valid_until, .. } = self;
        Found { id, title, answer, questions, tags, score, version, updated_at, valid_until }
    }
}

/// The model that the company's articles were shown to last, of those that make embeddings this long.
const USUAL_MODEL: &str = "
    select model from knowledge_embeddings where length(signs) = $1 order by article_id desc limit 1";

#[derive(FromRow)]
struct Model {
    model: String,
}

const EMBEDDINGS: &str = "select article_id, embedding from knowledge_embeddings where article_id = any ($1) and model = $2";

#[derive(FromRow)]
struct Embedded {
    article_id: Uuid,
    embedding: Vec<f32>,
}

const MISS: &str = "insert into knowledge_misses (query, terms, audience, score) values ($1, $2, $3, $4)";

/// The articles that are valid now and for this audience and answer a question, best first. In a transaction of staff or of the system. What is
/// not answered is noted with the commit of the transaction, where it has one.
///
/// # Errors
/// As the database fails.
pub fn find<'a>(transaction: &'a Transaction, wanted: Wanted<'a>) -> BoxFuture<'a, Result<Vec<Found>, Error>> {
    Box::pin(async move {
        let query: String = wanted.query.chars().take(LONGEST).collect();
        let question = Question::new(&query);
        if question.terms.is_empty() && wanted.embedding.is_none() {
            return Ok(Vec::new());
        }
        let judged = judge(transaction, &question, wanted).await?;
        let best = judged.first().map_or(0.0, |found| found.score);
        if is_missed(&question, best) {
            let terms = question.terms.clone();
            transaction.defer(MISS, parameters![query, terms, wanted.audience.as_str(), best]);
        }
        let limit = usize::try_from(wanted.limit).unwrap_or_default();
        Ok(judged.into_iter().filter(|found| found.score >= HOPELESS).take(limit).collect())
    })
}

/// Whether nobody would call the best that was found an answer; a word alone is no question.
fn is_missed(question: &Question, best: f32) -> bool {
    best < ANSWERED && question.terms.len() > 1
}

/// Whether a question that was answered so is one that nothing answers: the transaction has something to commit.
#[must_use]
pub fn misses(query: &str, found: &[Found]) -> bool {
    is_missed(&Question::new(query), found.first().map_or(0.0, |best| best.score))
}

/// How well the best article answers a question, by its words, for whoever reads it. Nothing is noted.
///
/// # Errors
/// As the database fails.
pub async fn best_score(transaction: &Transaction, query: &str) -> Result<f32, Error> {
    let question = Question::new(query);
    let mut best: f32 = 0.0;
    for audience in [Audience::Bot, Audience::Agents] {
        let wanted = Wanted { query, audience, limit: 1, embedding: None };
        best = judge(transaction, &question, wanted).await?.first().map_or(best, |found| best.max(found.score));
    }
    Ok(best)
}

async fn judge(transaction: &Transaction, question: &Question, wanted: Wanted<'_>) -> Result<Vec<Found>, Error> {
    let model = match wanted.embedding {
        None => None,
        Some(embedding) => {
            let length = i32::try_from(embedding.len()).unwrap_or(i32::MAX);
            transaction.first::<Model>(USUAL_MODEL, &[&length]).await?.map(|row| row.model)
        }
    };
    let meaning = wanted.embedding.filter(|_| model.is_some());
    let meant = meaning.map(signs);
    let (asked, factors) = question.asked();
    let audience = wanted.audience.as_str();
    let mut rows: Vec<Row> =
        transaction.all(FIND, &[&asked, &factors, &question.phrases(), &audience, &JUDGED, &meant, &model, &meaning]).await?;
    let Some(found) = rows.iter_mut().find_map(|row| row.found.take()) else { return Ok(Vec::new()) };
    let candidates = score::read(found).map_err(|error| INTERNAL.caused_by(format!("found knowledge: {error}")))?;
    let mut scores = candidates.judged(question);
    if let (Some(embedding), Some(model)) = (wanted.embedding, model) {
        let ids: Vec<Uuid> = scores.iter().map(|(id, _)| *id).collect();
        let embedded: Vec<Embedded> = transaction.all(EMBEDDINGS, &[&ids, &model]).await?;
        for (id, score) in &mut scores {
            let own = embedded.iter().find(|row| row.article_id == *id);
            *score = together(*score, own.and_then(|row| score::likeness(embedding, &row.embedding)));
        }
        scores.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    }
    let scored = |(id, score): (Uuid, f32)| {
        let place = rows.iter().position(|row| row.id == id)?;
        Some(rows.swap_remove(place).scored(score))
    };
    Ok(scores.into_iter().filter_map(scored).collect())
}
