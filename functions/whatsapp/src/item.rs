//! What webhooks tell, whoever brings them.

use std::collections::BTreeMap;

use conversations::{TemplateCategory, TemplateQuality, TemplateStatus};
use jiff::Timestamp;
use postgres_from_row::FromRow;
use serde_json::Value;
use shared::phone;
use uuid::Uuid;

use crate::provider::Provider;

mod kind;
mod limits;
pub mod past;

pub use kind::{ItemKind, kinds};
use past::{HistoryTold, Past};

/// One thing a webhook tells, in the order it tells them.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A client wrote.
    Message(InboundMessage),
    /// The business wrote on its own phone.
    Echo(InboundMessage),
    /// WhatsApp tells something about a client.
    Notice(InboundMessage),
    Status(InboundStatus),
    /// Somebody changed a message.
    Change(Change),
    /// A client's user id changed.
    NewUserId {
        previous: String,
        current: String,
    },
    /// A client takes marketing messages, or no more.
    Preference(Preference),
    /// A flow tells of somebody, who may have written nothing.
    Lead(Lead),
    /// The business's phone calls somebody by this name.
    Contact(Contact),
    /// WhatsApp tells something about the account or a number of it.
    Account(AccountNotice),
    /// WhatsApp tells what became of a template.
    Template(TemplateChange),
    /// What was said with somebody before, as their phone or the business's has kept it.
    Past(Past),
    /// How far the history of the number has come.
    History(HistoryTold),
    /// Something in a group of people, which is nobody's private word: kept in the raw webhook only.
    Group {
        id: Option<String>,
    },
    /// Something we keep in the raw webhook only.
    Ignored(String),
    /// Something that cannot be read.
    Broken {
        id: Option<String>,
        error: String,
    },
}

impl Item {
    /// WhatsApp's id of it, or of the message it tells of.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Message(message) | Self::Echo(message) | Self::Notice(message) => Some(&message.id),
            Self::Status(status) => Some(&status.id),
            Self::Change(change) => Some(&change.id),
            Self::Broken { id, .. } | Self::Group { id } => id.as_deref(),
            Self::NewUserId { .. }
            | Self::Preference(_)
            | Self::Lead(_)
            | Self::Contact(_)
            | Self::Account(_)
            | Self::Template(_)
            | Self::Past(_)
            | Self::History(_)
            | Self::Ignored(_) => None,
        }
    }
}

/// A client as WhatsApp names them. At least one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Digits; absent for people who hide their number.
    pub wa_id: Option<String>,
    /// The provider's own id of them (`Provider::user_id_kind`).
    pub user_id: Option<String>,
    pub name: Option<String>,
}

impl Sender {
    /// By which of a client's identities they are heard of: their number, or without one their user id.
    #[must_use]
    pub fn identity(&self, provider: Provider) -> Option<String> {
        let number = self.wa_id.as_deref().map(|wa_id| format!("phone:{}", phone::canonical(wa_id)));
        number.or_else(|| self.user_id.as_deref().map(|user_id| format!("{}:{user_id}", provider.user_id_kind())))
    }
}

/// Whether a client takes marketing messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Preference {
    pub sender: Sender,
    pub granted: bool,
    pub at: Timestamp,
    /// As it came.
    pub proof: Value,
}

/// What a flow tells of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    pub sender: Sender,
    /// Texts for the company's own fields of clients, by their keys.
    pub fields: BTreeMap<String, String>,
}

/// An entry of the address book on the business's phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Digits, as the phone has them.
    pub number: String,
    pub name: String,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct InboundMessage {
    pub id: String,
    pub sender: Sender,
    /// Now, when it carries none that can be believed.
    pub at: Timestamp,
    /// Our kind.
    pub kind: &'static str,
    pub body: String,
    pub payload: Value,
    pub media: Option<Media>,
    /// WhatsApp's id of the message it answers.
    pub reply_to: Option<String>,
}

impl InboundMessage {
    fn is_too_long(&self) -> bool {
        limits::is_too_long(&self.body) || limits::is_too_large(&self.payload)
    }

    fn shorten(&mut self) {
        limits::shorten(&mut self.body);
        limits::shorten_parts(&mut self.payload);
    }
}

/// A change of a message that was sent before, though it may come after.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Change {
    pub id: String,
    /// WhatsApp's id of the message.
    pub target: String,
    /// `edit`, `revoke` or `reaction`.
    pub kind: String,
    /// `client` or `agent`.
    pub changed_by: String,
    /// By which a client who made it is known; of the business's own, whom it wrote to.
    pub phone: Option<String>,
    pub user_id: Option<String>,
    /// The new text, or the emoji: none takes the reaction away.
    pub body: String,
    pub at: Timestamp,
}

/// A file waiting at WhatsApp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub id: String,
    pub mime_type: String,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundStatus {
    pub id: String,
    /// `sent`, `delivered`, `read` or `failed`.
    pub status: &'static str,
    pub at: Timestamp,
    /// Our own id, sent along as `biz_opaque_callback_data`.
    pub message_id: Option<Uuid>,
    pub error_code: Option<String>,
    pub error_detail: Option<String>,
    /// What its provider takes money for.
    pub charge: Option<Charge>,
}

/// What a message is paid for as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// In the provider's word, such as `marketing`.
    pub category: String,
    /// Of the recipient, two letters.
    pub country: Option<String>,
}

/// Something for admins to act on.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountNotice {
    pub alert: Alert,
    /// What became of the template that it is about.
    pub template: Option<TemplateChange>,
    /// The change as it came, with the time of its entry: the same one again is the same text.
    pub content: Value,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub code: &'static str,
    /// In Portuguese, for people.
    pub text: &'static str,
    /// The template, name or flow it is about.
    pub subject: Option<String>,
    /// The reason as Meta words it.
    pub detail: Option<String>,
}

/// What became of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateChange {
    /// WhatsApp's id of it.
    pub provider_id: String,
    pub status: Option<TemplateStatus>,
    pub quality: Option<TemplateQuality>,
    /// Whether it tells the quality, which may be unknown again.
    pub has_quality: bool,
    pub category: Option<TemplateCategory>,
    /// Of its status.
    pub reason: Option<String>,
    pub at: Timestamp,
}

impl InboundStatus {
    /// Of a message of ours that an echo tells of.
    #[must_use]
    pub fn sent(echo: &InboundMessage, own_id: Uuid) -> Self {
        let InboundMessage { id, at, .. } = echo;
        Self {
            id: id.clone(),
            status: "sent",
            at: *at,
            message_id: Some(own_id),
            error_code: None,
            error_detail: None,
            charge: None,
        }
    }
}

/// Whom a change is for: a number, or the account as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Of the channel account: a number's id, an instance. Changes of a whole account carry none.
    pub external_key: Option<String>,
    /// The account that several numbers may be in.
    pub account_key: Option<String>,
    /// The number people see.
    pub display_number: Option<String>,
}

impl Address {
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let Self { external_key, .. } = self;
        if external_key.is_some() { *external_key == other.external_key } else { self == other }
    }

    /// What unrouted webhooks are kept under.
    #[must_use]
    pub fn key(&self) -> &str {
        self.external_key.as_deref().or(self.account_key.as_deref()).unwrap_or_default()
    }
}

/// The items of one address, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub provider: Provider,
    pub address: Address,
    pub items: Vec<Item>,
}

impl Notification {
    /// Whether it tells of the past, which waits for its own turn and holds nobody up. Whatever it brings, it says how far it has come.
    #[must_use]
    pub fn is_history(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::History(_)))
    }
}
