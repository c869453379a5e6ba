//! POST /clients/import — makes clients of the rows of a CSV or XLSX file, as a long job. `GET /clients/imports/{id}`, by the job's id, says what
//! came of it. While one of this file goes on, it is that one.

use std::collections::BTreeMap;

use clients::import::{
    kept::OnExisting,
    mapping::{Column as _, TARGET, Target},
    run::ImportJob,
    starting::offered,
};
use shared::{
    files::QUARANTINED,
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
    #[garde(custom(makes_no_twin))]
    #[serde(default = "skip")]
    #[schemars(extend("enum" = ["skip", "update"]))]
    on_existing: OnExisting,
    /// Only says what would come of it.
    #[garde(skip)]
    #[serde(default)]
    dry_run: bool,
}

fn skip() -> OnExisting {
    OnExisting::Skip
}

/// An identity is one client's.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn makes_no_twin(on_existing: &OnExisting, (): &()) -> garde::Result {
    if *on_existing == OnExisting::Create {
        return Err(rule("invalid", "Use skip ou update.", "Use skip or update."));
    }
    Ok(())
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
    let file_name = offered(&transaction, file_id).await?;
    let mut job = Job::new(&context, Queue::Export, "import_clients", format!("clients:{}", caller.company_id), Value::Null);
    let id = job.id;
    job.payload = json!(ImportJob { import_id: id });
    let progress = progress::start(&transaction, job, &format!("{file_id}:{dry_run}"), None).await?;
    let said = json!({"file_id": file_id, "file": file_name, "on_existing": on_existing, "dry_run": dry_run, "mapping": mapping});
    if progress.id == id {
        let mapping = mapping.map(|mapping| json!(mapping));
        transaction.defer(KEEP, parameters![id, file_id, file_name, on_existing.as_str(), dry_run, mapping]);
    }
    transaction.audit(progress.id, &Value::Null, &said);
    transaction.commit(Accepted(progress)).await
}
