//! Articles as they are kept, and every way in which one changes.

use shared::{
    closed_set,
    error::{FieldProblem, refuse},
    prelude::*,
};

use crate::words::{Indexed, indexed};

closed_set! {
    /// Who reads an article.
    #[schemars(rename = "KnowledgeAudience")]
    pub ReadBy { Both = "both", Bot = "bot", Agents = "agents" }
}

closed_set! {
    /// Only what is active is found.
    #[schemars(rename = "KnowledgeStatus")]
    pub Status { Draft = "draft", Active = "active", Archived = "archived" }
}

closed_set! {
    /// What an article was made of.
    #[schemars(rename = "KnowledgeSourceKind")]
    pub SourceKind { File = "file", Url = "url", Conversation = "conversation" }
}

/// Where an article is from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "KnowledgeSource")]
pub struct Source {
    pub kind: SourceKind,
    pub file_id: Option<Uuid>,
    pub url: Option<String>,
    pub conversation_id: Option<Uuid>,
    /// The file's name, or the page's title.
    pub name: Option<String>,
}

/// Characters of a title, an answer, a question and a tag; questions and tags of an article.
pub const TITLE: usize = 200;
pub const ANSWER: usize = 20_000;
pub const QUESTION: usize = 300;
pub const TAG: usize = 40;
pub const QUESTIONS: usize = 50;
pub const TAGS: usize = 20;

/// What an article says, as people write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub title: String,
    pub answer: String,
    pub questions: Vec<String>,
    pub tags: Vec<String>,
    pub audience: ReadBy,
    pub status: Status,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
}

impl Content {
    /// An active article for everybody that holds for ever.
    #[must_use]
    pub fn new(title: String, answer: String) -> Self {
        Self {
            title,
            answer,
            questions: Vec::new(),
            tags: Vec::new(),
            audience: ReadBy::Both,
            status: Status::Active,
            valid_from: None,
            valid_until: None,
        }
    }

    /// What it is found by.
    #[must_use]
    pub fn indexed(&self) -> Indexed {
        indexed(&self.title, &self.questions, &self.tags, &self.answer)
    }

    /// Refuses a time that ends before it begins.
    ///
    /// # Errors
    /// 422 with the field.
    pub fn check(&self) -> Result<(), Error> {
        let is_period = self.valid_from.zip(self.valid_until).is_none_or(|(from, until)| from < until);
        refuse((!is_period).then(|| {
            let (portuguese, english) = ("O fim tem de vir depois do início.", "The end has to come after the beginning.");
            FieldProblem::new("valid_until", "period", portuguese, english)
        }))
    }

    /// With these questions besides, as far as there is room; what is there already in other writing is not added.
    pub fn also_asked(&mut self, questions: impl IntoIterator<Item = String>) {
        for question in questions {
            let is_new = |known: &String| !known.trim().eq_ignore_ascii_case(question.trim());
            if self.questions.len() < QUESTIONS
                && question.chars().count() <= QUESTION
                && is_new(&self.title)
                && self.questions.iter().all(is_new)
            {
                self.questions.push(question);
            }
        }
    }
}

/// An article.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "KnowledgeArticle")]
pub struct Article {
    pub id: Uuid,
    pub title: String,
    pub answer: String,
    /// As people ask for it.
    pub questions: Vec<String>,
    pub tags: Vec<String>,
    pub audience: ReadBy,
    pub status: Status,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
    /// What it was made of; null of what somebody wrote.
    #[schemars(with = "Option<Source>")]
    pub source: Option<Value>,
    /// Who wrote this version.
    pub author_id: Option<Uuid>,
    /// The version that this one brought back.
    pub restored_from: Option<i32>,
    /// People and conversations that it helped, and that it did not.
    pub helped: i32,
    pub not_helped: i32,
    pub last_used_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i32,
}

impl Versioned for Article {
    fn version(&self) -> i32 {
        self.version
    }
}

impl Article {
    #[must_use]
    pub fn content(&self) -> Content {
        let Self { title, answer, questions, tags, audience, status, valid_from, valid_until, .. } = self.clone();
        Content { title, answer, questions, tags, audience, status, valid_from, valid_until }
    }

    /// Tells staff what became of it.
    pub fn tell(&self, transaction: &Transaction, change: Change) {
        let Self { id, title, status, audience, version, .. } = self;
        let (title, status, audience) = (title.clone(), *status, *audience);
        transaction.tell_staff(&KnowledgeUpdated { article_id: *id, change, title, status, audience, version: *version });
    }
}

/// The columns of `Article`, of a row of `knowledge_articles`.
#[macro_export]
macro_rules! article_columns {
    () => {
        "knowledge_articles.id, knowledge_articles.title, knowledge_articles.answer, knowledge_articles.questions, knowledge_articles.tags,
         knowledge_articles.audience, knowledge_articles.status, knowledge_articles.valid_from, knowledge_articles.valid_until,
         knowledge_articles.source, knowledge_articles.author_id, knowledge_articles.restored_from, knowledge_articles.helped,
         knowledge_articles.not_helped, knowledge_articles.last_used_at, knowledge_articles.created_at, knowledge_articles.updated_at,
         knowledge_articles.version"
    };
}

pub const ARTICLE: &str =
    concat!("select ", article_columns!(), " from knowledge_articles where knowledge_articles.id = $1 and removed_at is null");

/// Nobody else changes it meanwhile.
pub const LOCKED: &str = concat!(
    "select ",
    article_columns!(),
    " from knowledge_articles where knowledge_articles.id = $1 and removed_at is null for no key update"
);

const INSERT: &str = concat!(
    "insert into knowledge_articles (id, title, answer, questions, tags, audience, status, valid_from, valid_until, source, lines, terms,
                                     weights)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     returning ",
    article_columns!()
);

const UPDATE: &str = concat!(
    "update knowledge_articles
        set title = $2, answer = $3, questions = $4, tags = $5, audience = $6, status = $7, valid_from = $8, valid_until = $9,
            restored_from = $10, lines = $11, terms = $12, weights = $13, author_id = app.user_id(), version = version + 1,
            updated_at = now()
      where id = $1 and removed_at is null
     returning ",
    article_columns!()
);

const REMOVE: &str = "update knowledge_articles set removed_at = now(), version = version + 1, updated_at = now() where id = $1";

closed_set! {
    /// What became of an article.
    #[schemars(rename = "KnowledgeChange")]
    pub Change { Created = "created", Updated = "updated", Removed = "removed" }
}

/// An article is there, says something else, or is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KnowledgeUpdated {
    pub article_id: Uuid,
    pub change: Change,
    pub title: String,
    pub status: Status,
    pub audience: ReadBy,
    pub version: i32,
}

event!(KnowledgeUpdated = "knowledge.updated");

/// Adds an article; it is found from the commit on.
///
/// # Errors
/// As the database fails.
pub async fn add(
    context: &Context,
    transaction: &Transaction,
    content: &Content,
    source: Option<&Source>,
) -> Result<Article, Error> {
    let Indexed { lines, terms, weights } = content.indexed();
    let Content { title, answer, questions, tags, audience, status, valid_from, valid_until } = content;
    let (id, source) = (context.new_id(), source.map(|source| json!(source)));
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 13] = [
        &id,
        title,
        answer,
        questions,
        tags,
        &audience.as_str(),
        &status.as_str(),
        valid_from,
        valid_until,
        &source,
        &lines,
        &terms,
        &weights,
    ];
    let article: Article = transaction.one(INSERT, &row).await?;
    article.tell(transaction, Change::Created);
    Ok(article)
}

/// Makes a locked article say something else, as its next version. What changes nothing makes none.
///
/// # Errors
/// As the database fails.
pub async fn change(
    transaction: &Transaction,
    current: &Article,
    wanted: &Content,
    restored_from: Option<i32>,
) -> Result<Article, Error> {
    if current.content() == *wanted {
        return Ok(current.clone());
    }
    let Indexed { lines, terms, weights } = wanted.indexed();
    let Content { title, answer, questions, tags, audience, status, valid_from, valid_until } = wanted;
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 13] = [
        &current.id,
        title,
        answer,
        questions,
        tags,
        &audience.as_str(),
        &status.as_str(),
        valid_from,
        valid_until,
        &restored_from,
        &lines,
        &terms,
        &weights,
    ];
    let article: Article = transaction.one(UPDATE, &row).await?;
    article.tell(transaction, Change::Updated);
    Ok(article)
}

/// Removes a locked article: its row and its versions stay, where nobody finds them.
///
/// # Errors
/// As the database fails.
pub async fn remove(transaction: &Transaction, current: &Article) -> Result<(), Error> {
    transaction.execute(REMOVE, &[&current.id]).await?;
    let gone = Article { version: current.version + 1, ..current.clone() };
    gone.tell(transaction, Change::Removed);
    Ok(())
}

/// A version of an article, without what it said.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "KnowledgeRevision")]
pub struct Revision {
    pub version: i32,
    pub title: String,
    pub status: Status,
    pub author_id: Option<Uuid>,
    pub author_name: Option<String>,
    /// The version that this one brought back.
    pub restored_from: Option<i32>,
    pub at: Timestamp,
}

pub const REVISIONS: &str = "
    select version, title, status, author_id, (select name from users where users.id = author_id) as author_name, restored_from, at
      from knowledge_revisions
     where article_id = $1
     order by version desc
     limit 100";

/// What a version said.
pub const REVISION: &str = "
    select title, answer, questions, tags, audience, status, valid_from, valid_until
      from knowledge_revisions
     where article_id = $1 and version = $2";

/// What a version of an article said.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "KnowledgeVersion")]
pub struct Version {
    pub title: String,
    pub answer: String,
    pub questions: Vec<String>,
    pub tags: Vec<String>,
    pub audience: ReadBy,
    pub status: Status,
    pub valid_from: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
}

impl From<Version> for Content {
    fn from(version: Version) -> Self {
        let Version { title, answer, questions, tags, audience, status, valid_from, valid_until } = version;
        Self { title, answer, questions, tags, audience, status, valid_from, valid_until }
    }
}
