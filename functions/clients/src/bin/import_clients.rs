//! POST /clients/import — makes clients of the rows of a CSV or XLSX file, as a long job. `GET /clients/imports/{id}`, by the job's id, says what
//! came of it. While one of this file goes on, it is that one.

use std::collections::BTreeMap;

use clients::import::{
    FileFault,
    kept::OnExisting,
    mapping::{TARGET, Target},
    run::ImportJob,
    table::LARGEST,
};
use shared::{
    error::{FieldProblem, refuse},
    files::{FileStatus, QUARANTINED},
    parameters,
    prelude::*,
    progress::{self, JobProgress},
    rule,
};

const ROUTE: Route = Route::post("/clients/import").fails(&[QUARANTINED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewImport {
    /// A completed upload: CSV, XLSX.
    #[garde(skip)]
    file_id: Uuid,
    /// Of columns' headers, what they are; guessed from the headers when it is not given. `notes` (4,000 characters at most) become a note on a
    /// client who is new.
    #[garde(length(max = 100), dive)]
    mapping: Option<BTreeMap<String, Column>>,
    /// What becomes of rows whose client is there already.
    #[garde(skip)]
    #[serde(default = "skip")]
    on_existing: OnExisting,
    /// Only says what would come of it.
    #[garde(skip)]
    #[serde(default)]
    dry_run: bool,
}

fn skip() -> OnExisting {
    OnExisting::Skip
}

/// What a column is of a client.
#[derive(Serialize, Deserialize, Validate, JsonSchema)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
struct Column(
    #[garde(custom(is_target))]
    #[schemars(regex(pattern = TARGET))]
    String,
);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn is_target(text: &str, (): &()) -> garde::Result {
    if Target::read(text).is_some_and(|target| target.is_well_formed()) {
        return Ok(());
    }
    let (portuguese, english) = (
        "Use name, phone, email, document, tags, notes ou custom_fields.chave.",
        "Use name, phone, email, document, tags, notes or custom_fields.key.",
    );
    Err(rule("pattern", portuguese, english))
}

const FILE: &str = "select name, mime_type, size, status from files where id = $1 and status in ('quarantined', 'ready')";

#[derive(FromRow)]
struct File {
    name: String,
    mime_type: String,
    size: i64,
    status: FileStatus,
}

/// What tables are declared as. Which of them a file is, its content says.
const TYPES: [&str; 4] =
    ["text/csv", "text/plain", "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"];

const KEEP: &str = "
    insert into client_imports (id, file_id, file_name, on_existing, is_dry_run, mapping) values ($1, $2, $3, $4, $5, $6)";

pub fn main() {
    serve(&ROUTE, import_clients);
}

async fn import_clients(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(NewImport { file_id, mapping, on_existing, dry_run }): Json<NewImport>,
) -> Result<Accepted<JobProgress>, Error> {
    let transaction = context.begin(&caller).await?;
    let file: Option<File> = transaction.first(FILE, &[&file_id]).await?;
    let problem = |code, (portuguese, english)| FieldProblem::new("file_id", code, portuguese, english);
    let unknown = ("Este arquivo não existe ou ainda não foi concluído.", "There is no such file, or it is not completed.");
    let file = match file {
        None => Err(problem("unknown_file", unknown)),
        Some(file) if file.status == FileStatus::Quarantined => return Err(QUARANTINED.into()),
        Some(file) if !TYPES.contains(&file.mime_type.as_str()) => Err(problem("not_a_table", FileFault::NotATable.texts())),
        Some(file) if file.size.unsigned_abs() > LARGEST => Err(problem("too_large", FileFault::TooLarge.texts())),
        Some(file) => Ok(file),
    };
    let file = match file {
        Ok(file) => file,
        Err(problem) => return Err(refuse(vec![problem]).expect_err("there is a problem")),
    };
    let mut job = Job::new(&context, Queue::Export, "import_clients", format!("clients:{}", caller.company_id), Value::Null);
    let id = job.id;
    job.payload = json!(ImportJob { import_id: id });
    let progress = progress::start(&transaction, job, &format!("{file_id}:{dry_run}"), None).await?;
    let said = json!({"file_id": file_id, "file": file.name, "on_existing": on_existing, "dry_run": dry_run, "mapping": mapping});
    if progress.id == id {
        let mapping = mapping.map(|mapping| json!(mapping));
        transaction.defer(KEEP, parameters![id, file_id, file.name, on_existing.as_str(), dry_run, mapping]);
    }
    transaction.audit(progress.id, &Value::Null, &said);
    transaction.commit(Accepted(progress)).await
}
