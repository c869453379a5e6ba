//! POST /leads/import — makes leads of the rows of a CSV or XLSX file, as a long job. `GET /leads/imports/{id}`, by the job's id, says what came of it.
//! While one of this file goes on, it is that one.

use std::collections::BTreeMap;

use clients::import::{kept::OnExisting, mapping::Column as _, run::ImportJob, starting::offered};
use leads::{
    IS_STAFF, NO_SUCH_STAGE, PLACE_FOR_NEW, Stage,
    import::{LEAD_TARGET, LeadColumn},
};
use shared::{
    error::{FieldProblem, refuse},
    files::QUARANTINED,
    parameters,
    prelude::*,
    progress::{self, JobProgress},
    rule,
};

const ROUTE: Route = Route::post("/leads/import").fails(&[NO_SUCH_STAGE, QUARANTINED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewLeadImport")]
struct NewImport {
    /// A completed upload: CSV, XLSX.
    #[garde(skip)]
    file_id: Uuid,
    /// Of columns' headers, what they are; when it is not given, what they were the last time that a file had these, or what they seem to say.
    /// `notes` become an interaction of a lead that is new, a `stage` counts for those alone.
    #[garde(length(max = 100), dive)]
    mapping: Option<BTreeMap<String, LeadTarget>>,
    /// What becomes of rows whose lead is there already, by `crm_id`, or by phone or e-mail in the pipeline.
    #[garde(skip)]
    #[serde(default = "skip")]
    on_existing: OnExisting,
    /// Only says what would come of it.
    #[garde(skip)]
    #[serde(default)]
    dry_run: bool,
    /// The company's first one where nothing is said.
    #[garde(skip)]
    pipeline_id: Option<Uuid>,
    /// An open one of the pipeline, for rows that name none; its first one where nothing is said.
    #[garde(skip)]
    stage_id: Option<Uuid>,
    /// Whose those are whose row names no closer: active staff.
    #[garde(skip)]
    closer_id: Option<Uuid>,
}

fn skip() -> OnExisting {
    OnExisting::Skip
}

/// What a column is of a lead.
#[derive(Serialize, Deserialize, Validate, JsonSchema)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
struct LeadTarget(
    #[garde(custom(is_target))]
    #[schemars(regex(pattern = LEAD_TARGET))]
    String,
);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn is_target(text: &str, (): &()) -> garde::Result {
    if LeadColumn::read(text).is_some_and(|column| column.is_well_formed()) {
        return Ok(());
    }
    let (portuguese, english) = (
        "Use um campo do lead, como name, phone ou stage, ou custom_fields.chave.",
        "Use a field of leads, like name, phone or stage, or custom_fields.key.",
    );
    Err(rule("pattern", portuguese, english))
}

const KEEP: &str = "
    insert into lead_imports (id, file_id, file_name, on_existing, is_dry_run, mapping, pipeline_id, stage_id, closer_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub fn main() {
    serve(&ROUTE, import_leads);
}

async fn import_leads(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewImport>,
) -> Result<Accepted<JobProgress>, Error> {
    let NewImport { file_id, mapping, on_existing, dry_run, pipeline_id, stage_id, closer_id } = input;
    let transaction = context.begin(&caller).await?;
    let file_name = offered(&transaction, file_id).await?;
    let stage: Option<Stage> = transaction.first(PLACE_FOR_NEW, &[&pipeline_id, &stage_id]).await?;
    let Stage { id: stage_id, pipeline_id, .. } = stage.ok_or(NO_SUCH_STAGE)?;
    if closer_id.is_some() && transaction.query(IS_STAFF, &[&closer_id]).await?.is_empty() {
        refuse([FieldProblem::not_active_staff("closer_id")])?;
    }
    let mut job = Job::new(&context, Queue::Leads, "import_leads", format!("lead_imports:{}", caller.company_id), Value::Null);
    let id = job.id;
    job.payload = json!(ImportJob { import_id: id });
    let progress = progress::start(&transaction, job, &format!("{file_id}:{dry_run}"), None).await?;
    let said = json!({
        "file_id": file_id, "file": file_name, "on_existing": on_existing, "dry_run": dry_run, "mapping": mapping,
        "pipeline_id": pipeline_id, "stage_id": stage_id, "closer_id": closer_id,
    });
    if progress.id == id {
        let mapping = mapping.map(|mapping| json!(mapping));
        let kept = parameters![id, file_id, file_name, on_existing.as_str(), dry_run, mapping, pipeline_id, stage_id, closer_id];
        transaction.defer(KEEP, kept);
    }
    transaction.audit(progress.id, &Value::Null, &said);
    transaction.commit(Accepted(progress)).await
}
