//! Texts that staff answer with again and again, each with a shortcut.

use shared::{
    closed_set,
    error::{FieldProblem, refuse},
    files::{FileStatus, QUARANTINED},
    prelude::*,
};
use tokio_postgres::types::Json as Jsonb;

pub const SHORTCUT_TAKEN: Problem =
    Problem::new(409, "shortcut_taken", "Este atalho já existe aqui.", "This shortcut exists here already.")
        .showing::<QuickReply>();
pub const SUPERVISORS_ONLY: Problem = Problem::new(
    403,
    "supervisors_only",
    "Só um supervisor altera o que é de um departamento ou da empresa.",
    "Only a supervisor changes what is a department's or the company's.",
);
pub const TOO_MANY: Problem =
    Problem::new(409, "too_many", "Já existem 200 respostas rápidas aqui.", "There are 200 quick replies here already.");

/// What a shortcut may be.
pub const SHORTCUT: &str = "^/?[a-z0-9_-]{1,32}$";

closed_set! {
    /// Whose a quick reply is; of those with one shortcut a person's own goes before a department's, and that before the company's.
    pub QuickReplyScope { Personal = "personal", Department = "department", Company = "company" }
}

/// The columns of `QuickReply`, from a relation named `quick_replies`.
#[macro_export]
macro_rules! quick_reply_columns {
    () => {
        "quick_replies.id,
           case when quick_replies.owner_id is not null then 'personal'
                when quick_replies.department_id is not null then 'department' else 'company' end as scope,
           quick_replies.department_id,
           (select departments.name from departments
             where departments.company_id = quick_replies.company_id and departments.id = quick_replies.department_id) as department_name,
           quick_replies.shortcut, quick_replies.title, quick_replies.text, quick_replies.usage_count, quick_replies.last_used_at,
           (select coalesce(jsonb_agg(jsonb_build_object('id', files.id, 'name', files.name, 'mime_type', files.mime_type, 'size', files.size)
                                      order by array_position(quick_replies.file_ids, files.id)), '[]')
              from files where files.company_id = quick_replies.company_id and files.id = any (quick_replies.file_ids)) as files,
           quick_replies.created_by_id, quick_replies.version, quick_replies.created_at, quick_replies.updated_at"
    };
}

/// One, locked until the transaction ends.
pub const LOCKED: &str =
    concat!("select ", quick_reply_columns!(), " from quick_replies where id = $1 for no key update of quick_replies");

/// The one with the shortcut `$3` in the scope `$1`, of the department `$2`.
pub const WITH_SHORTCUT: &str = concat!(
    "select ",
    quick_reply_columns!(),
    " from quick_replies
     where owner_id is not distinct from case when $1 = 'personal' then app.user_id() end
       and department_id is not distinct from $2::uuid and shortcut = $3"
);

/// Of these, those that the caller has uploaded for messages.
const OWN_FILES: &str = "
    select status from files
     where id = any ($1) and uploaded_by = app.user_id() and status in ('quarantined', 'ready') and purpose = 'message'";

#[derive(FromRow)]
struct OwnFile {
    status: FileStatus,
}

/// A file that goes with a quick reply.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReplyFile {
    pub id: Uuid,
    pub name: String,
    pub mime_type: String,
    /// Bytes.
    pub size: i64,
}

/// The files of one, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct ReplyFiles(pub Vec<ReplyFile>);

impl From<Jsonb<Self>> for ReplyFiles {
    fn from(Jsonb(files): Jsonb<Self>) -> Self {
        files
    }
}

#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct QuickReply {
    pub id: Uuid,
    pub scope: QuickReplyScope,
    pub department_id: Option<Uuid>,
    pub department_name: Option<String>,
    /// Without the slash.
    pub shortcut: String,
    pub title: String,
    /// With `{{client.name}}`, `{{agent.name}}` and `{{protocol}}`.
    pub text: String,
    /// To be sent with it, in this order, each by a `POST /messages` of its own.
    #[from_row(from = "Jsonb<ReplyFiles>")]
    pub files: ReplyFiles,
    /// Messages that began as it.
    pub usage_count: i32,
    pub last_used_at: Option<Timestamp>,
    pub created_by_id: Uuid,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Versioned for QuickReply {
    fn version(&self) -> i32 {
        self.version
    }
}

impl QuickReply {
    /// Tells those who may use it.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, caller: &Identity, payload: &P) {
        match (self.scope, self.department_id) {
            (QuickReplyScope::Personal, _) => transaction.tell_person(caller.user_id, payload),
            (QuickReplyScope::Department, Some(department)) => {
                let audience = Audience::conversation(Some(department), None);
                transaction.emit(Event::new(Topic::Company(caller.company_id), audience, payload));
            }
            _ => transaction.tell_staff(payload),
        }
    }

    pub fn may_be_changed_by(&self, caller: &Identity) -> bool {
        may_write(self.scope, caller)
    }
}

/// Whether this caller may make one in the scope, or change one there that they see.
pub fn may_write(scope: QuickReplyScope, caller: &Identity) -> bool {
    scope == QuickReplyScope::Personal || caller.role.is_leader()
}

/// Files to be added to a quick reply are their own who adds them.
///
/// # Errors
/// The field, when one is not; 409 when one waits for the virus scanner.
pub async fn check_files(transaction: &Transaction, added: &[Uuid]) -> Result<(), Error> {
    if added.is_empty() {
        return Ok(());
    }
    let own: Vec<OwnFile> = transaction.all(OWN_FILES, &[&added]).await?;
    let are_own = own.len() == added.len();
    if are_own && own.iter().any(|file| file.status == FileStatus::Quarantined) {
        return Err(QUARANTINED.into());
    }
    refuse((!are_own).then(|| FieldProblem::new("file_ids", "unknown_file", "Arquivo não encontrado.", "File not found.")))
}

/// A shortcut as it is kept.
#[must_use]
pub fn without_slash(shortcut: &str) -> &str {
    shortcut.strip_prefix('/').unwrap_or(shortcut)
}

/// The rule of shortcuts.
///
/// # Errors
/// When it is something else.
pub fn is_shortcut(text: &impl AsRef<str>, (): &()) -> garde::Result {
    let text = without_slash(text.as_ref());
    let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if (1..=32).contains(&text.len()) && text.bytes().all(is_known) {
        return Ok(());
    }
    let (portuguese, english) = (
        "Use de 1 a 32 letras minúsculas sem acento, números, - ou _.",
        "Use 1 to 32 lower-case letters without accents, digits, - or _.",
    );
    Err(shared::rule("invalid_shortcut", portuguese, english))
}

/// There is a new quick reply.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuickReplyCreated {
    pub quick_reply: QuickReply,
}
event!(QuickReplyCreated = "quick_reply.created");

/// It has another shortcut, title or text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuickReplyUpdated {
    pub quick_reply: QuickReply,
}
event!(QuickReplyUpdated = "quick_reply.updated");

/// A quick reply is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QuickReplyDeleted {
    pub quick_reply_id: Uuid,
}
event!(QuickReplyDeleted = "quick_reply.deleted");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcuts_are_plain_with_or_without_a_slash() {
        for good in ["ola", "/ola", "2a-via", "boa_tarde", &"a".repeat(32)] {
            assert!(is_shortcut(&good, &()).is_ok(), "{good}");
        }
        for bad in ["", "/", "//ola", "Olá", "ola mundo", "olá", &"a".repeat(33)] {
            assert!(is_shortcut(&bad, &()).is_err(), "{bad}");
        }
        assert_eq!([without_slash("/ola"), without_slash("ola")], ["ola", "ola"]);
    }
}
