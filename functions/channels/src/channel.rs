//! The channel's row as lists, answers and events show it.

use futures_util::future::try_join;
use shared::{closed_set, prelude::*};
use unicode_security::skeleton;

use crate::ChannelMembership;

pub const NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe um canal com este nome.", "A channel with this name exists already.");
pub const ARCHIVED: Problem = Problem::new(409, "channel_archived", "Este canal está arquivado.", "This channel is archived.");
pub const IS_DIRECT: Problem = Problem::new(
    409,
    "direct_channel",
    "Em mensagens diretas ninguém entra nem sai: abra outra conversa com estas pessoas.",
    "Nobody enters or leaves direct messages: open others with these people.",
);
pub const IS_GENERAL: Problem = Problem::new(
    409,
    "general_channel",
    "O canal geral é de toda a equipe: ninguém sai dele e ele não é arquivado.",
    "The general channel is all staff's: nobody leaves it, and it is not archived.",
);
pub const NOT_MEMBER: Problem = Problem::new(403, "not_member", "Entre no canal antes.", "Join the channel first.");
pub const NOT_MANAGER: Problem =
    Problem::new(403, "not_manager", "Só quem administra o canal pode fazer isto.", "Only who manages the channel may do this.");

closed_set! {
    /// Who finds a channel: all staff, its members, or the people whose direct messages it has.
    pub TeamChannelKind { Public = "public", Private = "private", Direct = "direct" }
}

/// The columns of `Channel`, from a relation named `channels`.
#[macro_export]
macro_rules! channel_columns {
    () => {
        "channels.id, channels.kind, channels.name, channels.topic, channels.is_announcement, channels.is_general, channels.last_place,
           channels.last_message_at, channels.created_by_id, channels.archived_at, channels.version, channels.created_at,
           channels.updated_at,
           (select count(*) from app.channel_people(array[channels.id])) as member_count,
           case when channels.kind = 'direct' then (
               select coalesce(jsonb_agg(jsonb_build_object('user_id', users.id, 'name', users.name) order by users.name, users.id), '[]')
                 from channel_members people
                 join users on users.id = people.user_id
                where people.company_id = channels.company_id and people.channel_id = channels.id) end as people"
    };
}

/// What is the caller's own of a channel, beside `channel_columns`; null of one that they are not in.
#[macro_export]
macro_rules! membership_column {
    () => {
        "case when own.user_id is not null then jsonb_build_object(
               'is_manager', own.is_manager, 'read_place', own.read_place, 'unread', channels.last_place - own.read_place,
               'mentions', (select count(*) from chat_mentions
                             where chat_mentions.company_id = own.company_id and chat_mentions.user_id = own.user_id
                               and chat_mentions.channel_id = own.channel_id and chat_mentions.place > own.read_place),
               'level', own.level, 'is_muted', own.is_muted and (own.muted_until is null or own.muted_until > now()),
               'muted_until', own.muted_until, 'is_favorite', own.is_favorite, 'is_hidden', own.is_hidden,
               'draft', own.draft, 'drafted_at', own.drafted_at, 'joined_at', own.joined_at) end as membership"
    };
}

/// The join that goes with `membership_column`.
#[macro_export]
macro_rules! membership_join {
    () => {
        " left join channel_members own
            on own.company_id = channels.company_id and own.channel_id = channels.id and own.user_id = (select app.user_id())"
    };
}

/// One that the caller finds, with what is theirs of it.
pub const CHANNEL: &str = concat!(
    "select ",
    channel_columns!(),
    ", ",
    membership_column!(),
    " from channels ",
    membership_join!(),
    " where channels.id = $1"
);

/// Whether the caller finds it.
pub const IS_SEEN: &str = "select from channels where id = $1";

/// No row of one that the caller does not manage, locked until the transaction ends.
const HOLD_MANAGED: &str = "select from channels where id = $1 for no key update";

/// A channel that the caller manages, locked until the transaction ends.
///
/// # Errors
/// 404 where they do not find it, 409 for direct messages, 403 where they do not manage it.
pub async fn managed(transaction: &Transaction, id: Uuid) -> Result<OwnChannel, Error> {
    let (held, own): (_, OwnChannel) =
        try_join(transaction.query(HOLD_MANAGED, &[&id]), transaction.one(CHANNEL, &[&id])).await?;
    if own.channel.people.is_some() {
        return Err(IS_DIRECT.into());
    }
    if held.is_empty() { Err(NOT_MANAGER.into()) } else { Ok(own) }
}

/// A channel in lists, answers and events.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Channel {
    pub id: Uuid,
    pub kind: TeamChannelKind,
    /// Null of direct messages: those are known by their people.
    pub name: Option<String>,
    /// What it is for.
    pub topic: String,
    /// Only who manages it, or leads the company, posts there; everybody answers in threads.
    pub is_announcement: bool,
    /// The one that all staff are in.
    pub is_general: bool,
    /// The place of its newest message: what lies beyond somebody's `read_place` is unread.
    pub last_place: i64,
    pub last_message_at: Option<Timestamp>,
    pub created_by_id: Option<Uuid>,
    pub archived_at: Option<Timestamp>,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Its members who are active staff.
    pub member_count: i64,
    /// Whose direct messages these are; null of other channels.
    #[schemars(with = "Option<Vec<DirectPerson>>")]
    pub people: Option<Value>,
}

/// Somebody whose direct messages these are.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct DirectPerson {
    user_id: Uuid,
    name: String,
}

/// A channel as the caller sees it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct OwnChannel {
    #[from_row(flatten)]
    #[serde(flatten)]
    pub channel: Channel,
    /// Null while the caller is not in it.
    #[schemars(with = "Option<ChannelMembership>")]
    pub membership: Option<Value>,
}

impl Versioned for OwnChannel {
    fn version(&self) -> i32 {
        self.channel.version
    }
}

impl Channel {
    /// Who is told what it is like: of a public one all staff.
    #[must_use]
    pub fn audience(&self) -> Audience {
        if self.kind == TeamChannelKind::Public { Audience::staff() } else { Audience::channel(self.id) }
    }

    /// Whose direct messages these are.
    #[must_use]
    pub fn person_ids(&self) -> Vec<Uuid> {
        let people = self.people.as_ref().and_then(Value::as_array).into_iter().flatten();
        people.filter_map(|person| person["user_id"].as_str()?.parse().ok()).collect()
    }

    /// Tells who sees it.
    pub fn tell<P: EventPayload>(&self, transaction: &Transaction, company_id: Uuid, payload: &P) {
        transaction.emit(Event::new(Topic::Company(company_id), self.audience(), payload));
    }

    /// Tells each of these people, on all their devices, that they are in it now.
    pub fn tell_joined(&self, transaction: &Transaction, people: &[Uuid]) {
        for user_id in people {
            let payload = ChatChannelJoined { channel: self.clone() };
            transaction.tell_person(*user_id, &payload);
        }
    }
}

/// Tells who is in a channel, and nobody else.
pub fn tell_channel<P: EventPayload>(transaction: &Transaction, company_id: Uuid, channel_id: Uuid, payload: &P) {
    transaction.emit(Event::new(Topic::Company(company_id), Audience::channel(channel_id), payload));
}

macro_rules! channel_events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize, JsonSchema)]
            pub struct $name {
                pub channel: Channel,
            }
            event!($name = $kind);
        )*
    };
}

channel_events! {
    /// There is a new channel.
    ChatChannelCreated = "chat.channel_created";
    /// Its name, topic or rule changed, or it was archived or brought back.
    ChatChannelUpdated = "chat.channel_updated";
    /// Told to who is in it now.
    ChatChannelJoined = "chat.channel_joined";
}

/// What a name is compared by, beside case and accents: letters of other scripts that look like Latin ones are these.
#[must_use]
pub fn name_key(name: &str) -> String {
    let look = |letter: char| {
        let is_latin = letter.is_ascii() || ('\u{c0}'..='\u{24f}').contains(&letter);
        if is_latin { letter.to_string() } else { skeleton(letter.encode_utf8(&mut [0; 4])).collect() }
    };
    name.chars().map(look).collect()
}

/// A name as people may type it: the sign before it is no part of it.
#[must_use]
pub fn plain_name(name: &str) -> &str {
    name.trim_start_matches(['#', ' ']).trim_end()
}

/// For names: something is left of it without the sign before it.
#[expect(clippy::missing_errors_doc, reason = "a rule of garde")]
pub fn has_name(name: &str, (): &()) -> garde::Result {
    if plain_name(name).is_empty() {
        return Err(shared::rule("required", "Informe um nome.", "Give a name."));
    }
    shared::visible(&name, &())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_look_alike_are_alike() {
        // A Cyrillic `а` and `е`.
        assert_eq!(name_key("v\u{435}nd\u{430}s"), "vendas");
        for name in ["vendas", "Coração", "turma 1", "modem", "ça va?"] {
            assert_eq!(name_key(name), name, "Latin letters stay");
        }
        assert_ne!(name_key("日本"), name_key("日木"));
    }

    #[test]
    fn the_sign_is_no_part_of_a_name() {
        assert_eq!(plain_name("# vendas"), "vendas");
        assert!(has_name("#", &()).is_err() && has_name("# #", &()).is_err() && has_name("geral", &()).is_ok());
    }
}
