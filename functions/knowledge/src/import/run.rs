//! An import from its file or page to its end, some articles at a time.

use std::{collections::HashSet, io::Read as _, time::Duration};

use clients::import::RowError;
use shared::{
    closed_set, files,
    prelude::*,
    progress::{Ending, Progress, Step},
};

use super::{Fault, FileFault, LARGEST, MOST_ARTICLES, Section, document, page, sheet};
use crate::{
    article_columns,
    articles::{Article, Content, ReadBy, Source, SourceKind, Status, add, change},
};

/// Articles of a page of the job.
const PAGE: usize = 25;

/// Articles of a page of the web: it may say something else when it is read again, so that all of it is one transaction.
const MOST_OF_A_PAGE: usize = 200;

/// Errors that are told; all are counted.
const MOST_ERRORS: usize = 200;

/// A file that takes longer to be read is none that people wrote.
const READ_WITHIN: Duration = Duration::from_secs(25);

closed_set! {
    /// What becomes of sections whose title is there already.
    #[schemars(rename = "KnowledgeOnExisting")]
    pub OnExisting { Skip = "skip", Update = "update" }
}

closed_set! {
    /// What a file is read as.
    pub Kind { Table = "table", Text = "text", Pdf = "pdf", Page = "page" }
}

/// What an import's job says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportJob {
    pub kind: Kind,
    pub file_id: Option<Uuid>,
    pub url: Option<String>,
    /// The file's name.
    pub name: String,
    pub on_existing: OnExisting,
    pub is_dry_run: bool,
    pub status: Status,
    pub audience: ReadBy,
    pub tags: Vec<String>,
}

/// What came of it so far, and where it goes on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Place {
    next: usize,
    made: i64,
    updated: i64,
    skipped: i64,
    failed: i64,
    errors: Vec<RowError>,
}

/// Articles have come in, or gone again: lists are read anew.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KnowledgeImported {
    /// The import's.
    pub job_id: Uuid,
    /// Articles that are new.
    pub made: i64,
    /// Articles that say something else.
    pub updated: i64,
    /// Articles that are gone, since it was undone.
    pub removed: i64,
    /// Articles that say again what they said before it.
    pub restored: i64,
}

event!(KnowledgeImported = "knowledge.imported");

const FILE: &str = "select storage_key from files where id = $1 and status = 'ready'";

#[derive(FromRow)]
struct StoredFile {
    storage_key: String,
}

/// The first of each title; nobody changes them meanwhile.
const EXISTING: &str = concat!(
    "select ",
    article_columns!(),
    "
       from knowledge_articles
      where removed_at is null
        and title_key = any (select app.look(title) from unnest($1::text[]) title)
      order by created_at, id
        for no key update"
);

const WRITTEN: &str = "insert into knowledge_import_rows (import_id, article_id, version) values ($1, $2, $3)";

/// Whether anything of it was taken back.
const UNDONE: &str = "select from knowledge_import_rows where import_id = $1 and is_undone limit 1";

/// Takes up an import, or goes on with it.
///
/// # Errors
/// As the database or S3 fails.
pub async fn import(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let asked: ImportJob = job.read()?;
    let Some(progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: "nobody watches it".to_owned() });
    };
    let place: Place = progress.place()?.unwrap_or_default();
    let mut run = Run { context, job, progress, asked, place };
    // Nothing more comes of what was taken back.
    if run.progress.is_cancelled() || run.is_undone().await? {
        return run.end(Ending::Cancelled, None).await;
    }
    let sections = match run.sections().await? {
        Ok(sections) if sections.len() > MOST_ARTICLES => return run.end(Ending::Done, Some(FileFault::TooManyArticles)).await,
        Ok(sections) => sections,
        Err(fault) => return run.end(Ending::Done, Some(fault)).await,
    };
    let size = if run.asked.kind == Kind::Page { MOST_OF_A_PAGE } else { PAGE };
    while run.place.next < sections.len() {
        match run.page(&sections, size).await? {
            Step::Continue => {}
            Step::Pause => return Ok(Outcome::Hold { after: Duration::from_secs(1) }),
            Step::Cancelled => return run.end(Ending::Cancelled, None).await,
        }
    }
    run.end(Ending::Done, None).await
}

type Sections = Vec<Result<Section, RowError>>;

struct Run {
    context: Context,
    job: Claimed,
    progress: Progress,
    asked: ImportJob,
    place: Place,
}

impl Run {
    async fn sections(&mut self) -> Result<Result<Sections, FileFault>, Error> {
        if let Some(url) = self.asked.url.clone() {
            let page = match page::fetch(&self.context, &url).await {
                Ok(page) => page,
                Err(fault) => return Ok(Err(fault)),
            };
            let read = apart(move || page.sections(&url)).await;
            return Ok(read.and_then(|(name, sections)| {
                self.asked.name = name;
                if sections.len() > MOST_OF_A_PAGE { Err(FileFault::TooManyArticles) } else { Ok(well(sections)) }
            }));
        }
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let file: Option<StoredFile> = transaction.first(FILE, &[&self.asked.file_id]).await?;
        transaction.commit_quietly().await?;
        let Some(StoredFile { storage_key }) = file else { return Ok(Err(FileFault::Gone)) };
        let Some(fetched) = files::fetch(&self.context, &storage_key, LARGEST).await? else { return Ok(Err(FileFault::Gone)) };
        if fetched.size > LARGEST {
            return Ok(Err(FileFault::TooLarge));
        }
        let (kind, name, mut content) = (self.asked.kind, self.asked.name.clone(), fetched.content);
        Ok(apart(move || match kind {
            Kind::Table => sheet::of_table(content),
            Kind::Pdf => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes).map_err(|_| FileFault::Unreadable)?;
                Ok(well(document::of_lines(&document::of_pdf(&bytes)?, &name)))
            }
            Kind::Text | Kind::Page => {
                let text = document::text(&mut content)?;
                let sections = document::of_markdown(&text, &name);
                Ok(well(if sections.len() > 1 { sections } else { document::of_lines(&text, &name) }))
            }
        })
        .await
        .and_then(|sections| if sections.is_empty() { Err(FileFault::Empty) } else { Ok(sections) }))
    }

    /// Writes some articles and counts them.
    async fn page(&mut self, sections: &Sections, size: usize) -> Result<Step, Error> {
        let end = (self.place.next + size).min(sections.len());
        let titles: Vec<&str> = sections.iter().flatten().map(|section| section.title.as_str()).collect();
        let transaction = self.context.begin_system(self.job.company_id).await?;
        if self.place.next == 0 {
            self.progress.expect(&transaction, i64::try_from(sections.len()).unwrap_or(i64::MAX)).await?;
        }
        let part = &sections[self.place.next..end];
        let asked: Vec<&str> = part.iter().flatten().map(|section| section.title.as_str()).collect();
        let existing: Vec<Article> = transaction.all(EXISTING, &[&asked]).await?;
        let before = sections[..self.place.next].iter().flatten().count();
        let mut seen: HashSet<String> = titles[..before].iter().map(|title| plain(title)).collect();
        let mut place = self.place.clone();
        place.next = end;
        for section in part {
            let written = match section {
                Ok(section) if !seen.insert(plain(&section.title)) => {
                    Err(vec![Fault::Repeated.at(section.number, Some("title"))])
                }
                Ok(section) => self.write(&transaction, section, &existing).await?,
                Err(error) => Err(vec![error.clone()]),
            };
            match written {
                Ok(Written::Made) => place.made += 1,
                Ok(Written::Updated) => place.updated += 1,
                Ok(Written::Skipped) => place.skipped += 1,
                Err(errors) => {
                    place.failed += 1;
                    let room = MOST_ERRORS.saturating_sub(place.errors.len());
                    place.errors.extend(errors.into_iter().take(room));
                }
            }
        }
        let failed = usize::try_from(place.failed - self.place.failed).unwrap_or_default();
        let step = self.progress.advance(&transaction, part.len(), failed, &place).await?;
        transaction.commit_quietly().await?;
        self.place = place;
        Ok(step)
    }

    async fn write(
        &self,
        transaction: &Transaction,
        section: &Section,
        existing: &[Article],
    ) -> Result<Result<Written, Vec<RowError>>, Error> {
        let ImportJob { file_id, url, name, on_existing, is_dry_run, status, audience, tags, .. } = &self.asked;
        let known = existing.iter().find(|article| plain(&article.title) == plain(&section.title));
        let mut usual = Content::new(String::new(), String::new());
        (usual.status, usual.audience) = (*status, *audience);
        usual.tags.clone_from(tags);
        let content = match section.content(known.map(Article::content), &usual) {
            Ok(content) => content,
            Err(errors) => return Ok(Err(errors)),
        };
        let written = match known {
            None => Written::Made,
            Some(article) if *on_existing == OnExisting::Update && article.content() != content => Written::Updated,
            Some(_) => Written::Skipped,
        };
        if *is_dry_run {
            return Ok(Ok(written));
        }
        let kind = if url.is_some() { SourceKind::Url } else { SourceKind::File };
        let source = Source { kind, file_id: *file_id, url: url.clone(), conversation_id: None, name: Some(name.clone()) };
        let article = match (written, known) {
            (Written::Made, _) => Some(add(&self.context, transaction, &content, Some(&source)).await?),
            (Written::Updated, Some(article)) => Some(change(transaction, article, &content, None).await?),
            _ => None,
        };
        if let Some(Article { id, version, .. }) = article {
            transaction.execute(WRITTEN, &[&self.job.id, &id, &version]).await?;
        }
        Ok(Ok(written))
    }

    async fn is_undone(&self) -> Result<bool, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let undone = transaction.query(UNDONE, &[&self.job.id]).await?;
        transaction.commit_quietly().await?;
        Ok(!undone.is_empty())
    }

    async fn end(self, ending: Ending, fault: Option<FileFault>) -> Result<Outcome, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let Place { made, updated, skipped, failed, errors, .. } = self.place;
        let problem = fault.map(|fault| {
            let (portuguese, english) = fault.texts();
            json!({"code": fault, "message": portuguese, "message_en": english})
        });
        let result = json!({
            "made": made, "updated": updated, "skipped": skipped, "failed": failed, "errors": errors, "problem": problem,
            "dry_run": self.asked.is_dry_run,
        });
        if made + updated > 0 && !self.asked.is_dry_run {
            transaction.tell_staff(&KnowledgeImported { job_id: self.job.id, made, updated, removed: 0, restored: 0 });
        }
        self.progress.finish(&transaction, ending, &result).await?;
        self.job.finish(&transaction);
        transaction.commit_quietly().await?;
        Ok(Outcome::Done)
    }
}

#[derive(Clone, Copy)]
enum Written {
    Made,
    Updated,
    Skipped,
}

fn well(sections: Vec<Section>) -> Sections {
    sections.into_iter().map(Ok).collect()
}

/// As `app.look` compares titles, nearly: what it takes for the same and this does not is found by the other, and told as skipped.
fn plain(title: &str) -> String {
    shared::text::unaccented(title).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads what a stranger wrote on a thread of its own: what makes a library panic, or takes too long, is unreadable.
async fn apart<T: Send + 'static>(read: impl FnOnce() -> Result<T, FileFault> + Send + 'static) -> Result<T, FileFault> {
    match tokio::time::timeout(READ_WITHIN, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(read)) => read,
        Ok(Err(_)) | Err(_) => Err(FileFault::Unreadable),
    }
}
