//! POST /knowledge/import — makes articles of a file or of a public page, as a long job: Markdown by its headings, CSV and XLSX with a title and an
//! answer in each row, PDF by the questions in it. While one of this file or page goes on, it is that one.

use knowledge::{
    articles::{ReadBy, Status, TAG},
    import::{
        FileFault, LARGEST,
        run::{ImportJob, Kind, OnExisting},
    },
};
use shared::{
    VISIBLE,
    error::{FieldProblem, INVALID, refuse},
    files::{FileStatus, QUARANTINED},
    outside,
    prelude::*,
    progress::{self, JobProgress},
    rule, visible,
};

reads!(REACHABLE_INSIDE);

const ROUTE: Route = Route::post("/knowledge/import").fails(&[QUARANTINED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = either_source)]
struct NewKnowledgeImport {
    /// A completed upload: CSV, XLSX, PDF, or text, which is read as Markdown. Give either this or `url`.
    #[garde(custom(one_source(&self.url)))]
    file_id: Option<Uuid>,
    /// The address of a public page.
    #[garde(length(chars, max = 2000))]
    url: Option<String>,
    /// What becomes of sections whose title an article has already.
    #[garde(skip)]
    #[serde(default = "skip")]
    on_existing: OnExisting,
    /// Only says what would come of it.
    #[garde(skip)]
    #[serde(default)]
    dry_run: bool,
    /// Of new articles. Without it, those of tables and Markdown are active; what is made of a PDF or a page is a draft, which somebody should read.
    #[garde(skip)]
    status: Option<Status>,
    /// Of new articles, where the file does not say it.
    #[garde(skip)]
    audience: Option<ReadBy>,
    /// Of new articles, where the file does not say it.
    #[garde(length(max = 20), inner(inner(length(chars, min = 1, max = TAG), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    tags: Option<Vec<String>>,
}

fn skip() -> OnExisting {
    OnExisting::Skip
}

/// As `one_source` says it, for the description.
fn either_source(schema: &mut schemars::Schema) {
    let of = |given: &str, other: &str| {
        let properties = json!({given: {"type": "string"}, other: {"type": "null"}});
        json!({"title": given, "type": "object", "required": [given], "properties": properties})
    };
    schema.insert("oneOf".into(), json!([of("file_id", "url"), of("url", "file_id")]));
}

fn one_source(url: &Option<String>) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |file, ()| {
        if file.is_some() != url.is_some() {
            return Ok(());
        }
        Err(rule("required", "Informe um arquivo ou um endereço.", "Give either a file or an address."))
    }
}

const FILE: &str = "select name, mime_type, size, status from files where id = $1 and status in ('quarantined', 'ready')";

#[derive(FromRow)]
struct File {
    name: String,
    mime_type: String,
    size: i64,
    status: FileStatus,
}

pub fn main() {
    serve(&ROUTE, import_knowledge);
}

async fn import_knowledge(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewKnowledgeImport>,
) -> Result<Accepted<JobProgress>, Error> {
    if let Some(url) = &input.url {
        refuse(outside::check_url(url).await.err().map(|refusal| refusal.in_field("url")))?;
    }
    let transaction = context.begin(&caller).await?;
    let (kind, name) = match (&input.file_id, &input.url) {
        (Some(_), _) => {
            let file: Option<File> = transaction.first(FILE, &[&input.file_id]).await?;
            judged(file)?
        }
        (None, url) => (Kind::Page, url.clone().unwrap_or_default()),
    };
    let of_file = matches!(kind, Kind::Table | Kind::Text);
    let status = input.status.unwrap_or(if of_file { Status::Active } else { Status::Draft });
    let payload = ImportJob {
        kind,
        file_id: input.file_id,
        url: input.url,
        name,
        on_existing: input.on_existing,
        is_dry_run: input.dry_run,
        status,
        audience: input.audience.unwrap_or(ReadBy::Both),
        tags: input.tags.unwrap_or_default(),
    };
    let source = payload.file_id.map_or_else(|| payload.url.clone().unwrap_or_default(), |file| file.to_string());
    let lane = format!("knowledge:{}", caller.company_id);
    let job = Job::new(&context, Queue::Knowledge, "import_knowledge", lane, json!(payload));
    let progress = progress::start(&transaction, job, &format!("{source}:{}", payload.is_dry_run), None).await?;
    transaction.audit(progress.id, &Value::Null, &payload);
    transaction.commit(Accepted(progress)).await
}

/// What a file is read as, and its name.
fn judged(file: Option<File>) -> Result<(Kind, String), Error> {
    let refused = |code, (portuguese, english)| INVALID.in_fields(vec![FieldProblem::new("file_id", code, portuguese, english)]);
    let unknown = ("Este arquivo não existe ou ainda não foi concluído.", "There is no such file, or it is not completed.");
    let File { name, mime_type, size, status } = file.ok_or_else(|| refused("unknown_file", unknown))?;
    if status == FileStatus::Quarantined {
        return Err(QUARANTINED.into());
    }
    if size.unsigned_abs() > LARGEST {
        return Err(refused("too_large", FileFault::TooLarge.texts()));
    }
    let kind = match mime_type.as_str() {
        "text/csv" | "application/vnd.ms-excel" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => {
            Kind::Table
        }
        "text/plain" => Kind::Text,
        "application/pdf" => Kind::Pdf,
        _ => {
            let texts = ("Use um arquivo CSV, XLSX, PDF ou de texto.", "Use a CSV, XLSX, PDF or text file.");
            return Err(refused("not_readable", texts));
        }
    };
    Ok((kind, name))
}
