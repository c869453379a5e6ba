-- Departments change and go. One that is gone keeps its row, so that what was there keeps its name; its open conversations, and what is
-- still sent to it, go to the one named in its place.

alter table departments
    add column deleted_at timestamptz,
    add column moved_to_id uuid,
    add foreign key (company_id, moved_to_id) references departments (company_id, id),
    add check (moved_to_id <> id),
    add check (moved_to_id is null or deleted_at is not null);

-- As before, whatever the accents. Of those that were apart by these alone, the later ones are told apart by a part of their ids.
drop index departments_name_key;
create or replace function app.look(name text) returns text language sql immutable strict parallel safe as
    $$ select app.fold(regexp_replace(normalize(name, nfkc), '\s+', ' ', 'g')) $$;
alter table departments no force row level security;
update departments
   set name = left(name, 70) || ' ' || left(id::text, 8), version = version + 1
 where exists (
           select from departments earlier
            where earlier.company_id = departments.company_id and app.look(earlier.name) = app.look(departments.name)
              and (earlier.created_at, earlier.id) < (departments.created_at, departments.id));
alter table departments force row level security;
create unique index departments_name_key on departments (company_id, app.look(name)) where deleted_at is null;
create index departments_moved_to on departments (company_id, moved_to_id) where moved_to_id is not null;
create index channel_accounts_department on channel_accounts (company_id, department_id);
create index conversations_department_open on conversations (company_id, department_id, id) where ended_at is null;

grant update (name, description, version, deleted_at, moved_to_id) on departments to app_staff;
grant delete on department_members to app_staff;
grant select, update (version, moved_to_id) on departments to app_lookup;
grant delete on department_members to app_lookup;
grant update (department_id, version) on channel_accounts to app_lookup;

insert into event_rules (type, told_by) values
    ('department.deleted', 'supervisor'),
    ('department.updated', 'supervisor');

-- A department for what is sent to this one. Whoever is deleting it is waited for, and waits.
create function app.live_department(company uuid, department uuid) returns uuid
language plpgsql as $$
declare
    place uuid := department;
    found_one public.departments;
begin
    loop
        select * into found_one from public.departments where company_id = company and id = place for key share;
        -- The one in its place may have gone at the same moment.
        if found_one.deleted_at is null or found_one.moved_to_id is null then
            return case when found_one.deleted_at is null then place end;
        end if;
        place := found_one.moved_to_id;
    end loop;
end
$$;
grant execute on function app.live_department to app_lookup;

create function app.send_to_live_department() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    new.department_id := app.live_department(new.company_id, new.department_id);
    return new;
end
$$;
alter function app.send_to_live_department owner to app_lookup;
create trigger conversations_department before update on conversations
    for each row when (new.department_id is not null and (old.department_id is distinct from new.department_id
                                                          or old.ended_at is not null and new.ended_at is null))
    execute function app.send_to_live_department();
create trigger conversations_department_from_the_start before insert on conversations
    for each row when (new.department_id is not null) execute function app.send_to_live_department();
create trigger channel_accounts_department before update on channel_accounts
    for each row when (new.department_id is not null and old.department_id is distinct from new.department_id)
    execute function app.send_to_live_department();
create trigger channel_accounts_department_from_the_start before insert on channel_accounts
    for each row when (new.department_id is not null) execute function app.send_to_live_department();

-- Who has left is given nothing back: what is reopened waits again. Who is leaving at this moment holds their membership, and is not waited for.
create function app.return_to_active_assignee() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from memberships
      where company_id = new.company_id and user_id = new.assignee_id and status = 'active' and role <> 'student'
        for share skip locked;
    if not found then
        new.assignee_id := null;
    end if;
    return new;
end
$$;
alter function app.return_to_active_assignee owner to app_lookup;
-- Before the triggers that look at who has it: they go by name.
create trigger conversations_back before update on conversations
    for each row when (old.ended_at is not null and new.ended_at is null and new.assignee_id is not null)
    execute function app.return_to_active_assignee();

-- Nobody becomes a member of a department that is gone.
create function app.join_live_department() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    return case when app.live_department(new.company_id, new.department_id) = new.department_id then new end;
end
$$;
alter function app.join_live_department owner to app_lookup;
create trigger department_members_live before insert on department_members
    for each row execute function app.join_live_department();

-- What else names a department goes with it.
create function app.leave_department() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from department_members where company_id = new.company_id and department_id = new.id;
    update channel_accounts set department_id = new.moved_to_id, version = version + 1
     where company_id = new.company_id and department_id = new.id;
    update departments set moved_to_id = new.moved_to_id where company_id = new.company_id and moved_to_id = new.id;
    return null;
end
$$;
alter function app.leave_department owner to app_lookup;
create trigger departments_deleted after update on departments
    for each row when (old.deleted_at is null and new.deleted_at is not null) execute function app.leave_department();
