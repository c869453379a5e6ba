-- Roles, tenants, people, sessions, and what every domain stands on: events, jobs, audit, idempotency.

create extension if not exists pg_trgm;
create extension if not exists unaccent;

-- The functions log in as `app`, which may do nothing until `app.enter` lends it one of the tenant roles for a transaction.
do $$
begin
    if not exists (select from pg_roles where rolname = 'app') then
        create role app login noinherit;
    end if;
    if not exists (select from pg_roles where rolname = 'app_staff') then
        create role app_staff nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'app_student') then
        create role app_student nologin;
    end if;
    -- Owns the few look-ups that must happen before a tenant is known.
    if not exists (select from pg_roles where rolname = 'app_lookup') then
        create role app_lookup nologin;
    end if;
end
$$;
grant app_staff, app_student to app;
do $$ begin execute format('grant app_lookup to %I', current_user); end $$;

create schema app;
grant usage on schema app to app, app_staff, app_student, app_lookup;
grant create on schema app to app_lookup;
grant usage on schema public to app, app_staff, app_student, app_lookup;
alter default privileges revoke execute on functions from public;

-- What `app.enter` set for this transaction.
create function app.company_id() returns uuid language sql stable as
    $$ select nullif(current_setting('app.company_id', true), '')::uuid $$;
create function app.user_id() returns uuid language sql stable as
    $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
create function app.session_id() returns uuid language sql stable as
    $$ select nullif(current_setting('app.session_id', true), '')::uuid $$;
create function app.client_id() returns uuid language sql stable as
    $$ select nullif(current_setting('app.client_id', true), '')::uuid $$;
-- Supervisors, admins, the system, and agents of a company whose agents see everything.
create function app.sees_all() returns boolean language sql stable as
    $$ select coalesce(current_setting('app.sees_all', true), '') = 'true' $$;
-- `department`, `own` or `company`.
create function app.visibility() returns text language sql stable as
    $$ select current_setting('app.visibility', true) $$;
create function app.department_ids() returns uuid[] language sql stable as
    $$ select coalesce(nullif(current_setting('app.department_ids', true), '')::uuid[], '{}') $$;
-- The audiences of events this reader belongs to, such as `user:…`, `department:…`.
create function app.audiences() returns text[] language sql stable as
    $$ select coalesce(nullif(current_setting('app.audiences', true), '')::text[], '{}') $$;

-- Names the database cluster whose transaction ids the cursors of the events feed count in.
create table feed_epochs (
    value             text primary key,
    system_identifier bigint not null,
    -- Events up to this transaction may have been deleted for their age.
    swept             xid8 not null default '0',
    started_at        timestamptz not null default now()
);
insert into feed_epochs (value, system_identifier)
select substr(md5(gen_random_uuid()::text), 1, 8), system_identifier from pg_control_system();

create table companies (
    id               uuid primary key,
    name             text not null check (name <> ''),
    slug             text not null unique,
    time_zone        text not null default 'America/Sao_Paulo',
    locale           text not null default 'pt-BR',
    agent_visibility text not null default 'department' check (agent_visibility in ('company', 'department', 'own')),
    -- Seconds after closing within which a new message reopens the conversation.
    reopen_window    integer not null default 86400 check (reopen_window >= 0),
    feature_flags    jsonb not null default '{}',
    created_at       timestamptz not null default now()
);

create table users (
    id            uuid primary key,
    email         text not null check (email = lower(email)),
    name          text not null check (name <> ''),
    password_hash text not null,
    phone         text,
    position      text,
    locale        text not null default 'pt-BR',
    time_zone     text not null default 'America/Sao_Paulo',
    created_at    timestamptz not null default now(),
    constraint users_email_key unique (email)
);

create table memberships (
    company_id uuid not null default app.company_id() references companies,
    user_id    uuid not null references users,
    role       text not null check (role in ('admin', 'supervisor', 'agent', 'student')),
    status     text not null default 'active' check (status in ('pending_approval', 'active', 'inactive')),
    -- The client a student is.
    client_id  uuid,
    created_at timestamptz not null default now(),
    primary key (company_id, user_id)
);
create index memberships_user on memberships (user_id);

create table departments (
    id          uuid primary key,
    company_id  uuid not null default app.company_id() references companies,
    name        text not null check (name <> ''),
    description text,
    created_at  timestamptz not null default now(),
    version     integer not null default 1,
    unique (company_id, id)
);
create unique index departments_name_key on departments (company_id, lower(name));

create table department_members (
    company_id    uuid not null default app.company_id(),
    department_id uuid not null,
    user_id       uuid not null,
    primary key (company_id, department_id, user_id),
    foreign key (company_id, department_id) references departments (company_id, id) on delete cascade,
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade
);
create index department_members_user on department_members (company_id, user_id);

create table sessions (
    id           uuid primary key,
    company_id   uuid not null default app.company_id(),
    user_id      uuid not null,
    created_at   timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    -- Never later than 30 days after `created_at`, whatever is refreshed.
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    user_agent   text,
    ip           text,
    foreign key (company_id, user_id) references memberships (company_id, user_id)
);
create index sessions_user on sessions (company_id, user_id) where revoked_at is null;

create table refresh_tokens (
    -- SHA-256 of the token; the token itself is never stored.
    token_hash  bytea primary key,
    company_id  uuid not null default app.company_id(),
    session_id  uuid not null references sessions on delete cascade,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    rotated_at  timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);

create table presence_leases (
    connection_id text primary key,
    company_id    uuid not null default app.company_id(),
    user_id       uuid not null,
    session_id    uuid not null,
    status        text not null default 'online' check (status in ('online', 'away', 'busy', 'break')),
    started_at    timestamptz not null default now(),
    lease_until   timestamptz not null,
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade
);
create index presence_leases_user on presence_leases (company_id, user_id);
create index presence_leases_lapsed on presence_leases (lease_until);

create table events (
    tx         xid8 not null default pg_current_xact_id(),
    id         bigint generated always as identity,
    company_id uuid not null default app.company_id(),
    topic      text not null,
    type       text not null,
    -- Who may read it: any of these audiences; null is all staff.
    audience   text[],
    data       jsonb not null,
    at         timestamptz not null default now(),
    primary key (company_id, tx, id)
);
create index events_age on events using brin (at);

create table jobs (
    id            uuid primary key,
    -- Order of creation, which is the order of execution within a lane.
    number        bigint generated always as identity,
    company_id    uuid not null default app.company_id(),
    kind          text not null,
    -- Which queue, and so which worker.
    queue         text not null,
    lane          text not null,
    -- While a job with the same key waits, another is not added. Gone once the job is taken.
    key           text,
    payload       jsonb not null,
    run_at        timestamptz not null default now(),
    dispatched_at timestamptz,
    dispatches    integer not null default 0,
    leased_until  timestamptz,
    attempts      integer not null default 0,
    finished_at   timestamptz,
    failed        boolean not null default false,
    last_error    text,
    created_at    timestamptz not null default now()
);
-- A lane is one queue's: the same name in another queue is another lane.
create index jobs_lane on jobs (company_id, queue, lane, number) where finished_at is null;
create index jobs_due on jobs (run_at) where finished_at is null;
create unique index jobs_waiting_key on jobs (company_id, kind, key) where key is not null and finished_at is null;
create index jobs_failed on jobs (company_id, created_at desc) where failed;

create table audit_log (
    id          bigint generated always as identity,
    company_id  uuid not null default app.company_id(),
    at          timestamptz not null default now(),
    user_id     uuid,
    action      text not null,
    target      text,
    before      jsonb,
    after       jsonb,
    ip          text,
    user_agent  text,
    request_id  text,
    primary key (company_id, id)
);

-- Who read whose personal data.
create table access_log (
    id         bigint generated always as identity,
    company_id uuid not null default app.company_id(),
    at         timestamptz not null default now(),
    user_id    uuid,
    action     text not null,
    target     text not null,
    ip         text,
    request_id text,
    primary key (company_id, id)
);

create table idempotency_keys (
    company_id   uuid not null default app.company_id(),
    user_id      uuid not null default app.user_id(),
    route        text not null,
    key          text not null,
    request_hash bytea not null,
    status       integer,
    body         jsonb,
    created_at   timestamptz not null default now(),
    primary key (company_id, user_id, route, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- Row-level security of a table whose rows belong to one company each. Staff see their company's rows.
create procedure app.protect(target regclass, staff_rights text default 'select, insert, update, delete') language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
        'create policy company on %s as restrictive using (company_id = (select app.company_id()))', target);
    execute format('create policy staff on %s to app_staff using (true)', target);
    if staff_rights <> '' then
        execute format('grant %s on %s to app_staff', staff_rights, target);
    end if;
end
$$;

-- The restrictive policy `company` holds for everybody, so look-ups before a tenant is known need their own way in.
create procedure app.open_to_lookup(target regclass, rights text) language plpgsql as $$
begin
    execute format('alter policy company on %s to app_staff, app_student', target);
    execute format('create policy lookup on %s to app_lookup using (true)', target);
    execute format('grant %s on %s to app_lookup', rights, target);
end
$$;

call app.protect('memberships', 'select, insert, update');
call app.protect('departments');
call app.protect('department_members');
call app.protect('sessions', 'select, insert, update');
call app.protect('refresh_tokens', 'select, insert, update');
call app.protect('presence_leases');
call app.protect('events', 'select');
call app.protect('jobs', 'select, insert, update');
call app.protect('audit_log', 'select');
call app.protect('access_log', 'select');
call app.protect('idempotency_keys', 'select, insert, update');

call app.open_to_lookup('memberships', 'select, insert');
call app.open_to_lookup('departments', 'select');
call app.open_to_lookup('department_members', 'select');
call app.open_to_lookup('sessions', 'select, insert, update, delete');
call app.open_to_lookup('refresh_tokens', 'select, insert, update, delete');
call app.open_to_lookup('presence_leases', 'select, delete');
call app.open_to_lookup('events', 'select, insert, delete');
call app.open_to_lookup('jobs', 'select, insert, update, delete');
call app.open_to_lookup('audit_log', 'insert');
call app.open_to_lookup('access_log', 'insert');
call app.open_to_lookup('idempotency_keys', 'select, delete');

alter table companies enable row level security;
alter table companies force row level security;
create policy company on companies to app_staff, app_student using (id = (select app.company_id()));
create policy lookup on companies to app_lookup using (true);
grant select on companies to app_staff, app_student;
grant select, insert on companies to app_lookup;

-- Users belong to several companies: one sees whoever is a member of the active company. Password hashes are read only before login.
alter table users enable row level security;
alter table users force row level security;
create policy staff on users to app_staff using (exists (select from memberships where memberships.user_id = users.id));
create policy self on users to app_student using (id = (select app.user_id()));
create policy lookup on users to app_lookup using (true);
grant select (id, email, name, phone, position, locale, time_zone, created_at) on users to app_staff, app_student;
grant select, insert, update on users to app_lookup;

alter table feed_epochs enable row level security;
alter table feed_epochs force row level security;
create policy everybody on feed_epochs using (true);
grant select on feed_epochs to app_staff, app_student, app_lookup;
grant insert, update on feed_epochs to app_lookup;

-- Events: staff read what is for all staff or for one of their audiences; students only what names them.
alter policy staff on events using (
    audience is null
    or ((select app.sees_all()) and audience[1] not like 'self:%')
    or audience && (select app.audiences()));
create policy student on events for select to app_student using (audience && (select app.audiences()));
grant select on events to app_student;

-- A student's own membership and session, and what their writes leave behind.
create policy student on memberships for select to app_student using (user_id = (select app.user_id()));
grant select on memberships to app_student;
create policy student on sessions to app_student using (user_id = (select app.user_id()));
grant select, update on sessions to app_student;
create policy student on presence_leases to app_student using (user_id = (select app.user_id()));
grant select, insert, update, delete on presence_leases to app_student;
create policy student on department_members for select to app_student using (user_id = (select app.user_id()));
grant select on department_members to app_student;
create policy student on refresh_tokens to app_student using (
    exists (select from sessions where sessions.id = refresh_tokens.session_id));
grant select, insert, update on refresh_tokens to app_student;
create policy student on idempotency_keys to app_student using (user_id = (select app.user_id()));
grant select, insert, update on idempotency_keys to app_student;

-- The position in the events feed before which everything is committed and visible.
create function app.feed_head() returns text language sql volatile as
    $$ select value || '.' || pg_snapshot_xmin(pg_current_snapshot())::text || '.0' from feed_epochs order by started_at desc limit 1 $$;

-- Whether this session still stands, and what it may see.
create function app.session_access(company uuid, person uuid, claimed_role text, session uuid)
returns table (sees_all boolean, visibility text, departments uuid[], client uuid) language sql stable security definer set search_path = public as $$
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
       and memberships.role = claimed_role
$$;
alter function app.session_access owner to app_lookup;
grant execute on function app.session_access to app;

-- Opens the tenant for one transaction and answers the feed's head, read before any of its data.
-- Fails with 28000 when the session is revoked or expired, the membership is not active, or the role has changed.
create function app.enter(company uuid, person uuid, claimed_role text, session uuid) returns text language plpgsql as $$
declare
    access record;
    departments uuid[];
    audiences text[];
begin
    select * into access from app.session_access(company, person, claimed_role, session);
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    departments := coalesce(access.departments, '{}');
    if claimed_role = 'student' then
        audiences := array['self:' || person, 'user:' || person, 'client:' || coalesce(access.client::text, 'none')];
    elsif access.visibility = 'own' then
        audiences := array['self:' || person, 'user:' || person, 'waiting:none'] || array(select 'waiting:' || d from unnest(departments) d);
    else
        audiences := array['self:' || person, 'user:' || person, 'department:none'] || array(select 'department:' || d from unnest(departments) d);
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

-- Opens a tenant for the system itself: workers and webhooks that have proved which company they act for.
create function app.enter_system(company uuid) returns text language plpgsql as $$
begin
    perform set_config('app.company_id', company::text, true),
            set_config('app.user_id', '', true),
            set_config('app.session_id', '', true),
            set_config('app.client_id', '', true),
            set_config('app.sees_all', 'true', true),
            set_config('app.visibility', 'company', true),
            set_config('app.department_ids', '{}', true),
            set_config('app.audiences', '{}', true),
            set_config('role', 'app_staff', true);
    return app.feed_head();
end
$$;

-- Login: the person with this e-mail and where they belong. No row when the e-mail is unknown.
create function app.find_login(address text)
returns table (user_id uuid, name text, password_hash text, company_id uuid, company_name text, company_slug text, role text, status text)
language sql stable security definer set search_path = public as $$
    select users.id, users.name, users.password_hash, companies.id, companies.name, companies.slug, memberships.role, memberships.status
      from users
      left join memberships on memberships.user_id = users.id
      left join companies on companies.id = memberships.company_id
     where users.email = lower(address)
     order by memberships.status = 'active' desc, memberships.created_at, companies.id
$$;
alter function app.find_login owner to app_lookup;

-- Starts a session with its first refresh token, for a person who has just proved who they are.
create function app.start_session(session uuid, company uuid, person uuid, refresh_hash bytea, browser text, address text, request text)
returns void language sql security definer set search_path = public as $$
    with started as (
        insert into sessions (id, company_id, user_id, expires_at, user_agent, ip)
        values (session, company, person, now() + interval '30 days', browser, address)
    ), audited as (
        insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
        values (company, person, 'start_session', session::text, address, browser, request)
    )
    insert into refresh_tokens (token_hash, company_id, session_id, expires_at)
    values (refresh_hash, company, session, now() + interval '7 days');
$$;
alter function app.start_session owner to app_lookup;

-- Rotates a refresh token in one step. `outcome`: `rotated`; `raced` (rotated within the last 10 s: the same client racing itself,
-- answered with a further token); `reused` (the whole family is revoked); `invalid` (unknown, expired, revoked or no longer a member).
create function app.rotate_refresh_token(old_hash bytea, new_hash bytea)
returns table (outcome text, session_id uuid, company_id uuid, user_id uuid, role text) language plpgsql security definer set search_path = public as $$
#variable_conflict use_column
declare
    token record;
begin
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
        update sessions set revoked_at = now() where id = token.session_id;
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
alter function app.rotate_refresh_token owner to app_lookup;

-- Sign-up. With a company name: the company and its first admin. With a slug: a member waiting for approval.
-- An unknown slug is told before the e-mail is looked at. An e-mail already known changes nothing (the answer to the caller is the
-- same either way).
create function app.register(person uuid, address text, person_name text, hash text, company uuid, company_name text, company_slug text, existing_slug text,
                             browser text, caller text, request text)
returns text language plpgsql security definer set search_path = public as $$
declare
    joined uuid;
begin
    if existing_slug is not null then
        select id into joined from companies where slug = existing_slug;
        if not found then
            return 'unknown_company';
        end if;
    end if;
    insert into users (id, email, name, password_hash) values (person, lower(address), person_name, hash)
    on conflict on constraint users_email_key do nothing;
    if not found then
        return 'known';
    end if;
    if existing_slug is null then
        insert into companies (id, name, slug) values (company, company_name, company_slug);
        insert into memberships (company_id, user_id, role) values (company, person, 'admin');
        insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
        values (company, person, 'register', company::text, caller, browser, request);
        return 'created';
    end if;
    insert into memberships (company_id, user_id, role, status) values (joined, person, 'agent', 'pending_approval');
    insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
    values (joined, person, 'register', person::text, caller, browser, request);
    return 'waiting';
end
$$;
alter function app.register owner to app_lookup;

-- Companies a signed-in person belongs to, across tenants.
create function app.companies_of_user() returns table (id uuid, name text, slug text, role text)
language sql stable security definer set search_path = public as $$
    select companies.id, companies.name, companies.slug, memberships.role
      from memberships
      join companies on companies.id = memberships.company_id
     where memberships.user_id = app.user_id() and memberships.status = 'active'
     order by companies.name, companies.id
$$;
alter function app.companies_of_user owner to app_lookup;

-- Leases the first unfinished job of the lane of `wanted`, so that a lane is worked in order whatever order the queue delivers in.
-- `state`: `run` (leased: work on it), `finished` (`wanted` is done), `wait` (the head is leased or not due: come back in `wait_seconds`).
create function app.claim_job(wanted uuid, lease interval)
returns table (state text, wait_seconds integer, id uuid, company_id uuid, kind text, lane text, payload jsonb, attempts integer)
language plpgsql security definer set search_path = public as $$
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
        return query select 'wait', greatest(1, ceil(extract(epoch from head.leased_until - now())))::integer,
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
alter function app.claim_job owner to app_lookup;

-- Takes jobs that are due and not on their way: never sent, or sent over a minute ago and neither finished nor leased.
create function app.take_due_jobs(most integer)
returns table (id uuid, queue text, lane text, dispatches integer) language sql security definer set search_path = public as $$
    with due as (
        select jobs.id from jobs
         where finished_at is null
           and run_at <= now()
           and (dispatched_at is null or dispatched_at < now() - interval '1 minute')
           and (leased_until is null or leased_until < now())
         order by number
         limit most
           for update skip locked
    )
    update jobs set dispatched_at = now(), dispatches = jobs.dispatches + 1
      from due where jobs.id = due.id
    returning jobs.id, jobs.queue, jobs.lane, jobs.dispatches
$$;
alter function app.take_due_jobs owner to app_lookup;

-- Seconds the oldest due job has waited; null when none waits.
create function app.oldest_due_job() returns double precision language sql stable security definer set search_path = public as $$
    select extract(epoch from now() - min(run_at))::double precision from jobs where finished_at is null and run_at <= now()
$$;
alter function app.oldest_due_job owner to app_lookup;

-- Leases nobody renewed, for the caller to end one by one.
create function app.lapsed_presence(most integer) returns table (connection_id text, company_id uuid)
language sql stable security definer set search_path = public as $$
    select connection_id, company_id from presence_leases where lease_until < now() order by lease_until limit most
$$;
alter function app.lapsed_presence owner to app_lookup;

-- Whose presence a connection holds: a socket may close after everything else about it was forgotten.
create function app.company_of_connection(connection text) returns uuid
language sql stable security definer set search_path = public as $$
    select company_id from presence_leases where connection_id = connection
$$;
alter function app.company_of_connection owner to app_lookup;

-- Deletes what has outlived its use, a bounded number of rows of each kind. Answers how many rows went.
create function app.sweep_foundation(most integer) returns bigint language plpgsql security definer set search_path = public as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from idempotency_keys where ctid in (select ctid from idempotency_keys where created_at < now() - interval '24 hours' limit most);
    get diagnostics step = row_count; gone := gone + step;
    with old as (
        delete from events where ctid in (select ctid from events where at < now() - interval '7 days' order by at limit most) returning tx
    ), latest as (
        select max(tx::text::numeric)::text::xid8 as tx from old
    )
    update feed_epochs set swept = latest.tx from latest where latest.tx is not null and latest.tx > swept;
    get diagnostics step = row_count; gone := gone + step;
    delete from refresh_tokens where ctid in (select ctid from refresh_tokens where expires_at < now() - interval '1 day' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from sessions where ctid in (
        select ctid from sessions where coalesce(revoked_at, expires_at) < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from jobs where ctid in (
        select ctid from jobs where finished_at < now() - interval '7 days' and not failed limit most);
    get diagnostics step = row_count; gone := gone + step;
    -- A database restored into another cluster counts transactions anew: cursors handed out before mean nothing in it.
    insert into feed_epochs (value, system_identifier)
    select substr(md5(gen_random_uuid()::text), 1, 8), control.system_identifier
      from pg_control_system() control
     where control.system_identifier <> (select system_identifier from feed_epochs order by started_at desc limit 1);
    return gone;
end
$$;
alter function app.sweep_foundation owner to app_lookup;

-- What a transaction leaves behind besides its own rows, written at once just before it commits.
-- Answers the transaction id and the event ids, in the order given.
create function app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb)
returns table (tx text, ids bigint[]) language plpgsql security definer set search_path = public as $$
begin
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
alter function app.record owner to app_lookup;

grant execute on all functions in schema app to app;
grant execute on function app.company_id, app.user_id, app.session_id, app.client_id, app.sees_all, app.visibility,
    app.department_ids, app.audiences, app.feed_head to app_staff, app_student, app_lookup;
grant execute on function app.companies_of_user, app.record to app_staff, app_student;
