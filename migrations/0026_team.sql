-- Members of a company: what each company knows of its own, how they come, change and leave, and by which invites.

-- What a company knows of a person is its own: nobody sees it from another one.
alter table memberships
    drop constraint memberships_status_check,
    -- `inactive` may come back as they were; `removed` are only there for what they have left behind.
    add constraint memberships_status_check check (status in ('pending_approval', 'active', 'inactive', 'removed')),
    add column phone text,
    add column position text,
    -- What kind of closer, in the company's own words.
    add column closer_type text,
    add column avatar_file_id uuid,
    add column last_login_at timestamptz,
    add column version integer not null default 1,
    add foreign key (company_id, avatar_file_id) references files (company_id, id);
alter table memberships no force row level security;
alter table users no force row level security;
update memberships
   set phone = users.phone, position = users.position
  from users
 where users.id = memberships.user_id and (users.phone is not null or users.position is not null);
alter table memberships force row level security;
alter table users force row level security;
create index memberships_avatar on memberships (company_id, avatar_file_id) where avatar_file_id is not null;
create index memberships_admins on memberships (company_id) where role = 'admin' and status = 'active';
create index clients_email on clients (company_id, lower(email)) where email is not null;

-- Whoever is in the company sees what its members look like.
create policy avatars on files for select to app_staff using (exists (
    select from memberships
     where memberships.company_id = files.company_id and memberships.avatar_file_id = files.id));

-- What shows a person shows where they work and whether they are online; of a student there is nothing of it to see.
grant select (id, company_id, name) on departments to app_student;

-- An invite: by mail, for one address, one company and one role, used once.
create table invites (
    id             uuid primary key,
    company_id     uuid not null default app.company_id() references companies,
    email          text not null check (email = lower(email)),
    name           text,
    role           text not null check (role in ('admin', 'supervisor', 'agent', 'student')),
    department_ids uuid[] not null default '{}',
    invited_by     uuid not null default app.user_id(),
    created_at     timestamptz not null default now(),
    sent_at        timestamptz not null default now(),
    expires_at     timestamptz not null default now() + interval '7 days',
    revoked_at     timestamptz,
    used_at        timestamptz,
    -- Who came.
    user_id        uuid,
    unique (company_id, id),
    foreign key (company_id, invited_by) references memberships (company_id, user_id),
    foreign key (company_id, user_id) references memberships (company_id, user_id)
);
create unique index invites_open on invites (company_id, email) where used_at is null and revoked_at is null;
create index invites_recent on invites (company_id, created_at desc, id desc);
call app.protect('invites');
call app.open_to_lookup('invites', 'select, update');
-- Supervisors bring in whom they lead; what admins do is the admins'.
alter policy staff on invites using ((select app.has_role('admin')) or ((select app.has_role('supervisor')) and role in ('agent', 'student')));
grant insert (id, email, name, role, department_ids), update (sent_at, expires_at, revoked_at) on invites to app_staff;

insert into event_rules (type, told_by) values
    ('invite.updated', 'supervisor'),
    ('membership.ended', 'supervisor'),
    ('user.updated', 'agent');

grant update on memberships, companies to app_lookup;
grant insert, delete on department_members to app_lookup;
grant select on departments to app_lookup;
grant delete on presence_leases to app_lookup;
grant update (name, locale, time_zone) on users to app_lookup;
grant insert on clients, client_identities to app_lookup;

-- One change of a company's members at a time: until this transaction ends, nobody else comes, leaves or becomes something else there.
create function app.hold_members(company uuid) returns void language plpgsql as $$
begin
    perform from public.companies where id = company for no key update;
end
$$;

-- The caller's role as it is now, whatever it was when they came in.
create function app.present_role() returns text language plpgsql as $$
declare
    present text;
begin
    select role into present
      from public.memberships
     where company_id = app.company_id() and user_id = app.user_id() and status = 'active';
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    return present;
end
$$;

-- Whether somebody of one role decides about people of another.
create function app.leads(leader text, led text) returns boolean language sql immutable as
    $$ select leader = 'admin' or leader = 'supervisor' and led in ('agent', 'student') $$;

-- A company keeps an admin, whoever changes its members and however many do at once.
create function app.keep_an_admin() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.hold_members(old.company_id);
    perform from public.memberships
      where company_id = old.company_id and user_id <> old.user_id and role = 'admin' and status = 'active';
    if not found then
        raise check_violation using message = 'a company keeps an admin', constraint = 'memberships_last_admin';
    end if;
    return null;
end
$$;
alter function app.keep_an_admin owner to app_lookup;
create trigger memberships_last_admin after update of role, status on memberships
    for each row when (old.role = 'admin' and old.status = 'active' and (new.role <> 'admin' or new.status <> 'active'))
    execute function app.keep_an_admin();
create trigger memberships_last_admin_gone after delete on memberships
    for each row when (old.role = 'admin' and old.status = 'active') execute function app.keep_an_admin();

-- Nobody is given a conversation who is leaving: whoever gives it looks again.
create function app.hold_assignee() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from memberships
      where company_id = new.company_id and user_id = new.assignee_id and status = 'active' and role <> 'student'
        for share;
    if not found then
        raise serialization_failure using message = 'a conversation is given to somebody who is not there any more';
    end if;
    return null;
end
$$;
alter function app.hold_assignee owner to app_lookup;
create trigger conversations_assignee after update on conversations
    for each row when (new.assignee_id is not null and old.assignee_id is distinct from new.assignee_id)
    execute function app.hold_assignee();
create trigger conversations_assignee_from_the_start after insert on conversations
    for each row when (new.assignee_id is not null) execute function app.hold_assignee();

-- Nobody signs in where they have just left; a company knows when its members last signed in.
create function app.note_login() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update memberships set last_login_at = new.created_at
     where company_id = new.company_id and user_id = new.user_id and status = 'active';
    if not found then
        raise serialization_failure using message = 'a session is begun where nobody is a member any more';
    end if;
    return null;
end
$$;
alter function app.note_login owner to app_lookup;
create trigger sessions_login after insert on sessions for each row execute function app.note_login();

-- Ends what a person has open in a company, and answers their sessions there. Logins are held first, in one order: whoever extends one of
-- them meanwhile waits, or is waited for.
create function app.hold_logins(company uuid, person uuid) returns void language plpgsql as $$
begin
    perform app.hold_family(family_id)
       from (select distinct family_id from public.sessions
              where company_id = company and user_id = person and revoked_at is null
              order by family_id) families;
end
$$;
create function app.end_sessions_in(company uuid, person uuid) returns uuid[] language plpgsql as $$
declare
    ended uuid[];
begin
    with sessions_ended as (
        update public.sessions set revoked_at = now()
         where company_id = company and user_id = person and revoked_at is null
        returning id
    )
    select coalesce(array_agg(id), '{}') into ended from sessions_ended;
    delete from public.presence_leases where company_id = company and user_id = person;
    return ended;
end
$$;

-- A member leaves: `inactive`, to come back as they were, or `removed`. Their sessions, leases and invites end with it. What they hold is
-- given back by the caller's next statement. `outcome`: `done`, `unchanged`, `not_found`, `forbidden`, `last_admin`.
create function app.end_membership(person uuid, becomes text) returns table (outcome text, session_ids uuid[], was_online boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    present text;
    member record;
begin
    session_ids := '{}';
    was_online := false;
    perform app.hold_members(company);
    present := app.present_role();
    select role, status into member from memberships where company_id = company and user_id = person;
    outcome := case when not found or member.status = 'removed' then 'not_found'
                    when not app.leads(present, member.role) then 'forbidden'
                    when member.status = becomes then 'unchanged'
                    when member.role = 'admin' and member.status = 'active' and not exists (
                        select from memberships
                         where company_id = company and user_id <> person and role = 'admin' and status = 'active') then 'last_admin'
                    else 'done'
               end;
    if outcome = 'done' then
        perform app.hold_logins(company, person);
        was_online := exists (select from presence_leases where company_id = company and user_id = person and lease_until > now());
        update memberships set status = becomes, is_primary = false, version = version + 1 where company_id = company and user_id = person;
        session_ids := app.end_sessions_in(company, person);
        if becomes = 'removed' then
            delete from department_members where company_id = company and user_id = person;
        end if;
        update invites set revoked_at = now()
         where company_id = company and email = (select users.email from users where users.id = person)
           and used_at is null and revoked_at is null;
    end if;
    return next;
end
$$;
alter function app.end_membership owner to app_lookup;

-- Lets in who waits for it (`pending_approval`), with a role, or who was deactivated (`inactive`). Sessions of before do not come back.
create function app.admit_member(person uuid, waits_as text, with_role text) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    present text;
    member record;
begin
    perform app.hold_members(company);
    present := app.present_role();
    select role, status into member from memberships where company_id = company and user_id = person;
    if not found or member.status not in ('active', waits_as) then
        return 'not_found';
    elsif not app.leads(present, member.role) or not app.leads(present, coalesce(with_role, member.role)) then
        return 'forbidden';
    elsif member.status = 'active' then
        return 'unchanged';
    end if;
    perform app.hold_logins(company, person);
    update memberships set status = 'active', role = coalesce(with_role, role), version = version + 1
     where company_id = company and user_id = person;
    perform app.end_sessions_in(company, person);
    return 'done';
end
$$;
alter function app.admit_member owner to app_lookup;

-- Another role for a member of the staff. Tokens name the role, so those of before open nothing from now on; their logins go on and are
-- answered tokens of the new one. `outcome` as in `app.end_membership`; `student` for one who is no staff.
create function app.change_role(person uuid, becomes text) returns table (outcome text, session_ids uuid[])
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    present text;
    member record;
begin
    perform app.hold_members(company);
    present := app.present_role();
    select role, status into member from memberships where company_id = company and user_id = person;
    outcome := case when not found or member.status = 'removed' then 'not_found'
                    when not app.leads(present, member.role) or not app.leads(present, becomes) then 'forbidden'
                    when member.role = 'student' or becomes = 'student' then 'student'
                    when member.role = becomes then 'unchanged'
                    when member.role = 'admin' and member.status = 'active' and not exists (
                        select from memberships
                         where company_id = company and user_id <> person and role = 'admin' and status = 'active') then 'last_admin'
                    else 'done'
               end;
    if outcome = 'done' then
        update memberships set role = becomes, version = version + 1 where company_id = company and user_id = person;
    end if;
    session_ids := array(select id from sessions where company_id = company and user_id = person and revoked_at is null and expires_at > now());
    return next;
end
$$;
alter function app.change_role owner to app_lookup;

-- Writes what is given of a member's own words about themselves, or of those that lead them. A person has one name wherever they belong, so
-- only they change it once they belong elsewhere too. `outcome`: `done`, `unchanged`, `stale`, `not_found`, `forbidden`, `name_is_theirs`,
-- `bad_avatar`.
create function app.save_member(person uuid, given jsonb, seen integer) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    is_own boolean := person = app.user_id();
    present text := app.present_role();
    member memberships;
    named users;
    avatar uuid := (given ->> 'avatar_file_id')::uuid;
begin
    select * into member from memberships where company_id = company and user_id = person for no key update;
    if not found or member.status = 'removed' then
        return 'not_found';
    elsif not is_own and not app.leads(present, member.role)
          or given ? 'closer_type' and present not in ('admin', 'supervisor')
          or (given ? 'locale' or given ? 'time_zone') and not is_own then
        return 'forbidden';
    elsif seen is not null and seen <> member.version then
        return 'stale';
    end if;
    select * into named from users where id = person for no key update;
    if given ->> 'name' <> named.name and not is_own and exists (
        select from memberships where user_id = person and company_id <> company and status <> 'removed') then
        return 'name_is_theirs';
    elsif avatar is not null and avatar is distinct from member.avatar_file_id and not exists (
        select from files
         where company_id = company and id = avatar and uploaded_by = app.user_id() and status = 'ready' and mime_type like 'image/%') then
        return 'bad_avatar';
    end if;
    update users
       set name = coalesce(given ->> 'name', name), locale = coalesce(given ->> 'locale', locale),
           time_zone = coalesce(given ->> 'time_zone', time_zone)
     where id = person
       and (name, locale, time_zone)
           is distinct from (coalesce(given ->> 'name', name), coalesce(given ->> 'locale', locale), coalesce(given ->> 'time_zone', time_zone));
    if not found and (member.phone, member.position, member.closer_type, member.avatar_file_id) is not distinct from (
           case when given ? 'phone' then given ->> 'phone' else member.phone end,
           case when given ? 'position' then given ->> 'position' else member.position end,
           case when given ? 'closer_type' then given ->> 'closer_type' else member.closer_type end,
           case when given ? 'avatar_file_id' then avatar else member.avatar_file_id end) then
        return 'unchanged';
    end if;
    update memberships
       set phone = case when given ? 'phone' then given ->> 'phone' else phone end,
           position = case when given ? 'position' then given ->> 'position' else position end,
           closer_type = case when given ? 'closer_type' then given ->> 'closer_type' else closer_type end,
           avatar_file_id = case when given ? 'avatar_file_id' then avatar else avatar_file_id end,
           version = version + 1
     where company_id = company and user_id = person;
    return 'done';
end
$$;
alter function app.save_member owner to app_lookup;

-- Which of their companies the caller enters without naming one. `false` when they are no active member there. Of two choices at once the later
-- one holds, and nobody leaves meanwhile.
create function app.choose_primary(company uuid) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from users where id = app.user_id() for no key update;
    perform from memberships where company_id = company and user_id = app.user_id() and status = 'active' for no key update;
    if not found then
        return false;
    end if;
    update memberships set is_primary = false where user_id = app.user_id() and is_primary and company_id <> company;
    update memberships set is_primary = true where user_id = app.user_id() and company_id = company and not is_primary;
    return true;
end
$$;
alter function app.choose_primary owner to app_lookup;

-- Makes a person a member, or one again; a student is a client too, the one with their address where nobody else signs in as that.
create function app.add_member(company uuid, person uuid, new_role text, in_departments uuid[]) returns void language plpgsql as $$
declare
    client uuid;
begin
    select client_id into client from public.memberships where company_id = company and user_id = person;
    if new_role = 'student' and client is null then
        select clients.id into client
          from public.clients
          join public.users on users.id = person and lower(clients.email) = users.email
         where clients.company_id = company
           and clients.merged_into_id is null
           and not exists (select from public.memberships where memberships.company_id = company and memberships.client_id = clients.id)
         order by clients.created_at, clients.id
         limit 1;
        if not found then
            client := gen_random_uuid();
            insert into public.clients (id, company_id, name, email)
            select client, company, users.name, users.email from public.users where users.id = person;
        end if;
        insert into public.client_identities (company_id, client_id, kind, value, address)
        values (company, client, 'student', person::text, person::text)
        on conflict (company_id, kind, value) do nothing;
    end if;
    insert into public.memberships (company_id, user_id, role, client_id) values (company, person, new_role, client)
    on conflict (company_id, user_id) do update
       set role = excluded.role, status = 'active', client_id = coalesce(memberships.client_id, excluded.client_id),
           version = memberships.version + 1;
    insert into public.department_members (company_id, department_id, user_id)
    select company, id, person from public.departments where company_id = company and id = any (in_departments) and new_role <> 'student'
    on conflict do nothing;
end
$$;

-- A new person with a password, a member from the start. `outcome`: `done`, `forbidden`, `member` (they are one, or wait to be, or were),
-- `known` (they have an account, with a password of their own: they are to be invited).
create function app.create_user(person uuid, address text, person_name text, hash text, new_role text, in_departments uuid[]) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    present text;
begin
    perform app.hold_members(company);
    present := app.present_role();
    if not app.leads(present, new_role) then
        return 'forbidden';
    end if;
    insert into users (id, email, name, password_hash, locale, time_zone)
    select person, lower(address), person_name, hash, companies.locale, companies.time_zone from companies where id = company
    on conflict on constraint users_email_key do nothing;
    if not found then
        return case when exists (
                        select from memberships join users on users.id = memberships.user_id
                         where memberships.company_id = company and users.email = lower(address) and status <> 'removed') then 'member'
                    else 'known' end;
    end if;
    perform app.add_member(company, person, new_role, in_departments);
    update invites set revoked_at = now() where company_id = company and email = lower(address) and used_at is null and revoked_at is null;
    return 'done';
end
$$;
alter function app.create_user owner to app_lookup;

-- An invite for who holds its link. `state`: `open`, `used`, `revoked`, `expired`.
create function app.find_invite(invite uuid)
returns table (company_id uuid, company_name text, email text, name text, role text, expires_at timestamptz, state text, inviter_name text,
               person uuid, password_hash text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select companies.id, companies.name, invites.email, invites.name, invites.role, invites.expires_at,
           case when invites.used_at is not null then 'used'
                when invites.revoked_at is not null then 'revoked'
                when invites.expires_at <= now() then 'expired'
                else 'open' end,
           inviters.name, users.id, users.password_hash
      from invites
      join companies on companies.id = invites.company_id
      join users inviters on inviters.id = invites.invited_by
      left join users on users.email = invites.email
     where invites.id = invite;
end
$$;
alter function app.find_invite owner to app_lookup;

-- Somebody comes by an invite: who has an account as themselves (no `hash`), anybody else with a name and a password of their own. Of many
-- who come with one link one does. `outcome`: `done`, `gone`, `member`, `changed` (they have got an account, or another password, meanwhile).
create function app.use_invite(invite uuid, new_person uuid, person_name text, hash text, proved_hash text)
returns table (outcome text, company uuid, person uuid)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    open invites;
    known users;
    member_status text;
begin
    select invites.company_id into company from invites where id = invite;
    if not found then
        outcome := 'gone';
        return next;
        return;
    end if;
    perform app.hold_members(company);
    select * into open from invites
     where id = invite and used_at is null and revoked_at is null and expires_at > now()
       for update;
    if not found then
        outcome := 'gone';
        return next;
        return;
    end if;
    if hash is not null then
        insert into users (id, email, name, password_hash, locale, time_zone)
        select new_person, open.email, person_name, hash, companies.locale, companies.time_zone from companies where id = company
        on conflict on constraint users_email_key do nothing;
        person := new_person;
        outcome := case when found then 'done' else 'changed' end;
    else
        select * into known from users where email = open.email;
        person := known.id;
        select status into member_status from memberships where memberships.company_id = company and user_id = person;
        outcome := case when known.password_hash is distinct from proved_hash then 'changed'
                        when member_status = 'active' then 'member'
                        when member_status = 'inactive' then 'gone'
                        else 'done' end;
    end if;
    if outcome = 'done' then
        perform app.hold_logins(company, person);
        perform app.add_member(company, person, open.role, open.department_ids);
        perform app.end_sessions_in(company, person);
        update invites set used_at = now(), user_id = person where id = invite;
    end if;
    return next;
end
$$;
alter function app.use_invite owner to app_lookup;

-- The same, and enters the company as its system, for what is left behind.
create function app.accept_invite(invite uuid, new_person uuid, person_name text, hash text, proved_hash text)
returns table (company_id uuid, feed_cursor text, outcome text, user_id uuid) language plpgsql as $$
begin
    select used.company, used.outcome, used.person into company_id, outcome, user_id
      from app.use_invite(invite, new_person, person_name, hash, proved_hash) used;
    if company_id is not null then
        feed_cursor := app.enter_system(company_id);
        return next;
    end if;
end
$$;

grant execute on function app.hold_members, app.present_role, app.leads, app.hold_logins, app.end_sessions_in, app.add_member, app.hold_family
    to app_lookup;
grant execute on function app.end_membership, app.admit_member, app.change_role, app.create_user to app_staff;
grant execute on function app.save_member, app.choose_primary to app_staff, app_student;
grant execute on function app.find_invite, app.use_invite, app.accept_invite to app;

-- Who asks to be let in is told to the company's admins: the event at once, the mail within a minute, at most one an hour. What is asked with
-- an address that is known already costs the same but for these rows.
create function app.announce_member(company uuid, person uuid) returns void language plpgsql as $$
begin
    insert into public.events (company_id, topic, type, audience, data)
    select company, 'company:' || company, 'user.awaiting_approval', array['self:admins'],
           jsonb_build_object('user_id', users.id, 'name', users.name, 'email', users.email)
      from public.users where users.id = person;
    with admins as (
        select gen_random_uuid() as mail_id, users.email, users.name, users.locale
          from public.memberships
          join public.users on users.id = memberships.user_id
         where memberships.company_id = company and memberships.role = 'admin' and memberships.status = 'active'
           and not exists (
               select from public.mails
                where mails.company_id = company and mails.template = 'approval_asked' and mails.to_address = users.email
                  and mails.created_at > now() - interval '1 hour')
    ), queued as (
        insert into public.mails (id, company_id, template, to_address, to_name, locale, data)
        select mail_id, company, 'approval_asked', admins.email, admins.name, admins.locale,
               jsonb_build_object('person', asking.name, 'email', asking.email)
          from admins
         cross join (select name, email from public.users where users.id = person) asking
    )
    insert into public.jobs (id, company_id, kind, queue, lane, payload)
    select gen_random_uuid(), company, 'send_email', 'mail', mail_id::text, jsonb_build_object('mail_id', mail_id)
      from admins;
end
$$;
grant execute on function app.announce_member to app_lookup;

-- As before, and admins are told of who waits.
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
    if not is_founder then
        perform app.announce_member(joined, person);
    end if;
    return case when is_founder then 'created' else 'waiting' end;
end
$$;
