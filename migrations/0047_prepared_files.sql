-- What is made of a file for display: smaller pictures, the waveform of a recording.

alter table files
    -- Set once, when whatever could be made of it was.
    add column prepared_at  timestamptz,
    -- Objects beside the file's own, which go with it.
    add column thumb_key    text,
    add column poster_key   text,
    add column preview_type text,
    -- 64 peaks from 0 to 100.
    add column waveform     smallint[] check (cardinality(waveform) = 64),
    add constraint files_previews_of_company check (
        split_part(thumb_key, '/', 2) = company_id::text and split_part(poster_key, '/', 2) = company_id::text),
    add constraint files_previews check ((coalesce(thumb_key, poster_key) is null) = (preview_type is null));
create unique index files_thumb_key on files (thumb_key) where thumb_key is not null;
create unique index files_poster_key on files (poster_key) where poster_key is not null;

-- A browser's recording becomes a voice note when its upload is completed, of another size and name.
grant update (size, name) on files to app_staff, app_student;

-- Whoever completes an upload has it prepared.
insert into job_rules (kind, queue, added_by) values ('prepare_file', 'preparation', 'student');

-- Objects that are due, and that no file needs.
create or replace function app.begin_object_removals(most integer) returns setof text
language sql security definer set search_path = public, pg_temp as $$
    update object_removals
       set begun_at = coalesce(begun_at, now())
     where storage_key in (select storage_key from object_removals
                            where due_at <= now()
                              and not exists (select from files
                                               where files.storage_key = object_removals.storage_key and status = 'ready')
                              and not exists (select from files where files.thumb_key = object_removals.storage_key)
                              and not exists (select from files where files.poster_key = object_removals.storage_key)
                            order by due_at
                            limit most for update skip locked)
    returning storage_key
$$;

create or replace function app.room_for_jobs(company uuid, of_queue text) returns integer language plpgsql stable as $$
declare
    most constant integer := case when of_queue in ('media', 'preparation') then 3 else 10 end;
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
