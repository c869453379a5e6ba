//! What people are told of by name, and how they want to be told. The rows come with their causes (`shared::notifications`).

pub mod digest;
pub mod preferences;
pub mod pushing;
mod sealing;
pub mod subscription;
pub mod web_push;

pub use sealing::{LARGEST, is_point};

use shared::{
    notifications::{Notification, NotificationRead},
    prelude::*,
};

/// The joins that give `words` of `notifications`, in the language of their `users`.
#[macro_export]
macro_rules! notification_words {
    () => {
        "
     cross join lateral app.notification_facts(notifications.type, notifications.conversation_id, notifications.channel_id,
                                               notifications.client_id, notifications.lead_id, notifications.source_id,
                                               notifications.actor_id, notifications.facts) known
     cross join lateral app.notification_words(notifications.type, users.locale, known, notifications.count) words"
    };
}

/// The columns of `Notification` from a page of `notifications`, with what they are joined to.
#[macro_export]
macro_rules! shown_notifications {
    () => {
        concat!(
            "
    select notifications.id, notifications.type as kind, words.title, words.body, notifications.count, notifications.actor_id,
           notifications.conversation_id, notifications.channel_id, notifications.client_id, notifications.lead_id,
           notifications.source_id, notifications.read_at is not null as is_read, notifications.at, notifications.created_at
      from page notifications
      join users on users.id = notifications.user_id",
            $crate::notification_words!()
        )
    };
}

const UNREAD: &str = "select unread, revision from app.own_unread()";

/// How many the caller has not read.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema, FromRow)]
pub struct UnreadNotifications {
    /// 100 are 100 or more.
    pub unread: i64,
    /// Of two numbers, also of events, the one with the greater revision holds.
    pub revision: i64,
}

/// How many the caller has not read, as it is once all before it has been done.
///
/// # Errors
/// Those of the database.
pub async fn unread(transaction: &Transaction) -> Result<UnreadNotifications, Error> {
    transaction.one(UNREAD, &[]).await
}

/// Nobody else changes what the caller has not read until the transaction ends. The first statement of whoever does.
pub const HOLD_UNREAD: &str = "select app.hold_own_unread()::text";

/// As many as an event names.
const MOST_NAMED: usize = 200;

/// Tells the caller's other devices what was read on this one.
pub fn tell_read(transaction: &Transaction, caller: &Identity, ids: Vec<Uuid>, unread: UnreadNotifications) {
    if ids.is_empty() {
        return;
    }
    let ids = (ids.len() <= MOST_NAMED).then_some(ids);
    let UnreadNotifications { unread, revision } = unread;
    let payload = NotificationRead { ids, unread, revision };
    transaction.tell_person(caller.user_id, &payload);
}

/// A page of one's notifications.
#[derive(Serialize, JsonSchema)]
pub struct NotificationList {
    #[serde(flatten)]
    pub page: Page<Notification>,
    #[serde(flatten)]
    pub unread: UnreadNotifications,
}
