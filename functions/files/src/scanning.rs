//! What the virus scanner says of a file that waits for it, and who is told.

use std::time::Duration;

use conversations::outbox;
use shared::{
    error::UNAVAILABLE,
    files::{Verdict, get, next_job, scan, scanner_url},
    prelude::*,
};

use crate::{File, tell_messages};

/// The first pause after a scanner that does not answer: ten attempts with what comes of it are an hour.
const PAUSE: Duration = Duration::from_secs(5);

/// No row when it is judged, gone, or its message was taken back.
const WAITING: &str = "select storage_key from files where id = $1 and status = 'quarantined'";

/// Once, however many workers ask.
const LET_GO: &str = "update files set status = 'ready' where id = $1 and status = 'quarantined' returning *";

/// Its object is no other file's: what waits has its own.
const CONDEMN: &str = "
    with infected as (
        update files set status = 'failed', failure = 'infected' where id = $1 and status = 'quarantined' returning *
    ), object as (
        insert into object_removals (storage_key, due_at)
        select storage_key, now() from infected
        on conflict do nothing
    )
    select * from infected";

#[derive(Deserialize)]
struct ScanFile {
    file_id: Uuid,
}

#[derive(FromRow)]
struct Waiting {
    storage_key: String,
}

#[derive(FromRow)]
struct Judged {
    #[from_row(flatten)]
    file: File,
    uploaded_by: Option<Uuid>,
}

/// The virus scanner has judged a file of one's own: it is `ready`, or has `failed` as `infected`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileChecked {
    pub file: File,
}

event!(FileChecked = "file.checked");

/// Has a file judged. Where there is no scanner any more, what still waits for one is let go.
///
/// # Errors
/// 503 when S3 does not answer; as every transaction.
pub async fn scan_file(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let ScanFile { file_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let waiting: Option<Waiting> = transaction.first(WAITING, &[&file_id]).await?;
    let Some(Waiting { storage_key }) = waiting else {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    };
    transaction.commit_quietly().await?;
    let verdict = match scanner_url() {
        None => Verdict::Clean,
        Some(url) => {
            let content = get(context, &storage_key).await?.ok_or(UNAVAILABLE)?;
            match scan(context, &url, content).await {
                Ok(verdict) => verdict,
                Err(reason) => return Ok(Outcome::Again { after: outbox::pause(PAUSE, job.attempts), reason }),
            }
        }
    };
    record(context, job, file_id, verdict).await?;
    Ok(Outcome::Done)
}

async fn record(context: &Context, job: &Claimed, file_id: Uuid, verdict: Verdict) -> Result<(), Error> {
    let transaction = context.begin_system(job.company_id).await?;
    let outcome = if verdict == Verdict::Clean { LET_GO } else { CONDEMN };
    let judged: Option<Judged> = transaction.first(outcome, &[&file_id]).await?;
    if let Some(Judged { file, uploaded_by }) = judged {
        if let Some(kind) = next_job(file.status, &file.mime_type) {
            let payload = json!({"file_id": file_id});
            transaction.enqueue(Job::new(context, Queue::Preparation, kind, format!("file:{file_id}"), payload));
        }
        tell_messages(&transaction, file_id).await?;
        if let Some(person) = uploaded_by {
            transaction.tell_person(person, &FileChecked { file });
        }
    }
    job.finish(&transaction);
    transaction.commit_quietly().await
}
