-- Where a stage has a virus scanner, nobody gets a file before that has judged it.

alter table files
    drop constraint files_status_check,
    drop constraint files_kept,
    add constraint files_status_check check (status in ('pending', 'quarantined', 'ready', 'failed')),
    add constraint files_kept check (status not in ('quarantined', 'ready') or storage_key not like 'upload/%');

-- What waits for the scanner is let go by the system alone.
alter policy own_updates on files using (uploaded_by = (select app.user_id()) and status <> 'quarantined');

-- The same content becomes one object when it may be read: what waits has its own, which goes if it is infected.
create or replace trigger files_shared after update of status on files
    for each row when (old.status in ('pending', 'quarantined') and new.status = 'ready' and new.sha256 is not null)
    execute function app.share_object();

-- Whoever completes an upload has it judged.
insert into job_rules (kind, queue, added_by) values ('scan_file', 'preparation', 'student');

create or replace function app.begin_object_removals(most integer) returns setof text
language sql security definer set search_path = public, pg_temp as $$
    update object_removals
       set begun_at = coalesce(begun_at, now())
     where storage_key in (select storage_key from object_removals
                            where due_at <= now()
                              and (select count(*) from files
                                    where files.storage_key = object_removals.storage_key and status in ('quarantined', 'ready')) = 0
                              and (select count(*) from files where files.thumb_key = object_removals.storage_key) = 0
                              and (select count(*) from files where files.poster_key = object_removals.storage_key) = 0
                            order by due_at
                            limit most for update skip locked)
    returning storage_key
$$;
