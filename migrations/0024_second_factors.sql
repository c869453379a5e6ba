-- Second factors, which roles must have one, a challenge between password and code, devices that a person is known by, and logins that
-- end when nobody uses them.

alter table companies
    -- Roles whose members reach nothing but the set-up of a second factor as long as they have none.
    add column two_factor_policy text[] not null default '{}'
        check (two_factor_policy <@ array['admin', 'supervisor', 'agent', 'student']),
    -- Minutes without use after which a session is over; null for never before its end.
    add column idle_minutes integer check (idle_minutes in (30, 480));

create index companies_idle on companies (id) where idle_minutes is not null;

-- When a second factor was last given in this session.
alter table sessions add column stepped_up_at timestamptz;
create index sessions_person on sessions (user_id) where revoked_at is null;

-- A person's authenticator app (RFC 6238), one for all companies.
create table second_factors (
    user_id      uuid primary key references users,
    -- Sealed by the functions.
    secret       bytea not null,
    -- Null until a first code shows that the app has the secret.
    enabled_at   timestamptz,
    -- The time step of the last code taken: none is taken twice, and no older one.
    last_step    bigint not null default 0,
    -- Wrong codes since the last right one. Every fifth is followed by a pause.
    failures     integer not null default 0,
    paused_until timestamptz,
    created_at   timestamptz not null default now()
);

-- For who has lost the app: each opens once.
create table recovery_codes (
    user_id   uuid not null references second_factors on delete cascade,
    code_hash bytea not null,
    used_at   timestamptz,
    primary key (user_id, code_hash)
);

-- A login whose password was right and whose code is yet to come.
create table login_challenges (
    -- SHA-256 of the challenge.
    token_hash bytea primary key,
    company_id uuid not null default app.company_id(),
    user_id    uuid not null,
    expires_at timestamptz not null default now() + interval '5 minutes',
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade
);
create index login_challenges_member on login_challenges (company_id, user_id);
create index login_challenges_age on login_challenges (expires_at);

-- Where a person has signed in: the family of their browser, and the network that their address is in.
create table known_devices (
    user_id      uuid not null references users,
    device       text not null,
    network      text not null,
    first_at     timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    primary key (user_id, device, network)
);
create index known_devices_age on known_devices (last_seen_at);

call app.protect('login_challenges', '');
call app.open_to_lookup('login_challenges', 'select, insert, update, delete');
revoke all on login_challenges from app_system;
do $$
declare
    target text;
begin
    foreach target in array array['second_factors', 'recovery_codes', 'known_devices'] loop
        execute format('alter table %I enable row level security', target);
        execute format('alter table %I force row level security', target);
        execute format('create policy lookup on %I to app_lookup using (true)', target);
        execute format('grant select, insert, update, delete on %I to app_lookup', target);
    end loop;
end
$$;
-- Who has one is no secret to those who see the person.
create policy staff on second_factors for select to app_staff
    using (exists (select from memberships where memberships.user_id = second_factors.user_id));
create policy self on second_factors for select to app_student using (user_id = (select app.user_id()));
grant select (user_id, enabled_at) on second_factors to app_staff, app_student;

-- Entering a company

drop function app.session_access;
-- As before, but a session that nobody has used for as long as the company says is over. With what `app.enter` asks about second factors.
create function app.session_access(company uuid, person uuid, claimed_role text, session uuid)
returns table (sees_all boolean, visibility text, departments uuid[], client uuid, must_have_factor boolean, stepped_up_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query
    select memberships.role in ('admin', 'supervisor') or (memberships.role = 'agent' and companies.agent_visibility = 'company'),
           companies.agent_visibility,
           case when memberships.role = 'agent' then
               array(select department_id from department_members where company_id = company and user_id = person)
           end,
           memberships.client_id,
           memberships.role = any (companies.two_factor_policy),
           sessions.stepped_up_at
      from sessions
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
      join companies on companies.id = sessions.company_id
     where sessions.id = session
       and sessions.company_id = company
       and sessions.user_id = person
       and sessions.revoked_at is null
       and sessions.expires_at > now()
       and (companies.idle_minutes is null or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes))
       and memberships.status = 'active'
       and memberships.role = claimed_role;
end
$$;
alter function app.session_access owner to app_lookup;
grant execute on function app.session_access to app;

create function app.has_second_factor(person uuid) returns boolean
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return exists (select from second_factors where user_id = person and enabled_at is not null);
end
$$;
alter function app.has_second_factor owner to app_lookup;
grant execute on function app.has_second_factor to app;

drop function app.enter;
-- As before. `standing` is what the caller's route asks of them: `standard`; `stepped_up`, a second factor given in this session within ten
-- minutes, by who has one; `setting_up`, not even the one that the company asks for.
create function app.enter(company uuid, person uuid, claimed_role text, session uuid, standing text default 'standard')
returns text language plpgsql as $$
declare
    access record;
    departments uuid[];
    audiences text[];
begin
    select * into access from app.session_access(company, person, claimed_role, session);
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    if access.must_have_factor and standing <> 'setting_up' and not app.has_second_factor(person) then
        raise exception 'two_factor_required' using errcode = '28000';
    end if;
    if standing = 'stepped_up' and (access.stepped_up_at > now() - interval '10 minutes') is not true and app.has_second_factor(person) then
        raise exception 'step_up_required' using errcode = '28000';
    end if;
    departments := coalesce(access.departments, '{}');
    if claimed_role = 'student' then
        audiences := array['self:' || person, 'user:' || person, 'client:' || coalesce(access.client::text, 'none')];
    elsif access.visibility = 'own' then
        audiences := array['self:' || person, 'user:' || person, 'waiting:none'] || array(select 'waiting:' || d from unnest(departments) d);
    else
        audiences := array['self:' || person, 'user:' || person, 'department:none'] || array(select 'department:' || d from unnest(departments) d);
    end if;
    if claimed_role = 'admin' then
        audiences := audiences || 'self:admins'::text;
    end if;
    perform set_config('app.company_id', company::text, true),
            set_config('app.user_id', person::text, true),
            set_config('app.session_id', session::text, true),
            set_config('app.client_id', coalesce(access.client::text, ''), true),
            set_config('app.sees_all', access.sees_all::text, true),
            set_config('app.visibility', access.visibility, true),
            set_config('app.department_ids', departments::text, true),
            set_config('app.audiences', audiences::text, true),
            set_config('role', case when claimed_role = 'student' then 'app_student' else 'app_staff' end, true);
    return app.feed_head();
end
$$;
grant execute on function app.enter to app;

-- Second factors

-- A new secret for the caller's app. `false` when they have a second factor.
create function app.begin_second_factor(sealed bytea) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into second_factors (user_id, secret) values (app.user_id(), sealed)
    on conflict (user_id) do update set secret = excluded.secret, created_at = now() where second_factors.enabled_at is null;
    return found;
end
$$;
alter function app.begin_second_factor owner to app_lookup;

-- The caller's. No row before its set-up.
create function app.own_second_factor() returns table (secret bytea, is_enabled boolean, is_required boolean)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query
    select second_factors.secret, second_factors.enabled_at is not null,
           exists (select from memberships
                     join companies on companies.id = memberships.company_id
                    where memberships.user_id = app.user_id()
                      and memberships.status = 'active'
                      and memberships.role = any (companies.two_factor_policy))
      from second_factors
     where user_id = app.user_id();
end
$$;
alter function app.own_second_factor owner to app_lookup;

-- Takes a code of this person's: that of a time step, or a recovery code by its hash; neither is a wrong one. `taken`, `wrong`, or `paused`
-- with the seconds left. However many come at once, one of the same is taken, and after the fifth wrong one the rest find the pause.
create function app.take_code(person uuid, step bigint, recovery_hash bytea) returns table (outcome text, seconds integer)
language plpgsql as $$
declare
    factor second_factors;
begin
    select * into factor from second_factors where user_id = person for update;
    if not found then
        return query select 'wrong', 0;
    elsif factor.paused_until > clock_timestamp() then
        return query select 'paused', ceil(extract(epoch from factor.paused_until - clock_timestamp()))::integer;
    elsif step > factor.last_step then
        update second_factors set last_step = step, failures = 0, paused_until = null where user_id = person;
        return query select 'taken', 0;
    else
        update recovery_codes set used_at = now() where user_id = person and code_hash = recovery_hash and used_at is null;
        if found then
            update second_factors set failures = 0, paused_until = null where user_id = person;
            return query select 'taken', 0;
        else
            -- A quarter of an hour, half an hour, from then on an hour.
            update second_factors
               set failures = factor.failures + 1,
                   paused_until = case when (factor.failures + 1) % 5 = 0 then
                       now() + least(interval '1 hour', interval '15 minutes' * 2 ^ least(4, factor.failures / 5)) end
             where user_id = person;
            return query select 'wrong', 0;
        end if;
    end if;
end
$$;
grant execute on function app.take_code to app_lookup;

-- As `app.take_code`, of the caller's; a code taken counts as stepping up.
create function app.take_own_code(step bigint, recovery_hash bytea) returns table (outcome text, seconds integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    select * into outcome, seconds from app.take_code(app.user_id(), step, recovery_hash);
    if outcome = 'taken' then
        update sessions set stepped_up_at = now() where id = app.session_id();
    end if;
    return next;
end
$$;
alter function app.take_own_code owner to app_lookup;

-- The caller's recovery codes from now on, after a code taken in this transaction; they have a second factor from now on if they had none.
create function app.set_recovery_codes(hashes bytea[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from sessions where id = app.session_id() and stepped_up_at = now();
    if not found then
        raise insufficient_privilege using message = 'recovery codes are set with a code';
    end if;
    update second_factors set enabled_at = coalesce(enabled_at, now()) where user_id = app.user_id();
    delete from recovery_codes where user_id = app.user_id();
    insert into recovery_codes (user_id, code_hash) select app.user_id(), hash from unnest(hashes) hash;
end
$$;
alter function app.set_recovery_codes owner to app_lookup;

-- The caller has no second factor any more, after a code taken in this transaction.
create function app.end_second_factor() returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from sessions where id = app.session_id() and stepped_up_at = now();
    if not found then
        raise insufficient_privilege using message = 'a second factor is ended with a code';
    end if;
    delete from second_factors where user_id = app.user_id();
end
$$;
alter function app.end_second_factor owner to app_lookup;
grant execute on function app.begin_second_factor, app.own_second_factor, app.take_own_code, app.set_recovery_codes, app.end_second_factor
    to app_staff, app_student;

-- Logins

drop function app.find_login;
-- As before, with whether the person has a second factor.
create function app.find_login(address text)
returns table (user_id uuid, name text, password_hash text, company_id uuid, company_name text, company_slug text, role text, status text,
               has_second_factor boolean)
language sql stable security definer set search_path = public, pg_temp as $$
    select users.id, users.name, users.password_hash, companies.id, companies.name, companies.slug, memberships.role, memberships.status,
           exists (select from second_factors where second_factors.user_id = users.id and second_factors.enabled_at is not null)
      from users
      left join memberships on memberships.user_id = users.id
      left join companies on companies.id = memberships.company_id
     where users.email = lower(address)
     order by memberships.status = 'active' desc, memberships.is_primary desc, memberships.created_at, companies.id
$$;
alter function app.find_login owner to app_lookup;
grant execute on function app.find_login to app;

-- Notes that a person signs in with a device from a network. Whether it is the first time, for somebody who has signed in elsewhere.
create function app.note_device(person uuid, with_device text, from_network text) returns boolean language plpgsql as $$
declare
    is_first boolean;
begin
    insert into known_devices (user_id, device, network) values (person, with_device, from_network)
    on conflict (user_id, device, network) do update set last_seen_at = now()
    returning xmax = 0 into is_first;
    return is_first and exists (
        select from known_devices where user_id = person and (device, network) <> (with_device, from_network));
end
$$;
grant execute on function app.note_device to app_lookup;

-- As `app.start_session`; whether the device is new, and in which language the person is told so.
create function app.start_login(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text,
                                device text, network text)
returns table (is_new_device boolean, locale text) language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.add_session(session, session, company, person, now() + interval '30 days', refresh_hash, browser, address, request);
    is_new_device := app.note_device(person, device, network);
    select users.locale into locale from users where id = person;
    return next;
end
$$;
alter function app.start_login owner to app_lookup;

-- The same, and enters the company as its system, for what is left behind.
create function app.sign_in(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text,
                            device text, network text)
returns table (company_id uuid, feed_cursor text, is_new_device boolean, locale text) language plpgsql as $$
begin
    select login.is_new_device, login.locale into is_new_device, locale
      from app.start_login(session, company, person, refresh_hash, browser, address, request, device, network) login;
    company_id := company;
    feed_cursor := app.enter_system(company);
    return next;
end
$$;

create function app.open_challenge(hash bytea, company uuid, person uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into login_challenges (token_hash, company_id, user_id) values (hash, company, person);
end
$$;
alter function app.open_challenge owner to app_lookup;

-- Whose login a challenge is of, while it is open and they are an active member.
create function app.find_challenge(hash bytea)
returns table (user_id uuid, name text, email text, company_id uuid, company_name text, company_slug text, role text, secret bytea)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select users.id, users.name, users.email, companies.id, companies.name, companies.slug, memberships.role, second_factors.secret
      from login_challenges
      join users on users.id = login_challenges.user_id
      join companies on companies.id = login_challenges.company_id
      join memberships on memberships.company_id = login_challenges.company_id and memberships.user_id = login_challenges.user_id
      join second_factors on second_factors.user_id = login_challenges.user_id
     where login_challenges.token_hash = hash
       and login_challenges.expires_at > now()
       and memberships.status = 'active'
       and second_factors.enabled_at is not null;
end
$$;
alter function app.find_challenge owner to app_lookup;

-- Answers a challenge with a code, as `app.take_code`. One that is taken ends the challenge and starts the session; no row when another
-- request has done so.
create function app.start_challenged_login(challenge bytea, step bigint, recovery_hash bytea, session uuid, refresh_hash bytea, browser text,
                                           address text, request text, device text, network text)
returns table (outcome text, seconds integer, company uuid, is_new_device boolean, locale text)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    open login_challenges;
begin
    select * into open from login_challenges where token_hash = challenge and expires_at > now() for update;
    if not found then
        return;
    end if;
    company := open.company_id;
    is_new_device := false;
    select code.outcome, code.seconds into outcome, seconds from app.take_code(open.user_id, step, recovery_hash) code;
    if outcome = 'taken' then
        delete from login_challenges where token_hash = challenge;
        select login.is_new_device, login.locale into is_new_device, locale
          from app.start_login(session, company, open.user_id, refresh_hash, browser, address, request, device, network) login;
        update sessions set stepped_up_at = now() where id = session;
    end if;
    return next;
end
$$;
alter function app.start_challenged_login owner to app_lookup;

create function app.sign_in_with_code(challenge bytea, step bigint, recovery_hash bytea, session uuid, refresh_hash bytea, browser text,
                                      address text, request text, device text, network text)
returns table (company_id uuid, feed_cursor text, outcome text, seconds integer, is_new_device boolean, locale text) language plpgsql as $$
begin
    select login.company, login.outcome, login.seconds, login.is_new_device, login.locale
      into company_id, outcome, seconds, is_new_device, locale
      from app.start_challenged_login(challenge, step, recovery_hash, session, refresh_hash, browser, address, request, device, network) login;
    if found then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$$;
grant execute on function app.start_login, app.sign_in, app.open_challenge, app.find_challenge, app.start_challenged_login,
                          app.sign_in_with_code to app;

-- As before; the login's second factor counts in the company chosen.
create or replace function app.choose_company(session uuid, company uuid, refresh_hash bytea, browser text, address text, request text)
returns table (company_id uuid, company_name text, company_slug text, role text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    chosen_from record;
begin
    perform app.hold_family(family_id) from sessions where id = app.session_id();
    select family_id, expires_at, stepped_up_at into chosen_from
      from sessions
     where id = app.session_id() and revoked_at is null and expires_at > now();
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
        update sessions set stepped_up_at = chosen_from.stepped_up_at where id = session;
    end if;
end
$$;

-- As before; a session that nobody has used for as long as the company says is over.
create or replace function app.judge_refresh_token(presented bytea)
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
           sessions.revoked_at is null and sessions.expires_at > now() and memberships.status = 'active'
               and (companies.idle_minutes is null
                    or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes)) as is_open,
           refresh_tokens.expires_at, refresh_tokens.rotated_at, refresh_tokens.usable_until
      into token
      from refresh_tokens
      join sessions on sessions.id = refresh_tokens.session_id
      join memberships on memberships.company_id = sessions.company_id and memberships.user_id = sessions.user_id
      join companies on companies.id = sessions.company_id
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

-- Ends sessions that nobody has used for as long as their company says and that a socket is still open in, for the caller to close it.
create function app.end_idle_sessions(most integer) returns table (session_id uuid, company_id uuid, user_id uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    with idle as (
        select distinct sessions.id
          from companies
          join presence_leases on presence_leases.company_id = companies.id
          join sessions on sessions.id = presence_leases.session_id
         where companies.idle_minutes is not null
           and sessions.revoked_at is null
           and sessions.last_seen_at <= now() - make_interval(mins => companies.idle_minutes)
         limit most
    )
    update sessions set revoked_at = now()
      from idle
     where sessions.id = idle.id
    returning sessions.id, sessions.company_id, sessions.user_id;
end
$$;
alter function app.end_idle_sessions owner to app_lookup;
grant execute on function app.end_idle_sessions to app;

-- What somebody does keeps their session in use; once a minute is enough, and nobody who ends it meanwhile is waited for.
create function app.note_use() returns void language plpgsql as $$
begin
    update sessions set last_seen_at = now()
     where id = (select id from sessions
                  where id = app.session_id() and last_seen_at < now() - interval '1 minute'
                    for update skip locked);
end
$$;
grant execute on function app.note_use to app_lookup;

-- As before; and what a person does keeps their session in use.
create or replace function app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb)
returns table (tx text, ids bigint[], sent uuid[]) language plpgsql security definer set search_path = public, pg_temp as $$
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
        with placed as (
            select job.*, job.run_at is null as is_due,
                   row_number() over (partition by queue, run_at is null order by position) as place
              from rows from (
                   jsonb_to_recordset(new_jobs)
                   as (id uuid, kind text, queue text, lane text, key text, payload jsonb, run_at timestamptz))
                   with ordinality as job (id, kind, queue, lane, key, payload, run_at, position)
        ), room as materialized (
            select queue, app.room_for_jobs(app.company_id(), queue) as room
              from (select distinct queue from placed where is_due) queues
        ), added as (
            insert into jobs (id, kind, queue, lane, key, payload, run_at, dispatched_at, dispatches)
            select id, kind, queue, case when is_due then lane else id::text end, key, payload, coalesce(run_at, now()),
                   case when is_due and place <= room then now() end, case when is_due and place <= room then 1 else 0 end
              from placed
              left join room using (queue)
             order by position
            on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing
            returning jobs.id, jobs.dispatched_at
        )
        select array_agg(added.id) filter (where added.dispatched_at is not null) into sent from added;
    end if;
    sent := coalesce(sent, '{}');
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
    if app.session_id() is not null then
        perform app.note_use();
    end if;
    return next;
end
$$;
