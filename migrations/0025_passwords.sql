-- Passwords that are forgotten or changed, and the ends of a person's logins.

alter table users add column password_changed_at timestamptz;
grant update (password_hash, password_changed_at) on users to app_lookup;

-- Links by which a person sets a password. The link's secret is made of the id with a key, and stands nowhere.
create table password_resets (
    id           uuid primary key,
    -- In whose name the mail was sent.
    company_id   uuid not null default app.company_id(),
    user_id      uuid not null,
    -- The admin who asked for it; null for the person.
    requested_by uuid,
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null default now() + interval '30 minutes',
    used_at      timestamptz,
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade
);
create index password_resets_member on password_resets (company_id, user_id);
create index password_resets_person on password_resets (user_id, created_at);
create index password_resets_age on password_resets (expires_at);
call app.protect('password_resets', '');
call app.open_to_lookup('password_resets', 'select, insert, update, delete');
revoke all on password_resets from app_system;
-- What sends the mail asks until when the link is good.
grant select on password_resets to app_system;

-- A link for a person, unless three were made for them within half an hour: nobody fills a stranger's mailbox. `false` then.
create function app.add_password_reset(reset uuid, company uuid, person uuid, by_user uuid) returns boolean language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('password reset:' || person, 0));
    insert into password_resets (id, company_id, user_id, requested_by)
    select reset, company, person, by_user
     where (select count(*) from password_resets where user_id = person and created_at > now() - interval '30 minutes') < 3;
    return found;
end
$$;
grant execute on function app.add_password_reset to app_lookup;

-- A link for whoever has this address and is active somewhere: in the company that a login would enter. No row where there is none to be
-- made, which nobody is told.
create function app.make_password_reset(reset uuid, address text, browser text, caller text, request text)
returns table (company uuid, email text, name text, locale text)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    person uuid;
begin
    select users.id, users.email, users.name, users.locale, memberships.company_id
      into person, email, name, locale, company
      from users
      join memberships on memberships.user_id = users.id and memberships.status = 'active'
     where users.email = lower(address)
     order by memberships.is_primary desc, memberships.created_at, memberships.company_id
     limit 1;
    if found and app.add_password_reset(reset, company, person, null) then
        insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
        values (company, person, 'request_password_reset', person::text, caller, browser, request);
        return next;
    end if;
end
$$;
alter function app.make_password_reset owner to app_lookup;

-- The same, and enters the company as its system, for the mail.
create function app.request_password_reset(reset uuid, address text, browser text, caller text, request text)
returns table (company_id uuid, feed_cursor text, email text, name text, locale text) language plpgsql as $$
begin
    select made.company, made.email, made.name, made.locale into company_id, email, name, locale
      from app.make_password_reset(reset, address, browser, caller, request) made;
    if found then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$$;

-- A link for an active member of the caller's company, whose admin they are. No row for others.
create function app.force_password_reset(reset uuid, member uuid) returns table (email text, name text, locale text, is_made boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    select users.email, users.name, users.locale into email, name, locale
      from memberships
      join users on users.id = memberships.user_id
     where memberships.company_id = app.company_id() and memberships.user_id = member and memberships.status = 'active'
       and exists (select from memberships caller
                    where caller.company_id = app.company_id() and caller.user_id = app.user_id()
                      and caller.status = 'active' and caller.role = 'admin');
    if found then
        is_made := app.add_password_reset(reset, app.company_id(), member, app.user_id());
        return next;
    end if;
end
$$;
alter function app.force_password_reset owner to app_lookup;
grant execute on function app.force_password_reset to app_staff;

-- Whose link it is, while it is good: not used, not late, of an active member.
create function app.find_password_reset(reset uuid) returns table (email text, name text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query
    select users.email, users.name
      from password_resets
      join memberships on memberships.company_id = password_resets.company_id and memberships.user_id = password_resets.user_id
      join users on users.id = password_resets.user_id
     where password_resets.id = reset
       and password_resets.used_at is null
       and password_resets.expires_at > now()
       and memberships.status = 'active';
end
$$;
alter function app.find_password_reset owner to app_lookup;

-- Ends the open logins of a person: all, or `only` one, but for `kept`; both are families. Answers their sessions in every company.
create function app.end_logins(person uuid, only_family uuid, kept uuid) returns table (session_id uuid, company_id uuid)
language plpgsql as $$
#variable_conflict use_column
begin
    perform app.hold_family(family)
       from (select distinct family_id as family from sessions
              where user_id = person and revoked_at is null and expires_at > now()
                and (only_family is null or family_id = only_family)
                and family_id is distinct from kept
              order by family_id) open;
    return query
    update sessions set revoked_at = now()
     where user_id = person and revoked_at is null and expires_at > now()
       and (only_family is null or family_id = only_family)
       and family_id is distinct from kept
    returning id, company_id;
end
$$;
grant execute on function app.end_logins to app_lookup;

-- Ends a login of the caller's, or all but the one they are in.
create function app.end_own_logins(only_family uuid) returns table (session_id uuid, company_id uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select ended.session_id, ended.company_id
      from app.end_logins(app.user_id(), only_family,
                          case when only_family is null then
                              (select family_id from sessions where id = app.session_id()) end) ended;
end
$$;
alter function app.end_own_logins owner to app_lookup;
grant execute on function app.end_own_logins to app_staff, app_student;

-- The caller's open logins, the one they are in and then the last used first.
create function app.own_logins()
returns table (id uuid, user_agent text, ip text, created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz,
               is_current boolean, company_names text[])
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select sessions.family_id,
           (array_agg(sessions.user_agent order by sessions.last_seen_at desc))[1],
           (array_agg(sessions.ip order by sessions.last_seen_at desc))[1],
           min(sessions.created_at), max(sessions.last_seen_at), max(sessions.expires_at),
           bool_or(sessions.id = app.session_id()),
           array_agg(distinct companies.name order by companies.name)
      from sessions
      join companies on companies.id = sessions.company_id
     where sessions.user_id = app.user_id()
       and sessions.revoked_at is null
       and sessions.expires_at > now()
       and (companies.idle_minutes is null or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes))
     group by sessions.family_id
     order by bool_or(sessions.id = app.session_id()) desc, max(sessions.last_seen_at) desc, sessions.family_id
     limit 100;
end
$$;
alter function app.own_logins owner to app_lookup;
grant execute on function app.own_logins to app_staff, app_student;

-- Sets the password that a link is for. Of many who come with one link one does. Every login of the person ends, and every other link and
-- every challenge with it.
create function app.use_password_reset(reset uuid, hash text, browser text, caller text, request text)
returns table (company uuid, person uuid, email text, name text, locale text, session_ids uuid[], company_ids uuid[])
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update password_resets set used_at = now()
     where id = reset and used_at is null and expires_at > now()
       and exists (select from memberships
                    where memberships.company_id = password_resets.company_id and memberships.user_id = password_resets.user_id
                      and memberships.status = 'active')
    returning password_resets.company_id, password_resets.user_id into company, person;
    if not found then
        return;
    end if;
    update password_resets set used_at = now() where user_id = person and used_at is null;
    update users set password_hash = hash, password_changed_at = now() where id = person
    returning users.email, users.name, users.locale into email, name, locale;
    delete from login_challenges where user_id = person;
    select coalesce(array_agg(ended.session_id), '{}'), coalesce(array_agg(ended.company_id), '{}') into session_ids, company_ids
      from app.end_logins(person, null, null) ended;
    insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
    values (company, person, 'reset_password', person::text, caller, browser, request);
    return next;
end
$$;
alter function app.use_password_reset owner to app_lookup;

-- The same, and enters the company as its system, for what is left behind.
create function app.reset_password(reset uuid, hash text, browser text, caller text, request text)
returns table (company_id uuid, feed_cursor text, user_id uuid, email text, name text, locale text, session_ids uuid[], company_ids uuid[])
language plpgsql as $$
begin
    select used.company, used.person, used.email, used.name, used.locale, used.session_ids, used.company_ids
      into company_id, user_id, email, name, locale, session_ids, company_ids
      from app.use_password_reset(reset, hash, browser, caller, request) used;
    if found then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$$;
grant execute on function app.make_password_reset, app.request_password_reset, app.find_password_reset, app.use_password_reset,
                          app.reset_password to app;

-- What a person's own password is held against before they change it, where their session stands.
create function app.find_password(company uuid, person uuid, claimed_role text, session uuid)
returns table (email text, name text, locale text, password_hash text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    perform from app.session_access(company, person, claimed_role, session);
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    return query select users.email, users.name, users.locale, users.password_hash from users where users.id = person;
end
$$;
alter function app.find_password owner to app_lookup;
grant execute on function app.find_password to app;

-- Changes the caller's password from one to another: `false` when it is no longer the one. Links and challenges end with it.
create function app.change_password(old_hash text, new_hash text) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update users set password_hash = new_hash, password_changed_at = now() where id = app.user_id() and password_hash = old_hash;
    if not found then
        return false;
    end if;
    update password_resets set used_at = now() where user_id = app.user_id() and used_at is null;
    delete from login_challenges where user_id = app.user_id();
    return true;
end
$$;
alter function app.change_password owner to app_lookup;
grant execute on function app.change_password to app_staff, app_student;

-- Deletes what has outlived its use, a bounded number of rows of each kind. Answers how many rows went.
create function app.sweep_logins(most integer) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from login_challenges where ctid in (select ctid from login_challenges where expires_at < now() limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from password_resets where ctid in (select ctid from password_resets where expires_at < now() - interval '7 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from known_devices where ctid in (select ctid from known_devices where last_seen_at < now() - interval '1 year' limit most);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$$;
alter function app.sweep_logins owner to app_lookup;
grant execute on function app.sweep_logins to app;
