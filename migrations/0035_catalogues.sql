-- The company's catalogues, of tags with their colours and of its own fields of clients; clients who are blocked; clients joined and parted by hand.

create table tags (
    id         uuid primary key,
    company_id uuid not null default app.company_id() references companies,
    name       text not null check (char_length(name) between 1 and 40),
    colour     text not null default '#8a8f98' check (colour ~ '^#[0-9a-f]{6}$'),
    version    integer not null default 1,
    created_at timestamptz not null default now(),
    unique (company_id, id)
);
create unique index tags_name on tags (company_id, app.look(name));
call app.protect('tags');
alter policy company on tags to app_staff, app_student, app_system;
revoke insert, update, delete on tags from app_system;
grant insert (id, name, colour), update (name, colour, version), delete on tags to app_staff;
create policy lookup on tags to app_lookup using (true);
grant select, insert, update (name) on tags to app_lookup;
create index conversations_tags on conversations using gin (company_id, tags) with (fastupdate = off) where tags <> '{}';
insert into event_rules (type, told_by) values
    ('tag.created', 'agent'),
    ('tag.deleted', 'supervisor'),
    ('tag.updated', 'supervisor');

-- What is put on a client or a conversation is in the catalogue, spelled as it is there. Whoever renames or deletes a tag meanwhile waits, or is
-- waited for.
create function app.catalogue_tags() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    looks text[] := array(select look from (select app.look(tag) as look, min(place) as place
                                              from unnest(new.tags) with ordinality given (tag, place) group by 1) given order by place);
    spelled text[];
begin
    loop
        insert into tags (id, company_id, name)
        select gen_random_uuid(), new.company_id, tag
          from (select distinct on (app.look(tag)) tag
                  from unnest(new.tags) with ordinality given (tag, place) order by app.look(tag), place) given
        on conflict (company_id, app.look(name)) do nothing;
        with held as (
            select name from tags where company_id = new.company_id and app.look(name) = any (looks) order by id for share
        )
        select array_agg(name order by array_position(looks, app.look(name))) into spelled from held;
        exit when cardinality(spelled) = cardinality(looks);
    end loop;
    new.tags := spelled;
    return new;
end
$$;
grant execute on function app.look to app_lookup;
alter function app.catalogue_tags owner to app_lookup;
create trigger clients_tags before insert or update of tags on clients
    for each row when (new.tags <> '{}' and pg_trigger_depth() = 0) execute function app.catalogue_tags();
create trigger conversations_tags before insert or update of tags on conversations
    for each row when (new.tags <> '{}' and pg_trigger_depth() = 0) execute function app.catalogue_tags();

-- Everything that has a tag, in the order of locks, before the tag itself.
create function app.hold_tagged(tag uuid) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    wanted text := (select name from tags where company_id = company and id = tag);
begin
    perform from clients where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
    perform from conversations where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
end
$$;
alter function app.hold_tagged owner to app_lookup;
grant execute on function app.hold_tagged to app_staff;
grant update (tags) on clients, conversations to app_lookup;

create function app.follow_tag() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update clients
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end,
           version = version + 1
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    update conversations
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    return null;
end
$$;
alter function app.follow_tag owner to app_lookup;
create trigger tags_renamed after update of name on tags
    for each row when (new.name <> old.name) execute function app.follow_tag();
create trigger tags_deleted after delete on tags for each row execute function app.follow_tag();

alter table clients no force row level security;
alter table conversations no force row level security;
update clients set tags = tags where tags <> '{}';
update conversations set tags = tags where tags <> '{}';
alter table conversations force row level security;
alter table clients force row level security;

-- What a company keeps of its clients beside what everybody does. A key means one kind of value for good.
create table client_fields (
    company_id uuid primary key default app.company_id() references companies,
    -- One `{key, label, kind, options}` each, in the order of forms.
    fields     jsonb not null default '[]',
    -- Of each key there ever was, its kind.
    kinds      jsonb not null default '{}',
    -- 0 until something is saved.
    version    integer not null default 0
);
call app.protect('client_fields');
revoke insert, update, delete on client_fields from app_system;
grant insert (company_id), update (fields, kinds, version) on client_fields to app_staff;
grant insert (custom_fields), update (custom_fields) on clients to app_staff;
insert into event_rules (type, told_by) values ('client_fields.updated', 'supervisor');

-- Blocked clients: what they write is kept and counted, and told to nobody until they are unblocked.
alter table clients add column blocked_at timestamptz, add column blocked_count integer not null default 0;
-- Messages that came while the client was blocked. They are counted as read meanwhile.
alter table conversations add column held_count integer not null default 0;
insert into event_rules (type, told_by) values ('client.blocked', 'agent'), ('client.unblocked', 'agent');

-- The fence moves where a bot is at it: what it is about to say is silenced.
create function app.block_client(client uuid) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
begin
    perform from conversations where company_id = company and client_id = client and ended_at is null order by id for update;
    update clients set blocked_at = now(), blocked_count = 0, version = version + 1
     where company_id = company and id = client and blocked_at is null;
    update conversations set version = version + 1
     where company_id = company and client_id = client and ended_at is null and mode = 'bot';
end
$$;

-- What came meanwhile is unread now, and shown in lists by `words` where a kind of message has no text. Of a conversation that was closed people
-- are told as if the messages came now: it is open again, unless another one is. Answers whose conversations have changed.
create function app.unblock_client(client uuid, words jsonb) returns uuid[]
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    changed uuid[];
begin
    perform from conversations where company_id = company and client_id = client order by id for update;
    update clients set blocked_at = null, version = version + 1 where company_id = company and id = client and blocked_at is not null;
    with held as (
        select conversations.id,
               conversations.ended_at is not null and conversations.merged_into_id is null
               and not exists (
                   select from conversations other
                    where other.company_id = company and other.client_id = client
                      and other.channel_account_id = conversations.channel_account_id and other.id <> conversations.id
                      and (other.ended_at is null
                           or other.held_count > 0 and (other.ended_at, other.id) > (conversations.ended_at, conversations.id)))
                   as is_reopened
          from conversations
         where conversations.company_id = company and conversations.client_id = client and conversations.held_count > 0
    ), updated as (
        update conversations
           set held_count = 0,
               read_count = case when conversations.ended_at is null or held.is_reopened
                                 then greatest(conversations.read_count - conversations.held_count, 0) else conversations.read_count end,
               ended_at = case when not held.is_reopened then conversations.ended_at end,
               close_reason = case when not held.is_reopened then conversations.close_reason end,
               mode = case when held.is_reopened then 'human' else conversations.mode end,
               bot_node = case when not held.is_reopened then conversations.bot_node end,
               version = conversations.version + held.is_reopened::integer,
               last_message_at = greatest(conversations.last_message_at, newest.sent_at),
               last_message_id = case when newest.is_shown then newest.id else conversations.last_message_id end,
               last_message_from = case when newest.is_shown then 'client' else conversations.last_message_from end,
               last_message_preview = case when not newest.is_shown then conversations.last_message_preview
                                           when newest.deleted_at is not null then words ->> 'taken_back'
                                           else left(replace(coalesce(nullif(newest.body, ''), words ->> newest.kind, ''), E'\n', ' '), 120) end
          from held
         cross join lateral (
             select messages.id, sent_at, kind, body, deleted_at, sent_at > last_message_at - interval '1 second' as is_shown
               from messages
               join conversations on conversations.company_id = company and conversations.id = held.id
              where messages.company_id = company and messages.conversation_id = held.id and sender_type = 'client'
              order by sent_at desc, id desc limit 1) newest
         where conversations.id = held.id
        returning conversations.id
    )
    select coalesce(array_agg(id order by id), '{}') into changed from updated;
    return changed;
end
$$;
grant update (blocked_at, blocked_count) on clients to app_lookup;
grant update (read_count, held_count, ended_at, close_reason, mode, bot_node, version, last_message_at, last_message_id, last_message_from,
              last_message_preview) on conversations to app_lookup;
alter function app.block_client owner to app_lookup;
alter function app.unblock_client owner to app_lookup;
grant execute on function app.block_client, app.unblock_client to app_staff;

-- By which of the client's identities a message came, as `kind:value`: it stays with that when two clients are parted again.
alter table messages add column came_by text;

alter table client_merges add column by_user_id uuid default app.user_id(), add column undone_at timestamptz, add column undone_by_id uuid;
-- The bot goes on in a conversation that became another's, or its own again.
insert into job_rules (kind, queue, added_by) values ('bot_turn', 'bot', 'supervisor');
insert into event_rules (type, told_by) values ('client.merged', 'supervisor'), ('client.unmerged', 'supervisor');

-- As before, with what waits to be sent, and what a blocked client wrote.
create or replace function app.join_conversations(kept_id uuid, closed_id uuid) returns jsonb language plpgsql as $$
declare
    kept conversations;
    closed conversations;
    unread integer;
    unanswered integer;
    renumbered jsonb;
    undo jsonb;
begin
    if app.user_id() is not null and current_user <> 'app_lookup' then
        raise insufficient_privilege using message = 'conversations are joined by the system alone';
    end if;
    select * into kept from conversations where id = kept_id;
    select * into closed from conversations where id = closed_id;
    select jsonb_build_object(
               'kept', to_jsonb(kept),
               'closed', to_jsonb(closed),
               'messages', (select coalesce(jsonb_object_agg(id, inbound_number), '{}') from messages where company_id = closed.company_id and conversation_id = closed.id),
               'files', (select coalesce(jsonb_agg(id), '[]') from files where company_id = closed.company_id and conversation_id = closed.id),
               'transfers', (select coalesce(jsonb_agg(id), '[]') from conversation_transfers where company_id = closed.company_id and conversation_id = closed.id),
               'handlers', (select coalesce(jsonb_agg(user_id), '[]') from conversation_handlers where company_id = closed.company_id and conversation_id = closed.id),
               'kept_handlers', (select coalesce(jsonb_agg(user_id), '[]') from conversation_handlers where company_id = kept.company_id and conversation_id = kept.id),
               'scheduled', (select coalesce(jsonb_agg(id), '[]') from scheduled_messages where company_id = closed.company_id and conversation_id = closed.id),
               'conversations', (select coalesce(jsonb_agg(id), '[]') from conversations where company_id = closed.company_id and merged_into_id = closed.id))
      into undo;
    with numbered as (
        select messages.id, messages.conversation_id, messages.inbound_number as old_number,
               case when messages.inbound_number is not null then
                   row_number() over (partition by messages.inbound_number is null
                                      order by messages.sent_at, messages.id)::integer end as number,
               case when messages.conversation_id = kept.id then kept.read_count else closed.read_count end as read_count,
               case when messages.conversation_id = kept.id then kept.bot_answered else closed.bot_answered end as bot_answered
          from messages
         where messages.company_id = kept.company_id and messages.conversation_id in (kept.id, closed.id)
    ), moved as (
        update messages
           set conversation_id = kept.id, inbound_number = numbered.number
          from numbered
         where messages.id = numbered.id
           and (messages.conversation_id, messages.inbound_number) is distinct from (kept.id, numbered.number)
    )
    select min(number) filter (where old_number > numbered.read_count), min(number) filter (where old_number > numbered.bot_answered),
           coalesce(jsonb_object_agg(id, old_number) filter (where conversation_id = kept.id and old_number <> number), '{}')
      into unread, unanswered, renumbered
      from numbered;
    update files set conversation_id = kept.id where company_id = closed.company_id and conversation_id = closed.id;
    update conversation_transfers set conversation_id = kept.id where company_id = closed.company_id and conversation_id = closed.id;
    insert into conversation_handlers (conversation_id, user_id)
    select kept.id, user_id from conversation_handlers where company_id = closed.company_id and conversation_id = closed.id
    on conflict do nothing;
    delete from conversation_handlers where company_id = closed.company_id and conversation_id = closed.id;
    update conversations set merged_into_id = kept.id where company_id = closed.company_id and merged_into_id = closed.id;
    update conversations
       set ended_at = now(), close_reason = 'merged', merged_into_id = kept.id, version = version + 1, inbound_count = 0, read_count = 0,
           bot_answered = 0, bot_node = null, last_message_id = null, held_count = 0
     where id = closed.id;
    update conversations
       set inbound_count = kept.inbound_count + closed.inbound_count,
           held_count = kept.held_count + closed.held_count,
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
           metadata = case when octet_length((closed.metadata || kept.metadata)::text) <= 16384 then closed.metadata || kept.metadata
                           else kept.metadata end,
           version = greatest(kept.version, closed.version) + 1
     where id = kept.id;
    return undo || jsonb_build_object('renumbered', renumbered);
end
$$;

-- As before; who is wanted stays, whoever is older, and who was blocked is.
drop function app.join_clients(uuid, uuid, uuid, jsonb);
create function app.join_clients(merge uuid, one uuid, other uuid, why jsonb, wanted uuid default null)
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
    if app.user_id() is not null and current_user <> 'app_lookup' then
        raise insufficient_privilege using message = 'clients are joined by the system alone';
    end if;
    perform from clients where id in (one, other) order by id for no key update;
    perform from conversations where company_id = app.company_id() and client_id in (one, other) order by id for update;
    select * into stays from clients where id in (one, other) order by id is distinct from wanted, created_at, id limit 1;
    select * into goes from clients where id in (one, other) and id <> stays.id;
    if goes.id is null then
        return;
    end if;
    select jsonb_build_object(
               'client', to_jsonb(stays),
               'merged_client', to_jsonb(goes),
               'identities', (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'value', value)), '[]')
                                from client_identities where company_id = goes.company_id and client_id = goes.id),
               'conversations', (select coalesce(jsonb_agg(id), '[]') from conversations where company_id = goes.company_id and client_id = goes.id),
               'memberships', (select coalesce(jsonb_agg(user_id), '[]') from memberships where company_id = goes.company_id and client_id = goes.id),
               'consents', (select coalesce(jsonb_agg(id), '[]') from client_consents where company_id = goes.company_id and client_id = goes.id),
               'clients', (select coalesce(jsonb_agg(id), '[]') from clients where company_id = goes.company_id and merged_into_id = goes.id))
      into undo;
    for pair in
        select case when theirs.holds > mine.holds then theirs.id else mine.id end as kept,
               case when theirs.holds > mine.holds then mine.id else theirs.id end as closed
          from (select id, channel_account_id, row (assignee_id is not null, mode = 'human') as holds
                  from conversations where company_id = stays.company_id and client_id = stays.id and ended_at is null) mine
          join (select id, channel_account_id, row (assignee_id is not null, mode = 'human') as holds
                  from conversations where company_id = goes.company_id and client_id = goes.id and ended_at is null) theirs using (channel_account_id)
         order by mine.id
    loop
        joined := joined || app.join_conversations(pair.kept, pair.closed);
        kept_ids := kept_ids || pair.kept;
        closed_ids := closed_ids || pair.closed;
    end loop;
    update conversations set client_id = stays.id where company_id = goes.company_id and client_id = goes.id;
    update client_identities set client_id = stays.id where company_id = goes.company_id and client_id = goes.id;
    perform app.move_students(goes.id, stays.id);
    update client_consents set client_id = stays.id where company_id = goes.company_id and client_id = goes.id;
    update clients set merged_into_id = stays.id where company_id = goes.company_id and merged_into_id = goes.id;
    update clients set merged_into_id = stays.id, version = version + 1 where id = goes.id;
    update clients
       set name = case when stays.name_source = 'number' then goes.name else stays.name end,
           name_source = case when stays.name_source = 'number' then goes.name_source else stays.name_source end,
           name_told_at = case when stays.name_source = 'number' then goes.name_told_at else stays.name_told_at end,
           document = coalesce(stays.document, goes.document),
           email = coalesce(stays.email, goes.email),
           tags = array(select distinct tag from unnest(stays.tags || goes.tags) tag order by tag),
           blocked_at = coalesce(stays.blocked_at, goes.blocked_at),
           blocked_count = stays.blocked_count + goes.blocked_count,
           custom_fields = goes.custom_fields || stays.custom_fields,
           -- Two that are too long together stay as they are: `undo` has the other's.
           metadata = case when octet_length((goes.metadata || stays.metadata)::text) <= 16384 then goes.metadata || stays.metadata
                           else stays.metadata end,
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
grant execute on function app.join_clients to app_system;

create or replace function app.move_students(from_client uuid, to_client uuid) returns void
language sql security definer set search_path = public, pg_temp as $$
    update memberships
       set client_id = to_client
     where company_id = app.company_id() and client_id = from_client
       and (app.user_id() is null or app.has_role('supervisor', 'admin'))
$$;

-- All that two clients have, in the order of locks.
create function app.hold_clients(one uuid, other uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
begin
    perform app.lock_keys(array(select kind || ':' || value from client_identities
                                 where company_id = company and client_id in (one, other)));
    perform from clients where company_id = company and id in (one, other) order by id for no key update;
    perform from conversations where company_id = company and client_id in (one, other) order by id for update;
end
$$;

-- Joins two clients because a supervisor says that they are one: the first stays. No row when one of them is nobody by now.
create function app.merge_clients(merge uuid, stays uuid, goes uuid, why jsonb)
returns table (winner uuid, loser uuid, kept uuid, closed uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    company uuid := app.company_id();
begin
    if not app.has_role('supervisor', 'admin') then
        raise insufficient_privilege using message = 'clients are joined by supervisors';
    end if;
    perform app.hold_clients(stays, goes);
    if 2 <> (select count(*) from clients where company_id = company and id in (stays, goes) and merged_into_id is null) then
        return;
    end if;
    return query select * from app.join_clients(merge, stays, goes, why, stays);
end
$$;

create function app.hold_merge(merge uuid) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    done client_merges;
begin
    select * into done from client_merges where company_id = app.company_id() and id = merge;
    perform app.hold_clients(done.client_id, done.merged_client_id);
    perform from client_merges where company_id = app.company_id() and id = merge for update;
end
$$;

-- Makes two clients of one again, whoever joined them, and answers the conversations that are not as they were. Everything that was the
-- other's is again, with what has come by the other's identities since; what was the other's open conversation is open again as long as the
-- one that it became part of is. What staff wrote since stays where they wrote it. Whoever calls holds what `app.hold_merge` holds.
create function app.part_clients(merge uuid, words jsonb) returns uuid[]
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    done client_merges;
    one uuid;
    two uuid;
    was jsonb;
    had jsonb;
    theirs text[];
    unread uuid[];
    unanswered uuid[];
    pair jsonb;
    kept_id uuid;
    closed_id uuid;
    stray record;
    target uuid;
    touched uuid[];
    now_blocked timestamptz;
    freed uuid[];
    opened uuid[] := '{}';
begin
    if not app.has_role('supervisor', 'admin') then
        raise insufficient_privilege using message = 'clients are parted by supervisors';
    end if;
    select * into done from client_merges
     where company_id = company and id = merge and undone_at is null and at > now() - interval '30 days'
       and exists (select from clients where company_id = company and id = client_merges.client_id and merged_into_id is null)
       and exists (select from clients where company_id = company and id = client_merges.merged_client_id
                                         and merged_into_id = client_merges.client_id);
    if done.id is null then
        return null;
    end if;
    one := done.client_id;
    two := done.merged_client_id;
    was := done.undo -> 'client';
    had := done.undo -> 'merged_client';
    -- What was held is unread from here on, whoever it goes to.
    select blocked_at into now_blocked from clients where company_id = company and id = one;
    freed := app.unblock_client(one, words);
    select coalesce(array_agg(messages.id) filter (where messages.inbound_number > conversations.read_count), '{}'),
           coalesce(array_agg(messages.id) filter (where messages.inbound_number > conversations.bot_answered), '{}')
      into unread, unanswered
      from conversations
      join messages on messages.company_id = company and messages.conversation_id = conversations.id
     where conversations.company_id = company and conversations.client_id = one
       and messages.inbound_number > least(conversations.read_count, conversations.bot_answered);

    -- The rows themselves. What was changed since stays.
    update clients
       set name = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                       then was ->> 'name' else name end,
           name_source = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                              then was ->> 'name_source' else name_source end,
           name_told_at = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                               then (was ->> 'name_told_at')::timestamptz else name_told_at end,
           document = case when was ->> 'document' is null and document = had ->> 'document' then null else document end,
           email = case when was ->> 'email' is null and email = had ->> 'email' then null else email end,
           blocked_at = case when was ->> 'blocked_at' is null and now_blocked = (had ->> 'blocked_at')::timestamptz then null
                             else now_blocked end,
           blocked_count = greatest(blocked_count - coalesce((had ->> 'blocked_count')::integer, 0), 0),
           tags = array(select tag from unnest(tags) with ordinality given (tag, place)
                         where not (had -> 'tags' ? tag) or was -> 'tags' ? tag order by place),
           custom_fields = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(custom_fields)
                             where was -> 'custom_fields' ? key or value is distinct from had -> 'custom_fields' -> key),
           metadata = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(metadata)
                        where was -> 'metadata' ? key or value is distinct from had -> 'metadata' -> key),
           version = version + 1
     where company_id = company and id = one;
    update clients
       set merged_into_id = null, version = version + 1,
           blocked_at = case when had ->> 'blocked_at' is null and now_blocked = (was ->> 'blocked_at')::timestamptz then null
                             else now_blocked end
     where company_id = company and id = two;
    update clients set merged_into_id = two
     where company_id = company and merged_into_id = one
       and id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'clients'));
    with parted as (
        update client_identities
           set client_id = two
         where company_id = company and client_id = one
           and (kind, value) in (select known ->> 'kind', known ->> 'value' from jsonb_array_elements(done.undo -> 'identities') known)
        returning kind || ':' || value as name
    )
    select coalesce(array_agg(name), '{}') into theirs from parted;
    update memberships set client_id = two
     where company_id = company and client_id = one
       and user_id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'memberships'));
    update client_consents set client_id = two
     where company_id = company and client_id = one
       and id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'consents'));
    with parted as (
        update conversations set client_id = two
         where company_id = company and client_id = one
           and (id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'conversations'))
                -- Begun since, by their identities alone.
                or started_at >= done.at
                   and exists (select from messages where messages.company_id = company and messages.conversation_id = conversations.id
                                                      and messages.came_by = any (theirs))
                   and not exists (select from messages where messages.company_id = company and messages.conversation_id = conversations.id
                                                          and messages.came_by <> all (theirs)))
        returning id
    )
    select coalesce(array_agg(id), '{}') || freed into touched from parted;

    for pair in select value from jsonb_array_elements(done.undo -> 'joined') loop
        kept_id := (pair -> 'kept' ->> 'id')::uuid;
        closed_id := (pair -> 'closed' ->> 'id')::uuid;
        touched := touched || kept_id || closed_id || array(
            select distinct conversation_id from messages
             where company_id = company and id in (select key::uuid from jsonb_object_keys(pair -> 'messages') key));
        update conversations
           set merged_into_id = null, close_reason = 'merge_undone', bot_node = pair -> 'closed' ->> 'bot_node'
         where company_id = company and id = closed_id;
        update conversations
           set tags = array(select tag from unnest(tags) with ordinality given (tag, place)
                             where not (pair -> 'closed' -> 'tags' ? tag) or pair -> 'kept' -> 'tags' ? tag order by place),
               subject = case when pair -> 'kept' ->> 'subject' is null and subject = pair -> 'closed' ->> 'subject' then null
                              else subject end,
               started_at = (pair -> 'kept' ->> 'started_at')::timestamptz
         where company_id = company and id = kept_id;
        update messages set conversation_id = closed_id
         where company_id = company and id in (select key::uuid from jsonb_object_keys(pair -> 'messages') key);
        update files set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(pair -> 'files'));
        update conversation_transfers set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(pair -> 'transfers'));
        update scheduled_messages set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(coalesce(pair -> 'scheduled', '[]')));
        update conversations set merged_into_id = closed_id
         where company_id = company and merged_into_id = kept_id
           and id in (select value::uuid from jsonb_array_elements_text(pair -> 'conversations'));
        insert into conversation_handlers (company_id, conversation_id, user_id)
        select company, closed_id, value::uuid from jsonb_array_elements_text(pair -> 'handlers')
        on conflict do nothing;
        delete from conversation_handlers handler
         where handler.company_id = company and handler.conversation_id = kept_id
           and pair -> 'handlers' ? handler.user_id::text and not (coalesce(pair -> 'kept_handlers', '[]') ? handler.user_id::text)
           and not exists (select from messages where messages.company_id = company and messages.conversation_id = kept_id
                                                  and messages.sender_id = handler.user_id)
           and not exists (select from conversation_transfers transfer
                            where transfer.company_id = company and transfer.conversation_id = kept_id
                              and transfer.to_user_id = handler.user_id);
        if exists (select from conversations where company_id = company and id = kept_id and ended_at is null) then
            opened := opened || closed_id;
        end if;
    end loop;

    -- What came since by an identity of the one in a conversation of the other.
    for stray in
        select messages.id, messages.file_id, messages.conversation_id, conversations.channel_account_id, conversations.department_id,
               conversations.ended_at, case when messages.came_by = any (theirs) then two else one end as owner
          from conversations
          join messages on messages.company_id = company and messages.conversation_id = conversations.id
         where conversations.company_id = company and conversations.client_id in (one, two)
           and messages.sender_type = 'client'
           -- By when its transaction began, which may have waited for the merge.
           and messages.created_at > done.at - interval '1 minute'
           and (conversations.client_id = one and messages.came_by = any (theirs)
                or conversations.client_id = two
                   and messages.came_by in (select kind || ':' || value from client_identities
                                             where company_id = company and client_id = one))
         order by messages.sent_at, messages.id
    loop
        select id into target
          from conversations
         where company_id = company and channel_account_id = stray.channel_account_id and client_id = stray.owner
           and merged_into_id is null
         order by ended_at desc nulls first
         limit 1;
        if target is null then
            target := gen_random_uuid();
            insert into conversations (id, company_id, client_id, channel_account_id, department_id, mode, ended_at, close_reason)
            values (target, company, stray.owner, stray.channel_account_id, stray.department_id, 'human', now(), 'merge_undone');
        end if;
        update messages set conversation_id = target where company_id = company and id = stray.id;
        update files set conversation_id = target where company_id = company and id = stray.file_id;
        touched := touched || target || stray.conversation_id;
        if stray.ended_at is null then
            opened := opened || target;
        end if;
    end loop;
    foreach target in array opened loop
        update conversations
           set ended_at = null, close_reason = null
         where company_id = company and id = target and ended_at is not null
           and not exists (select from conversations other
                            where other.company_id = company and other.client_id = conversations.client_id
                              and other.channel_account_id = conversations.channel_account_id and other.ended_at is null);
    end loop;

    with numbered as (
        select id, conversation_id, inbound_number as old_number,
               case when inbound_number is not null then
                   row_number() over (partition by conversation_id, inbound_number is null order by sent_at, id)::integer end as number
          from messages
         where company_id = company and conversation_id = any (touched)
    ), renumbered as (
        update messages set inbound_number = numbered.number
          from numbered
         where messages.company_id = company and messages.id = numbered.id and numbered.number <> numbered.old_number
    ), counted as (
        select concerned.id, count(number)::integer as inbound, min(number) filter (where numbered.id = any (unread)) as first_unread,
               min(number) filter (where numbered.id = any (unanswered)) as first_unanswered
          from (select distinct unnest(touched) as id) concerned
          left join numbered on numbered.conversation_id = concerned.id
         group by concerned.id
    )
    update conversations
       set inbound_count = counted.inbound,
           read_count = coalesce(counted.first_unread - 1, counted.inbound),
           bot_answered = coalesce(counted.first_unanswered - 1, counted.inbound),
           last_message_at = coalesce(newest.sent_at, conversations.last_message_at),
           last_message_id = newest.id,
           last_message_from = coalesce(newest.sender_type, conversations.last_message_from),
           last_message_preview = case when newest.deleted_at is not null then words ->> 'taken_back'
                                       else left(replace(coalesce(nullif(newest.body, ''), words ->> newest.kind, ''), E'\n', ' '), 120) end,
           window_expires_at = (select max(sent_at) + interval '24 hours' from messages
                                 where company_id = company and conversation_id = counted.id and sender_type = 'client'),
           version = conversations.version + 1
      from counted
      left join lateral (
          select id, sent_at, sender_type, kind, body, deleted_at from messages
           where company_id = company and conversation_id = counted.id and kind <> 'reaction' and sender_type <> 'system'
           order by sent_at desc, id desc limit 1) newest on true
     where conversations.company_id = company and conversations.id = counted.id;
    update jobs
       set lane = messages.conversation_id::text
      from messages
     where jobs.company_id = company and jobs.queue = 'delivery' and jobs.finished_at is null
       and jobs.lane in (select id::text from unnest(touched) id)
       and messages.company_id = company and messages.id = (jobs.payload ->> 'message_id')::uuid
       and messages.conversation_id::text <> jobs.lane;
    update client_merges set undone_at = now(), undone_by_id = app.user_id() where company_id = company and id = merge;
    return array(select distinct unnest(touched));
end
$$;

create policy lookup on client_merges to app_lookup using (true);
create policy lookup on client_consents to app_lookup using (true);
create policy lookup on conversation_transfers to app_lookup using (true);
create policy lookup on conversation_handlers to app_lookup using (true);
grant select, insert, update (undone_at, undone_by_id) on client_merges to app_lookup;
grant select, update (client_id) on client_consents to app_lookup;
grant select, insert, update (conversation_id) on conversation_transfers to app_lookup;
grant select, insert, delete on conversation_handlers to app_lookup;
grant select, update (client_id) on client_identities to app_lookup;
grant select, update on clients to app_lookup;
grant select, insert, update on conversations to app_lookup;
grant select, update (conversation_id, inbound_number) on messages to app_lookup;
grant select, update (conversation_id) on files to app_lookup;
grant select, update (lane) on jobs to app_lookup;
grant execute on function app.lock_keys, app.join_clients, app.join_conversations to app_lookup;
alter function app.hold_clients owner to app_lookup;
alter function app.merge_clients owner to app_lookup;
alter function app.hold_merge owner to app_lookup;
alter function app.part_clients owner to app_lookup;
grant execute on function app.hold_clients, app.merge_clients, app.hold_merge, app.part_clients to app_staff;

-- All that happened with a client, as far as the caller sees it. A domain whose rows belong there adds a branch here and one in
-- `app.history_entry`; a branch is a time and an id found by the client.
create view client_history with (security_invoker = true) as
select company_id, client_id, started_at as at, id, 'conversation' as kind from conversations where merged_into_id is null
union all
select conversations.company_id, conversations.client_id, transfers.at, transfers.id, 'transfer'
  from conversations
  join conversation_transfers transfers on transfers.company_id = conversations.company_id
                                       and transfers.conversation_id = conversations.id
union all
select company_id, client_id, at, id, 'consent' from client_consents
union all
select company_id, client_id, at, id, 'merge' from client_merges;
grant select on client_history to app_staff;

-- What is shown of an entry.
create function app.history_entry(kind text, id uuid) returns jsonb language plpgsql stable as $$
#variable_conflict use_variable
begin
    return case kind
        when 'conversation' then (
            select jsonb_build_object(
                       'conversation_id', c.id, 'channel_account_id', c.channel_account_id, 'status', c.status, 'subject', c.subject,
                       'department_id', c.department_id, 'assignee_id', c.assignee_id, 'ended_at', c.ended_at,
                       'close_reason', c.close_reason, 'last_message_preview', c.last_message_preview)
              from public.conversations c where c.id = history_entry.id)
        when 'transfer' then (
            select jsonb_build_object(
                       'conversation_id', t.conversation_id, 'from_user_id', t.from_user_id, 'to_user_id', t.to_user_id,
                       'from_department_id', t.from_department_id, 'to_department_id', t.to_department_id,
                       'by_user_id', t.by_user_id, 'reason', t.reason)
              from public.conversation_transfers t where t.id = history_entry.id)
        when 'consent' then (
            select jsonb_build_object('purpose', c.purpose, 'channel', c.channel, 'granted', c.granted, 'source', c.source)
              from public.client_consents c where c.id = history_entry.id)
        when 'merge' then (
            select jsonb_build_object('merge_id', m.id, 'merged_client_id', m.merged_client_id, 'by_user_id', m.by_user_id,
                                      'undone_at', m.undone_at)
              from public.client_merges m where m.id = history_entry.id)
    end;
end
$$;
grant execute on function app.history_entry to app_staff, app_system;
