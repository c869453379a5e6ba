-- The sessions of one login on one device are a family. Choosing another company adds one, with the login's own end, and they all
-- end together.

alter table sessions add column family_id uuid;
-- Those of before stay on their own. Forced, the policies would show the owner none of them.
alter table sessions no force row level security;
update sessions set family_id = id;
alter table sessions force row level security;
alter table sessions alter column family_id set not null;
create index sessions_family on sessions (family_id);

-- Until the transaction ends, nobody else ends or extends this family.
create function app.hold_family(family uuid) returns void language sql volatile as
    $$ select pg_advisory_xact_lock(hashtextextended('family:' || family, 0)) $$;

-- Ends a session's family and answers all of it, each time it is asked.
create function app.end_family(session uuid) returns table (session_id uuid, company_id uuid)
language plpgsql security definer set search_path = public as $$
#variable_conflict use_column
declare
    family uuid;
begin
    select family_id into family from sessions where id = session;
    perform app.hold_family(family);
    update sessions set revoked_at = now() where family_id = family and revoked_at is null;
    return query select id, company_id from sessions where family_id = family;
end
$$;
alter function app.end_family owner to app_lookup;

create function app.add_session(session uuid, family uuid, company uuid, person uuid, family_ends timestamptz, refresh_hash bytea,
                                browser text, address text, request text)
returns void language sql as $$
    with started as (
        insert into sessions (id, family_id, company_id, user_id, expires_at, user_agent, ip)
        values (session, family, company, person, family_ends, browser, address)
    ), audited as (
        insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
        values (company, person, 'start_session', session::text, address, browser, request)
    )
    insert into refresh_tokens (token_hash, company_id, session_id, expires_at)
    values (refresh_hash, company, session, least(now() + interval '7 days', family_ends));
$$;

-- As before: a login's session begins a family.
create or replace function app.start_session(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text)
returns void language sql security definer set search_path = public as $$
    select app.add_session(session, session, company, person, now() + interval '30 days', refresh_hash, browser, address, request)
$$;

-- Adds a session in another company of the caller's to the family of their session. No row when they are no active member there.
create function app.choose_company(session uuid, company uuid, refresh_hash bytea, browser text, address text, request text)
returns table (company_id uuid, company_name text, company_slug text, role text)
language plpgsql security definer set search_path = public as $$
#variable_conflict use_column
declare
    chosen_from record;
begin
    perform app.hold_family(family_id) from sessions where id = app.session_id();
    select family_id, expires_at into chosen_from from sessions where id = app.session_id() and revoked_at is null and expires_at > now();
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    return query
        select companies.id, companies.name, companies.slug, memberships.role
          from memberships
          join companies on companies.id = memberships.company_id
         where memberships.company_id = company and memberships.user_id = app.user_id() and memberships.status = 'active';
    if found then
        perform app.add_session(session, chosen_from.family_id, company, app.user_id(), chosen_from.expires_at, refresh_hash,
                                browser, address, request);
    end if;
end
$$;
alter function app.choose_company owner to app_lookup;

-- As before, but one token used again ends the whole family, held first: who ends it otherwise may be waiting for this session's row.
create or replace function app.rotate_refresh_token(old_hash bytea, new_hash bytea)
returns table (outcome text, session_id uuid, company_id uuid, user_id uuid, role text) language plpgsql security definer set search_path = public as $$
#variable_conflict use_column
declare
    token record;
begin
    perform app.hold_family(sessions.family_id)
       from refresh_tokens
       join sessions on sessions.id = refresh_tokens.session_id
      where token_hash = old_hash;
    select refresh_tokens.session_id, refresh_tokens.rotated_at, refresh_tokens.expires_at,
           sessions.company_id, sessions.user_id, sessions.revoked_at, sessions.expires_at as session_expires_at,
           memberships.role, memberships.status
      into token
      from refresh_tokens
      join sessions on sessions.id = refresh_tokens.session_id
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
     where token_hash = old_hash
       for update of refresh_tokens, sessions;
    if not found or token.revoked_at is not null or token.session_expires_at <= now() or token.status <> 'active' then
        return query select 'invalid', token.session_id, token.company_id, token.user_id, token.role;
        return;
    end if;
    if token.rotated_at is not null and token.rotated_at < now() - interval '10 seconds' then
        perform app.end_family(token.session_id);
        return query select 'reused', token.session_id, token.company_id, token.user_id, token.role;
        return;
    end if;
    if token.expires_at <= now() then
        return query select 'invalid', token.session_id, token.company_id, token.user_id, token.role;
        return;
    end if;
    update refresh_tokens set rotated_at = coalesce(rotated_at, now()) where token_hash = old_hash;
    insert into refresh_tokens (token_hash, company_id, session_id, expires_at)
    values (new_hash, token.company_id, token.session_id, least(now() + interval '7 days', token.session_expires_at));
    update sessions set last_seen_at = now() where id = token.session_id;
    return query select case when token.rotated_at is null then 'rotated' else 'raced' end,
                        token.session_id, token.company_id, token.user_id, token.role;
end
$$;

grant execute on function app.hold_family, app.add_session to app_lookup;
grant execute on function app.end_family to app, app_staff, app_student;
grant execute on function app.choose_company to app_staff, app_student;
