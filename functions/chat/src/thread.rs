//! What is one person's of a thread.

use shared::prelude::*;

/// The columns of `ThreadFollowing` for the thread of a relation named `messages`, whether the caller follows it or not.
pub const FOLLOWING: &str = "
    select messages.id as root_id, messages.channel_id, coalesce(followers.is_following, false) as is_following,
           coalesce(followers.read_place, 0) as read_place, messages.reply_count
      from chat_messages messages
      left join chat_thread_followers followers
        on followers.company_id = messages.company_id and followers.root_id = messages.id and followers.user_id = app.user_id()
     where messages.id = $1 and messages.root_id is null";

/// What the caller wants of a thread, and how far they have read it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ThreadFollowing {
    pub root_id: Uuid,
    pub channel_id: Uuid,
    pub is_following: bool,
    /// Answers up to here were read.
    pub read_place: i64,
    /// The place of the newest answer.
    pub reply_count: i64,
}

/// Somebody follows a thread, or does not any more; told to them alone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatThreadFollowed {
    pub thread: ThreadFollowing,
}
event!(ChatThreadFollowed = "chat.thread_followed");
