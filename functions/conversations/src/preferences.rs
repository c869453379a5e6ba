//! What somebody wants of a conversation for themselves.

use shared::prelude::*;

/// A person's own, as long as they hold; no row without any.
pub const PREFERENCES: &str = "
    select conversation_id, true as muted, muted_until
      from conversation_preferences
     where conversation_id = $1 and user_id = (select app.user_id()) and (muted_until is null or muted_until > now())";

/// The conversations that the caller wants to hear nothing of now.
pub const MUTED: &str = "
    select array(
        select conversation_id from conversation_preferences
         where user_id = (select app.user_id()) and (muted_until is null or muted_until > now())
         limit 1000) as ids";

/// What the caller wants of a conversation. Its events come all the same: front ends stay silent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
pub struct ConversationPreferences {
    pub conversation_id: Uuid,
    pub muted: bool,
    /// Until when it is muted; null for good, or while it is not.
    pub muted_until: Option<Timestamp>,
}

impl ConversationPreferences {
    /// Of somebody who has said nothing.
    #[must_use]
    pub fn none(conversation_id: Uuid) -> Self {
        Self { conversation_id, muted: false, muted_until: None }
    }
}

/// Somebody's own preferences changed, told to them alone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConversationPreferencesSaved {
    pub preferences: ConversationPreferences,
}

event!(ConversationPreferencesSaved = "conversation.preferences_saved");

/// The answer to `MUTED`.
#[derive(Debug, FromRow)]
pub struct Muted {
    pub ids: Vec<Uuid>,
}
