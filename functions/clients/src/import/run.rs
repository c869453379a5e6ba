//! An import from its file to its end, page by page, and the way back.

use std::{
    collections::{HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    time::Duration,
};

use futures_util::future::try_join3;
use shared::{
    files,
    prelude::*,
    progress::{Ending, Progress, Step},
};

use super::{
    FileFault, RowError, RowFault,
    kept::{ClientsImported, IMPORT, ImportRow, ListedRow, MOST_ERRORS},
    mapping::{self, Mapping},
    page,
    person::{Person, Reading},
    table::{LARGEST, Place, Row, Table},
};
use crate::{fields, import_columns};

/// Rows of a page.
const PAGE: usize = 200;

/// Clients of a page that are taken back.
const UNDO_PAGE: i32 = 100;

const NO_ONE_WATCHES: &str = "nobody watches it";

/// What an import's job says.
#[derive(Debug, Serialize, Deserialize)]
pub struct ImportJob {
    pub import_id: Uuid,
}

const FILE: &str = "select storage_key from files where id = $1 and status = 'ready'";

#[derive(FromRow)]
struct StoredFile {
    storage_key: String,
}

const READ_AS: &str = "update client_imports set headers = $2, mapping = $3 where id = $1";

/// Errors are kept as long as there are few.
const COUNT: &str = "
    update client_imports
       set made = made + $2, updated = updated + $3, skipped = skipped + $4, failed = failed + $5, errors = errors || $6::jsonb,
           error_count = error_count + $7
     where id = $1";

const END: &str = concat!(
    "update client_imports set state = $2, fault = $3, finished_at = now() where id = $1 and finished_at is null returning ",
    import_columns!()
);

const GIVE_UP: &str = "update client_imports set state = 'failed', finished_at = now() where id = $1 and finished_at is null";

const GOES_ON: &str =
    "update client_imports set state = 'going', finished_at = null where id = $1 and state = 'failed' and undo_job_id is null";

/// Takes up an import, or goes on with it.
///
/// # Errors
/// As the database or S3 fails.
pub async fn import(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let ImportJob { import_id } = job.read()?;
    let Some(progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: NO_ONE_WATCHES.to_owned() });
    };
    let transaction = context.begin_system(job.company_id).await?;
    let (_, import, fields): (_, ImportRow, _) = try_join3(
        transaction.execute(GOES_ON, &[&import_id]),
        transaction.one(IMPORT, &[&import_id]),
        fields::read(&transaction),
    )
    .await?;
    let file: Option<StoredFile> = transaction.first(FILE, &[&import.listed.file_id]).await?;
    transaction.commit_quietly().await?;
    let run = Run { context, job, progress, import };
    // Nothing more comes of what was taken back.
    if run.import.listed.undo_job_id.is_some() {
        return run.end(Ending::Cancelled, None).await;
    }
    let table = match run.table(file).await? {
        Ok(table) => table,
        Err(fault) => return run.end(Ending::Done, Some(fault)).await,
    };
    let mapping = run.import.mapping().unwrap_or_else(|| mapping::guess(&table.headers, &fields));
    let columns = mapping::columns(&table.headers, &mapping, &fields);
    run.note(&table, &mapping).await?;
    match columns {
        Ok(columns) => run.rows(&table, &Reading { headers: &table.headers, columns: &columns, fields: &fields }).await,
        Err(fault) => run.end(Ending::Done, Some(fault)).await,
    }
}

struct Run {
    context: Context,
    job: Claimed,
    progress: Progress,
    import: ImportRow,
}

impl Run {
    async fn table(&self, file: Option<StoredFile>) -> Result<Result<Table, FileFault>, Error> {
        let Some(StoredFile { storage_key }) = file else { return Ok(Err(FileFault::Gone)) };
        let Some(fetched) = files::fetch(&self.context, &storage_key, LARGEST).await? else { return Ok(Err(FileFault::Gone)) };
        Ok(if fetched.size > LARGEST { Err(FileFault::TooLarge) } else { Table::open(fetched.content) })
    }

    /// Notes what the file is, once.
    async fn note(&self, table: &Table, mapping: &Mapping) -> Result<(), Error> {
        if self.import.headers.is_some() {
            return Ok(());
        }
        let transaction = self.context.begin_system(self.job.company_id).await?;
        self.progress.expect(&transaction, table.rows).await?;
        transaction.execute(READ_AS, &[&self.import.listed.id, &table.headers, &json!(mapping)]).await?;
        transaction.commit_quietly().await
    }

    async fn rows(mut self, table: &Table, reading: &Reading<'_>) -> Result<Outcome, Error> {
        let unreadable = |_| shared::error::INTERNAL.caused_by("the file was there before");
        let begin = self.progress.place::<Place>()?.unwrap_or(table.first());
        let mut seen = Seen::default();
        let mut earlier = table.rows_from(table.first()).map_err(unreadable)?;
        while earlier.place != begin {
            let Some(row) = earlier.next() else { break };
            drop(reading.person(&row).map(|person| seen.take(&person)));
        }
        let mut rows = table.rows_from(begin).map_err(unreadable)?;
        if self.progress.is_cancelled() {
            return self.end(Ending::Cancelled, None).await;
        }
        let mut attempts = 0;
        let mut page: Vec<Row> = rows.by_ref().take(PAGE).collect();
        let mut people = read(&page, reading, &mut seen);
        while !page.is_empty() {
            let Some(step) = self.page(&page, &people, rows.place).await? else {
                attempts += 1;
                if attempts < 5 {
                    continue;
                }
                return Ok(Outcome::Again { after: Duration::from_secs(2), reason: "identities are taken meanwhile".to_owned() });
            };
            attempts = 0;
            match step {
                Step::Continue => {}
                Step::Pause => return Ok(Outcome::Hold { after: Duration::from_secs(1) }),
                Step::Cancelled => return self.end(Ending::Cancelled, None).await,
            }
            page = rows.by_ref().take(PAGE).collect();
            people = read(&page, reading, &mut seen);
        }
        self.end(Ending::Done, None).await
    }

    /// Writes a page and counts it; `None` when it is to be looked at again.
    async fn page(
        &mut self,
        page: &[Row],
        (people, faults): &(Vec<Person>, Vec<RowError>),
        next: Place,
    ) -> Result<Option<Step>, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let ListedRow { id, on_existing, is_dry_run, error_count, started_by, .. } = self.import.listed;
        let import = page::Import { id, on_existing, is_dry_run, started_by };
        let Some(written) = page::write(&self.context, &transaction, import, people).await? else {
            return Ok(None);
        };
        let mut errors: Vec<&RowError> = faults.iter().chain(&written.errors).collect();
        errors.sort_by_key(|error| error.row);
        let mut failed: Vec<i64> = errors.iter().map(|error| error.row).collect();
        failed.dedup();
        let room = MOST_ERRORS.saturating_sub(usize::try_from(error_count).unwrap_or(MOST_ERRORS));
        let count = |items: usize| i32::try_from(items).unwrap_or(i32::MAX);
        let (failed, all_errors) = (failed.len(), count(errors.len()));
        let shown = json!(errors.into_iter().take(room).collect::<Vec<_>>());
        let page::Written { made, updated, skipped, .. } = written;
        transaction.execute(COUNT, &[&id, &made, &updated, &skipped, &count(failed), &shown, &all_errors]).await?;
        let step = self.progress.advance(&transaction, page.len(), failed, next).await?;
        transaction.commit_quietly().await?;
        self.import.listed.error_count += all_errors;
        Ok(Some(step))
    }

    async fn end(self, ending: Ending, fault: Option<FileFault>) -> Result<Outcome, Error> {
        let state = match (ending, fault) {
            (_, Some(_)) => "failed",
            (Ending::Done, None) => "done",
            (Ending::Cancelled, None) => "cancelled",
        };
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let code = fault.map(FileFault::as_str);
        let ended: Option<ImportRow> = transaction.first(END, &[&self.import.listed.id, &state, &code]).await?;
        let import = ended.unwrap_or(self.import);
        let ListedRow { made, updated, skipped, failed, is_dry_run, .. } = import.listed;
        let result = json!({"made": made, "updated": updated, "skipped": skipped, "failed": failed, "problem": code});
        if !is_dry_run && made + updated > 0 {
            transaction.tell_staff(&ClientsImported::from(&import));
        }
        self.progress.finish(&transaction, ending, &result).await?;
        self.job.finish(&transaction);
        transaction.commit_quietly().await?;
        Ok(Outcome::Done)
    }
}

/// Who the rows of a file are: of two rows that are the same client the first counts.
#[derive(Default)]
struct Seen {
    keys: HashSet<u64>,
}

impl Seen {
    /// Whether nobody before them was known by anything of this.
    fn take(&mut self, person: &Person) -> bool {
        let hashes: Vec<u64> = person.keys().iter().map(|key| hash(key)).collect();
        if hashes.iter().any(|hash| self.keys.contains(hash)) {
            return false;
        }
        self.keys.extend(hashes);
        true
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The people of a page, and what is wrong with its other rows.
fn read(page: &[Row], reading: &Reading<'_>, seen: &mut Seen) -> (Vec<Person>, Vec<RowError>) {
    let (mut people, mut faults) = (Vec::new(), Vec::new());
    for row in page {
        match reading.person(row) {
            Ok(person) if seen.take(&person) => people.push(person),
            Ok(_) => faults.push(RowError::new(row.number, None, RowFault::RepeatedRow)),
            Err(errors) => faults.extend(errors),
        }
    }
    (people, faults)
}

/// An import's job is given up.
///
/// # Errors
/// As the database fails.
pub async fn give_up(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let Ok(ImportJob { import_id }) = job.read() else { return Ok(()) };
    transaction.execute(GIVE_UP, &[&import_id]).await.map(drop)
}

/// What could not be taken back may be asked for once more.
///
/// # Errors
/// Those of the database.
pub async fn give_up_undo(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let Ok(ImportJob { import_id }) = job.read() else { return Ok(()) };
    transaction.execute(STOP_UNDO, &[&import_id]).await.map(drop)
}

const UNDO: &str = "select * from app.undo_client_import($1, $2)";

/// It may be gone on with.
const STOP_UNDO: &str =
    concat!("update client_imports set undo_job_id = null where client_imports.id = $1 returning ", import_columns!());

const UNDONE: &str =
    concat!("update client_imports set undone_at = now() where client_imports.id = $1 returning ", import_columns!());

#[derive(FromRow)]
struct Undone {
    taken: i32,
    kept: i32,
}

/// Takes back what an import did.
///
/// # Errors
/// As the database fails.
pub async fn undo(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let ImportJob { import_id } = job.read()?;
    let Some(mut progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: NO_ONE_WATCHES.to_owned() });
    };
    loop {
        let transaction = context.begin_system(job.company_id).await?;
        let is_cancelled = progress.is_cancelled();
        let page: Undone =
            if is_cancelled { Undone { taken: 0, kept: 0 } } else { transaction.one(UNDO, &[&import_id, &UNDO_PAGE]).await? };
        if page.taken == 0 {
            let (ending, statement) = if is_cancelled { (Ending::Cancelled, STOP_UNDO) } else { (Ending::Done, UNDONE) };
            let import: ImportRow = transaction.one(statement, &[&import_id]).await?;
            transaction.tell_staff(&ClientsImported::from(&import));
            let result =
                json!({"removed": import.listed.removed, "restored": import.listed.restored, "kept": import.listed.kept});
            progress.finish(&transaction, ending, &result).await?;
            job.finish(&transaction);
            transaction.commit_quietly().await?;
            return Ok(Outcome::Done);
        }
        let count = |items: i32| usize::try_from(items).unwrap_or_default();
        let step = progress.advance(&transaction, count(page.taken), count(page.kept), ()).await?;
        transaction.commit_quietly().await?;
        if step == Step::Pause {
            return Ok(Outcome::Hold { after: Duration::from_secs(1) });
        }
    }
}
