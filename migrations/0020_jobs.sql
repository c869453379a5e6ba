-- Jobs at ten times: one for later holds nobody up, what is due is found by index, and no company fills a queue.

-- Due or for later and not sent yet; on their way, by their lanes and by when they were sent.
create index jobs_waiting on jobs (company_id, queue, run_at, number) where finished_at is null and dispatched_at is null;
create index jobs_sent on jobs (company_id, queue, lane) where finished_at is null and dispatched_at is not null;
create index jobs_sent_at on jobs (dispatched_at) where finished_at is null;

-- How many more lanes of a company may be on their way in a queue. Half of what the queue's worker does at the same time (see the
-- template), so that a company with thousands of jobs leaves the others as much. Jobs in one lane never run side by side and count once,
-- lanes that pause after a failed attempt do not count. Where thousands pause, only the first are looked at: better too much room than none.
create function app.room_for_jobs(company uuid, of_queue text) returns integer language plpgsql stable as $$
declare
    most constant integer := case of_queue when 'media' then 3 else 10 end;
begin
    return most - (
        with recursive sent as (
            (select lane, 1 as place
               from jobs
              where company_id = company and queue = of_queue and finished_at is null and dispatched_at is not null
              order by lane
              limit 1)
            union all
            select later.lane, sent.place + 1
              from sent
             cross join lateral (
                select jobs.lane
                  from jobs
                 where company_id = company and queue = of_queue and finished_at is null and dispatched_at is not null
                   and jobs.lane > sent.lane
                 order by jobs.lane
                 limit 1) later
             where sent.place < 20 * most
        )
        select count(*)
          from (select
                  from sent
                 where now() >= (select head.run_at
                                   from jobs head
                                  where head.company_id = company and head.queue = of_queue and head.lane = sent.lane
                                    and head.finished_at is null
                                  order by head.number
                                  limit 1)
                 limit most) busy);
end
$$;
grant execute on function app.room_for_jobs to app_lookup;

-- Takes jobs of the company and queue of this one that are due and were never sent, the oldest first, as many as there is room for.
-- One at a time counts, so that no two fill the same room.
create function app.next_jobs(beside uuid) returns table (id uuid, queue text, lane text, dispatches integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    company uuid;
    of_queue text;
    earliest timestamptz;
begin
    select company_id, queue into company, of_queue from jobs where id = beside;
    select run_at into earliest
      from jobs
     where company_id = company and queue = of_queue and finished_at is null and dispatched_at is null
     order by run_at, number
     limit 1;
    if not found or earliest > now() then
        return;
    end if;
    perform pg_advisory_xact_lock(hashtext('jobs.' || of_queue), hashtext(company::text));
    return query
    with due as (
        select id
          from jobs
         where company_id = company and queue = of_queue and finished_at is null and dispatched_at is null and run_at <= now()
         order by run_at, number
         limit greatest(0, app.room_for_jobs(company, of_queue))
           for update skip locked
    )
    update jobs set dispatched_at = now(), dispatches = jobs.dispatches + 1
      from due
     where jobs.id = due.id
    returning jobs.id, jobs.queue, jobs.lane, jobs.dispatches;
end
$$;
alter function app.next_jobs owner to app_lookup;
grant execute on function app.next_jobs to app;

-- Takes the jobs that were sent over a minute ago and are neither finished nor leased, and of every company and queue what is due and
-- there is room for. Each is found by index: what waits for later is not read.
create or replace function app.take_due_jobs(most integer)
returns table (id uuid, queue text, lane text, dispatches integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    waiting record;
begin
    return query
    with lost as (
        select id
          from jobs
         where finished_at is null
           and dispatched_at < now() - interval '1 minute'
           and run_at <= now()
           and (leased_until is null or leased_until < now())
         order by dispatched_at
         limit most
           for update skip locked
    )
    update jobs set dispatched_at = now(), dispatches = jobs.dispatches + 1
      from lost
     where jobs.id = lost.id
    returning jobs.id, jobs.queue, jobs.lane, jobs.dispatches;
    for waiting in
        with recursive first as (
            (select id, company_id, queue
               from jobs
              where finished_at is null and dispatched_at is null
              order by company_id, queue
              limit 1)
            union all
            select later.*
              from first
             cross join lateral (
                select jobs.id, jobs.company_id, jobs.queue
                  from jobs
                 where finished_at is null and dispatched_at is null
                   and (jobs.company_id, jobs.queue) > (first.company_id, first.queue)
                 order by jobs.company_id, jobs.queue
                 limit 1) later
        )
        select id from first
    loop
        return query select * from app.next_jobs(waiting.id);
    end loop;
end
$$;

-- As before, but a job for later is a lane of its own, and of those due at once there are sent, and named, as many as there is room for:
-- the others follow those that finish.
drop function app.record;
create function app.record(new_events jsonb, new_jobs jsonb, new_audit jsonb, new_accesses jsonb)
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
    return next;
end
$$;
alter function app.record owner to app_lookup;
grant execute on function app.record to app_staff, app_student, app_system;
