//! What language models make of articles, for questions in other words. Who asks the models is another domain.

use shared::{prelude::*, text::unaccented};

use crate::score::signs;

/// Numbers of an embedding, at most.
pub const LONGEST: usize = 4_096;

/// No row when the article has another version by now, or is gone.
const STORE: &str = "
    insert into knowledge_embeddings (article_id, model, version, signs, embedding)
    select id, $3, version, $4::text::bit varying, $5
      from knowledge_articles
     where id = $1 and version = $2 and removed_at is null
        on conflict (company_id, article_id) do update
       set model = excluded.model, version = excluded.version, signs = excluded.signs, embedding = excluded.embedding";

/// Keeps what a model makes of a version of an article; `false` when that is not what it says any more. In a transaction of the system.
///
/// # Errors
/// As the database fails; 500 of what is no embedding.
pub async fn store_embedding(
    transaction: &Transaction,
    article_id: Uuid,
    version: i32,
    model: &str,
    embedding: &[f32],
) -> Result<bool, Error> {
    if embedding.is_empty() || embedding.len() > LONGEST || embedding.iter().any(|part| !part.is_finite()) {
        return Err(shared::error::INTERNAL.caused_by(format!("no embedding: {} numbers", embedding.len())));
    }
    let stored = transaction.execute(STORE, &[&article_id, &version, &model, &signs(embedding), &embedding]).await?;
    Ok(stored > 0)
}

/// An article that a model has not seen as it is.
#[derive(Clone, Debug, FromRow)]
pub struct Unembedded {
    pub id: Uuid,
    pub version: i32,
    pub title: String,
    pub questions: Vec<String>,
    pub answer: String,
}

impl Unembedded {
    /// What the model is to see: the questions first, since questions are compared with it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines: Vec<&str> = vec![&self.title];
        let is_new = |question: &&String| unaccented(question) != unaccented(&self.title);
        lines.extend(self.questions.iter().filter(is_new).map(String::as_str));
        lines.push(&self.answer);
        lines.join("\n").chars().take(6_000).collect()
    }
}

const UNEMBEDDED: &str = "
    select id, version, title, questions, answer
      from knowledge_articles
     where status = 'active' and removed_at is null
       and not exists (
           select from knowledge_embeddings known
            where known.company_id = knowledge_articles.company_id and known.article_id = knowledge_articles.id
              and known.model = $1 and known.version = knowledge_articles.version)
     order by updated_at, id
     limit $2";

/// Articles that this model has not seen as they are. In a transaction of the system.
///
/// # Errors
/// As the database fails.
pub async fn unembedded(transaction: &Transaction, model: &str, limit: i64) -> Result<Vec<Unembedded>, Error> {
    transaction.all(UNEMBEDDED, &[&model, &limit]).await
}

/// What a model has made at another length than it does now, it has as good as not seen.
const OUTGROWN: &str = "
    with unseen as (
        update knowledge_embeddings set version = 0 where model = $1 and length(signs) <> $2 and version > 0
    )
    select exists (select from knowledge_embeddings where model = $1 and length(signs) <> $2) as is_any";

#[derive(FromRow)]
struct Outgrown {
    is_any: bool,
}

/// Whether this model, whose embeddings are this long now, is to see articles anew: a server may put another one behind the same name. In a
/// transaction of the system.
///
/// # Errors
/// As the database fails.
pub async fn has_outgrown(transaction: &Transaction, model: &str, length: usize) -> Result<bool, Error> {
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    let Outgrown { is_any } = transaction.one(OUTGROWN, &[&model, &length]).await?;
    Ok(is_any)
}
