//! The rules of what an agent may send.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{
    VISIBLE, crypto,
    error::{FieldProblem, INVALID, refuse},
    files::{FileStatus, QUARANTINED},
    prelude::*,
    visible,
};

use crate::{
    BOT_MODE, CHANNEL_REMOVED, CLIENT_BLOCKED, CONVERSATION_CLOSED, Content, FILE_NOT_READY, FilledTemplate, HeldConversation,
    Message, MessageKind, Mode, NOT_HOLDER, NOT_TAKEN, TemplateRow, TemplateToSend, WINDOW_CLOSED, fill_in, media_url::file_of,
};

/// Characters of the words that go with a file.
pub const LONGEST_CAPTION: usize = 1024;
/// What whoever writes a longer one is told: code, Portuguese, English.
pub const CAPTION_TOO_LONG: [&str; 3] =
    ["too_long", "A legenda tem no máximo 1024 caracteres.", "A caption has at most 1024 characters."];

/// What an agent may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Text,
    Image,
    Audio,
    Video,
    Document,
    Location,
    Sticker,
    Contacts,
    Interactive,
    Template,
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
            Kind::Sticker => Self::Sticker,
            Kind::Contacts => Self::Contacts,
            Kind::Interactive => Self::Interactive,
            Kind::Template => Self::Template,
        }
    }
}

/// An agent's message.
#[derive(Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = one_of_each_kind)]
pub struct MessageToSend {
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
    /// People to write to or call.
    #[garde(dive, length(min = 1, max = 10), custom(cards_for(self.kind)))]
    pub contacts: Option<Vec<Card>>,
    /// What the client may choose: up to three are buttons, more a list.
    #[garde(dive, length(min = 1, max = 10), custom(options_for(self.kind)))]
    pub options: Option<Vec<Choice>>,
    /// The label that opens a list; `Ver opções` without it.
    #[garde(length(chars, min = 1, max = 20), custom(label_for(self.kind)))]
    pub button: Option<String>,
    /// An approved template, which may be sent outside the window too. Its words are the template's: `body` stays empty.
    #[garde(dive, custom(template_for(self.kind)))]
    pub template: Option<TemplateToSend>,
    #[garde(skip)]
    pub reply_to_id: Option<Uuid>,
    /// The quick reply that it began as, which counts what it is used for; one that is gone meanwhile is passed over.
    #[garde(skip)]
    pub quick_reply_id: Option<Uuid>,
}

/// A download of ours, without the host or by the file's id.
const DOWNLOAD: &str = "^((/api(/v1)?)?/storage/download/)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// Says of the schema which fields go with which kind, as the rules below do.
fn one_of_each_kind(schema: &mut schemars::Schema) {
    let own = ["file_id", "media_url", "location", "contacts", "options", "button", "template"];
    // Of the fields that go with some kinds only, these may be given.
    let branch = |kinds: &[&str], required: &[&str], optional: &[&str], longest: u32| {
        let absent = own.iter().filter(|name| !required.contains(name) && !optional.contains(name));
        let mut properties: Map<String, Value> = absent.map(|name| ((*name).to_owned(), json!({"type": "null"}))).collect();
        properties.extend(required.iter().map(|name| {
            let kind = match *name {
                "location" | "template" => "object",
                "contacts" | "options" => "array",
                _ => "string",
            };
            ((*name).to_owned(), json!({"type": kind}))
        }));
        properties.insert("kind".into(), json!({"enum": kinds}));
        properties.insert("body".into(), json!({"maxLength": longest}));
        let required: Vec<&str> = required.iter().copied().chain(["kind"]).collect();
        json!({"type": "object", "required": required, "properties": properties})
    };
    let mut text = branch(&["text"], &["body"], &[], 4096);
    text["required"] = json!(["body"]);
    text["properties"]["body"] = json!({"minLength": 1});
    let interactive = |options: Value| {
        let mut interactive = branch(&["interactive"], &["body", "options"], &["button"], 1024);
        interactive["properties"]["body"] = json!({"minLength": 1, "maxLength": 1024});
        interactive["properties"]["options"] = options;
        interactive
    };
    let button = json!({"properties": {"title": {"maxLength": 20}, "description": {"type": "null"}}});
    let captioned = ["image", "video", "document"];
    let branches = json!([
        text,
        branch(&["location"], &["location"], &[], 4096),
        branch(&["contacts"], &["contacts"], &[], 4096),
        branch(&["template"], &["template"], &["file_id"], 0),
        interactive(json!({"type": "array", "maxItems": 3, "items": button})),
        interactive(json!({"type": "array", "minItems": 4})),
        branch(&captioned, &["file_id"], &[], 1024),
        branch(&captioned, &["media_url"], &[], 1024),
        branch(&["audio", "sticker"], &["file_id"], &[], 4096),
        branch(&["audio", "sticker"], &["media_url"], &[], 4096),
    ]);
    schema.insert("oneOf".into(), branches);
}

/// Somebody's card.
#[derive(Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Card {
    #[garde(length(chars, min = 1, max = 100), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub name: String,
    /// As people write them; at least one.
    #[garde(length(min = 1, max = 5), inner(length(chars, min = 3, max = 30)))]
    pub phones: Vec<String>,
    #[garde(length(chars, min = 1, max = 254))]
    pub email: Option<String>,
    #[garde(length(chars, min = 1, max = 100))]
    pub company: Option<String>,
}

impl Card {
    /// As WhatsApp has it.
    fn payload(&self) -> Value {
        let phones: Vec<Value> = self.phones.iter().map(|phone| json!({"phone": phone, "type": "CELL"})).collect();
        let mut card = json!({"name": {"formatted_name": self.name, "first_name": self.name}, "phones": phones});
        if let Some(email) = &self.email {
            card["emails"] = json!([{"email": email, "type": "WORK"}]);
        }
        if let Some(company) = &self.company {
            card["org"] = json!({"company": company});
        }
        card
    }
}

/// What the client may choose.
#[derive(Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What the answer names; the only one of its kind here.
    #[garde(length(chars, min = 1, max = 200))]
    pub id: String,
    /// Of a button at most 20 characters.
    #[garde(length(chars, min = 1, max = 24))]
    pub title: String,
    /// Of a list only.
    #[garde(length(chars, min = 1, max = 72))]
    pub description: Option<String>,
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

/// Whether this caller may send something of this kind in this conversation now.
pub fn may_send(now: Timestamp, agent: &Identity, held: &HeldConversation, kind: MessageKind) -> Result<(), Problem> {
    may_write(agent, held)?;
    let is_open = kind == MessageKind::Template || held.window_expires_at.is_some_and(|end| end > now);
    if is_open { Ok(()) } else { Err(WINDOW_CLOSED) }
}

/// Whether this caller is the one who answers in this conversation, whatever the window.
pub fn may_write(agent: &Identity, held: &HeldConversation) -> Result<(), Problem> {
    match held.assignee_id {
        _ if held.is_closed() => Err(CONVERSATION_CLOSED),
        _ if held.is_client_blocked => Err(CLIENT_BLOCKED),
        _ if held.is_channel_removed => Err(CHANNEL_REMOVED),
        _ if held.mode == Mode::Bot => Err(BOT_MODE),
        None if !agent.role.is_leader() => Err(NOT_TAKEN),
        Some(holder) if holder != agent.user_id && !agent.role.is_leader() => Err(NOT_HOLDER),
        _ => Ok(()),
    }
}

/// Whether a file of this type can be a message of this kind. Anything can be a document.
#[must_use]
pub fn suits(kind: MessageKind, mime_type: &str) -> bool {
    match kind {
        MessageKind::Image => mime_type.starts_with("image/"),
        MessageKind::Audio => mime_type.starts_with("audio/"),
        MessageKind::Video => mime_type.starts_with("video/"),
        MessageKind::Sticker => mime_type == "image/webp",
        _ => true,
    }
}

/// Whether the file and the answered message are there and fit the kind.
pub fn check_attachments(input: &MessageToSend, found: &Attachments, content: &Content) -> Result<(), Error> {
    let mut problems = Vec::new();
    let field = if input.media_url.is_some() { "media_url" } else { "file_id" };
    if let Some(file_id) = input.file() {
        match found.file_status {
            Some(FileStatus::Ready) => {}
            Some(status @ FileStatus::Pending) => return Err(FILE_NOT_READY.with_current(&FileState { id: file_id, status })),
            Some(FileStatus::Quarantined) => return Err(QUARANTINED.into()),
            _ => problems.push(FieldProblem::new(field, "unknown_file", "Arquivo não encontrado.", "File not found.")),
        }
        let mime_type = found.mime_type.as_deref().unwrap_or_default();
        let fits = match input.kind {
            Kind::Audio if input.voice => mime_type.starts_with("audio/ogg"),
            Kind::Template => match content.payload["header_format"].as_str() {
                Some("image") => matches!(mime_type, "image/jpeg" | "image/png"),
                Some("video") => mime_type.starts_with("video/"),
                _ => true,
            },
            kind => suits(kind.into(), mime_type),
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

impl MessageToSend {
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

    /// What the message carries; of a template what its number has by this name.
    pub fn content(&self, template: Option<&TemplateRow>) -> Result<Content, Error> {
        let (body, payload) = match &self.template {
            Some(asked) => match fill_in(asked, template, self.file().is_some()) {
                Ok(FilledTemplate { body, payload }) => (body, payload),
                Err(problems) => return Err(INVALID.in_fields(problems)),
            },
            None => (self.body.clone(), payload(self)),
        };
        Ok(Content { kind: self.kind.into(), body, payload, file_id: self.file() })
    }

    /// Whether this caller sending this became this message.
    pub fn is_of(&self, agent: &Identity, message: &Message) -> bool {
        let says_the_same = match &self.template {
            // Its words may have been changed at WhatsApp since.
            Some(asked) => {
                let sent = &message.payload;
                let named = &sent["template"];
                named["name"] == asked.name.as_str()
                    && named["language"]["code"] == asked.language()
                    && sent["parameters"] == json!(asked.parameters)
            }
            // Nor are they what was sent once somebody has changed them.
            None => message.payload == payload(self) && (message.edited_at.is_some() || message.body == self.body),
        };
        let file = message.file.as_ref().and_then(|file| file["id"].as_str()?.parse::<Uuid>().ok());
        message.sender_id == Some(agent.user_id)
            && message.kind == self.kind.into()
            && says_the_same
            && (file, message.reply_to_id) == (self.file(), self.reply_to_id)
    }
}

fn payload(input: &MessageToSend) -> Value {
    match input.kind {
        Kind::Location => json!(input.location),
        Kind::Contacts => json!({"contacts": input.contacts.iter().flatten().map(Card::payload).collect::<Vec<_>>()}),
        Kind::Interactive => {
            let mut payload = json!({"options": input.options});
            if let Some(button) = &input.button {
                payload["button"] = json!(button);
            }
            payload
        }
        Kind::Audio if input.voice => json!({"voice": true}),
        _ => json!({}),
    }
}

fn fits(kind: Kind) -> impl FnOnce(&String, &()) -> garde::Result {
    move |body, ()| match kind {
        Kind::Template if !body.is_empty() => {
            Err(shared::rule("not_allowed", "O texto é o do modelo.", "The words are the template's."))
        }
        Kind::Text | Kind::Interactive if body.is_empty() => {
            Err(shared::rule("required", "Escreva a mensagem.", "Write the message."))
        }
        Kind::Image | Kind::Video | Kind::Document | Kind::Interactive if body.chars().count() > LONGEST_CAPTION => {
            let [code, portuguese, english] = CAPTION_TOO_LONG;
            Err(shared::rule(code, portuguese, english))
        }
        _ => Ok(()),
    }
}

fn file_for(kind: Kind, has_url: bool) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |file, ()| {
        let needs_file = !matches!(kind, Kind::Text | Kind::Location | Kind::Contacts | Kind::Interactive);
        match (needs_file, file.is_some() || has_url) {
            // The template tells.
            _ if kind == Kind::Template => Ok(()),
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

fn cards_for(kind: Kind) -> impl FnOnce(&Option<Vec<Card>>, &()) -> garde::Result {
    move |cards, ()| match (kind == Kind::Contacts, cards.is_some()) {
        (true, false) => Err(shared::rule("required", "Informe os contatos.", "Give the contacts.")),
        (false, true) => Err(shared::rule("not_allowed", "Este tipo não leva contatos.", "This kind takes no contacts.")),
        _ => Ok(()),
    }
}

fn options_for(kind: Kind) -> impl FnOnce(&Option<Vec<Choice>>, &()) -> garde::Result {
    move |options, ()| match (kind == Kind::Interactive, options) {
        (true, None) => Err(shared::rule("required", "Informe as opções.", "Give the options.")),
        (false, Some(_)) => Err(shared::rule("not_allowed", "Este tipo não leva opções.", "This kind takes no options.")),
        (true, Some(options)) => different_options(options),
        (false, None) => Ok(()),
    }
}

fn template_for(kind: Kind) -> impl FnOnce(&Option<TemplateToSend>, &()) -> garde::Result {
    move |template, ()| match (kind == Kind::Template, template.is_some()) {
        (true, false) => Err(shared::rule("required", "Informe o modelo.", "Give the template.")),
        (false, true) => Err(shared::rule("not_allowed", "Este tipo não leva modelo.", "This kind takes no template.")),
        _ => Ok(()),
    }
}

fn label_for(kind: Kind) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |label, ()| {
        if label.is_none() || kind == Kind::Interactive {
            return Ok(());
        }
        Err(shared::rule("not_allowed", "Este tipo não leva botão.", "This kind takes no button."))
    }
}

/// What no form says: ids are told apart, and so are the titles of buttons, which are shorter.
fn different_options(options: &[Choice]) -> garde::Result {
    let is_buttons = options.len() <= 3;
    let repeats = |name: fn(&Choice) -> &str| {
        (1..options.len()).any(|place| options[..place].iter().any(|before| name(before) == name(&options[place])))
    };
    if repeats(|option| &option.id) || is_buttons && repeats(|option| &option.title) {
        return Err(shared::rule("repeated", "Cada opção precisa ser diferente.", "Each option must be another one."));
    }
    if is_buttons && options.iter().any(|option| option.title.chars().count() > 20 || option.description.is_some()) {
        let portuguese = "O título de um botão tem no máximo 20 caracteres, e ele não leva descrição.";
        return Err(shared::rule("not_a_button", portuguese, "A button's title has at most 20 characters, and no description."));
    }
    Ok(())
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
            participant_ids: Vec::new(),
            is_client_blocked: false,
            is_channel_removed: false,
        }
    }

    fn agent(role: Role) -> Identity {
        Identity { user_id: Uuid::from_u128(1), company_id: Uuid::nil(), role, session_id: Uuid::nil() }
    }

    fn code(now: i64, role: Role, held: &HeldConversation) -> Option<&'static str> {
        may_send(Timestamp::from_second(now).unwrap(), &agent(role), held, MessageKind::Text).err().map(|problem| problem.code)
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
        let late = Timestamp::from_second(100).unwrap();
        assert_eq!(may_send(late, &agent(Role::Agent), &mine, MessageKind::Template), Ok(()), "that is what templates are for");
        let blocked = HeldConversation { is_client_blocked: true, ..mine.clone() };
        assert_eq!(code(99, Role::Admin, &blocked), Some("client_blocked"));
        let removed = HeldConversation { is_channel_removed: true, ..mine.clone() };
        assert_eq!(code(99, Role::Admin, &removed), Some("channel_removed"));
        assert_eq!(code(99, Role::Admin, &HeldConversation { status: Status::Closed, ..mine }), Some("conversation_closed"));
    }

    #[test]
    fn kinds_ask_for_what_they_need() {
        let read = |value: Value| serde_json::from_value::<MessageToSend>(value).unwrap().validate().is_ok();
        let base = |kind: &str| json!({"kind": kind});
        let with = |kind: &str, name: &str, value: Value| {
            let mut message = base(kind);
            message[name] = value;
            message
        };
        assert!(!read(base("text")) && read(with("text", "body", json!("Olá"))));
        assert!(!read(base("image")) && read(with("image", "file_id", json!(Uuid::nil()))));
        assert!(!read(base("location")) && read(with("location", "location", json!({"latitude": -23.5, "longitude": -46.6}))));
        assert!(!read(with("location", "location", json!({"latitude": 91, "longitude": 0}))));
        assert!(read(json!({"body": "Olá"})), "a text needs no kind and no id");
        assert!(read(with("image", "media_url", json!(format!("/storage/download/{}", Uuid::nil())))));
        assert!(!read(with("image", "media_url", json!("https://example.org/a.png"))));
        let card = json!([{"name": "Ana", "phones": ["+55 11 98765-4321"]}]);
        let template = json!({"name": "boas_vindas"});
        assert!(!read(base("template")) && read(with("template", "template", template.clone())));
        assert!(!read(json!({"body": "Olá", "template": template})));
        assert!(!read(base("contacts")) && read(with("contacts", "contacts", card.clone())));
        assert!(!read(json!({"body": "Olá", "contacts": card})));
        let choose = |options: Value| json!({"kind": "interactive", "body": "Escolha", "options": options});
        let option = |id: usize, title: &str| json!({"id": id.to_string(), "title": title});
        assert!(read(choose(json!([option(1, "Sim"), option(2, "Não")]))));
        assert!(!read(choose(json!([]))) && !read(choose(json!([option(1, "Sim"), option(1, "Não")]))));
        assert!(!read(choose(json!([option(1, "Um título de vinte e um")]))), "longer than a button's");
        let rows: Vec<Value> = (0..10).map(|id| option(id, "Um título de vinte e um")).collect();
        assert!(read(choose(json!(rows))), "a list's may be longer");
        let mut two_files = with("image", "media_url", json!(Uuid::nil()));
        two_files["file_id"] = json!(Uuid::max());
        assert!(!read(two_files));
    }
}
