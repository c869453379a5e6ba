-- Refresh tokens succeed one another by derivation, and every role may do what the routes need and no more.

-- The login of the functions makes no objects: a temporary one would come before ours wherever a name is looked up.
do $$
declare
    definer regprocedure;
begin
    execute format('revoke temporary, create on database %I from public', current_database());
    revoke create on schema public from public;
    if has_database_privilege('app', current_database(), 'temporary') or has_schema_privilege('app', 'public', 'create') then
        raise exception 'the login of the functions may still create objects' using hint = 'Migrate as the owner of the database.';
    end if;
    for definer in select oid from pg_proc where pronamespace = 'app'::regnamespace and prosecdef loop
        execute format('alter function %s set search_path = public, pg_temp', definer);
    end loop;
end
$$;

-- Before a tenant is entered there is nobody to record anything for.
revoke execute on function app.record, app.companies_of_user from app;

-- What the look-ups never do.
revoke update on users from app_lookup;
revoke delete on presence_leases from app_lookup;
revoke select on departments from app_lookup;

-- Who belongs where, and who is signed in, is changed by the look-ups only, which check it. The audit trail has no reader yet.
revoke insert, update on memberships from app_staff;
revoke all on sessions, refresh_tokens from app_staff, app_student;
revoke select on audit_log, access_log from app_staff;
drop policy student on refresh_tokens;
drop policy student on sessions;

-- Whether the caller has one of these roles now.
create function app.has_role(variadic roles text[]) returns boolean language sql stable as $$
    select exists (
        select from public.memberships
         where company_id = app.company_id() and user_id = app.user_id() and status = 'active' and role = any (roles))
$$;
grant execute on function app.has_role to app_staff;

-- Departments decide what agents see, so an agent does not choose their own.
drop policy staff on departments;
create policy staff on departments for select to app_staff using (true);
create policy leaders on departments to app_staff using ((select app.has_role('supervisor', 'admin')));
drop policy staff on department_members;
create policy staff on department_members for select to app_staff using (true);
create policy leaders on department_members to app_staff using ((select app.has_role('supervisor', 'admin')));

-- Channels and their credentials are the admins', and the system's when it sends.
drop policy staff on channel_accounts;
create policy staff on channel_accounts for select to app_staff using (true);
create policy admins on channel_accounts to app_staff using ((select app.user_id()) is null or (select app.has_role('admin')));
alter policy staff on channel_credentials using ((select app.user_id()) is null or (select app.has_role('admin')));
revoke delete on channel_accounts, channel_credentials from app_staff;
-- No route writes flows yet.
revoke insert, update, delete on bot_flows from app_staff;

-- What providers send is written by the system: who a client is, what came in, what came early.
drop policy staff on client_identities;
create policy staff on client_identities for select to app_staff using (true);
create policy system on client_identities to app_staff using ((select app.user_id()) is null);
drop policy staff on inbound_webhooks;
create policy staff on inbound_webhooks for select to app_staff using ((select app.sees_all()));
create policy system on inbound_webhooks to app_staff using ((select app.user_id()) is null);
alter policy staff on early_statuses using ((select app.user_id()) is null);
alter policy staff on early_changes using ((select app.user_id()) is null);

-- Jobs are added by `app.record` and worked on by the system; a stored answer is its caller's; a lease is its holder's.
revoke insert on jobs from app_staff;
alter policy staff on jobs using ((select app.user_id()) is null);
alter policy staff on idempotency_keys using (user_id = (select app.user_id()));
drop policy staff on presence_leases;
create policy staff on presence_leases for select to app_staff using (true);
create policy own on presence_leases to app_staff using (user_id = (select app.user_id()) or (select app.user_id()) is null);

-- Which company a login without one enters.
alter table memberships add column is_primary boolean not null default false;
create unique index memberships_primary on memberships (user_id) where is_primary;

-- As before, but among the active ones the primary company is the first, then the oldest.
create or replace function app.find_login(address text)
returns table (user_id uuid, name text, password_hash text, company_id uuid, company_name text, company_slug text, role text, status text)
language sql stable security definer set search_path = public, pg_temp as $$
    select users.id, users.name, users.password_hash, companies.id, companies.name, companies.slug, memberships.role, memberships.status
      from users
      left join memberships on memberships.user_id = users.id
      left join companies on companies.id = memberships.company_id
     where users.email = lower(address)
     order by memberships.status = 'active' desc, memberships.is_primary desc, memberships.created_at, companies.id
$$;

-- As before, but with a name and an existing slug together: joins that company, or founds it when nobody has, as its admin.
-- Answers what becomes of the person, `created` or `waiting`, and the same for an e-mail already known.
create or replace function app.register(person uuid, address text, person_name text, hash text, company uuid, company_name text, company_slug text,
                                        existing_slug text, browser text, caller text, request text)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
    joined uuid;
    is_founder boolean;
begin
    if existing_slug is not null then
        select id into joined from companies where slug = existing_slug;
        if joined is null and company_name is null then
            return 'unknown_company';
        end if;
    end if;
    insert into users (id, email, name, password_hash) values (person, lower(address), person_name, hash)
    on conflict on constraint users_email_key do nothing;
    if not found then
        return case when joined is null then 'created' else 'waiting' end;
    end if;
    if existing_slug is null then
        insert into companies (id, name, slug) values (company, company_name, company_slug);
        joined := company;
    elsif joined is null then
        -- Waits for another who is founding it.
        insert into companies (id, name, slug) values (company, company_name, existing_slug)
        on conflict on constraint companies_slug_key do nothing;
        select id into joined from companies where slug = existing_slug;
    end if;
    is_founder := joined = company;
    insert into memberships (company_id, user_id, role, status)
    values (joined, person, case when is_founder then 'admin' else 'agent' end, case when is_founder then 'active' else 'pending_approval' end);
    insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
    values (joined, person, 'register', case when is_founder then company else person end::text, caller, browser, request);
    return case when is_founder then 'created' else 'waiting' end;
end
$$;

-- As before, but within a company only a login of the caller's own.
create or replace function app.end_family(session uuid) returns table (session_id uuid, company_id uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    family uuid;
begin
    select family_id into family from sessions
     where id = session and (app.company_id() is null or user_id = app.user_id());
    if not found then
        return;
    end if;
    perform app.hold_family(family);
    update sessions set revoked_at = now() where family_id = family and revoked_at is null;
    return query select id, company_id from sessions where family_id = family;
end
$$;

-- A token's successor is derived from it, so that whoever asks again is answered the same one.
alter table refresh_tokens
    -- The token it succeeds; null for the first of a session, and for those of before.
    add column succeeds bytea,
    -- The id of the key it was derived with.
    add column key_id text,
    -- Until when it may be presented again: since a successor was first presented. Null as long as none was.
    add column usable_until timestamptz;
create index refresh_tokens_succeeds on refresh_tokens (succeeds) where succeeds is not null;

-- Judges a refresh token and holds its login until the transaction ends. `outcome`: `usable`; `reused` (after a successor had been
-- presented: the login is ended); `invalid` (unknown, expired, revoked or no longer a member). `key_ids` are those its successors
-- were derived with, the oldest first.
create function app.judge_refresh_token(presented bytea)
returns table (outcome text, session_id uuid, company_id uuid, user_id uuid, role text, family_id uuid, key_ids text[])
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    token record;
begin
    perform app.hold_family(sessions.family_id)
       from refresh_tokens
       join sessions on sessions.id = refresh_tokens.session_id
      where token_hash = presented;
    select sessions.id as session_id, sessions.company_id, sessions.user_id, memberships.role, sessions.family_id,
           array(select key_id from refresh_tokens as successor where successor.succeeds = presented order by created_at) as key_ids,
           sessions.revoked_at is null and sessions.expires_at > now() and memberships.status = 'active' as is_open,
           refresh_tokens.expires_at, refresh_tokens.rotated_at, refresh_tokens.usable_until
      into token
      from refresh_tokens
      join sessions on sessions.id = refresh_tokens.session_id
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
     where token_hash = presented;
    -- One presented before successors were derived has another whose use is not known.
    if token.rotated_at is not null and token.key_ids = '{}' then
        token.usable_until := token.rotated_at + interval '10 seconds';
    end if;
    outcome := case when token.is_open is not true then 'invalid'
                    when token.usable_until <= now() then 'reused'
                    when token.expires_at <= now() then 'invalid'
                    else 'usable'
               end;
    if outcome = 'reused' then
        perform app.end_family(token.session_id);
    end if;
    return query select outcome, token.session_id, token.company_id, token.user_id, token.role, token.family_id, token.key_ids;
end
$$;
alter function app.judge_refresh_token owner to app_lookup;

-- Keeps the successor of a token judged usable in this transaction. Presented for the first time, the token itself leaves the one it
-- succeeds ten seconds, and the one before that none.
create function app.succeed_refresh_token(presented bytea, successor bytea, derived_with text)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    token record;
begin
    select refresh_tokens.company_id, refresh_tokens.session_id, refresh_tokens.succeeds, refresh_tokens.rotated_at is null as is_first,
           least(now() + interval '7 days', sessions.expires_at) as ends
      into strict token
      from refresh_tokens
      join sessions on sessions.id = refresh_tokens.session_id
     where token_hash = presented;
    insert into refresh_tokens (token_hash, company_id, session_id, succeeds, key_id, expires_at)
    values (successor, token.company_id, token.session_id, presented, derived_with, token.ends)
    on conflict (token_hash) do update set expires_at = excluded.expires_at;
    update refresh_tokens set rotated_at = coalesce(rotated_at, now()), expires_at = token.ends where token_hash = presented;
    if token.is_first then
        update refresh_tokens set usable_until = least(usable_until, now() + interval '10 seconds') where token_hash = token.succeeds;
        update refresh_tokens set usable_until = now()
         where token_hash = (select older.succeeds from refresh_tokens as older where older.token_hash = token.succeeds);
    end if;
    update sessions set last_seen_at = now() where id = token.session_id;
end
$$;
alter function app.succeed_refresh_token owner to app_lookup;

grant execute on function app.judge_refresh_token, app.succeed_refresh_token to app;
