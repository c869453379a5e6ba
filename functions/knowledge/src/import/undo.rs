//! The way back from an import, some articles at a time.

use std::time::Duration;

use shared::{
    prelude::*,
    progress::{Ending, JobProgress, Progress, Step},
};

use super::run::KnowledgeImported;
use crate::{
    article_columns,
    articles::{Article, Content, REVISION, Version, change, remove},
};

pub const IMPORT_GOING: Problem =
    Problem::new(409, "import_going", "Esta importação ainda não terminou.", "This import has not ended yet.")
        .showing::<JobProgress>();
pub const IMPORT_UNDONE: Problem =
    Problem::new(409, "import_undone", "Esta importação já foi desfeita.", "This import has been undone already.")
        .showing::<JobProgress>();
pub const NOTHING_TO_UNDO: Problem = Problem::new(
    409,
    "nothing_to_undo",
    "Esta importação não mudou nada que se possa desfazer.",
    "This import has changed nothing that could be undone.",
)
.showing::<JobProgress>();

/// Articles of a page.
const PAGE: i64 = 25;

/// What an undo's job says.
#[derive(Debug, Serialize, Deserialize)]
pub struct UndoJob {
    pub import_id: Uuid,
}

/// What has come of it so far.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Place {
    removed: i64,
    restored: i64,
    kept: i64,
}

/// The next articles of an import; nobody changes them meanwhile.
const LEFT: &str = concat!(
    "select ",
    article_columns!(),
    ", knowledge_import_rows.version as written, removed_at is not null as is_gone
       from knowledge_import_rows
       join knowledge_articles on knowledge_articles.company_id = knowledge_import_rows.company_id
                              and knowledge_articles.id = knowledge_import_rows.article_id
      where import_id = $1 and not is_undone
      order by knowledge_articles.id
      limit $2
        for no key update of knowledge_articles"
);

#[derive(FromRow)]
struct Left {
    #[from_row(flatten)]
    article: Article,
    written: i32,
    is_gone: bool,
}

const TAKEN_BACK: &str = "update knowledge_import_rows set is_undone = true where import_id = $1 and article_id = any ($2)";

/// Takes back what an import did, or goes on with it: of what nobody has changed since, an article that it made goes, and one that it changed says
/// again what it said before.
///
/// # Errors
/// As the database fails.
pub async fn undo(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let UndoJob { import_id } = job.read()?;
    let Some(mut progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: "nobody watches it".to_owned() });
    };
    let mut place: Place = progress.place()?.unwrap_or_default();
    let ending = loop {
        if progress.is_cancelled() {
            break Ending::Cancelled;
        }
        let transaction = context.begin_system(job.company_id).await?;
        let page: Vec<Left> = transaction.all(LEFT, &[&import_id, &PAGE]).await?;
        if page.is_empty() {
            transaction.commit_quietly().await?;
            break Ending::Done;
        }
        let kept_before = place.kept;
        for left in &page {
            match take_back(&transaction, left).await? {
                Some(BACK_TO_NOTHING) => place.removed += 1,
                Some(_) => place.restored += 1,
                None => place.kept += 1,
            }
        }
        let ids: Vec<Uuid> = page.iter().map(|left| left.article.id).collect();
        transaction.execute(TAKEN_BACK, &[&import_id, &ids]).await?;
        let kept = usize::try_from(place.kept - kept_before).unwrap_or_default();
        let step = progress.advance(&transaction, page.len(), kept, place).await?;
        transaction.commit_quietly().await?;
        if step == Step::Pause {
            return Ok(Outcome::Hold { after: Duration::from_secs(1) });
        }
    };
    let Place { removed, restored, kept } = place;
    let transaction = context.begin_system(job.company_id).await?;
    transaction.tell_staff(&KnowledgeImported { job_id: import_id, made: 0, updated: 0, removed, restored });
    progress.finish(&transaction, ending, &json!({"removed": removed, "restored": restored, "kept": kept})).await?;
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

/// The version before the first.
const BACK_TO_NOTHING: i32 = 0;

/// The version that the article is back at; `None` where it stays as it is.
async fn take_back(transaction: &Transaction, Left { article, written, is_gone }: &Left) -> Result<Option<i32>, Error> {
    if *is_gone || article.version != *written {
        return Ok(None);
    }
    let before = written - 1;
    if before == BACK_TO_NOTHING {
        remove(transaction, article).await?;
    } else {
        let version: Version = transaction.one(REVISION, &[&article.id, &before]).await?;
        change(transaction, article, &Content::from(version), Some(before)).await?;
    }
    Ok(Some(before))
}
