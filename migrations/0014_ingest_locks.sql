-- One order of locks for everything that holds more than one; clients who turn out to be one; edits by the provider's time.

-- The keys of what may not exist yet, until the transaction ends: all that it names, at once and in one order. By a thousand keys a
-- company, as one transaction may name more than there is room for locks.
create function app.lock_keys(keys text[]) returns void language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(hashtext(app.company_id()::text), bucket)
       from (select distinct hashtext(key) & 1023 as bucket from unnest(keys) key order by bucket) buckets;
end
$$;

-- Opens the tenant of a channel account by its number as `app.enter_channel` does, or for what carries no number as
-- `app.enter_account` does by the account and the number it shows, and takes every lock that a batch of its webhook needs, in the one
-- order, before its first item: the keys of the identities and messages it names, the clients' rows, the conversations' rows. Each
-- step looks anew at what the one before has waited for. `persons` numbers the people to whom the identities belong: who is found
-- under two clients is about to be joined, and that concerns all their conversations. `changed_ids` are WhatsApp's ids of messages that
-- should be there, `own_ids` are ours. Planned once for a connection: planning anew takes longer than everything else here.
create function app.enter_webhook(channel_kind text, number text, account text, shown text, persons integer[], kinds text[], identities text[],
                                  message_ids text[], changed_ids text[], own_ids uuid[])
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    channel record;
    client_ids uuid[];
    conversation_ids uuid[];
begin
    if number is not null then
        select * into channel from app.enter_channel(channel_kind, number);
    else
        select * into channel from app.enter_account(channel_kind, account, shown);
    end if;
    if channel.id is null then
        return;
    end if;
    perform app.lock_keys(array(select named.kind || ':' || named.value from unnest(kinds, identities) named (kind, value))
                          || array(select 'message:' || message_id from unnest(message_ids || changed_ids) message_id));
    client_ids := array(
        select client_identities.client_id
          from unnest(kinds, identities) named (kind, value)
          join client_identities using (kind, value));
    perform from clients where id = any (client_ids) order by id for no key update;
    -- Those who were waited for may have been joined.
    client_ids := array(
        select distinct client_identities.client_id
          from unnest(kinds, identities) named (kind, value)
          join client_identities using (kind, value));
    conversation_ids := array(
        select latest.id
          from unnest(client_ids) client (client_id)
         cross join lateral (
            select conversations.id
              from conversations
             where conversations.channel_account_id = channel.id and conversations.client_id = client.client_id
               and conversations.merged_into_id is null
             order by conversations.ended_at desc nulls first
             limit 1) latest);
    if cardinality(client_ids) > 1 then
        conversation_ids := conversation_ids || array(
            with known as (
                select named.person, client_identities.client_id
                  from unnest(persons, kinds, identities) named (person, kind, value)
                  join client_identities using (kind, value)
            )
            select conversations.id
              from conversations
             where conversations.client_id in (
                select known.client_id
                  from known
                 where known.person in (
                    select known.person from known group by known.person having count(distinct known.client_id) > 1)));
    end if;
    if cardinality(changed_ids) > 0 then
        conversation_ids := conversation_ids || array(
            select conversation_id from messages where channel_account_id = channel.id and provider_id = any (changed_ids)
             union all
            select conversation_id from messages where id = any (own_ids));
    end if;
    perform from conversations where id = any (conversation_ids) order by id for update;
    return query select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window,
                        channel.feed_cursor;
end
$$;
grant execute on function app.enter_webhook to app;
grant execute on function app.lock_keys to app_staff;

-- When a client was last heard of under an identity: who has several phones is answered on that one.
alter table client_identities add column seen_at timestamptz not null default now();

-- What became of a client, or of a conversation, that was found to be another's.
alter table clients add column merged_into_id uuid;
alter table clients add foreign key (company_id, merged_into_id) references clients (company_id, id);
create index clients_merged on clients (company_id, merged_into_id) where merged_into_id is not null;
alter table conversations add column merged_into_id uuid;
alter table conversations add foreign key (company_id, merged_into_id) references conversations (company_id, id);
create index conversations_merged on conversations (company_id, merged_into_id) where merged_into_id is not null;

create table client_merges (
    id               uuid primary key,
    company_id       uuid not null default app.company_id(),
    client_id        uuid not null,
    merged_client_id uuid not null,
    -- What showed that they are one.
    proof            jsonb not null,
    -- All that was changed, as it was: enough to take it back.
    undo             jsonb not null,
    at               timestamptz not null default now(),
    foreign key (company_id, client_id) references clients (company_id, id),
    foreign key (company_id, merged_client_id) references clients (company_id, id)
);
create index client_merges_client on client_merges (company_id, client_id, at desc);
create index client_merges_merged on client_merges (company_id, merged_client_id);
call app.protect('client_merges', 'select, insert');
alter policy staff on client_merges using ((select app.sees_all())) with check (true);
grant update (conversation_id) on conversation_transfers to app_staff;
grant delete on conversation_handlers to app_staff;

-- Whose client a student is, the system alone decides.
create function app.move_students(from_client uuid, to_client uuid) returns void
language sql security definer set search_path = public, pg_temp as $$
    update memberships
       set client_id = to_client
     where company_id = app.company_id() and client_id = from_client and app.user_id() is null
$$;
alter function app.move_students owner to app_lookup;
grant update (client_id) on memberships to app_lookup;
grant execute on function app.move_students to app_staff;

-- Moves everything of one conversation into another of the same channel and closes it. Whoever calls holds the locks of both.
-- Answers what it changed, as it was. Read and answered is what lies before the first message that is not.
create function app.join_conversations(kept_id uuid, closed_id uuid) returns jsonb language plpgsql as $$
declare
    kept conversations;
    closed conversations;
    unread integer;
    unanswered integer;
    undo jsonb;
begin
    if app.user_id() is not null then
        raise insufficient_privilege using message = 'conversations are joined by the system alone';
    end if;
    select * into kept from conversations where id = kept_id;
    select * into closed from conversations where id = closed_id;
    select jsonb_build_object(
               'kept', to_jsonb(kept),
               'closed', to_jsonb(closed),
               'messages', (select coalesce(jsonb_object_agg(id, inbound_number), '{}') from messages where conversation_id = closed.id),
               'files', (select coalesce(jsonb_agg(id), '[]') from files where conversation_id = closed.id),
               'transfers', (select coalesce(jsonb_agg(id), '[]') from conversation_transfers where conversation_id = closed.id),
               'handlers', (select coalesce(jsonb_agg(user_id), '[]') from conversation_handlers where conversation_id = closed.id),
               'conversations', (select coalesce(jsonb_agg(id), '[]') from conversations where merged_into_id = closed.id))
      into undo;
    with numbered as (
        select messages.id, messages.conversation_id, messages.inbound_number as old_number,
               case when messages.inbound_number is not null then
                   row_number() over (partition by messages.inbound_number is null
                                      order by messages.sent_at, messages.id)::integer end as number,
               case when messages.conversation_id = kept.id then kept.read_count else closed.read_count end as read_count,
               case when messages.conversation_id = kept.id then kept.bot_answered else closed.bot_answered end as bot_answered
          from messages
         where messages.conversation_id in (kept.id, closed.id)
    ), moved as (
        update messages
           set conversation_id = kept.id, inbound_number = numbered.number
          from numbered
         where messages.id = numbered.id
           and (messages.conversation_id, messages.inbound_number) is distinct from (kept.id, numbered.number)
    )
    select min(number) filter (where old_number > numbered.read_count), min(number) filter (where old_number > numbered.bot_answered)
      into unread, unanswered
      from numbered;
    update files set conversation_id = kept.id where conversation_id = closed.id;
    update conversation_transfers set conversation_id = kept.id where conversation_id = closed.id;
    insert into conversation_handlers (conversation_id, user_id)
    select kept.id, user_id from conversation_handlers where conversation_id = closed.id
    on conflict do nothing;
    delete from conversation_handlers where conversation_id = closed.id;
    update conversations set merged_into_id = kept.id where merged_into_id = closed.id;
    update conversations
       set ended_at = now(), close_reason = 'merged', merged_into_id = kept.id, version = version + 1, inbound_count = 0, read_count = 0,
           bot_answered = 0, bot_node = null, last_message_id = null
     where id = closed.id;
    update conversations
       set inbound_count = kept.inbound_count + closed.inbound_count,
           read_count = least(coalesce(unread - 1, kept.inbound_count + closed.inbound_count), kept.inbound_count + closed.inbound_count),
           bot_answered = coalesce(unanswered - 1, kept.inbound_count + closed.inbound_count),
           last_message_at = greatest(kept.last_message_at, closed.last_message_at),
           last_message_id = case when closed.last_message_at > kept.last_message_at then closed.last_message_id else kept.last_message_id end,
           last_message_preview = case when closed.last_message_at > kept.last_message_at then closed.last_message_preview
                                       else kept.last_message_preview end,
           last_message_from = case when closed.last_message_at > kept.last_message_at then closed.last_message_from
                                    else kept.last_message_from end,
           window_expires_at = greatest(kept.window_expires_at, closed.window_expires_at),
           first_human_at = least(kept.first_human_at, closed.first_human_at),
           first_pending_at = least(kept.first_pending_at, closed.first_pending_at),
           pending_since = case when kept.pending_since is not null then least(kept.pending_since, closed.pending_since) end,
           started_at = least(kept.started_at, closed.started_at),
           priority = (array['low', 'normal', 'high', 'urgent'])[greatest(
               array_position(array['low', 'normal', 'high', 'urgent'], kept.priority),
               array_position(array['low', 'normal', 'high', 'urgent'], closed.priority))],
           tags = array(select distinct tag from unnest(kept.tags || closed.tags) tag order by tag),
           subject = coalesce(kept.subject, closed.subject),
           version = greatest(kept.version, closed.version) + 1
     where id = kept.id;
    return undo;
end
$$;

-- Makes two clients one: the older stays, and everything that names the other follows. Where both have an open conversation on a
-- channel, the one that people hold goes on, or the older client's. A row for every such pair, or one without any. Every column that
-- references `clients` or `conversations` has its line here or above; a test asks for it.
create function app.join_clients(merge uuid, one uuid, other uuid, why jsonb)
returns table (winner uuid, loser uuid, kept uuid, closed uuid)
language plpgsql as $$
#variable_conflict use_column
declare
    stays clients;
    goes clients;
    pair record;
    kept_ids uuid[] := '{}';
    closed_ids uuid[] := '{}';
    joined jsonb := '[]';
    undo jsonb;
begin
    if app.user_id() is not null then
        raise insufficient_privilege using message = 'clients are joined by the system alone';
    end if;
    perform from clients where id in (one, other) order by id for no key update;
    perform from conversations where client_id in (one, other) order by id for update;
    select * into stays from clients where id in (one, other) order by created_at, id limit 1;
    select * into goes from clients where id in (one, other) and id <> stays.id;
    if goes.id is null then
        return;
    end if;
    select jsonb_build_object(
               'client', to_jsonb(stays),
               'merged_client', to_jsonb(goes),
               'identities', (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'value', value)), '[]')
                                from client_identities where client_id = goes.id),
               'conversations', (select coalesce(jsonb_agg(id), '[]') from conversations where client_id = goes.id),
               'memberships', (select coalesce(jsonb_agg(user_id), '[]') from memberships where client_id = goes.id),
               'consents', (select coalesce(jsonb_agg(id), '[]') from client_consents where client_id = goes.id),
               'clients', (select coalesce(jsonb_agg(id), '[]') from clients where merged_into_id = goes.id))
      into undo;
    for pair in
        select case when theirs.holds > mine.holds then theirs.id else mine.id end as kept,
               case when theirs.holds > mine.holds then mine.id else theirs.id end as closed
          from (select id, channel_account_id, row (assignee_id is not null, mode = 'human') as holds
                  from conversations where client_id = stays.id and ended_at is null) mine
          join (select id, channel_account_id, row (assignee_id is not null, mode = 'human') as holds
                  from conversations where client_id = goes.id and ended_at is null) theirs using (channel_account_id)
         order by mine.id
    loop
        joined := joined || app.join_conversations(pair.kept, pair.closed);
        kept_ids := kept_ids || pair.kept;
        closed_ids := closed_ids || pair.closed;
    end loop;
    update conversations set client_id = stays.id where client_id = goes.id;
    update client_identities set client_id = stays.id where client_id = goes.id;
    perform app.move_students(goes.id, stays.id);
    update client_consents set client_id = stays.id where client_id = goes.id;
    update clients set merged_into_id = stays.id where merged_into_id = goes.id;
    update clients set merged_into_id = stays.id, version = version + 1 where id = goes.id;
    update clients
       set name = case when stays.name_source = 'number' then goes.name else stays.name end,
           name_source = case when stays.name_source = 'number' then goes.name_source else stays.name_source end,
           name_told_at = case when stays.name_source = 'number' then goes.name_told_at else stays.name_told_at end,
           document = coalesce(stays.document, goes.document),
           email = coalesce(stays.email, goes.email),
           tags = array(select distinct tag from unnest(stays.tags || goes.tags) tag order by tag),
           custom_fields = goes.custom_fields || stays.custom_fields,
           version = version + 1
     where id = stays.id;
    insert into client_merges (id, client_id, merged_client_id, proof, undo)
    values (merge, stays.id, goes.id, why, undo || jsonb_build_object('joined', joined));
    -- What waits to be delivered keeps its order: it waits in one lane now.
    update jobs
       set lane = moved.kept::text
      from unnest(kept_ids, closed_ids) moved (kept, closed)
     where jobs.queue = 'delivery' and jobs.lane = moved.closed::text and jobs.finished_at is null;
    return query select stays.id, goes.id, moved.kept, moved.closed
                   from (values (true)) always
                   left join unnest(kept_ids, closed_ids) moved (kept, closed) on true;
end
$$;
grant execute on function app.join_conversations, app.join_clients to app_staff;

-- The revisions and the text of a message after one more edit: edits count by the provider's time and, at the same time, as they came.
-- Each revision is a text and until when it was shown; one that comes late takes its place among them and changes nothing after it.
create function app.add_edit(revisions jsonb, body text, edit_id text, new_body text, at timestamptz)
returns table (revisions jsonb, body text) language sql stable as $$
    with texts as (
        select revision ->> 'body' as text, (revision ->> 'until')::timestamptz as until, revision ->> 'edit_id' as edit_id, place
          from jsonb_array_elements($1) with ordinality revision_list (revision, place)
    ), edits as (
        select edit_id, until, place, lead(text, 1, $2) over (order by place) as text from texts
        union all
        select $3, $5, jsonb_array_length($1) + 1, $4
    ), ordered as (
        select edit_id, until, text, row_number() over (order by until, place) as number,
               lag(text, 1, coalesce($1 #>> '{0,body}', $2)) over (order by until, place) as text_before
          from edits
    )
    select jsonb_agg(jsonb_build_object('body', text_before, 'until', until, 'edit_id', edit_id) order by number),
           (array_agg(text order by number desc))[1]
      from ordered
$$;
grant execute on function app.add_edit to app_staff;

-- As before, but what a webhook is using at this moment is left for the next time.
grant update on early_statuses, early_changes to app_lookup;
create or replace function app.sweep_service_desk(most integer) returns bigint language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from inbound_webhooks where ctid in (select ctid from inbound_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from unrouted_webhooks where ctid in (select ctid from unrouted_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_statuses where ctid in (
        select ctid from early_statuses where received_at < now() - interval '7 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_changes where ctid in (
        select ctid from early_changes where received_at < now() - interval '7 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$$;

-- As before, but a lane at work is told from one that waits: messages of two lanes that became one may both be on their way.
create or replace function app.claim_job(wanted uuid, lease interval)
returns table (state text, wait_seconds integer, id uuid, company_id uuid, kind text, lane text, payload jsonb, attempts integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    asked record;
    head jobs;
begin
    select jobs.company_id, jobs.queue, jobs.lane, jobs.finished_at into asked from jobs where jobs.id = wanted;
    if not found or asked.finished_at is not null then
        return query select 'finished', 0, wanted, asked.company_id, null::text, null::text, null::jsonb, 0;
        return;
    end if;
    select * into head from jobs
     where jobs.company_id = asked.company_id and jobs.queue = asked.queue and jobs.lane = asked.lane and jobs.finished_at is null
     order by number limit 1 for update;
    if head.id is null then
        -- The head was finished while we waited for it: look again.
        return query select 'wait', 1, wanted, asked.company_id, null::text, null::text, null::jsonb, 0;
        return;
    end if;
    if head.leased_until > now() then
        return query select 'busy', greatest(1, ceil(extract(epoch from head.leased_until - now())))::integer,
                            head.id, head.company_id, head.kind, head.lane, null::jsonb, head.attempts;
        return;
    end if;
    if head.run_at > now() then
        return query select 'wait', greatest(1, ceil(extract(epoch from head.run_at - now())))::integer,
                            head.id, head.company_id, head.kind, head.lane, null::jsonb, head.attempts;
        return;
    end if;
    update jobs set leased_until = now() + lease, attempts = jobs.attempts + 1, key = null where jobs.id = head.id;
    return query select 'run', 0, head.id, head.company_id, head.kind, head.lane, head.payload, head.attempts + 1;
end
$$;
