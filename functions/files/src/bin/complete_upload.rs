//! POST /storage/{id}/complete — checks what was uploaded against what was announced. Doing it again answers the same.

use files::{Facts, File, NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH, inspect};
use shared::prelude::*;

const ROUTE: Route =
    Route::post("/storage/{id}/complete").fails(&[NOT_UPLOADED, SIZE_MISMATCH, TYPE_MISMATCH]).needs(Privilege::Files);

/// Only whoever uploads a file completes it: one that WhatsApp sends is completed by its own worker.
const FIND: &str = "select * from files where id = $1 and uploaded_by = app.user_id()";

const COMPLETE: &str = "
    update files
       set status = 'ready', mime_type = $2, width = $3, height = $4, duration_ms = $5, completed_at = now()
     where id = $1 and status = 'pending'
    returning *";

const REFUSE: &str = "
    update files
       set status = 'failed', failure = $2, completed_at = now()
     where id = $1 and status = 'pending'
    returning *";

fn main() {
    serve(&ROUTE, complete_upload);
}

async fn complete_upload(context: Context, caller: Member, Path(id): Path<Uuid>) -> Result<Json<File>, Error> {
    let lookup = context.begin(&caller).await?;
    let file: File = lookup.one(FIND, &[&id]).await?;
    lookup.commit_unaudited().await?;
    if file.status != "pending" {
        return answer(file);
    }
    let found = inspect(&context, &file).await?;
    let recorded = record(&context, &caller, id, found).await?;
    if recorded.status == "failed" {
        shared::files::delete(&context, &recorded.storage_key).await?;
    }
    answer(recorded)
}

/// Writes the outcome, unless another request has meanwhile.
async fn record(context: &Context, caller: &Identity, id: Uuid, found: Result<Facts, Problem>) -> Result<File, Error> {
    let transaction = context.begin(caller).await?;
    let recorded: Option<File> = match &found {
        Ok(Facts { mime_type, width, height, duration_ms }) => {
            transaction.first(COMPLETE, &[&id, mime_type, width, height, duration_ms]).await?
        }
        Err(problem) => transaction.first(REFUSE, &[&id, &problem.code]).await?,
    };
    let file = match recorded {
        Some(file) => file,
        None => transaction.one(FIND, &[&id]).await?,
    };
    transaction.audit(format!("file:{id}"), &Value::Null, &json!({"status": file.status, "failure": file.failure}));
    transaction.commit_quietly().await?;
    Ok(file)
}

/// What a finished upload answers, now and ever after.
fn answer(file: File) -> Result<Json<File>, Error> {
    if file.status == "ready" { Ok(Json(file)) } else { Err(file.refusal().into()) }
}
