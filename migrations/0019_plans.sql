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
