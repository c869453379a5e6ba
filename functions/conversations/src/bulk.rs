//! One thing done to many conversations: each is judged by itself, what is allowed is one statement.

use schemars::Schema;
use shared::{closed_set, error::FORBIDDEN, prelude::*, rule};

use crate::{
    CONVERSATION_CLOSED, Conversation, ConversationUpdated, Destination, HeldConversation, Mode, NOT_HOLDER, Priority, close,
    emit_conversation, held_columns, mark_all_read, may_close, transfer_all, updated_conversation,
};

/// Tags of a conversation.
const MOST_TAGS: i32 = 20;

pub const TOO_MANY_TAGS: Problem =
    Problem::new(422, "too_many_tags", "Uma conversa tem no máximo 20 etiquetas.", "A conversation has at most 20 tags.");

/// As many as the caller sees of these, in the order of locks; they stay in sight until the transaction ends. Tags are compared as the
/// catalogue does, and outside of what locks: a row that somebody has just changed is read again, and the server (15.18) dies of a CTE in that.
pub const LOCK_MANY: &str = concat!(
    "with given as materialized (
        select array(select distinct app.look(tag) from unnest($2::text[]) tag) as looks
    ), locked as materialized (
        select ",
    held_columns!(),
    ", conversations.priority, conversations.read_count, conversations.tags
          from conversations
         where id = any ($1)
         order by id
           for update
    ), kept as materialized (
        select set_config('app.held_conversation', coalesce(string_agg(id::text, ','), ''), true) from locked
    )
    select locked.*, cardinality(locked.tags) as tag_count, cardinality(given.looks) as given_tags,
           (select count(*)::integer from unnest(locked.tags) tag where app.look(tag) = any (given.looks)) as known_tags
      from locked, kept, given
     order by locked.id"
);

const ADD_TAGS: &str = updated_conversation!(
    "update conversations set tags = tags || $2::text[], version = version + 1 where id = any ($1) returning *"
);

const REMOVE_TAGS: &str = updated_conversation!(
    "
        update conversations
           set tags = array(select tag
                              from unnest(tags) with ordinality had (tag, place)
                             where app.look(tag) <> all (array(select app.look(gone) from unnest($2::text[]) gone))
                             order by place),
               version = version + 1
         where id = any ($1)
        returning *"
);

const SET_PRIORITY: &str =
    updated_conversation!("update conversations set priority = $2, version = version + 1 where id = any ($1) returning *");

const MARK_UNREAD: &str =
    updated_conversation!("update conversations set read_count = inbound_count - 1 where id = any ($1) returning *");

/// A locked conversation, as far as what is done to many judges it.
#[derive(Debug, FromRow)]
pub struct BulkHeld {
    #[from_row(flatten)]
    pub held: HeldConversation,
    priority: Priority,
    read_count: i32,
    tag_count: i32,
    /// Of the tags that were given, those it has.
    known_tags: i32,
    given_tags: i32,
}

/// What is done.
#[derive(Debug)]
pub enum BulkAction {
    Close { reason: Option<String> },
    Assign { to: Destination, name: Option<String> },
    AddTags(Vec<String>),
    RemoveTags(Vec<String>),
    Priority(Priority),
    Read(bool),
}

closed_set! {
    /// What became of one.
    #[schemars(rename = "BulkOutcome")]
    pub BulkOutcome { Done = "done", Unchanged = "unchanged", Refused = "refused" }
}

/// Exactly one thing to do is given.
///
/// # Errors
/// `one_action`.
pub fn only_one(count: usize) -> garde::Result {
    if count == 1 {
        return Ok(());
    }
    Err(rule("one_action", "Informe o que fazer, e uma coisa só.", "Give what to do, and one thing only."))
}

/// As `only_one` says it, for the description: `actions` are the fields with their types; null is an action too in those
/// that `may_be_null`.
pub fn describe_only_one(schema: &mut Schema, actions: &[(&str, &str)], may_be_null: &[&str]) {
    let branch = |(given, kind): &(&str, &str)| {
        let others = actions.iter().map(|(name, _)| *name).filter(|name| name != given);
        let mut properties: Map<String, Value> = others
            .map(|name| (name.to_owned(), if may_be_null.contains(&name) { json!({"not": {}}) } else { json!({"type": "null"}) }))
            .collect();
        let kinds = if may_be_null.contains(given) { json!([kind, "null"]) } else { json!(kind) };
        properties.insert((*given).to_owned(), json!({"type": kinds}));
        json!({"title": given, "type": "object", "required": [given], "properties": properties})
    };
    schema.insert("oneOf".into(), actions.iter().map(branch).collect());
}

impl BulkAction {
    /// Whether it changes the conversation.
    ///
    /// # Errors
    /// Why this caller may not do it.
    pub fn judge(&self, caller: &Identity, row: &BulkHeld) -> Result<bool, Problem> {
        let held = &row.held;
        match self {
            Self::Close { .. } => may_close(caller, held).map(|()| true),
            Self::Assign { .. } if held.is_closed() => Err(CONVERSATION_CLOSED),
            Self::Assign { .. } if !held.may_be_moved_by(caller) => Err(NOT_HOLDER),
            Self::Assign { to, .. } => {
                let stays = to.department_id.is_none_or(|department| held.department_id == Some(department));
                Ok(!(stays && held.assignee_id == to.user_id && held.mode == Mode::Human))
            }
            Self::AddTags(_) if row.tag_count + row.given_tags - row.known_tags > MOST_TAGS => Err(TOO_MANY_TAGS),
            Self::AddTags(_) => Ok(row.known_tags < row.given_tags),
            Self::RemoveTags(_) => Ok(row.known_tags > 0),
            Self::Priority(priority) => Ok(row.priority != *priority),
            Self::Read(true) => Ok(row.read_count < held.inbound_count),
            Self::Read(false) => Ok(held.inbound_count > 0 && row.read_count == held.inbound_count),
        }
    }

    /// The tags that are given.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        match self {
            Self::AddTags(tags) | Self::RemoveTags(tags) => tags,
            _ => &[],
        }
    }

    /// Does it to locked conversations that it changes, which inboxes and threads are told as if it was done to each alone.
    ///
    /// # Errors
    /// A target that is not there, a caller who may give nothing back to its queue, and those of the database.
    pub async fn apply(
        self,
        context: &Context,
        transaction: &Transaction,
        by: &Identity,
        held: &[&HeldConversation],
    ) -> Result<(), Error> {
        let ids: Vec<Uuid> = held.iter().map(|held| held.id).collect();
        let changed: Vec<Conversation> = match &self {
            Self::Close { reason } => return close(context, transaction, by, held, reason.as_deref(), None).await.map(drop),
            Self::Assign { to, name } => {
                return transfer_all(context, transaction, by, held, to.clone(), name.clone()).await.map(drop);
            }
            Self::Read(true) => return mark_all_read(context, transaction, by, &ids).await,
            Self::AddTags(tags) => transaction.all(ADD_TAGS, &[&ids, tags]).await?,
            Self::RemoveTags(tags) => transaction.all(REMOVE_TAGS, &[&ids, tags]).await?,
            Self::Priority(priority) => transaction.all(SET_PRIORITY, &[&ids, &priority.as_str()]).await?,
            Self::Read(false) => transaction.all(MARK_UNREAD, &[&ids]).await?,
        };
        for conversation in &changed {
            emit_conversation::<ConversationUpdated>(transaction, by.company_id, conversation, Some(by.user_id), None);
            let shown = json!({"tags": conversation.tags, "priority": conversation.priority, "unread": conversation.unread});
            transaction.audit(conversation.id, &Value::Null, &shown);
        }
        Ok(())
    }
}

/// Holds whom many are given to, before the conversations: some of these may be theirs already, and whoever leaves locks what they hold.
pub const HOLD_RECEIVER: &str = "select app.hold_member($1)";

/// Nobody may be given to by supervisors only.
///
/// # Errors
/// `forbidden`.
pub fn may_assign(caller: &Identity, to: &Destination) -> Result<(), Problem> {
    let is_queue = to.user_id.is_none() && to.department_id.is_none();
    if is_queue && !caller.role.is_leader() { Err(FORBIDDEN) } else { Ok(()) }
}
