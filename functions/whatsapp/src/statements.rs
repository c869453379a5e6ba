//! The statements of inbound messages.

use conversations::{changed_message, conversation_columns, conversation_joins, message_columns, moves_forward, told_early};

/// Opens the tenant with all locks of a batch: what it names (`Named`) is this transaction's own from here on. By the number, or for
/// what carries none by the account and the number it shows.
pub const ENTER_WEBHOOK: &str = "select *, $12 as provider
       from app.enter_kept_webhook($1, $2, $12, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// The client by phone or by user id, and by the user id when that is another's; whether they are known by these as WhatsApp writes
/// them, and were last heard of under them; their open conversation on this channel, and whether the message is stored already, as more than
/// history. With `$6`
/// also the closed conversation whose question for a rating it answers: the last one, within a day, if the question had gone out by then.
pub const LOCATE: &str = "
    with identity as (
        select client_id, kind, address, seen_at
          from client_identities
         where (kind = 'phone' and value = $1) or (kind = $9 and value = $2)
    ), client as (
        select client_id from identity order by kind = 'phone' desc limit 1
    )
    select (select client_id from client) as client_id,
           (select client_id from identity where client_id <> (select client_id from client)) as other_client_id,
           ($1::text is null or exists (select from identity where kind = 'phone' and address = $5))
           and ($2::text is null or exists (select from identity where kind = $9))
           and not exists (select
                             from identity
                             join client_identities newer on newer.client_id = identity.client_id and newer.kind = identity.kind
                                                         and newer.seen_at > identity.seen_at) as is_linked,
           (select id from conversations
             where channel_account_id = $3 and client_id = (select client_id from client) and ended_at is null) as conversation_id,
           exists (select from messages
                    where channel_account_id = $3 and provider_id = $4 and (sender_type <> 'client' or inbound_number is not null)) as is_known,
           exists (select from clients where id = (select client_id from client) and blocked_at is not null) as is_blocked,
           case when $6 then (
               select latest.id
                 from (select id, rating_message_id, ended_at
                         from conversations
                        where channel_account_id = $3 and client_id = (select client_id from client) and merged_into_id is null
                          and imported_at is null
                        order by ended_at desc nulls first
                        limit 1) latest
                 join messages question on question.id = latest.rating_message_id
                where question.status in ('sending', 'sent', 'delivered', 'read')
                  and question.deleted_at is null
                  and $7 between date_trunc('second', question.sending_at) and latest.ended_at + interval '24 hours'
                  and ($8::text is null or question.provider_id is null or question.provider_id = $8)) end as rated_conversation_id";

/// A message of ours that was handed over and of which nobody has said yet under which id it went: what is told of one that the business wrote
/// to this client, in these words or in ours below a name, is told of it, unless its id is another's. Places and cards have no words of ours, and a
/// name of the server's; one message of a conversation is under way at a time.
pub const HANDED_OVER: &str = "
    select id
      from messages
     where channel_account_id = $1 and conversation_id = $2 and status = 'sending' and provider_id is null and sender_type <> 'client'
       and not exists (select from messages known where known.channel_account_id = $1 and known.provider_id = $5)
       and kind = $3
       and ($4 = body or kind in ('location', 'contacts')
            or (body <> '' and $4 like '*%' and right($4, length(body) + 1) = E'\\n' || body))
     order by sending_at
     limit 1";

/// Where a blocked client's message is kept: the open conversation, or the last one.
pub const FIND_HELD: &str = "
    select id from conversations
     where channel_account_id = $1 and client_id = $2 and merged_into_id is null and imported_at is null
     order by ended_at desc nulls first
     limit 1";

/// Of a client who was blocked before they ever wrote: nobody sees it open.
pub const OPEN_HELD: &str = "
    insert into conversations (id, client_id, channel_account_id, department_id, mode, last_message_at, ended_at, close_reason)
    values ($1, $2, $3, $4, 'human', $5, now(), 'blocked')";

pub const COUNT_HELD: &str = "update clients set blocked_count = blocked_count + 1 where id = $1";

pub const IS_BLOCKED: &str = "select from clients where id = $1 and blocked_at is not null";

/// No row when one of the identities was taken meanwhile.
pub const CREATE_CLIENT: &str = "
    with told as (
        delete from address_book_names where number = $3 returning name, at
    ), client as (
        insert into clients (id, name, name_source, name_told_at)
        select $1, coalesce(told.name, $2), case when told.name is null then $6 else 'address_book' end, told.at
          from (select) one
          left join told on true
        returning id
    ), identity as (
        insert into client_identities (client_id, kind, value, address)
        select client.id, identity.kind, identity.value, identity.address
          from client, (values ('phone', $3::text, $4::text), ($7::text, $5::text, $5::text)) identity (kind, value, address)
         where identity.value is not null
        on conflict do nothing
        returning client_id
    )
    select client_id from identity
     group by client_id
    having count(*) = ($3::text is not null)::integer + ($5::text is not null)::integer";

/// A further identity of a known client, or one they are heard of under again; in the writing at hand, if it is theirs.
pub const LINK_IDENTITY: &str = "
    insert into client_identities (client_id, kind, value, address)
    select $1, identity.kind, identity.value, identity.address
      from (values ('phone', $2::text, $3::text), ($6::text, $4::text, $4::text)) identity (kind, value, address)
     where identity.value is not null
    on conflict (company_id, kind, value) do update
       set seen_at = clock_timestamp(), address = case when $5 then excluded.address else client_identities.address end
     where client_identities.client_id = excluded.client_id";

/// The last conversation, if it ended within the company's reopening window. What was the bot's begins anew, with the flow as it is now.
pub const REOPEN: &str = "
    update conversations
       set ended_at = null, close_reason = null, version = version + 1, bot_node = null, bot_fields = '{}', bot_turns = 0, bot_misses = 0,
           bot_job_id = null, bot_flow_id = coalesce($4, bot_flow_id),
           bot_answered = case when mode = 'bot' then inbound_count else bot_answered end
     where id = (select id from conversations
                  where channel_account_id = $1 and client_id = $2 and merged_into_id is null and imported_at is null
                    and ended_at > now() - make_interval(secs => $3::integer)
                  order by ended_at desc
                  limit 1)
       and ended_at is not null
    returning id";

pub const OPEN: &str = "
    insert into conversations (id, client_id, channel_account_id, department_id, mode, bot_flow_id, last_message_at)
    values ($1, $2, $3, $4, case when $5::uuid is null then 'human' else 'bot' end, $5, $6)
    on conflict (company_id, channel_account_id, client_id) where ended_at is null do nothing
    returning id";

/// Adds the message and moves its conversation, under the conversation's lock. No row when the message is there already or the
/// conversation has been closed. A message of the business's own phone counts as a human reply: the bot pauses. One that comes late
/// does not take the place of the newest in lists; WhatsApp tells whole seconds. What it answers is the same client's. With `$17` nobody is to
/// hear of it: it is kept, also in a closed conversation, as if it had been read and answered. With `$19` it is the rating of a closed one, which
/// is read and answered too. What was told as history before it was told itself is brought to life: it becomes a message like any other.
pub const APPLY: &str = concat!(
    "with locked as (
        select id, client_id, inbound_count from conversations
         where id = $1 and case when $19::smallint is null then ended_at is null or $17 else ended_at is not null and rating_message_id is not null end
           for update
    ), new_file as (
        insert into files (id, conversation_id, name, mime_type, size, storage_key, provider_id)
        select $12, locked.id, $13, $14, 0, $15, $16
          from locked
         where $12::uuid is not null
           and not exists (select from messages where channel_account_id = $3 and provider_id = $9)
        returning *
    ), ",
    told_early!("$3", "$9"),
    ", new_message as (
        insert into messages (id, conversation_id, channel_account_id, sender_type, kind, body, payload, file_id, reply_to_id,
                              provider_id, status, error_code, error_detail, inbound_number, sent_at, came_by)
        select $2, locked.id, $3, $4, $5, $6, $7, (select id from new_file),
               (select answered.id
                  from messages answered
                  join conversations on conversations.company_id = answered.company_id and conversations.id = answered.conversation_id
                 where answered.channel_account_id = $3 and answered.provider_id = $8 and conversations.client_id = locked.client_id),
               $9, case when $4 = 'agent' then told.status end, told.error_code, told.error_detail,
               case when $4 = 'client' then locked.inbound_count + 1 end, $10, $18
          from locked, told
        on conflict on constraint messages_provider_id do update
           set conversation_id = excluded.conversation_id, inbound_number = excluded.inbound_number
         where messages.sender_type = 'client' and messages.inbound_number is null and excluded.inbound_number is not null
        returning *
    ), updated as (
        update conversations
           set inbound_count = conversations.inbound_count + case when $4 = 'client' then 1 else 0 end,
               held_count = conversations.held_count + $17::integer,
               bot_answered = case when $17 or $19 is not null then conversations.inbound_count + 1 else conversations.bot_answered end,
               last_message_at = case when $17 then conversations.last_message_at
                                      else greatest(conversations.last_message_at, new_message.sent_at) end,
               last_message_id = case when not $17 and new_message.sent_at > conversations.last_message_at - interval '1 second' then new_message.id
                                      else conversations.last_message_id end,
               last_message_preview = case when not $17 and new_message.sent_at > conversations.last_message_at - interval '1 second' then $11
                                           else conversations.last_message_preview end,
               last_message_from = case when not $17 and new_message.sent_at > conversations.last_message_at - interval '1 second' then $4
                                        else conversations.last_message_from end,
               window_expires_at = case when $4 = 'client'
                   then greatest(conversations.window_expires_at, new_message.sent_at + interval '24 hours')
                   else conversations.window_expires_at end,
               mode = case when $4 = 'agent' then 'human' else conversations.mode end,
               version = conversations.version + case when $4 = 'agent' then 1 else 0 end,
               first_human_at = case when $4 = 'agent' then coalesce(conversations.first_human_at, now())
                                     else conversations.first_human_at end,
               read_count = case when $4 = 'agent' then conversations.inbound_count
                                 else conversations.read_count + ($17 or $19 is not null)::integer end,
               rating = coalesce($19, conversations.rating),
               rated_at = case when $19 is null then conversations.rated_at else now() end,
               rating_message_id = case when $19 is null then conversations.rating_message_id end
          from new_message
         where conversations.id = new_message.conversation_id
        returning conversations.*
    )
    select ",
    conversation_columns!(),
    ", (select to_jsonb(message) from (select ",
    message_columns!(),
    " from new_message as messages left join users sender on sender.id = messages.sender_id
      left join new_file as files on files.id = messages.file_id) message) as message,
           exists (select from early_changes where channel_account_id = $3 and provider_id = $9) as has_early_changes
      from updated as conversations ",
    conversation_joins!()
);

/// No row when it is there already.
pub const ADD_NOTICE: &str = changed_message!(
    "with changed as (
        insert into messages (id, conversation_id, channel_account_id, sender_type, kind, body, payload, provider_id, sent_at)
        values ($1, $2, $3, 'system', 'system', $4, $5, $6, $7)
        on conflict on constraint messages_provider_id do nothing
        returning *
    )"
);

/// Whether the row of `messages` is the author's to change so: `$3` is `client` or `agent`, `$4` and `$5` are the phone and the user id by
/// which a client is known. The business is a party of everything on its channel, a client of their own conversations; either edits and
/// takes back their own words only.
macro_rules! is_authors {
    ($kind:literal, $user_kind:literal) => {
        concat!(
            "(",
            $kind,
            " = 'reaction' or (messages.sender_type = 'client') = ($3 = 'client'))
           and ($3 = 'agent' or exists (
               select from conversations
                 join client_identities identity on identity.company_id = conversations.company_id
                                                and identity.client_id = conversations.client_id
                where conversations.company_id = messages.company_id and conversations.id = messages.conversation_id
                  and ((identity.kind = 'phone' and identity.value = $4) or (identity.kind = ",
            $user_kind,
            " and identity.value = $5))))"
        )
    };
}

/// A reaction replaces the earlier one of the same side; an older one that comes late changes nothing.
pub const REACT: &str = changed_message!(
    "with changed as (
        update messages
           set reactions = (select coalesce(jsonb_agg(reaction), '[]')
                              from jsonb_array_elements(reactions) reaction
                             where reaction ->> 'by' <> $3)
                           || case when $6 = '' then '[]'::jsonb else jsonb_build_array(jsonb_build_object('by', $3::text, 'emoji', $6::text)) end,
               payload = payload || jsonb_build_object($3 || '_reacted_at', $7::double precision)
         where channel_account_id = $1
           and provider_id = $2
           and ",
    is_authors!("'reaction'", "$8"),
    "
           and coalesce((payload ->> ($3 || '_reacted_at'))::double precision, 0) <= $7::double precision
        returning *
    )"
);

/// The newest text by WhatsApp's time is shown, whatever order edits come in. What the business has asked for is told of as what it typed:
/// words that are there already are no edit.
pub const EDIT: &str = changed_message!(
    "with changed as (
        update messages
           set (revisions, body, edited_at) = (
                   select edited.revisions, edited.body, greatest(messages.edited_at, $8)
                     from app.add_edit(messages.revisions, messages.body, $6, $7, $8) edited)
         where channel_account_id = $1
           and provider_id = $2
           and ",
    is_authors!("'edit'", "$9"),
    "
           and not revisions @> jsonb_build_array(jsonb_build_object('edit_id', $6::text))
           and ($3 = 'client' or body <> $7)
        returning *
    )"
);

/// The text stays in the row for those who may audit it; lists show the message as taken back.
pub const REVOKE: &str = changed_message!(
    "with changed as (
        update messages
           set deleted_at = now()
         where channel_account_id = $1
           and provider_id = $2
           and ",
    is_authors!("'revoke'", "$6"),
    "
           and deleted_at is null
        returning *
    )"
);

/// Nothing is held for a message that is known; whether the change is its author's to make is told instead.
pub const HOLD_CHANGE: &str = concat!(
    "with known as (
        select ",
    is_authors!("$7", "$10"),
    " as is_authors
          from messages
         where channel_account_id = $1 and provider_id = $2
    ), held as (
        insert into early_changes (channel_account_id, provider_id, changed_by, phone, user_id, change_id, kind, body, at, received_at)
        select $1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp()
         where not exists (select from known)
        on conflict do nothing
        returning true
    )
    select exists (select from held) as is_held, (select is_authors from known) is false as is_foreign"
);

pub const TAKE_EARLY_CHANGES: &str = "
    with taken as (
        delete from early_changes
         where channel_account_id = $1 and provider_id = $2
        returning *
    )
    select change_id as id, provider_id as target, kind, changed_by, phone, user_id, body, at
      from taken
     order by at, received_at";

/// A failure's code stays with a message that has arrived all the same. No row when the message is not known; one of nulls when it has
/// come as far already.
pub const SET_STATUS: &str = concat!(
    "with target as (
        select id
          from messages
         where (id = $3 or (channel_account_id = $1 and provider_id = $2)) and sender_type <> 'client'
         order by id = $3 desc
         limit 1
           for update
    ), changed as (
        update messages
           set status = $4,
               provider_id = coalesce(messages.provider_id, $2),
               error_code = coalesce($5, messages.error_code),
               error_detail = coalesce($6, messages.error_detail)
          from target
         where messages.id = target.id
           and ",
    moves_forward!("$4"),
    "
        returning messages.*
    )
    select changed.id, changed.conversation_id, changed.client_message_id, changed.status, changed.error_code, changed.error_detail,
           conversations.department_id, conversations.assignee_id, conversations.client_id,
           coalesce(conversations.participant_ids, '{}') as participant_ids,
           coalesce(changed.status = 'failed' and changed.sender_type = 'bot', false) as is_unheard
      from target
      left join changed on true
      left join conversations on conversations.company_id = changed.company_id and conversations.id = changed.conversation_id"
);

pub const HOLD_STATUS: &str = "
    insert into early_statuses (channel_account_id, provider_id, status, error_code, error_detail, at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing";

/// Once for a message, however often its provider says so; the trigger knows what it costs.
pub const ADD_CHARGE: &str = "
    insert into external_api_usage (channel_account_id, provider_id, category, country, at)
    values ($1, $2, $3, $4, $5)
    on conflict do nothing";

pub const CLIENT_OF_IDENTITY: &str = "select client_id from client_identities where kind = $1 and value = $2";

pub const FIND_CLIENT: &str = "
    select client_id as id
      from client_identities
     where (kind = 'phone' and value = $1) or (kind = $3 and value = $2)
     order by kind = 'phone' desc
     limit 1";

/// No row when this very word has been kept before. Whether it is the newest decides whether it changes anything.
pub const ADD_CONSENT: &str = "
    with added as (
        insert into client_consents (id, client_id, purpose, channel, granted, source, at, proof)
        values ($1, $2, 'marketing', 'whatsapp', $3, 'whatsapp_preference', $4, $5)
        on conflict do nothing
        returning *
    )
    select not exists (
        select from client_consents newer
         where newer.client_id = added.client_id and newer.purpose = added.purpose and newer.channel = added.channel
           and (newer.at, not newer.granted) > (added.at, not added.granted)) as is_newest
      from added";

/// No row when there is nothing new. A name goes only where nobody has given one.
pub const FILL_IN: &str = "
    update clients
       set name = case when name_source = 'number' then coalesce($2, name) else name end,
           name_source = case when name_source = 'number' and $2::text is not null then 'profile' else name_source end,
           custom_fields = custom_fields || $3::jsonb,
           version = version + 1
     where id = $1
       and (name_source = 'number' and $2::text is not null or not custom_fields @> $3::jsonb)";

/// No row for a name that staff gave, for one told later, and for a number of nobody's: that is kept for whoever has it one day.
pub const NAME_CLIENT: &str = "
    with kept as (
        insert into address_book_names (number, name, at)
        select $1, $2, $3
         where not exists (select from client_identities where kind = 'phone' and value = $1)
        on conflict (company_id, number) do update
           set name = excluded.name, at = excluded.at, received_at = now()
         where address_book_names.at <= excluded.at
    ), known as (
        select id, (name, name_source) is distinct from ($2::text, 'address_book') as is_changed
          from clients
         where id = (select client_id from client_identities where kind = 'phone' and value = $1)
           and name_source <> 'staff'
           and (name_told_at is null or name_told_at <= $3)
           for no key update
    )
    update clients
       set name = $2, name_source = 'address_book', name_told_at = $3, version = version + known.is_changed::integer
      from known
     where clients.id = known.id
    returning clients.id, known.is_changed";

/// No row when it has been told before.
pub const ADD_ACCOUNT_NOTICE: &str = "
    with added as (
        insert into channel_notices (id, channel_account_id, code, text, content, at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict do nothing
        returning channel_account_id
    )
    select channel_accounts.name as channel_name
      from added
      join channel_accounts on channel_accounts.id = added.channel_account_id";

/// Those that were told of later stay as they are.
pub const KEEP_TEMPLATES: &str = "
    with given as (
        select * from jsonb_to_recordset($3) as given (id uuid, provider_id text, name text, language text, category text, status text,
                                                       quality text, reason text, components jsonb)
    ), kept as (
        insert into message_templates (id, channel_account_id, provider_id, name, language, category, status, quality, reason, components,
                                       told_at)
        select distinct on (name, language) id, $1, provider_id, name, language, category, status, quality, reason, components, $2
          from given
         order by name, language, id desc
        on conflict on constraint message_templates_name do update
           set provider_id = excluded.provider_id, category = excluded.category, status = excluded.status, quality = excluded.quality,
               reason = excluded.reason, components = excluded.components, told_at = excluded.told_at, updated_at = now()
         where message_templates.told_at < excluded.told_at
           and (message_templates.provider_id, message_templates.category, message_templates.status, message_templates.quality,
                message_templates.reason, message_templates.components)
               is distinct from (excluded.provider_id, excluded.category, excluded.status, excluded.quality, excluded.reason,
                                 excluded.components)
        returning created_at = now() as is_new
    ), removed as (
        update message_templates
           set status = 'deleted', told_at = $2, updated_at = now()
         where channel_account_id = $1 and status <> 'deleted' and told_at < $2
           and not exists (select from given where (given.name, given.language) = (message_templates.name, message_templates.language))
        returning id
    )
    select $1::uuid as channel_account_id,
           (select count(*) from given) as total,
           (select count(*) from kept where is_new) as added,
           (select count(*) from kept where not is_new) as changed,
           (select count(*) from removed) as removed";

/// On every number of the company that has it. WhatsApp's times are whole seconds.
pub const CHANGE_TEMPLATE: &str = "
    update message_templates
       set status = coalesce($2, status),
           reason = case when $2 is null then reason else $6 end,
           quality = case when $3 then $4 else quality end,
           category = coalesce($5, category),
           told_at = greatest(told_at, $7),
           updated_at = now()
     where provider_id = $1 and told_at < $7::timestamptz + interval '1 second'
       and (status, reason, quality, category)
           is distinct from (coalesce($2, status), case when $2 is null then reason else $6 end,
                             case when $3 then $4 else quality end, coalesce($5, category))
    returning id, channel_account_id, name, language, category, status, quality, reason";

pub const KEEP_UNREAD: &str = "select app.keep_unrouted_webhook($1, $4, '', $2, $3)";

/// Answers the company whose it is.
pub const KEEP_WEBHOOK: &str = "select app.keep_webhook($1, $2, $9, $3, $4, $5, $6, $7, $8)";

/// What came of a webhook, and what it proves of a number: whose account it is in, and what people see of it.
pub const FINISH_WEBHOOK: &str = "
    with proved as (
        update channel_accounts
           set account_key = coalesce($6, account_key), display_number = coalesce($7, display_number)
         where id = $3
           and (account_key, display_number) is distinct from (coalesce($6, account_key), coalesce($7, display_number))
    )
    update inbound_webhooks
       set outcome = $4, failed_items = $5, applied_at = now()
     where id = $1 and received_at = $2";

/// No row when it was applied or left meanwhile.
pub const LEAVE_WEBHOOK: &str = "
    update inbound_webhooks
       set left_at = now()
     where id = $1 and received_at = $2 and outcome is null and left_at is null
    returning channel_account_id";

pub const RAW_WEBHOOK: &str = "
    select body, source, channel_accounts.external_key
      from inbound_webhooks
      left join channel_accounts on channel_accounts.id = inbound_webhooks.channel_account_id
     where inbound_webhooks.id = $1 and received_at = $2";

pub const GIVE_UP_WEBHOOK: &str = "
    update inbound_webhooks
       set outcome = '[{\"outcome\": \"failed\", \"error\": \"its job failed\"}]', failed_items = 1, applied_at = now()
     where id = $1 and received_at = $2 and outcome is null";
