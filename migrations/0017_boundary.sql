-- What a transaction may write once it has entered a company: as its system, as somebody of its staff, as a student. One that people write
-- more in says so in its own migration.

-- The system of a company, as it works there without anybody: webhooks, workers, sweeps. It may what staff may, and what is granted to it.
do $$
begin
    if not exists (select from pg_roles where rolname = 'app_system') then
        create role app_system nologin;
    end if;
end
$$;
grant app_staff to app_system;
grant app_system to app;

create or replace function app.enter_system(company uuid) returns text language plpgsql as $$
begin
    perform set_config('app.company_id', company::text, true),
            set_config('app.user_id', '', true),
            set_config('app.session_id', '', true),
            set_config('app.client_id', '', true),
            set_config('app.sees_all', 'true', true),
            set_config('app.visibility', 'company', true),
            set_config('app.department_ids', '{}', true),
            set_config('app.audiences', '{}', true),
            set_config('role', 'app_system', true);
    return app.feed_head();
end
$$;

-- From here on people read a new table and the system writes it; what people write is granted column by column.
create or replace procedure app.protect(target regclass, staff_rights text default 'select') language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
        'create policy company on %s as restrictive using (company_id = (select app.company_id()))', target);
    execute format('create policy staff on %s to app_staff using (true)', target);
    if staff_rights <> '' then
        execute format('grant %s on %s to app_staff', staff_rights, target);
    end if;
    execute format('grant select, insert, update, delete on %s to app_system', target);
end
$$;

revoke insert, update, delete on all tables in schema public from app_staff, app_student;
revoke select on jobs, early_changes, early_statuses from app_staff;

grant insert on channel_notices, client_consents, client_identities, client_merges, clients, conversations, early_changes, early_statuses,
                files, inbound_webhooks, integration_calls, messages to app_system;
grant update on channel_accounts, client_identities, clients, conversations, files, jobs, messages to app_system;
grant update (client_id) on client_consents to app_system;
grant update (conversation_id) on conversation_transfers to app_system;
grant delete on conversation_handlers, early_changes, early_statuses, presence_leases to app_system;
grant select on jobs, early_changes, early_statuses to app_system;

-- Everybody who signs in: stored answers, and files from their announcement to their check.
grant insert (route, key, request_hash), update (status, body) on idempotency_keys to app_staff, app_student;
grant insert (id, conversation_id, uploaded_by, name, mime_type, size, storage_key),
      update (status, storage_key, mime_type, sha256, width, height, duration_ms, completed_at, failure) on files to app_staff, app_student;
grant insert (storage_key, due_at), delete on object_removals to app_staff, app_student;
-- `ping` is one statement for staff and students; the policy lets no student have a lease.
grant insert (connection_id, user_id, session_id, status, lease_until), update (status, lease_until) on presence_leases to app_staff;
grant insert (connection_id, user_id, session_id, status, lease_until), update (lease_until) on presence_leases to app_student;

-- Staff: taking over, transferring, closing, reading, answering.
grant update (assignee_id, department_id, mode, version, first_human_at, bot_node, ended_at, close_reason, read_count,
              last_message_at, last_message_id, last_message_preview, last_message_from) on conversations to app_staff;
grant insert (id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, payload, file_id, reply_to_id,
              client_message_id, status, sent_at, fence) on messages to app_staff;
grant update (conversation_id) on files to app_staff;
-- By triggers only: see the policies.
grant insert (company_id, conversation_id, user_id) on conversation_handlers to app_staff;
grant insert (id, company_id, conversation_id, from_user_id, to_user_id, from_department_id, to_department_id, by_user_id, reason, at)
   on conversation_transfers to app_staff;
-- Leaders and admins: see the policies.
grant insert (id, name, description) on departments to app_staff;
grant insert (department_id, user_id) on department_members to app_staff;
grant insert (id, kind, external_key, name, department_id, bot_flow_id, settings),
      update (name, department_id, bot_flow_id, settings, version, status, account_key, display_number) on channel_accounts to app_staff;
grant insert (channel_account_id, sealed), update (sealed) on channel_credentials to app_staff;

-- The grants say it now.
drop policy system_inserts on clients;
do $$
declare
    target text;
begin
    foreach target in array array['clients', 'messages', 'conversation_transfers', 'conversation_handlers'] loop
        execute format('drop policy system_updates on %I', target);
        execute format('drop policy system_deletes on %I', target);
    end loop;
end
$$;
revoke execute on function app.join_clients, app.join_conversations, app.move_students, app.lock_keys, app.add_edit from app_staff;
grant execute on function app.join_clients, app.join_conversations, app.move_students, app.lock_keys, app.add_edit to app_system;

alter policy student on presence_leases with check (false);
-- A file is its uploader's to announce and to complete, under keys of its own.
create policy own_inserts on files as restrictive for insert to app_staff, app_student
    with check ((select app.user_id()) is null
                or (uploaded_by = (select app.user_id()) and status = 'pending' and storage_key = 'upload/' || company_id || '/' || id
                    and (conversation_id is null or exists (select from conversations where conversations.id = files.conversation_id))));
create policy own_updates on files as restrictive for update to app_staff, app_student
    using ((select app.user_id()) is null or uploaded_by = (select app.user_id()))
    with check ((select app.user_id()) is null or starts_with(split_part(storage_key, '/', 3), id::text));
create policy own_files on object_removals as restrictive to app_staff, app_student
    using ((select app.user_id()) is null
           or exists (select from files
                       where files.id = case when split_part(object_removals.storage_key, '/', 3) ~ '^[0-9a-f-]{36}'
                                             then left(split_part(object_removals.storage_key, '/', 3), 36)::uuid end
                         and files.uploaded_by = (select app.user_id())));

-- What people may leave behind with their commit. `told_by` and `added_by` name the least role; whatever is not here is the system's alone.
create table event_rules (
    type       text primary key,
    told_by    text not null check (told_by in ('student', 'agent', 'supervisor', 'admin')),
    -- Told to nobody but the one whose act it is.
    is_private boolean not null default false
);
create table job_rules (
    kind     text primary key,
    queue    text not null,
    added_by text not null check (added_by in ('student', 'agent', 'supervisor', 'admin'))
);
alter table event_rules enable row level security;
alter table event_rules force row level security;
alter table job_rules enable row level security;
alter table job_rules force row level security;
create policy everybody on event_rules using (true);
create policy everybody on job_rules using (true);
grant select on event_rules, job_rules to app_lookup;
insert into event_rules (type, told_by, is_private) values
    ('channel.updated', 'admin', false),
    ('conversation.assigned', 'agent', false),
    ('conversation.closed', 'agent', false),
    ('conversation.read', 'agent', false),
    ('conversation.transferred', 'agent', false),
    ('conversation.updated', 'agent', false),
    ('department.created', 'supervisor', false),
    ('message.created', 'agent', false),
    ('session.revoked', 'student', true),
    ('user.presence', 'agent', false);
insert into job_rules (kind, queue, added_by) values
    ('deliver_message', 'delivery', 'agent'),
    ('mark_read', 'delivery', 'agent');

-- Refuses what the caller may not leave behind. A topic is of this company; a `self:` key stands alone, on its holder's topic; a job is due
-- at once, so that it holds up no lane.
create function app.judge_record(new_events jsonb, new_jobs jsonb) returns void language plpgsql stable as $$
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin'];
    rank integer;
    refused text;
begin
    select array_position(ranks, role) into rank
      from memberships
     where company_id = app.company_id() and user_id = app.user_id();
    select 'event ' || event.type into refused
      from jsonb_to_recordset(new_events) event (topic text, type text, audience text[])
      left join event_rules rule on rule.type = event.type
     where (array_position(ranks, rule.told_by) <= rank
            and case
                when rule.is_private then
                    event.topic = 'user:' || app.user_id() and event.audience = array['self:' || app.user_id()]
                when exists (select from unnest(event.audience) key where key like 'self:%') then
                    event.topic ~ '^user:[0-9a-f-]{36}$' and event.audience = array['self:' || substr(event.topic, 6)]
                else
                    event.topic in ('company:' || app.company_id(), 'dashboard:' || app.company_id())
                    or event.topic ~ '^(conversation|user):'
                end) is not true
     limit 1;
    if refused is null then
        select 'job ' || job.kind into refused
          from jsonb_to_recordset(new_jobs) job (kind text, queue text, run_at timestamptz)
          left join job_rules rule on rule.kind = job.kind and rule.queue = job.queue
         where (array_position(ranks, rule.added_by) <= rank and job.run_at is null) is not true
         limit 1;
    end if;
    if refused is not null then
        raise insufficient_privilege using message = format('%s is not this caller''s to record: see event_rules and job_rules', refused);
    end if;
end
$$;
grant execute on function app.judge_record to app_lookup;

create or replace function app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb)
returns table (tx text, ids bigint[]) language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- The role that was lent says it: nobody becomes the system by settings.
    if current_setting('role') <> 'app_system' then
        perform app.judge_record(new_events, new_jobs);
    end if;
    with event as (
        insert into events (topic, type, audience, data)
        select topic, type, audience, data
          from jsonb_to_recordset(new_events) as e (position integer, topic text, type text, audience text[], data jsonb)
         order by position
        returning id
    )
    select pg_current_xact_id()::text, array(select id from event order by id) into tx, ids;
    if jsonb_array_length(new_jobs) > 0 then
        insert into jobs (id, kind, queue, lane, key, payload, run_at, dispatched_at, dispatches)
        select id, kind, queue, lane, key, payload, coalesce(run_at, now()),
               case when run_at is null then now() end, case when run_at is null then 1 else 0 end
          from jsonb_to_recordset(new_jobs) as j (id uuid, kind text, queue text, lane text, key text, payload jsonb, run_at timestamptz)
        on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing;
    end if;
    if jsonb_array_length(new_audit) > 0 then
        insert into audit_log (user_id, action, target, before, after, ip, user_agent, request_id)
        select app.user_id(), action, target, before, after, ip, user_agent, request_id
          from jsonb_to_recordset(new_audit) as a (action text, target text, before jsonb, after jsonb, ip text, user_agent text, request_id text);
    end if;
    if jsonb_array_length(new_accesses) > 0 then
        insert into access_log (user_id, action, target, ip, request_id)
        select app.user_id(), action, target, ip, request_id
          from jsonb_to_recordset(new_accesses) as a (action text, target text, ip text, request_id text);
    end if;
    return next;
end
$$;

-- What clients change in messages, held until the message comes, says by which ids its author is known. What is held already does not, and
-- changes nothing.
alter table early_changes add column phone text, add column bsuid text;

-- As before, and it keeps the numbers that it changes in the conversation that goes on, and who held that; front ends' own fields
-- follow where the one who stays has none.
create or replace function app.join_conversations(kept_id uuid, closed_id uuid) returns jsonb language plpgsql as $$
declare
    kept conversations;
    closed conversations;
    unread integer;
    unanswered integer;
    renumbered jsonb;
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
               'kept_handlers', (select coalesce(jsonb_agg(user_id), '[]') from conversation_handlers where conversation_id = kept.id),
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
    select min(number) filter (where old_number > numbered.read_count), min(number) filter (where old_number > numbered.bot_answered),
           coalesce(jsonb_object_agg(id, old_number) filter (where conversation_id = kept.id and old_number <> number), '{}')
      into unread, unanswered, renumbered
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
           metadata = case when octet_length((closed.metadata || kept.metadata)::text) <= 16384 then closed.metadata || kept.metadata
                           else kept.metadata end,
           version = greatest(kept.version, closed.version) + 1
     where id = kept.id;
    return undo || jsonb_build_object('renumbered', renumbered);
end
$$;

-- Makes two clients one: the older stays, and everything that names the other follows. Where both have an open conversation on a
-- channel, the one that people hold goes on, or the older client's. A row for every such pair, or one without any. Every column that
-- references `clients` or `conversations` has its line here or above; a test asks for it.
create or replace function app.join_clients(merge uuid, one uuid, other uuid, why jsonb)
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
