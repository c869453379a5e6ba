//! POST /storage/signed-upload-url — announces a file and answers where and how to upload it.

use std::time::Duration;

use files::{ANNOUNCE, File, FileUser, Purpose, name_problems, purpose_problem};
use shared::{
    error::{FieldProblem, INVALID, NOT_FOUND, refuse},
    files::{Upload, accepted, by_type, clean_name, incoming_key, presigned_upload},
    prelude::*,
};

const ROUTE: Route = Route::post("/storage/signed-upload-url").fails(&[NOT_FOUND]).needs(Privilege::Uploads);

/// Within which the upload must begin.
const UPLOAD_LIFE: Duration = Duration::from_mins(15);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = by_type)]
struct Announcement {
    #[garde(length(chars, min = 1, max = 1000))]
    name: String,
    #[garde(length(min = 1, max = 255))]
    mime_type: String,
    /// Exact number of bytes.
    #[garde(range(min = 1))]
    size: i64,
    /// The conversation it will be sent in: who sees that sees the file.
    #[garde(skip)]
    conversation_id: Option<Uuid>,
    #[serde(default)]
    #[garde(skip)]
    purpose: Purpose,
}

#[derive(Serialize, JsonSchema)]
struct Announced {
    file: File,
    upload: Upload,
}

pub fn main() {
    serve(&ROUTE, create_upload_url);
}

async fn create_upload_url(
    context: Context,
    caller: FileUser,
    _: IdempotencyKey,
    Json(input): Json<Announcement>,
) -> Result<Created<Announced>, Error> {
    let name = clean_name(&input.name);
    let mime_type = check(&input, &name)?;
    let id = context.new_id();
    let storage_key = incoming_key(caller.company_id, id);
    let purpose = input.purpose.as_str();
    let transaction = context.begin(&caller).await?;
    let file: Option<File> = transaction
        .first(ANNOUNCE, &[&id, &input.conversation_id, &name, &mime_type, &input.size, &storage_key, &purpose])
        .await?;
    let file = file.ok_or(NOT_FOUND)?;
    let size = input.size.unsigned_abs();
    transaction.audit(id, &Value::Null, &file);
    let upload = presigned_upload(&context, (caller.company_id, id), mime_type, size..=size, UPLOAD_LIFE);
    transaction.commit(Created(Announced { file, upload })).await
}

/// The announced type as we name it, when type, name and size are accepted.
fn check(input: &Announcement, name: &str) -> Result<&'static str, Error> {
    let known = accepted(&input.mime_type).ok_or_else(|| {
        let (portuguese, english) = ("Tipo de arquivo não aceito.", "This type of file is not accepted.");
        INVALID.in_fields(vec![FieldProblem::new("mime_type", "not_allowed", portuguese, english)])
    })?;
    let mut problems = name_problems(known, &input.name, name);
    problems.extend(purpose_problem(input.purpose, known));
    let largest = known.kind.largest();
    if input.size.unsigned_abs() > largest {
        let portuguese = format!("O máximo para este tipo é {largest} bytes.");
        let english = format!("The maximum for this type is {largest} bytes.");
        problems.push(FieldProblem::new("size", "too_large", &portuguese, &english));
    }
    refuse(problems)?;
    Ok(known.mime_type)
}
