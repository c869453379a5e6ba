//! What people are told of by name: rows that the database writes with their cause, which its triggers say (`app.notify` in the migrations).

use jiff::Timestamp;
use postgres_from_row::FromRow;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{database::Transaction, parameters};

/// What somebody was told of.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Notification {
    pub id: Uuid,
    /// As `GET /notifications/preferences` lists them.
    #[serde(rename = "type")]
    pub kind: String,
    /// In the person's language.
    pub title: String,
    pub body: String,
    /// How often it happened until it was read: such are one.
    pub count: i32,
    /// Whose act the latest was; null for the system, and for clients.
    pub actor_id: Option<Uuid>,
    /// What it leads to: at most one of these three.
    pub conversation_id: Option<Uuid>,
    pub channel_id: Option<Uuid>,
    pub client_id: Option<Uuid>,
    pub lead_id: Option<Uuid>,
    /// The latest message, note, transfer or job.
    pub source_id: Option<Uuid>,
    pub is_read: bool,
    /// When it last happened.
    pub at: Timestamp,
    pub created_at: Timestamp,
}

/// Somebody is told of something, them alone. One that is known already by its `id` takes its place: it has happened again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationCreated {
    pub notification: Notification,
    /// How many are unread now; 100 are 100 or more.
    pub unread: i64,
    /// Of two numbers of unread ones the one with the greater revision holds.
    pub revision: i64,
    /// What it sounds like: `message`, `mention`, `assignment` or `alert`; null for silence, as the person's preferences and the moment are.
    pub sound: Option<String>,
}

/// Some were read, on whatever device, or are over. Told to their person alone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NotificationRead {
    /// Null for so many that the list is better read anew.
    pub ids: Option<Vec<Uuid>>,
    /// How many are unread now; 100 are 100 or more.
    pub unread: i64,
    /// Of two numbers of unread ones the one with the greater revision holds.
    pub revision: i64,
}

#[cfg_attr(debug_assertions, expect(unsafe_code, reason = "the catalogue of events is a section of the binary"))]
mod catalogued {
    crate::event!(super::NotificationCreated = "notification.created");
    crate::event!(super::NotificationRead = "notification.read");
}

const SETTLE: &str = "select app.settle_notifications($1)";

impl Transaction {
    /// The caller has seen a conversation, and so what was told them of it.
    pub fn settle_notifications_of(&self, conversation_id: Uuid) {
        self.defer(SETTLE, parameters![json!({"conversation_id": conversation_id})]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{EventPayload as _, WRITTEN_BY_DATABASE};

    #[test]
    fn what_the_database_tells_has_the_names_of_its_payloads() {
        assert_eq!(WRITTEN_BY_DATABASE, [NotificationCreated::TYPE, NotificationRead::TYPE]);
    }
}
