//! An import from its file to its end, page by page, and the way back.

use std::{
    collections::{HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    time::Duration,
};

use futures_util::future::try_join;
use shared::{
    files,
    prelude::*,
    progress::{Ending, Progress, Step},
};

use super::{
    FileFault, RowError, RowFault,
    kept::{ImportRow, ListedRow, MOST_ERRORS, Statements},
    mapping::{self, Column, Mapping},
    table::{LARGEST, Place, Row, Table},
};
use crate::fields::ClientFields;

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

/// What comes in as a table.
pub trait Incoming {
    /// What a column may be.
    type Column: Column + Send + Sync;
    /// What of the company rows are read with.
    type Company: Send + Sync;
    /// What a row is.
    type Item: Send + Sync;

    const STATEMENTS: Statements;

    /// What of the company rows of this import are read with.
    fn company(transaction: &Transaction, import: &ImportRow) -> impl Future<Output = Result<Self::Company, Error>> + Send;

    /// The company's own fields of them.
    fn fields(company: &Self::Company) -> &ClientFields;

    /// What a row says.
    ///
    /// # Errors
    /// All that is wrong with it.
    fn read(reading: &Reading<'_, Self>, row: &Row) -> Result<Self::Item, Vec<RowError>>
    where
        Self: Sized;

    /// By what it is known: of two rows that have one of these the first counts.
    fn keys(item: &Self::Item, company: &Self::Company) -> Vec<String>;

    /// Writes the items of a page. `None` when it is to be looked at again, since somebody has come between: then nothing is committed.
    fn write(
        context: &Context,
        transaction: &Transaction,
        import: &ListedRow,
        company: &Self::Company,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Option<Written>, Error>> + Send;

    /// Takes back what an import did to the next ones, `most` at once.
    fn take_back(
        context: &Context,
        transaction: &Transaction,
        import: Uuid,
        most: i32,
    ) -> impl Future<Output = Result<Undone, Error>> + Send;

    /// Tells who shows lists of them, and whom else it concerns.
    fn tell(transaction: &Transaction, import: &ImportRow) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What rows of one file are read with.
pub struct Reading<'file, I: Incoming> {
    pub headers: &'file [String],
    pub columns: &'file [Option<I::Column>],
    pub company: &'file I::Company,
}

/// What came of a page.
#[derive(Debug, Default)]
pub struct Written {
    pub made: i32,
    pub updated: i32,
    pub skipped: i32,
    pub errors: Vec<RowError>,
}

/// How many were taken back, and of how many something stays.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct Undone {
    pub taken: i32,
    pub kept: i32,
}

#[derive(FromRow)]
struct MappedBefore {
    mapping: Value,
}

/// Takes up an import, or goes on with it.
///
/// # Errors
/// As the database or S3 fails.
pub async fn import<I: Incoming>(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let ImportJob { import_id } = job.read()?;
    let Some(progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: NO_ONE_WATCHES.to_owned() });
    };
    let transaction = context.begin_system(job.company_id).await?;
    let statements = I::STATEMENTS;
    let (_, import): (_, ImportRow) =
        try_join(transaction.execute(statements.goes_on, &[&import_id]), transaction.one(statements.one, &[&import_id])).await?;
    let (company, file): (_, Option<StoredFile>) =
        try_join(I::company(&transaction, &import), transaction.first(FILE, &[&import.listed.file_id])).await?;
    transaction.commit_quietly().await?;
    let run = Run::<I> { context, job, progress, import, company };
    // Nothing more comes of what was taken back.
    if run.import.listed.undo_job_id.is_some() {
        return run.end(Ending::Cancelled, None).await;
    }
    let table = match run.table(file).await? {
        Ok(table) => table,
        Err(fault) => return run.end(Ending::Done, Some(fault)).await,
    };
    let mapping = run.mapping(&table).await?;
    let columns = mapping::columns(&table.headers, &mapping, I::fields(&run.company));
    run.note(&table, &mapping).await?;
    match columns {
        Ok(columns) => run.rows(&table, &columns).await,
        Err(fault) => run.end(Ending::Done, Some(fault)).await,
    }
}

struct Run<I: Incoming> {
    context: Context,
    job: Claimed,
    progress: Progress,
    import: ImportRow,
    company: I::Company,
}

impl<I: Incoming> Run<I> {
    async fn table(&self, file: Option<StoredFile>) -> Result<Result<Table, FileFault>, Error> {
        let Some(StoredFile { storage_key }) = file else { return Ok(Err(FileFault::Gone)) };
        let Some(fetched) = files::fetch(&self.context, &storage_key, LARGEST).await? else { return Ok(Err(FileFault::Gone)) };
        Ok(if fetched.size > LARGEST { Err(FileFault::TooLarge) } else { Table::open(fetched.content) })
    }

    /// What columns are: as it was said, as it was the last time that a file had these, or as they seem to say.
    async fn mapping(&self, table: &Table) -> Result<Mapping, Error> {
        if let Some(said) = self.import.mapping() {
            return Ok(said);
        }
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let before: Option<MappedBefore> =
            transaction.first(I::STATEMENTS.mapped_before, &[&table.headers, &self.import.listed.id]).await?;
        let fields = I::fields(&self.company);
        let remembered = before.and_then(|before| serde_json::from_value::<Mapping>(before.mapping).ok());
        let holds = |mapping: &Mapping| mapping::columns::<I::Column>(&table.headers, mapping, fields).is_ok();
        Ok(remembered.filter(holds).unwrap_or_else(|| mapping::guess::<I::Column>(&table.headers, fields)))
    }

    /// Notes what the file is, once.
    async fn note(&self, table: &Table, mapping: &Mapping) -> Result<(), Error> {
        if self.import.headers.is_some() {
            return Ok(());
        }
        let transaction = self.context.begin_system(self.job.company_id).await?;
        self.progress.expect(&transaction, table.rows).await?;
        transaction.execute(I::STATEMENTS.read_as, &[&self.import.listed.id, &table.headers, &json!(mapping)]).await?;
        transaction.commit_quietly().await
    }

    async fn rows(mut self, table: &Table, columns: &[Option<I::Column>]) -> Result<Outcome, Error> {
        let unreadable = |_| shared::error::INTERNAL.caused_by("the file was there before");
        let begin = self.progress.place::<Place>()?.unwrap_or(table.first());
        let mut seen = Seen::default();
        let mut earlier = table.rows_from(table.first()).map_err(unreadable)?;
        while earlier.place != begin {
            let Some(row) = earlier.next() else { break };
            drop(self.items(&[row], table, columns, &mut seen));
        }
        let mut rows = table.rows_from(begin).map_err(unreadable)?;
        if self.progress.is_cancelled() {
            return self.end(Ending::Cancelled, None).await;
        }
        let mut attempts = 0;
        let mut page: Vec<Row> = rows.by_ref().take(PAGE).collect();
        let mut items = self.items(&page, table, columns, &mut seen);
        while !page.is_empty() {
            let Some(step) = self.page(&page, &items, rows.place).await? else {
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
            items = self.items(&page, table, columns, &mut seen);
        }
        self.end(Ending::Done, None).await
    }

    /// What the rows of a page are, and what is wrong with its other rows.
    fn items(
        &self,
        page: &[Row],
        table: &Table,
        columns: &[Option<I::Column>],
        seen: &mut Seen,
    ) -> (Vec<I::Item>, Vec<RowError>) {
        let reading = Reading::<I> { headers: &table.headers, columns, company: &self.company };
        let (mut items, mut faults) = (Vec::new(), Vec::new());
        for row in page {
            match I::read(&reading, row) {
                Ok(item) if seen.take(&I::keys(&item, &self.company)) => items.push(item),
                Ok(_) => faults.push(RowError::new(row.number, None, RowFault::RepeatedRow)),
                Err(errors) => faults.extend(errors),
            }
        }
        (items, faults)
    }

    /// Writes a page and counts it; `None` when it is to be looked at again.
    async fn page(
        &mut self,
        page: &[Row],
        (items, faults): &(Vec<I::Item>, Vec<RowError>),
        next: Place,
    ) -> Result<Option<Step>, Error> {
        let transaction = self.context.begin_system(self.job.company_id).await?;
        let ListedRow { id, error_count, .. } = self.import.listed;
        let written = I::write(&self.context, &transaction, &self.import.listed, &self.company, items).await?;
        let Some(Written { made, updated, skipped, errors }) = written else { return Ok(None) };
        let mut errors: Vec<&RowError> = faults.iter().chain(&errors).collect();
        errors.sort_by_key(|error| error.row);
        let mut failed: Vec<i64> = errors.iter().map(|error| error.row).collect();
        failed.dedup();
        let room = MOST_ERRORS.saturating_sub(usize::try_from(error_count).unwrap_or(MOST_ERRORS));
        let count = |items: usize| i32::try_from(items).unwrap_or(i32::MAX);
        let (failed, all_errors) = (failed.len(), count(errors.len()));
        let shown = json!(errors.into_iter().take(room).collect::<Vec<_>>());
        transaction.execute(I::STATEMENTS.count, &[&id, &made, &updated, &skipped, &count(failed), &shown, &all_errors]).await?;
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
        let ended: Option<ImportRow> = transaction.first(I::STATEMENTS.end, &[&self.import.listed.id, &state, &code]).await?;
        let import = ended.unwrap_or(self.import);
        let ListedRow { made, updated, skipped, failed, is_dry_run, .. } = import.listed;
        let result = json!({"made": made, "updated": updated, "skipped": skipped, "failed": failed, "problem": code});
        if !is_dry_run && made + updated > 0 {
            I::tell(&transaction, &import).await?;
        }
        self.progress.finish(&transaction, ending, &result).await?;
        self.job.finish(&transaction);
        transaction.commit_quietly().await?;
        Ok(Outcome::Done)
    }
}

/// Who the rows of a file are: of two rows that are the same person the first counts.
#[derive(Default)]
struct Seen {
    keys: HashSet<u64>,
}

impl Seen {
    /// Whether nobody before them was known by anything of this.
    fn take(&mut self, keys: &[String]) -> bool {
        let hashes: Vec<u64> = keys.iter().map(|key| hash(key)).collect();
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

/// An import's job is given up.
///
/// # Errors
/// As the database fails.
pub async fn give_up<I: Incoming>(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let Ok(ImportJob { import_id }) = job.read() else { return Ok(()) };
    transaction.execute(I::STATEMENTS.give_up, &[&import_id]).await.map(drop)
}

/// What could not be taken back may be asked for once more.
///
/// # Errors
/// Those of the database.
pub async fn give_up_undo<I: Incoming>(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let Ok(ImportJob { import_id }) = job.read() else { return Ok(()) };
    transaction.execute(I::STATEMENTS.stop_undo, &[&import_id]).await.map(drop)
}

/// Takes back what an import did.
///
/// # Errors
/// As the database fails.
pub async fn undo<I: Incoming>(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let ImportJob { import_id } = job.read()?;
    let Some(mut progress) = Progress::begin(&context, job.company_id, job.id).await? else {
        return Ok(Outcome::Failed { reason: NO_ONE_WATCHES.to_owned() });
    };
    loop {
        let transaction = context.begin_system(job.company_id).await?;
        let is_cancelled = progress.is_cancelled();
        let page =
            if is_cancelled { Undone::default() } else { I::take_back(&context, &transaction, import_id, UNDO_PAGE).await? };
        if page.taken == 0 {
            let (ending, statement) =
                if is_cancelled { (Ending::Cancelled, I::STATEMENTS.stop_undo) } else { (Ending::Done, I::STATEMENTS.undone) };
            let import: ImportRow = transaction.one(statement, &[&import_id]).await?;
            I::tell(&transaction, &import).await?;
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
