//! POST /storage/upload — takes a small file in the request itself: as a form with a part `file`, or as bytes of its own type.
//!
//! At most 4 MB; a larger one is announced with `POST /storage/signed-upload-url`. Bytes of a type that is text (`text/csv`) come as UTF-8,
//! or are refused; in a form they come as they are. Where the stage has a virus scanner, the file is `quarantined` until that has judged it.

use std::io::Cursor;

use bytes::Bytes;
use files::{
    ANNOUNCE, Checked, File, FileUser, NO_VOICE_NOTE, Purpose, TYPE_MISMATCH, TYPE_NOT_ACCEPTED, UNSAFE_CONTENT, declared_type,
    judge, name_problems, purpose_problem, record, voice_note,
};
use shared::{
    VISIBLE, crypto,
    error::{NOT_FOUND, refuse},
    files::{REMOVE_UNLESS_KEPT, clean_name, incoming_key, kept_key, put},
    parameters,
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/storage/upload")
    .fails(&[NOT_FOUND, TYPE_NOT_ACCEPTED, TYPE_MISMATCH, UNSAFE_CONTENT, NO_VOICE_NOTE])
    .needs(Privilege::Files);

reads!(VIRUS_SCAN_URL);

#[derive(Deserialize, Validate, JsonSchema)]
struct About {
    /// Instead of the name that the form gives the file.
    #[garde(length(chars, min = 1, max = 1000), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    #[serde(default)]
    #[garde(skip)]
    purpose: Purpose,
    /// The conversation it will be sent in: who sees that sees the file.
    #[garde(skip)]
    conversation_id: Option<Uuid>,
}

/// A file that is there, with the names that other back ends give its id and its address.
#[derive(Serialize, JsonSchema)]
struct UploadedFile {
    #[serde(flatten)]
    file: File,
    /// Its id.
    key: Uuid,
    /// Where it is read, by who may.
    url: String,
}

pub fn main() {
    serve(&ROUTE, upload_file);
}

async fn upload_file(
    context: Context,
    caller: FileUser,
    FileBody { fields: about, bytes, mime_type, file_name }: FileBody<About>,
) -> Result<Created<UploadedFile>, Error> {
    let given = about.name.or(file_name).unwrap_or_default();
    let name = clean_name(&given);
    let (known_as, mut checked) = check(&bytes, mime_type.as_deref(), &given, name, about.purpose)?;
    let (name, bytes) = (checked.name.clone(), checked.instead.take().unwrap_or(bytes));
    let id = context.new_id();
    let (incoming, copy) = (incoming_key(caller.company_id, id), kept_key(caller.company_id, id, context.new_id()));
    let size = checked.size;
    let purpose = about.purpose.as_str();
    let announcement = context.begin(&caller).await?;
    let inserted =
        announcement.query(ANNOUNCE, &[&id, &about.conversation_id, &name, &known_as, &size, &incoming, &purpose]).await?;
    if inserted.is_empty() {
        return Err(NOT_FOUND.into());
    }
    announcement.defer(REMOVE_UNLESS_KEPT, parameters![copy.clone()]);
    announcement.commit_unaudited().await?;
    put(&context, &copy, "application/octet-stream", bytes).await?;
    let file = record(&context, &caller, id, &copy, Ok(checked)).await?.outcome()?;
    Ok(Created(UploadedFile { key: id, url: format!("/storage/download/{id}"), file }))
}

/// What the bytes are, under the type that they were taken for, when all that is said of them is true.
fn check(
    bytes: &Bytes,
    mime_type: Option<&str>,
    given: &str,
    name: String,
    purpose: Purpose,
) -> Result<(&'static str, Checked), Error> {
    let known = declared_type(mime_type, &name, bytes)?;
    let mut problems = name_problems(known, given, &name);
    problems.extend(purpose_problem(purpose, known));
    refuse(problems)?;
    let facts = judge(&mut Cursor::new(bytes), bytes.len() as u64, known.mime_type)?;
    let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let checked = Checked { facts, sha256: crypto::sha256(bytes), size, name, instead: None };
    Ok((known.mime_type, voice_note(checked, &mut Cursor::new(bytes), purpose)?))
}
