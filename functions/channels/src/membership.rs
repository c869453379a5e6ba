//! What is one member's of a channel.

use shared::{
    closed_set,
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
};

use crate::{ARCHIVED, CHANNEL, Channel, IS_DIRECT, IS_GENERAL, IS_SEEN, NOT_MANAGER, NOT_MEMBER, OwnChannel, tell_channel};

closed_set! {
    /// What somebody wants to be notified of: every message, what mentions them, or nothing.
    pub NotifyLevel { All = "all", Mentions = "mentions", Nothing = "nothing" }
}

/// What is the caller's own of a channel.
#[derive(JsonSchema)]
#[expect(dead_code, clippy::struct_excessive_bools, reason = "only its schema is used, and they are choices of one person")]
pub struct ChannelMembership {
    is_manager: bool,
    /// Everything up to this place was read.
    read_place: i64,
    /// Places beyond it.
    unread: i64,
    /// Messages there that mention the caller.
    mentions: i64,
    level: NotifyLevel,
    is_muted: bool,
    /// Until when; null for good, or while it is not muted.
    muted_until: Option<Timestamp>,
    is_favorite: bool,
    /// Not shown until somebody writes there.
    is_hidden: bool,
    /// What they have begun to write, on whatever device.
    draft: String,
    drafted_at: Option<Timestamp>,
    joined_at: Timestamp,
}

/// A member as others see them.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ChannelMember {
    pub user_id: Uuid,
    pub name: String,
    pub is_manager: bool,
    pub joined_at: Timestamp,
}

/// The columns of `ChannelPreferences`, from a relation named `channel_members`.
#[macro_export]
macro_rules! preference_columns {
    () => {
        "channel_members.channel_id, channel_members.level,
           channel_members.is_muted and (channel_members.muted_until is null or channel_members.muted_until > now()) as is_muted,
           channel_members.muted_until, channel_members.is_favorite, channel_members.is_hidden, channel_members.draft,
           channel_members.drafted_at"
    };
}

/// What somebody wants of a channel for themselves, and what they have begun to write there.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ChannelPreferences {
    pub channel_id: Uuid,
    pub level: NotifyLevel,
    pub is_muted: bool,
    /// Until when; null for good, or while it is not muted.
    pub muted_until: Option<Timestamp>,
    pub is_favorite: bool,
    /// Not shown until somebody writes there.
    pub is_hidden: bool,
    pub draft: String,
    pub drafted_at: Option<Timestamp>,
}

/// Somebody's own preferences or draft changed, told to them alone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatPreferencesSaved {
    pub preferences: ChannelPreferences,
}
event!(ChatPreferencesSaved = "chat.preferences_saved");

/// How far somebody has read, told to them alone: their other devices follow.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct ChatChannelRead {
    pub channel_id: Uuid,
    /// Of a thread, the message that it is about; `read_place` and `last_place` are the thread's then.
    pub root_id: Option<Uuid>,
    pub read_place: i64,
    pub last_place: i64,
    /// Messages beyond `read_place` that mention them.
    pub mentions: i64,
}
event!(ChatChannelRead = "chat.channel_read");

/// There are more in a channel, told to its members.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatMemberAdded {
    pub channel: Channel,
    pub user_ids: Vec<Uuid>,
    /// Who has let them in; themselves, where they came.
    pub by_id: Uuid,
}
event!(ChatMemberAdded = "chat.member_added");

/// Somebody is no member any more, told to those who are left.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatMemberRemoved {
    pub channel_id: Uuid,
    pub user_id: Uuid,
    pub by_id: Uuid,
}
event!(ChatMemberRemoved = "chat.member_removed");

/// Told to who is no member any more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatChannelLeft {
    pub channel_id: Uuid,
}
event!(ChatChannelLeft = "chat.channel_left");

/// Why there is no row of the caller's in a channel: it is not there for them, or they are not in it.
pub async fn not_in(transaction: &Transaction, channel_id: Uuid) -> Error {
    match transaction.query(IS_SEEN, &[&channel_id]).await {
        Ok(seen) => if seen.is_empty() { NOT_FOUND } else { NOT_MEMBER }.into(),
        Err(error) => error,
    }
}

const NO_COLLEAGUES: &str = "select app.no_colleagues($1) as ids";

#[derive(FromRow)]
struct Ids {
    ids: Vec<Uuid>,
}

/// All of these are active staff of this company.
///
/// # Errors
/// 422 with the place in `field` of each who is not.
pub async fn colleagues(transaction: &Transaction, field: &str, people: &[Uuid]) -> Result<(), Error> {
    if people.is_empty() {
        return Ok(());
    }
    let Ids { ids } = transaction.one(NO_COLLEAGUES, &[&people]).await?;
    let strangers = people.iter().enumerate().filter(|(_, person)| ids.contains(person));
    refuse(strangers.map(|(position, _)| FieldProblem::not_active_staff(format!("{field}[{position}]"))))
}

const ADD: &str = "select outcome, added from app.add_to_channel($1, $2)";
const TAKE_OUT: &str = "select app.take_out_of_channel($1, $2) as outcome";

#[derive(FromRow)]
struct Added {
    outcome: String,
    added: Vec<Uuid>,
}

#[derive(FromRow)]
struct Outcome {
    outcome: String,
}

/// What the database says of a change of members.
fn judge(outcome: &str) -> Result<(), Error> {
    match outcome {
        "done" => Ok(()),
        "archived" => Err(ARCHIVED.into()),
        "direct" => Err(IS_DIRECT.into()),
        "general" => Err(IS_GENERAL.into()),
        "not_manager" => Err(NOT_MANAGER.into()),
        "not_member" => Err(NOT_MEMBER.into()),
        _ => Err(NOT_FOUND.into()),
    }
}

/// Lets people into a channel, and tells them and the others. Answers the channel as the caller sees it then.
///
/// # Errors
/// 404, or why the caller may not.
pub async fn let_in(
    transaction: &Transaction,
    caller: &Identity,
    channel_id: Uuid,
    people: &[Uuid],
) -> Result<OwnChannel, Error> {
    let Added { outcome, added } = transaction.one(ADD, &[&channel_id, &people]).await?;
    judge(&outcome)?;
    let own: OwnChannel = transaction.one(CHANNEL, &[&channel_id]).await?;
    transaction.audit(channel_id, &Value::Null, &json!({"user_ids": added}));
    if !added.is_empty() {
        own.channel.tell_joined(transaction, &added);
        let payload = ChatMemberAdded { channel: own.channel.clone(), user_ids: added, by_id: caller.user_id };
        // Who leads and is not in it tells what all staff may know.
        if own.membership.is_some() {
            tell_channel(transaction, caller.company_id, channel_id, &payload);
        } else {
            own.channel.tell(transaction, caller.company_id, &payload);
        }
    }
    Ok(own)
}

/// Takes somebody out of a channel, and tells them and the others.
///
/// # Errors
/// 404, or why the caller may not. Of somebody who is no member, `false`.
pub async fn take_out(transaction: &Transaction, caller: &Identity, channel_id: Uuid, user_id: Uuid) -> Result<bool, Error> {
    let Outcome { outcome } = transaction.one(TAKE_OUT, &[&channel_id, &user_id]).await?;
    if outcome == "not_member" {
        return Ok(false);
    }
    judge(&outcome)?;
    let removed = ChatMemberRemoved { channel_id, user_id, by_id: caller.user_id };
    tell_channel(transaction, caller.company_id, channel_id, &removed);
    transaction.tell_person(user_id, &ChatChannelLeft { channel_id });
    Ok(true)
}
