-- Texts that staff answer with again and again. A student, a client and a visitor never read them: their role has no right here.

create table quick_replies (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    -- A person's own, a department's, or, with neither, the company's.
    owner_id      uuid references users,
    department_id uuid,
    shortcut      text not null check (shortcut ~ '^[a-z0-9_-]{1,32}$'),
    title         text not null check (char_length(title) between 1 and 80),
    text          text not null check (char_length(text) between 1 and 4096),
    usage_count   integer not null default 0,
    last_used_at  timestamptz,
    version       integer not null default 1,
    created_by_id uuid not null default app.user_id() references users,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    unique (company_id, id),
    constraint quick_replies_shortcut_key unique nulls not distinct (company_id, owner_id, department_id, shortcut),
    foreign key (company_id, department_id) references departments (company_id, id),
    check (num_nonnulls(owner_id, department_id) <= 1)
);

-- A message that began as one of them; it counts once, however often it is sent.
create table quick_reply_uses (
    message_id     uuid primary key,
    company_id     uuid not null default app.company_id() references companies,
    quick_reply_id uuid not null,
    foreign key (company_id, message_id) references messages (company_id, id) on delete cascade,
    foreign key (company_id, quick_reply_id) references quick_replies (company_id, id) on delete cascade
);
create index quick_reply_uses_reply on quick_reply_uses (company_id, quick_reply_id);

call app.protect('quick_replies');
call app.protect('quick_reply_uses', '');
create policy sight on quick_replies as restrictive for select to app_staff using (
    owner_id = (select app.user_id())
    or owner_id is null
       and (department_id is null
            or department_id = any ((select app.department_ids())::uuid[])
            or (select app.has_role('supervisor', 'admin'))));
-- One's own are one's own to write, what others use too is a supervisor's.
create policy own_or_shared on quick_replies as restrictive for insert to app_staff
    with check (owner_id = (select app.user_id()) or owner_id is null and (select app.has_role('supervisor', 'admin')));
create policy changes on quick_replies as restrictive for update to app_staff
    using (true)
    with check (owner_id = (select app.user_id()) or owner_id is null and (select app.has_role('supervisor', 'admin')));
create policy deletes on quick_replies as restrictive for delete to app_staff
    using (owner_id = (select app.user_id()) or owner_id is null and (select app.has_role('supervisor', 'admin')));
create policy own_messages on quick_reply_uses as restrictive for insert to app_staff with check (
    exists (select from messages where messages.id = message_id and messages.sender_id = (select app.user_id()))
    and exists (select from quick_replies where quick_replies.id = quick_reply_id));
grant insert (id, owner_id, department_id, shortcut, title, text), update (shortcut, title, text, version, updated_at), delete
   on quick_replies to app_staff;
grant insert (message_id, quick_reply_id) on quick_reply_uses to app_staff;
revoke insert, update, delete on quick_replies, quick_reply_uses from app_system;

create function app.count_quick_reply() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update quick_replies
       set usage_count = usage_count + 1, last_used_at = now()
     where company_id = new.company_id and id = new.quick_reply_id;
    return null;
end
$$;
-- At most 200 of a person, a department or a company. Two at once are counted one after the other.
create function app.hold_quick_replies() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(
        format('quick_replies %s %s', new.company_id, coalesce(new.owner_id, new.department_id)), 0));
    if (select count(*) from quick_replies
         where company_id = new.company_id and owner_id is not distinct from new.owner_id
           and department_id is not distinct from new.department_id) >= 200 then
        raise check_violation using message = 'there are 200 quick replies already', constraint = 'quick_replies_most';
    end if;
    return new;
end
$$;
-- A department's go with what it had to the one that it went to, where no other has the shortcut there; the rest supervisors find with it.
create function app.move_quick_replies() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update quick_replies moved
       set department_id = new.moved_to_id, version = version + 1, updated_at = now()
     where moved.company_id = new.company_id and moved.department_id = new.id
       and not exists (
           select from quick_replies other
            where other.company_id = moved.company_id and other.owner_id is null and other.department_id = new.moved_to_id
              and other.shortcut = moved.shortcut);
    return null;
end
$$;
create policy lookup on quick_replies to app_lookup using (true);
grant select, update (usage_count, last_used_at, department_id, version, updated_at) on quick_replies to app_lookup;
alter function app.count_quick_reply owner to app_lookup;
alter function app.hold_quick_replies owner to app_lookup;
alter function app.move_quick_replies owner to app_lookup;
create trigger quick_reply_used after insert on quick_reply_uses for each row execute function app.count_quick_reply();
create trigger quick_replies_most before insert on quick_replies for each row execute function app.hold_quick_replies();
create trigger departments_quick_replies after update of deleted_at on departments
    for each row when (new.deleted_at is not null and old.deleted_at is null and new.moved_to_id is not null)
    execute function app.move_quick_replies();

insert into event_rules (type, told_by) values
    ('quick_reply.created', 'agent'),
    ('quick_reply.deleted', 'agent'),
    ('quick_reply.updated', 'agent');

-- Filters of the inbox that people keep.

create table views (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    -- A person's own, or, without one, everybody's.
    owner_id      uuid references users,
    name          text not null check (char_length(name) between 1 and 60),
    filters       jsonb not null check (jsonb_typeof(filters) = 'object'),
    position      integer not null default 0,
    version       integer not null default 1,
    created_by_id uuid not null default app.user_id() references users,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    unique (company_id, id)
);
create unique index views_name_key on views (company_id, owner_id, app.look(name)) nulls not distinct;

call app.protect('views');
create policy sight on views as restrictive for select to app_staff using (owner_id is null or owner_id = (select app.user_id()));
create policy own_or_shared on views as restrictive for insert to app_staff
    with check (owner_id = (select app.user_id()) or owner_id is null and (select app.has_role('supervisor', 'admin')));
create policy changes on views as restrictive for update to app_staff
    using (true)
    with check (owner_id = (select app.user_id()) or owner_id is null and (select app.has_role('supervisor', 'admin')));
create policy deletes on views as restrictive for delete to app_staff
    using (owner_id = (select app.user_id()) or owner_id is null and (select app.has_role('supervisor', 'admin')));
grant insert (id, owner_id, name, filters), update (name, filters, position, version, updated_at), delete on views to app_staff;
revoke insert, update, delete on views from app_system;

-- At most 50 of a person and 50 that all have, a new one behind the others. Two at once come one after the other.
create function app.hold_views() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    others integer;
begin
    perform pg_advisory_xact_lock(hashtextextended(format('views %s %s', new.company_id, new.owner_id), 0));
    select count(*), coalesce(max(position), 0) + 1 into others, new.position
      from views where company_id = new.company_id and owner_id is not distinct from new.owner_id;
    if others >= 50 then
        raise check_violation using message = 'there are 50 views already', constraint = 'views_most';
    end if;
    return new;
end
$$;
-- What asks for a department that went to another asks for that one.
create function app.move_views() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update views
       set filters = jsonb_set(filters, '{department}', (
               select jsonb_agg(distinct case when department = new.id::text then new.moved_to_id::text else department end)
                 from jsonb_array_elements_text(filters -> 'department') department)),
           version = version + 1, updated_at = now()
     where company_id = new.company_id and filters -> 'department' ? new.id::text;
    return null;
end
$$;
create policy lookup on views to app_lookup using (true);
grant select, update (filters, version, updated_at) on views to app_lookup;
alter function app.hold_views owner to app_lookup;
alter function app.move_views owner to app_lookup;
create trigger views_most before insert on views for each row execute function app.hold_views();
create trigger departments_views after update of deleted_at on departments
    for each row when (new.deleted_at is not null and old.deleted_at is null and new.moved_to_id is not null)
    execute function app.move_views();

insert into event_rules (type, told_by) values
    ('view.created', 'agent'),
    ('view.deleted', 'agent'),
    ('view.updated', 'agent'),
    ('views.ordered', 'agent');
