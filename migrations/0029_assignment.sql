-- Conversations that wait in a department are given to its agents by themselves, where the department wants it.

alter table departments
    add column assignment text not null default 'manual' check (assignment in ('manual', 'round_robin', 'least_busy')),
    -- How many open conversations one of its agents may hold, wherever they are, and still be given another.
    add column capacity integer not null default 5 check (capacity between 1 and 200);
alter table department_members
    -- In place of the department's.
    add column capacity integer check (capacity between 0 and 200),
    add column last_assigned_at timestamptz;

-- In the order in which conversations are given; what an agent holds now.
create index conversations_waiting on conversations
    (company_id, department_id, (array_position(array['urgent', 'high', 'normal', 'low'], priority)), pending_since, id)
    where status = 'pending';
create index conversations_held on conversations (company_id, assignee_id) where status = 'active';

grant insert (assignment, capacity), update (assignment, capacity) on departments to app_staff;
grant insert (capacity), update (capacity) on department_members to app_staff;
grant update (last_assigned_at) on department_members to app_system;

-- Departments in which something may be given now. Nothing is written yet: jobs are locked last, with the commit.
create function app.ask_for_assignment(departments uuid[]) returns void language plpgsql as $$
declare
    asked uuid[] := coalesce(nullif(current_setting('app.departments_to_assign', true), ''), '{}')::uuid[];
begin
    if not departments <@ asked then
        perform set_config('app.departments_to_assign', (asked || departments)::text, true);
    end if;
end
$$;

create function app.note_waiting() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from departments
                where company_id = new.company_id and id = new.department_id and assignment <> 'manual') then
        perform app.ask_for_assignment(array[new.department_id]);
    end if;
    return null;
end
$$;
alter function app.note_waiting owner to app_lookup;
create trigger conversations_waiting after update on conversations
    for each row when (new.status = 'pending' and new.department_id is not null
                       and (old.status <> 'pending' or old.department_id is distinct from new.department_id))
    execute function app.note_waiting();
create trigger conversations_waiting_from_the_start after insert on conversations
    for each row when (new.status = 'pending' and new.department_id is not null) execute function app.note_waiting();

create function app.note_free_agent(company uuid, agent uuid) returns void language plpgsql as $$
declare
    automatic uuid[];
begin
    select array_agg(departments.id) into automatic
      from public.department_members members
      join public.departments on departments.company_id = members.company_id and departments.id = members.department_id
     where members.company_id = company and members.user_id = agent and departments.assignment <> 'manual';
    if automatic is not null then
        perform app.ask_for_assignment(automatic);
    end if;
end
$$;
grant execute on function app.ask_for_assignment, app.note_free_agent to app_lookup;

create function app.note_free_place() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.note_free_agent(old.company_id, old.assignee_id);
    return null;
end
$$;
alter function app.note_free_place owner to app_lookup;
create trigger conversations_free_place after update on conversations
    for each row when (old.status = 'active' and (new.status <> 'active' or new.assignee_id is distinct from old.assignee_id))
    execute function app.note_free_place();

create function app.note_coming() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.note_free_agent(new.company_id, new.user_id);
    return null;
end
$$;
alter function app.note_coming owner to app_lookup;
-- Who renews a lease at the last moment may already have been passed over by a transaction that began later and did not see it.
create trigger presence_leases_coming after update on presence_leases
    for each row when (new.status = 'online' and (old.status <> 'online' or old.lease_until < now() + interval '10 seconds'))
    execute function app.note_coming();
create trigger presence_leases_coming_new after insert on presence_leases
    for each row when (new.status = 'online') execute function app.note_coming();
create trigger department_members_coming after update on department_members
    for each row when (old.capacity is distinct from new.capacity) execute function app.note_coming();
create trigger department_members_coming_new after insert on department_members
    for each row execute function app.note_coming();

create function app.note_more_room() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.ask_for_assignment(array[new.id]);
    return null;
end
$$;
alter function app.note_more_room owner to app_lookup;
create trigger departments_more_room after update on departments
    for each row when (new.assignment <> 'manual' and (old.assignment <> new.assignment or old.capacity < new.capacity))
    execute function app.note_more_room();

-- The jobs that this transaction's triggers ask for, which travel with its commit. A job that waits already is held until then: whoever
-- takes it sees what this transaction did.
create function app.add_asked_jobs() returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
    asked uuid[];
    department uuid;
    job uuid;
    added jsonb := '[]';
begin
    if coalesce(current_setting('app.departments_to_assign', true), '') = '' or current_setting('role') = 'app_student' then
        return null;
    end if;
    asked := current_setting('app.departments_to_assign')::uuid[];
    perform set_config('app.departments_to_assign', '', true);
    for department in select distinct wanted from unnest(asked) wanted order by wanted loop
        loop
            insert into jobs (id, kind, queue, lane, key, payload, dispatched_at, dispatches)
            values (gen_random_uuid(), 'assign_waiting_conversation', 'automation', app.company_id()::text, department::text,
                    jsonb_build_object('department_id', department), now(), 1)
            on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing
            returning id into job;
            if found then
                added := added || jsonb_build_object('id', job, 'queue', 'automation', 'lane', app.company_id(), 'dispatches', 1);
                exit;
            end if;
            perform from jobs
              where company_id = app.company_id() and kind = 'assign_waiting_conversation' and key = department::text
                and finished_at is null
                for share;
            exit when found;
        end loop;
    end loop;
    return added;
end
$$;
alter function app.add_asked_jobs owner to app_lookup;
grant execute on function app.add_asked_jobs to app_staff, app_student, app_system;
