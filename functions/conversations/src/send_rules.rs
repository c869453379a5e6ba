//! The rules of what an agent may send.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{
    crypto,
    error::{FieldProblem, refuse},
    files::FileStatus,
    prelude::*,
};

use crate::{
    BOT_MODE, CONVERSATION_CLOSED, Content, FILE_NOT_READY, HeldConversation, Message, MessageKind, Mode, NOT_HOLDER, NOT_TAKEN,
    WINDOW_CLOSED, media_url::file_of,
};

/// What an agent may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Text,
    Image,
    Audio,
    Video,
    Document,
    Location,
}

impl From<Kind> for MessageKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Image => Self::Image,
            Kind::Audio => Self::Audio,
            Kind::Video => Self::Video,
            Kind::Document => Self::Document,
            Kind::Location => Self::Location,
        }
    }
}

/// An agent's message.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = one_of_each_kind)]
pub struct SendMessage {
    #[garde(skip)]
    pub conversation_id: Uuid,
    /// The caller's own id of this message: sending it again changes nothing and answers the same message, for ever. Not given, it is
    /// made from `Idempotency-Key`; without that too, it is a new one.
    #[garde(length(chars, min = 1, max = 100))]
    pub client_message_id: Option<String>,
    #[garde(skip)]
    #[serde(default)]
    pub kind: Kind,
    /// The text, or the caption of a file.
    #[garde(length(chars, max = 4096), custom(fits(self.kind)))]
    #[serde(default)]
    pub body: String,
    /// A completed upload, for files.
    #[garde(custom(file_for(self.kind, self.media_url.is_some())))]
    pub file_id: Option<Uuid>,
    /// In place of `file_id`: the address of a download of ours, whole or without the host, or the file's id.
    #[garde(custom(one_of_ours(self.file_id)))]
    #[schemars(regex(pattern = DOWNLOAD))]
    pub media_url: Option<String>,
    /// Shows an audio file as a voice note; it must be OGG/Opus.
    #[garde(skip)]
    #[serde(default)]
    pub voice: bool,
    #[garde(dive, custom(place_for(self.kind)))]
    pub location: Option<Location>,
    #[garde(skip)]
    pub reply_to_id: Option<Uuid>,
}

/// A download of ours, without the host or by the file's id.
const DOWNLOAD: &str = "^((/api(/v1)?)?/storage/download/)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Says of the schema which fields go with which kind, as the rules below do.
fn one_of_each_kind(schema: &mut schemars::Schema) {
    let absent = json!({"type": "null"});
    let with_caption = |kinds: &[&str]| json!({"kind": {"enum": kinds}, "body": {"maxLength": 1024}, "location": absent});
    let of_file = |given: &str, other: &str, mut properties: Value| {
        properties[given] = json!({"type": "string"});
        properties[other] = absent.clone();
        json!({"type": "object", "required": ["kind", given], "properties": properties})
    };
    let text =
        json!({"kind": {"const": "text"}, "body": {"minLength": 1}, "file_id": absent, "media_url": absent, "location": absent});
    let location = json!({"kind": {"const": "location"}, "location": {"type": "object"}, "file_id": absent, "media_url": absent});
    let captioned = with_caption(&["image", "video", "document"]);
    let audio = json!({"kind": {"const": "audio"}, "location": absent});
    let branches = json!([
        {"title": "text", "type": "object", "required": ["body"], "properties": text},
        {"title": "location", "type": "object", "required": ["kind", "location"], "properties": location},
        of_file("file_id", "media_url", captioned.clone()),
        of_file("media_url", "file_id", captioned),
        of_file("file_id", "media_url", audio.clone()),
        of_file("media_url", "file_id", audio),
    ]);
    schema.insert("oneOf".into(), branches);
}

/// A place on the map.
#[derive(Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    #[garde(range(min = -90.0, max = 90.0))]
    pub latitude: f64,
    #[garde(range(min = -180.0, max = 180.0))]
    pub longitude: f64,
    #[garde(length(chars, max = 200))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[garde(length(chars, max = 300))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What the database knows of the file and of the answered message.
#[derive(Debug, Default, FromRow)]
pub struct Attachments {
    pub file_status: Option<FileStatus>,
    pub mime_type: Option<String>,
    pub reply_to_id: Option<Uuid>,
}

/// How far a file is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileState {
    pub id: Uuid,
    pub status: FileStatus,
}

/// Whether this caller may answer in this conversation now.
pub fn may_send(now: Timestamp, agent: &Identity, held: &HeldConversation) -> Result<(), Problem> {
    let is_supervisor = matches!(agent.role, Role::Supervisor | Role::Admin);
    match held.assignee_id {
        _ if held.is_closed() => Err(CONVERSATION_CLOSED),
        _ if held.mode == Mode::Bot => Err(BOT_MODE),
        None if !is_supervisor => Err(NOT_TAKEN),
        Some(holder) if holder != agent.user_id && !is_supervisor => Err(NOT_HOLDER),
        _ if held.window_expires_at.is_none_or(|end| end <= now) => Err(WINDOW_CLOSED),
        _ => Ok(()),
    }
}

/// Whether the file and the answered message are there and fit the kind.
pub fn check_attachments(input: &SendMessage, found: &Attachments) -> Result<(), Error> {
    let mut problems = Vec::new();
    let field = if input.media_url.is_some() { "media_url" } else { "file_id" };
    if let Some(file_id) = input.file() {
        match found.file_status {
            Some(FileStatus::Ready) => {}
            Some(status @ FileStatus::Pending) => return Err(FILE_NOT_READY.with_current(&FileState { id: file_id, status })),
            _ => problems.push(FieldProblem::new(field, "unknown_file", "Arquivo não encontrado.", "File not found.")),
        }
        let mime_type = found.mime_type.as_deref().unwrap_or_default();
        let fits = match input.kind {
            Kind::Image => mime_type.starts_with("image/"),
            Kind::Audio => mime_type.starts_with("audio/") && (!input.voice || mime_type.starts_with("audio/ogg")),
            Kind::Video => mime_type.starts_with("video/"),
            _ => true,
        };
        if problems.is_empty() && !fits {
            let english = "The file is not of this kind.";
            problems.push(FieldProblem::new(field, "wrong_kind", "O arquivo não é deste tipo.", english));
        }
    }
    if input.reply_to_id.is_some() && found.reply_to_id.is_none() {
        let (portuguese, english) = ("Mensagem não encontrada nesta conversa.", "Message not found in this conversation.");
        problems.push(FieldProblem::new("reply_to_id", "unknown_message", portuguese, english));
    }
    refuse(problems)
}

impl SendMessage {
    /// The file, by whichever name it was given.
    pub fn file(&self) -> Option<Uuid> {
        self.file_id.or_else(|| file_of(self.media_url.as_deref()?))
    }

    /// The caller's id of this message; the same one for the same `Idempotency-Key` of the same person.
    pub fn own_id(&self, context: &Context, agent: &Identity, key: Option<String>) -> String {
        let of_key = |key: String| {
            let whole = [agent.user_id.as_bytes(), key.as_bytes()].concat();
            format!("key:{}", URL_SAFE_NO_PAD.encode(crypto::sha256(&whole)))
        };
        let made = || key.map_or_else(|| context.new_id().to_string(), of_key);
        self.client_message_id.clone().unwrap_or_else(made)
    }

    /// What the message carries.
    pub fn content(&self) -> Content {
        Content { kind: self.kind.into(), body: self.body.clone(), payload: payload(self), file_id: self.file() }
    }

    /// Whether this caller sending this became this message, wherever its conversation's messages are now.
    pub fn is_of(&self, agent: &Identity, held: &HeldConversation, message: &Message) -> bool {
        let Content { kind, body, payload, file_id } = self.content();
        let file = message.file.as_ref().and_then(|file| file["id"].as_str()?.parse::<Uuid>().ok());
        let is_there = [Some(self.conversation_id), held.merged_into_id].contains(&Some(message.conversation_id));
        is_there
            && message.sender_id == Some(agent.user_id)
            && (&message.kind, &message.body, &message.payload) == (&kind, &body, &payload)
            && (file, message.reply_to_id) == (file_id, self.reply_to_id)
    }
}

fn payload(input: &SendMessage) -> Value {
    match &input.location {
        Some(location) => json!(location),
        None if input.voice => json!({"voice": true}),
        None => json!({}),
    }
}

fn fits(kind: Kind) -> impl FnOnce(&String, &()) -> garde::Result {
    move |body, ()| match kind {
        Kind::Text if body.is_empty() => Err(shared::rule("required", "Escreva a mensagem.", "Write the message.")),
        Kind::Image | Kind::Video | Kind::Document if body.chars().count() > 1024 => {
            Err(shared::rule("too_long", "A legenda tem no máximo 1024 caracteres.", "A caption has at most 1024 characters."))
        }
        _ => Ok(()),
    }
}

fn file_for(kind: Kind, has_url: bool) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |file, ()| {
        let needs_file = !matches!(kind, Kind::Text | Kind::Location);
        match (needs_file, file.is_some() || has_url) {
            (true, false) => Err(shared::rule("required", "Envie o arquivo primeiro.", "Upload the file first.")),
            (false, true) => Err(shared::rule("not_allowed", "Este tipo não leva arquivo.", "This kind takes no file.")),
            _ => Ok(()),
        }
    }
}

fn one_of_ours(file_id: Option<Uuid>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |url, ()| {
        let Some(url) = url else { return Ok(()) };
        match file_of(url) {
            None => {
                Err(shared::rule("foreign_url", "Envie o arquivo primeiro e use o seu id.", "Upload the file and use its id."))
            }
            named if file_id.is_some() && named != file_id => {
                let english = "Names another file than file_id.";
                Err(shared::rule("different_values", "Indica outro arquivo que file_id.", english))
            }
            _ => Ok(()),
        }
    }
}

fn place_for(kind: Kind) -> impl FnOnce(&Option<Location>, &()) -> garde::Result {
    move |location, ()| match (kind == Kind::Location, location.is_some()) {
        (true, false) => Err(shared::rule("required", "Informe a localização.", "Give the location.")),
        (false, true) => Err(shared::rule("not_allowed", "Este tipo não leva localização.", "This kind takes no location.")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;

    fn held(assignee_id: Option<Uuid>) -> HeldConversation {
        HeldConversation {
            id: Uuid::nil(),
            client_id: Uuid::nil(),
            channel_account_id: Uuid::nil(),
            department_id: None,
            assignee_id,
            status: Status::Active,
            mode: Mode::Human,
            version: 1,
            inbound_count: 1,
            window_expires_at: Some(Timestamp::from_second(100).unwrap()),
            merged_into_id: None,
        }
    }

    fn agent(role: Role) -> Identity {
        Identity { user_id: Uuid::from_u128(1), company_id: Uuid::nil(), role, session_id: Uuid::nil() }
    }

    fn code(now: i64, role: Role, held: &HeldConversation) -> Option<&'static str> {
        may_send(Timestamp::from_second(now).unwrap(), &agent(role), held).err().map(|problem| problem.code)
    }

    #[test]
    fn only_the_holder_or_a_supervisor_answers_and_only_within_the_window() {
        let mine = held(Some(Uuid::from_u128(1)));
        let theirs = held(Some(Uuid::from_u128(2)));
        assert_eq!(code(99, Role::Agent, &mine), None);
        assert_eq!(code(100, Role::Agent, &mine), Some("window_closed"));
        assert_eq!(code(99, Role::Agent, &theirs), Some("not_holder"));
        assert_eq!(code(99, Role::Supervisor, &theirs), None);
        assert_eq!(code(99, Role::Agent, &held(None)), Some("not_taken"));
        assert_eq!(code(99, Role::Agent, &HeldConversation { mode: Mode::Bot, ..held(None) }), Some("bot_mode"));
        assert_eq!(code(99, Role::Admin, &HeldConversation { status: Status::Closed, ..mine }), Some("conversation_closed"));
    }

    #[test]
    fn kinds_ask_for_what_they_need() {
        let read = |value: Value| serde_json::from_value::<SendMessage>(value).unwrap().validate().is_ok();
        let base = |kind: &str| json!({"conversation_id": Uuid::nil(), "kind": kind});
        let with = |kind: &str, name: &str, value: Value| {
            let mut message = base(kind);
            message[name] = value;
            message
        };
        assert!(!read(base("text")) && read(with("text", "body", json!("Olá"))));
        assert!(!read(base("image")) && read(with("image", "file_id", json!(Uuid::nil()))));
        assert!(!read(base("location")) && read(with("location", "location", json!({"latitude": -23.5, "longitude": -46.6}))));
        assert!(!read(with("location", "location", json!({"latitude": 91, "longitude": 0}))));
        assert!(read(json!({"conversation_id": Uuid::nil(), "body": "Olá"})), "a text needs no kind and no id");
        assert!(read(with("image", "media_url", json!(format!("/storage/download/{}", Uuid::nil())))));
        assert!(!read(with("image", "media_url", json!("https://example.org/a.png"))));
        let mut two_files = with("image", "media_url", json!(Uuid::nil()));
        two_files["file_id"] = json!(Uuid::max());
        assert!(!read(two_files));
    }
}
