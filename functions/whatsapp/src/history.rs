//! What was said before a number was connected. It is put where it belongs and nobody is called: no bot, nothing unread, no event but one for
//! how far it has come.

use conversations::{LOCK_KEYS, preview};
use futures_util::future::{join, join3};
use integrations::{ChannelUpdated, channel_updated};
use jiff::SignedDuration;
use shared::{
    error::UNAVAILABLE,
    files::{clean_name, incoming_key},
    phone,
    prelude::*,
};

use crate::{
    changes,
    channel::{Channel, Done, TRIES},
    item::{
        InboundStatus, Sender,
        past::{Declined, HistoryTold, Past, PastMessage},
    },
    named::Named,
    sender::{create_client, locate},
};

/// How long a provider keeps the files of messages; what is older has a placeholder.
const FILES_LAST: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Until then the outcome of what we sent may be unknown.
const OUTCOMES_LAST: SignedDuration = SignedDuration::from_hours(1);

const LOCK_CLIENTS: &str = "
    select from clients
     where id in (select client_id from unnest($1::text[], $2::text[]) named (kind, value) join client_identities using (kind, value))
     order by id
       for no key update";

/// All of theirs: whatever time a message is of, and whoever turns out to be one.
const LOCK_CONVERSATIONS: &str = "
    select from conversations
     where client_id in (select client_id from unnest($1::text[], $2::text[]) named (kind, value) join client_identities using (kind, value))
     order by id
       for update";

/// What they had written under before says nothing of where they are reached now.
const ADD_IDENTITIES: &str = "
    insert into client_identities (client_id, kind, value, address, seen_at)
    select $1, identity.kind, identity.value, identity.address, $5
      from (values ('phone', $2::text, $3::text), ($6::text, $4::text, $4::text)) identity (kind, value, address)
     where identity.value is not null
    on conflict do nothing";

/// A picture, recording or document that comes after the line that stood for it.
const FILL: &str = "
    with given as (
        select * from jsonb_to_recordset($2) as given (provider_id text, kind text, body text, payload jsonb, file_id uuid, file_name text,
                                                       mime_type text, storage_key text, media_id text, failure text)
    ), known as (
        select messages.id, messages.conversation_id, given.*
          from given
          join messages on messages.channel_account_id = $1 and messages.provider_id = given.provider_id
         where messages.kind = 'unsupported' and messages.payload ->> 'type' = 'media_placeholder' and given.file_id is not null
    ), new_files as (
        insert into files (id, conversation_id, name, mime_type, size, storage_key, provider_id, status, failure)
        select file_id, conversation_id, file_name, mime_type, 0, storage_key, media_id,
               case when failure is null then 'pending' else 'failed' end, failure
          from known
    )
    update messages
       set kind = known.kind, body = known.body, payload = known.payload, file_id = known.file_id
      from known
     where messages.id = known.id
    returning messages.id, messages.file_id, known.failure is null as is_to_come";

/// Each once, in the conversation that was held at its time; what is of none goes into the one that was imported, which is made with the first.
/// A message is shown as far along as was told of it, now or before.
const STORE: &str = "
    with given as (
        select * from jsonb_to_recordset($3) as given (id uuid, provider_id text, is_own boolean, kind text, body text, payload jsonb,
                                                       reply_to text, status text, sent_at timestamptz, file_id uuid,
                                                       file_name text, mime_type text, storage_key text, media_id text, failure text)
    ), new as (
        select distinct on (given.provider_id) given.*,
               (select id
                  from conversations
                 where channel_account_id = $1 and client_id = $2 and merged_into_id is null and imported_at is null
                   and started_at <= given.sent_at and (ended_at is null or given.sent_at <= ended_at)
                 order by started_at desc
                 limit 1) as held_in
          from given
         where not exists (select from messages where channel_account_id = $1 and messages.provider_id = given.provider_id)
         order by given.provider_id
    ), known as (
        select id
          from conversations
         where channel_account_id = $1 and client_id = $2 and merged_into_id is null and imported_at is not null
         order by imported_at, id
         limit 1
    ), made as (
        insert into conversations (id, client_id, channel_account_id, department_id, mode, protocol, last_message_at, started_at, ended_at,
                                   close_reason, imported_at)
        select $4, $2, $1, $5, 'human', $6, max(sent_at), min(sent_at), max(sent_at), 'history', now()
          from new
         where held_in is null and not exists (select from known)
        having count(*) > 0
        returning id
    ), placed as (
        select new.*, coalesce(held_in, (select id from known), (select id from made)) as conversation_id from new
    ), new_files as (
        insert into files (id, conversation_id, name, mime_type, size, storage_key, provider_id, status, failure)
        select file_id, conversation_id, file_name, mime_type, 0, storage_key, media_id,
               case when failure is null then 'pending' else 'failed' end, failure
          from placed
         where file_id is not null
    ), early as (
        delete from early_statuses
         using placed
         where early_statuses.channel_account_id = $1 and early_statuses.provider_id = placed.provider_id
        returning early_statuses.*
    )
    insert into messages (id, conversation_id, channel_account_id, sender_type, kind, body, payload, file_id, reply_to_id, provider_id,
                          status, sent_at, came_by)
    select placed.id, conversation_id, $1, case when is_own then 'agent' else 'client' end, kind, body, payload, file_id,
           coalesce((select answered.id
                       from messages answered
                       join conversations on conversations.company_id = answered.company_id
                                         and conversations.id = answered.conversation_id
                      where answered.channel_account_id = $1 and answered.provider_id = placed.reply_to
                        and conversations.client_id = $2),
                    (select new.id from new where new.provider_id = placed.reply_to)),
           provider_id,
           case when is_own then (
               select told.status
                 from (select placed.status as status
                       union all
                       select early.status from early where early.provider_id = placed.provider_id) told
                order by array_position(array['failed', 'sent', 'delivered', 'read'], told.status) desc
                limit 1) end,
           sent_at, case when not is_own then $7 end
      from placed
    returning id, conversation_id, provider_id, file_id,
              file_id is not null and exists (select from placed where placed.file_id = messages.file_id and placed.failure is null) as is_to_come";

/// Lists show a conversation as of its newest message, and the imported one as long as it was.
const MOVE: &str = "
    with given as (
        select messages.conversation_id, messages.id, messages.sent_at, messages.sender_type, shown.preview
          from jsonb_to_recordset($1) as shown (id uuid, preview text)
          join messages on messages.id = shown.id
    ), newest as (
        select distinct on (conversation_id) *, min(sent_at) over (partition by conversation_id) as first_at
          from given
         order by conversation_id, sent_at desc, id desc
    )
    update conversations
       set started_at = case when imported_at is null then started_at else least(started_at, first_at) end,
           ended_at = case when imported_at is null then ended_at else greatest(ended_at, sent_at) end,
           last_message_at = greatest(last_message_at, sent_at),
           last_message_id = case when last_message_id is null or sent_at > last_message_at then newest.id else last_message_id end,
           last_message_preview = case when last_message_id is null or sent_at > last_message_at then preview else last_message_preview end,
           last_message_from = case when last_message_id is null or sent_at > last_message_at then sender_type else last_message_from end
      from newest
     where conversations.id = newest.conversation_id and (imported_at is not null or sent_at > last_message_at)";

/// Those of these that something was told of before they were.
const CHANGED_EARLY: &str =
    "select distinct provider_id from early_changes where channel_account_id = $1 and provider_id = any ($2)";

/// What was begun anew a day after it was complete is told from its beginning.
const NOTE: &str = channel_updated!(
    "
    with known as (
        select id,
               case when (history ->> 'progress')::integer < 100 or (history ->> 'told_at')::timestamptz > now() - interval '1 day'
                    then history else '{}' end as history
          from channel_accounts
         where id = $1
    )
    update channel_accounts
       set history = jsonb_build_object(
               'phase', greatest((known.history ->> 'phase')::integer, $2),
               'progress', greatest((known.history ->> 'progress')::integer, $3, 0),
               'messages', coalesce((known.history ->> 'messages')::integer, 0) + $4::integer,
               'declined', $5::jsonb,
               'began_at', coalesce(known.history -> 'began_at', to_jsonb($6::timestamptz)),
               'told_at', to_jsonb($6::timestamptz))
      from known
     where channel_accounts.id = known.id"
);

/// Takes all locks that these items need, in the order of locks.
pub async fn hold(transaction: &Transaction, named: &Named) -> Result<(), Error> {
    let ids = named.message_ids.iter().chain(&named.changed_ids);
    let keys: Vec<String> = named.keys().into_iter().chain(ids.map(|id| format!("message:{id}"))).collect();
    let (locked, clients, conversations) = join3(
        transaction.execute(LOCK_KEYS, &[&keys]),
        transaction.query(LOCK_CLIENTS, &[&named.kinds, &named.identities]),
        transaction.query(LOCK_CONVERSATIONS, &[&named.kinds, &named.identities]),
    )
    .await;
    locked?;
    clients?;
    conversations.map(drop)
}

#[derive(FromRow)]
struct Added {
    id: Uuid,
    provider_id: String,
    file_id: Option<Uuid>,
    /// There is a file to be fetched.
    is_to_come: bool,
}

#[derive(FromRow)]
struct Filled {
    id: Uuid,
    file_id: Option<Uuid>,
    is_to_come: bool,
}

/// Stores what was said with one person.
pub async fn store(context: &Context, transaction: &Transaction, channel: &Channel, past: &Past) -> Result<Done, Error> {
    let mut stored = 0;
    if !past.messages.is_empty() {
        let (client_id, open) = client(context, transaction, channel, past).await?;
        let messages = not_ours(context, transaction, channel, open, &past.messages).await?;
        let (rows, previews) = rows(context, channel, &messages);
        if messages.iter().any(|past| past.message.media.is_some()) {
            let filled: Vec<Filled> = transaction.all(FILL, &[&channel.id, &rows]).await?;
            for filled in &filled {
                fetch(context, transaction, channel, filled.id, filled.file_id, filled.is_to_come);
            }
        }
        let new_id = context.new_id();
        let protocol = protocol(new_id);
        let came_by = past.sender.identity(channel.provider);
        let (added, moved) = join(
            transaction
                .all::<Added>(STORE, &[&channel.id, &client_id, &rows, &new_id, &channel.department_id, &protocol, &came_by]),
            transaction.execute(MOVE, &[&previews]),
        )
        .await;
        let added = added?;
        moved?;
        stored = added.len();
        for added in &added {
            fetch(context, transaction, channel, added.id, added.file_id, added.is_to_come);
        }
        make_early(transaction, channel, added).await?;
    }
    for change in &past.changes {
        changes::settle(transaction, channel, change).await?;
    }
    if stored > 0 {
        count(context, transaction, channel, stored).await?;
    }
    Ok(Done::Past { stored, known: past.messages.len() - stored })
}

/// Each once, but for what we have sent ourselves and do not know the id of yet: that is told of as of what was typed on the phone, and is sent.
async fn not_ours<'a>(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    open: Option<Uuid>,
    messages: &'a [PastMessage],
) -> Result<Vec<&'a PastMessage>, Error> {
    let mut others: Vec<&PastMessage> = Vec::with_capacity(messages.len());
    for past in messages {
        if others.iter().any(|other| other.message.id == past.message.id) {
            continue;
        }
        let is_recent = context.now().duration_since(past.message.at) < OUTCOMES_LAST;
        if let Some(conversation_id) = open.filter(|_| past.is_own && is_recent)
            && let Some(own) = changes::own_message(transaction, channel, conversation_id, &past.message).await?
        {
            changes::set_status(transaction, channel, &InboundStatus::sent(&past.message, own)).await?;
        } else {
            others.push(past);
        }
    }
    Ok(others)
}

/// Whose it is, and their open conversation. Under ids that they had before, they are who they are.
async fn client(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    past: &Past,
) -> Result<(Uuid, Option<Uuid>), Error> {
    let Sender { wa_id, user_id, .. } = &past.sender;
    let mut first = past.messages[0].message.clone();
    first.sender = past.sender.clone();
    for _ in 0..TRIES {
        let located = locate(context, transaction, channel, &first, false).await?;
        let Some(id) = located.client_id else {
            if let Some(id) = create_client(context, transaction, channel, &past.sender).await? {
                return Ok((id, None));
            }
            continue;
        };
        let number = wa_id.as_deref().map(phone::canonical);
        let kind = channel.provider.user_id_kind();
        transaction.execute(ADD_IDENTITIES, &[&id, &number, wa_id, user_id, &first.at, &kind]).await?;
        return Ok((id, located.conversation_id));
    }
    Err(UNAVAILABLE.caused_by("lost every race for the client"))
}

/// Messages as the statements take them, and what lists show of each.
fn rows(context: &Context, channel: &Channel, messages: &[&PastMessage]) -> (Value, Value) {
    let ids: Vec<Uuid> = messages.iter().map(|_| context.new_id()).collect();
    let row = |(past, id): (&&PastMessage, &Uuid)| {
        let PastMessage { message, is_own, status } = past;
        let mut row = json!({
            "id": id, "provider_id": message.id, "is_own": is_own, "kind": message.kind, "body": message.body,
            "payload": message.payload, "reply_to": message.reply_to, "status": status.unwrap_or("sent"), "sent_at": message.at,
        });
        if let Some(media) = &message.media {
            let file_id = context.new_id();
            row["file_id"] = json!(file_id);
            row["file_name"] = json!(clean_name(media.name.as_deref().unwrap_or(message.kind)));
            row["mime_type"] = json!(media.mime_type);
            row["storage_key"] = json!(incoming_key(channel.company_id, file_id));
            row["media_id"] = json!(media.id);
            row["failure"] = json!((context.now().duration_since(message.at) > FILES_LAST).then_some("too_old"));
        }
        row
    };
    let rows: Vec<Value> = messages.iter().zip(&ids).map(row).collect();
    let shown = messages.iter().zip(&ids).filter(|(past, _)| past.message.kind != "reaction");
    let previews: Vec<Value> =
        shown.map(|(past, id)| json!({"id": id, "preview": preview(past.message.kind, &past.message.body)})).collect();
    (json!(rows), json!(previews))
}

/// Its number is none of a day's: those count conversations that were held here.
fn protocol(id: Uuid) -> String {
    let digits = id.simple().to_string();
    format!("H-{}", digits[20..].to_uppercase())
}

/// Files of the past come one after the other, beside those of today.
fn fetch(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    message_id: Uuid,
    file_id: Option<Uuid>,
    is_to_come: bool,
) {
    if let Some(file_id) = file_id.filter(|_| is_to_come) {
        let payload = json!({"file_id": file_id, "message_id": message_id, "channel_account_id": channel.id});
        let lane = format!("history_files:{}", channel.id);
        transaction.enqueue(Job::new(context, Queue::Media, "fetch_media", lane, payload));
    }
}

async fn make_early(transaction: &Transaction, channel: &Channel, added: Vec<Added>) -> Result<(), Error> {
    let ids: Vec<String> = added.into_iter().map(|added| added.provider_id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for row in transaction.query(CHANGED_EARLY, &[&channel.id, &ids]).await? {
        changes::settle_early(transaction, channel, row.get("provider_id")).await?;
    }
    Ok(())
}

async fn count(context: &Context, transaction: &Transaction, channel: &Channel, stored: usize) -> Result<ChannelUpdated, Error> {
    let stored = i32::try_from(stored).unwrap_or(i32::MAX);
    let (nothing, none): (Option<i32>, Option<Value>) = (None, None);
    transaction.one(NOTE, &[&channel.id, &nothing, &nothing, &stored, &none, &context.now()]).await
}

/// How far it has come, for whoever waits for it.
pub async fn note(context: &Context, transaction: &Transaction, channel: &Channel, told: &HistoryTold) -> Result<Done, Error> {
    let HistoryTold { phase, progress, declined } = told;
    let declined = declined.as_ref().map(Declined::to_json);
    let noted: ChannelUpdated = transaction.one(NOTE, &[&channel.id, phase, progress, &0_i32, &declined, &context.now()]).await?;
    transaction.tell_staff(&noted);
    Ok(Done::Stored)
}
