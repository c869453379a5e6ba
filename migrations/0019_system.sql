-- The system of a company has rights of its own: its statements carry nothing of what is asked of people, and nobody becomes it by
-- emptying a setting.

-- It reads what staff read, and writes what it did as one of them.
do $$
declare
    granted record;
begin
    for granted in
        select table_name from information_schema.table_privileges
         where table_schema = 'public' and grantee = 'app_staff' and privilege_type = 'SELECT'
    loop
        execute format('grant select on public.%I to app_system', granted.table_name);
    end loop;
    for granted in
        select table_name, column_name from information_schema.column_privileges
         where table_schema = 'public' and grantee = 'app_staff' and privilege_type = 'SELECT'
    loop
        execute format('grant select (%I) on public.%I to app_system', granted.column_name, granted.table_name);
    end loop;
end
$$;
grant insert on conversation_handlers, conversation_transfers, object_removals to app_system;
grant delete on object_removals to app_system;
grant execute on function app.audiences, app.client_id, app.company_id, app.department_ids, app.feed_head, app.fold, app.has_role,
                          app.held_conversation, app.joined, app.look, app.record, app.searchable, app.sees_all, app.session_id,
                          app.spaced, app.stems, app.use_of_file, app.user_id, app.visibility to app_system;
grant usage on schema app, public to app_system;
revoke app_staff from app_system;

-- It sees what is its company's: all of it, but what was taken back.
drop policy system on client_identities;
drop policy system on inbound_webhooks;
drop policy staff on early_changes;
drop policy staff on early_statuses;
drop policy staff on jobs;
do $$
declare
    target record;
begin
    for target in
        select polrelid::regclass as name, array(select rolname::text from pg_roles where pg_roles.oid = any (polroles)) as roles
          from pg_policy
         where polname = 'company' and polrelid <> 'companies'::regclass
    loop
        if cardinality(target.roles) > 0 then
            execute format('alter policy company on %s to app_staff, app_student, app_system', target.name);
        end if;
        if target.name <> 'files'::regclass then
            execute format('create policy system on %s to app_system using (true)', target.name);
        end if;
    end loop;
end
$$;
create policy system on files to app_system using (app.use_of_file(id) <> 'taken_back');
create policy system on users to app_system using (exists (select from memberships where memberships.user_id = users.id));
alter policy company on companies to app_staff, app_student, app_system;

alter policy admins on channel_accounts using ((select app.has_role('admin')));
alter policy staff on channel_credentials using ((select app.has_role('admin')));
alter policy staff on channel_notices using ('self:admins' = any ((select app.audiences())::text[]));
alter policy trigger_inserts on conversation_handlers with check (pg_trigger_depth() > 0);
alter policy trigger_inserts on conversation_transfers with check (pg_trigger_depth() > 0);
alter policy own_words on messages with check (sender_type in ('agent', 'system') and sender_id = (select app.user_id()));
alter policy own on presence_leases using (user_id = (select app.user_id()));
alter policy own_inserts on files
    with check (uploaded_by = (select app.user_id()) and status = 'pending' and storage_key = 'upload/' || company_id || '/' || id
                and (conversation_id is null or exists (select from conversations where conversations.id = files.conversation_id)));
alter policy own_updates on files
    using (uploaded_by = (select app.user_id())) with check (starts_with(split_part(storage_key, '/', 3), id::text));
alter policy own_files on object_removals
    using (exists (select from files
                    where files.id = case when split_part(object_removals.storage_key, '/', 3) ~ '^[0-9a-f-]{36}'
                                          then left(split_part(object_removals.storage_key, '/', 3), 36)::uuid end
                      and files.uploaded_by = (select app.user_id())));

-- From here on a new table is the system's too.
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
    execute format('create policy system on %s to app_system using (true)', target);
    execute format('grant select, insert, update, delete on %s to app_system', target);
end
$$;
create or replace procedure app.open_to_lookup(target regclass, rights text) language plpgsql as $$
begin
    execute format('alter policy company on %s to app_staff, app_student, app_system', target);
    execute format('create policy lookup on %s to app_lookup using (true)', target);
    execute format('grant %s on %s to app_lookup', rights, target);
end
$$;

-- What every request asks is planned once for a connection: a function in `sql` that is not inlined is parsed and planned at every
-- call, which took longer than what it did.

create or replace function app.feed_head() returns text language plpgsql as $$
begin
    return (select value || '.' || pg_snapshot_xmin(pg_current_snapshot())::text || '.0' from feed_epochs order by started_at desc limit 1);
end
$$;

create or replace function app.session_access(company uuid, person uuid, claimed_role text, session uuid)
returns table (sees_all boolean, visibility text, departments uuid[], client uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query
    select memberships.role in ('admin', 'supervisor') or (memberships.role = 'agent' and companies.agent_visibility = 'company'),
           companies.agent_visibility,
           case when memberships.role = 'agent' then
               array(select department_id from department_members where company_id = company and user_id = person)
           end,
           memberships.client_id
      from sessions
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
      join companies on companies.id = sessions.company_id
     where sessions.id = session
       and sessions.company_id = company
       and sessions.user_id = person
       and sessions.revoked_at is null
       and sessions.expires_at > now()
       and memberships.status = 'active'
       and memberships.role = claimed_role;
end
$$;

create or replace function app.find_channel(channel_kind text, key text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select channel_accounts.id, channel_accounts.company_id, channel_accounts.department_id, channel_accounts.bot_flow_id,
           companies.reopen_window
      from channel_accounts
      join companies on companies.id = channel_accounts.company_id
     where channel_accounts.kind = channel_kind and channel_accounts.external_key = key and channel_accounts.status <> 'disabled';
end
$$;

create or replace function app.find_account(channel_kind text, account text, number text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    with known as (
        select * from channel_accounts where kind = channel_kind and account_key = account and status <> 'disabled'
    ), chosen as (
        select * from known where display_number = number
        union all
        select * from known where not exists (select from known named where named.display_number = number)
    )
    select chosen.id, chosen.company_id, chosen.department_id, chosen.bot_flow_id, companies.reopen_window
      from chosen
      join companies on companies.id = chosen.company_id
     where not exists (select from chosen other where other.company_id <> chosen.company_id)
     order by chosen.created_at, chosen.id
     limit 1;
end
$$;

create or replace function app.company_of_connection(connection text) returns uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (select company_id from presence_leases where connection_id = connection);
end
$$;

create or replace function app.use_of_file(file uuid) returns text
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (
        select case when count(*) = 0 then 'unsent' when count(*) = count(deleted_at) then 'taken_back' else 'sent' end
          from messages
         where messages.company_id = app.company_id() and messages.file_id = file);
end
$$;

create or replace function app.companies_of_user() returns table (id uuid, name text, slug text, role text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select companies.id, companies.name, companies.slug, memberships.role
      from memberships
      join companies on companies.id = memberships.company_id
     where memberships.user_id = app.user_id() and memberships.status = 'active'
     order by companies.name, companies.id;
end
$$;

-- Searches have asked `messages_words` since that is there.
drop index messages_text;

-- Keys of one company that have nothing to do with each other rarely wait for each other; still fewer than there is room for locks.
create or replace function app.lock_keys(keys text[]) returns void language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(hashtext(app.company_id()::text), bucket)
       from (select distinct hashtext(key) & 4095 as bucket from unnest(keys) key order by bucket) buckets;
end
$$;
