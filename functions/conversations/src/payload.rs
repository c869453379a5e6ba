//! What a message carries besides its words, by its kind: the description of `payload`. Nothing is required, for a message that was
//! taken back carries nothing; what WhatsApp tells goes along as it came.
#![expect(dead_code, reason = "only their schemas are used")]

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use shared::{
    closed_set,
    prelude::{Timestamp, Uuid},
};

closed_set! {
    /// What a message is. Reactions are shown on the messages they are to.
    pub MessageKind {
        Text = "text",
        Image = "image",
        Audio = "audio",
        Video = "video",
        Document = "document",
        Sticker = "sticker",
        Location = "location",
        Contacts = "contacts",
        Interactive = "interactive",
        Template = "template",
        Reaction = "reaction",
        Order = "order",
        System = "system",
        Unsupported = "unsupported",
    }
}

/// What a message of any kind may carry.
#[derive(JsonSchema)]
struct Common {
    /// When the client reacted last, in seconds of WhatsApp's clock.
    client_reacted_at: Option<f64>,
    /// When somebody of the business did.
    agent_reacted_at: Option<f64>,
    /// The advertisement or page the client came from, as WhatsApp tells it.
    referral: Option<Map<String, Value>>,
    /// Sent on from another conversation by staff.
    forwarded: Option<bool>,
    /// What WhatsApp says of the message this one answers or forwards.
    context: Option<Map<String, Value>>,
    /// What its client gave the conversation with it.
    rating: Option<i16>,
}

#[derive(JsonSchema)]
struct Text {
    #[schemars(flatten)]
    common: Common,
    /// Words that a rule of the company said in an agent's name.
    automatic: Option<bool>,
}

#[derive(JsonSchema)]
struct Audio {
    #[schemars(flatten)]
    common: Common,
    /// A voice note.
    voice: Option<bool>,
    /// The message's body is what a model has heard.
    transcribed: Option<bool>,
}

#[derive(JsonSchema)]
struct Sticker {
    #[schemars(flatten)]
    common: Common,
    animated: Option<bool>,
}

#[derive(JsonSchema)]
struct Location {
    #[schemars(flatten)]
    common: Common,
    latitude: Option<f64>,
    longitude: Option<f64>,
    name: Option<String>,
    address: Option<String>,
    url: Option<String>,
}

#[derive(JsonSchema)]
struct Contacts {
    #[schemars(flatten)]
    common: Common,
    /// Cards as WhatsApp has them.
    contacts: Option<Vec<Map<String, Value>>>,
}

/// Of the bot what the client may choose, of the client what they have chosen.
#[derive(JsonSchema)]
struct Interactive {
    #[schemars(flatten)]
    common: Common,
    /// Words that a rule of the company said in an agent's name: the question for a rating.
    automatic: Option<bool>,
    /// The label that opens a list.
    button: Option<String>,
    options: Option<Vec<ChoiceOffered>>,
    /// WhatsApp's kind of answer: `button_reply`, `list_reply`, `nfm_reply` …
    #[schemars(rename = "type")]
    kind: Option<String>,
    /// What was chosen; `id` and `title` of buttons and lists.
    reply: Option<Map<String, Value>>,
}

#[derive(JsonSchema)]
struct ChoiceOffered {
    id: String,
    title: String,
    description: Option<String>,
}

#[derive(JsonSchema)]
struct Template {
    #[schemars(flatten)]
    common: Common,
    /// As it was sent to WhatsApp, but for the file of its header.
    template: Option<Map<String, Value>>,
    /// What went into its variables, as `POST /messages` was given it.
    parameters: Option<Vec<Map<String, Value>>>,
    category: Option<String>,
    /// What people see around the body.
    header: Option<String>,
    footer: Option<String>,
    buttons: Option<Vec<String>>,
    /// `image`, `video` or `document`: what the message's file is to it.
    header_format: Option<String>,
}

#[derive(JsonSchema)]
struct Order {
    #[schemars(flatten)]
    common: Common,
    /// As WhatsApp has it.
    order: Option<Map<String, Value>>,
}

/// What happened to the conversation, or what WhatsApp tells of its client.
#[derive(JsonSchema)]
struct System {
    #[schemars(flatten)]
    common: Common,
    act: Option<Act>,
    /// Who took it over, or was given it.
    user_id: Option<Uuid>,
    /// Whose act it was; nobody's when its time had come.
    by_user_id: Option<Uuid>,
    to_user_id: Option<Uuid>,
    to_department_id: Option<Uuid>,
    reason: Option<String>,
    /// Until when it is put off.
    until: Option<Timestamp>,
    /// When the bot takes it again.
    return_to_bot_at: Option<Timestamp>,
    /// What did not arrive, and why.
    message_id: Option<Uuid>,
    error_code: Option<String>,
    /// WhatsApp's notice, as it came.
    system: Option<Map<String, Value>>,
    identity: Option<Map<String, Value>>,
    /// The client opened the conversation and has written nothing yet.
    request_welcome: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Act {
    /// Staff began the conversation.
    Started,
    TakenOver,
    /// The department, or the bot, gave it to somebody.
    Assigned,
    Merged,
    Transferred,
    Closed,
    Reopened,
    Snoozed,
    Unsnoozed,
    BotStopped,
    /// What the bot said did not arrive: people take over.
    BotUnheard,
    ReturnedToBot,
}

/// What we cannot show, as it came.
#[derive(JsonSchema)]
struct Unsupported {
    #[schemars(flatten)]
    common: Common,
    /// WhatsApp's word for it.
    #[schemars(rename = "type")]
    kind: Option<String>,
    content: Option<Value>,
    errors: Option<Vec<Map<String, Value>>>,
}

/// Says of the schema of `Message`, for each kind, what its payload is.
pub fn by_kind(message: &mut Schema) {
    use MessageKind::{
        Audio as Sound, Contacts as Cards, Document, Image, Interactive as Choice, Location as Place, Order as Purchase,
        Reaction, Sticker as Sticking, System as Notice, Template as Approved, Text as Words, Unsupported as Other, Video,
    };
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    let mut generator = settings.into_generator();
    let kinds = [
        (Words, payload::<Text>(&mut generator)),
        (Image, payload::<Common>(&mut generator)),
        (Sound, payload::<Audio>(&mut generator)),
        (Video, payload::<Common>(&mut generator)),
        (Document, payload::<Common>(&mut generator)),
        (Sticking, payload::<Sticker>(&mut generator)),
        (Place, payload::<Location>(&mut generator)),
        (Cards, payload::<Contacts>(&mut generator)),
        (Choice, payload::<Interactive>(&mut generator)),
        (Approved, payload::<Template>(&mut generator)),
        (Reaction, payload::<Common>(&mut generator)),
        (Purchase, payload::<Order>(&mut generator)),
        (Notice, payload::<System>(&mut generator)),
        (Other, payload::<Unsupported>(&mut generator)),
    ];
    let branches = kinds.map(|(kind, payload)| {
        json!({
            "title": kind.as_str(),
            "type": "object",
            "required": ["kind", "payload"],
            "properties": {"kind": {"const": kind.as_str()}, "payload": payload},
        })
    });
    message.insert("oneOf".into(), json!(branches));
}

/// A payload's schema: every field may be left out.
fn payload<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let mut schema = json!(T::json_schema(generator));
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("required");
        fields.remove("title");
    }
    schema
}
