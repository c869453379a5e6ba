-- What is served and sent is what was checked: an upload is copied to a key that no form can write, and the copy is checked.

-- Objects of the bucket that go when they are due: copies that no file's row names yet, and uploads whose copy was recorded.
-- A function that dies between the bucket and its row leaves an entry here, and so nothing that nobody knows of.
create table object_removals (
    storage_key text primary key,
    company_id  uuid not null default app.company_id() references companies,
    due_at      timestamptz not null,
    -- Once the sweep has begun nobody may keep the object any more.
    begun_at    timestamptz,
    constraint object_removals_of_company check (split_part(storage_key, '/', 2) = company_id::text)
);
create index object_removals_due on object_removals (due_at);
call app.protect('object_removals', 'select, insert, delete');
call app.open_to_lookup('object_removals', 'select, insert, update, delete');
-- Students upload files as staff do.
create policy student on object_removals to app_student using (true);
grant select, insert, delete on object_removals to app_student;

-- No form's key is ever the key of a file that can be read, and no company names an object of another.
alter table files add constraint files_kept check (status <> 'ready' or storage_key not like 'upload/%');
alter table files add constraint files_of_company check (split_part(storage_key, '/', 2) = company_id::text);

-- Uploads never completed: their rows go, and their objects are due.
create function app.end_orphan_uploads(most integer) returns bigint
language sql security definer set search_path = public, pg_temp as $$
    with gone as (
        delete from files
         where id in (select id from files
                       where status = 'pending' and uploaded_by is not null and created_at < now() - interval '1 day'
                       limit most for update skip locked)
        returning storage_key, company_id
    ), due as (
        insert into object_removals (storage_key, company_id, due_at)
        select storage_key, company_id, now() from gone
        on conflict do nothing
    )
    select count(*) from gone
$$;
alter function app.end_orphan_uploads owner to app_lookup;
drop function app.take_orphan_uploads;

-- Keys of due objects, which nobody keeps any more from now on; never of what a file that can be read is made of. Told again until
-- `end_object_removals` says that they are gone.
create function app.begin_object_removals(most integer) returns setof text
language sql security definer set search_path = public, pg_temp as $$
    update object_removals
       set begun_at = coalesce(begun_at, now())
     where storage_key in (select storage_key from object_removals
                            where due_at <= now()
                              and not exists (select from files
                                               where files.storage_key = object_removals.storage_key and status = 'ready')
                            order by due_at
                            limit most for update skip locked)
    returning storage_key
$$;
alter function app.begin_object_removals owner to app_lookup;

create function app.end_object_removals(storage_keys text[]) returns void
language sql security definer set search_path = public, pg_temp as $$
    delete from object_removals where storage_key = any (storage_keys) and begun_at is not null
$$;
alter function app.end_object_removals owner to app_lookup;
grant execute on function app.end_orphan_uploads, app.begin_object_removals, app.end_object_removals to app;

-- How a file of this company is used: `unsent` by no message, `taken_back` by none that stands, else `sent`. A definer, because
-- the question is about all messages, not those in sight.
create function app.use_of_file(file uuid) returns text
language sql stable security definer set search_path = public, pg_temp as $$
    select case when count(*) = 0 then 'unsent' when count(*) = count(deleted_at) then 'taken_back' else 'sent' end
      from messages
     where messages.company_id = app.company_id() and messages.file_id = file
$$;
alter function app.use_of_file owner to app_lookup;
grant execute on function app.use_of_file to app_staff, app_student;

-- Who sees a message that stands sees its file. One that was not sent yet is its uploader's and theirs who see the conversation
-- it is for. A file that was sent in messages that were all taken back is nobody's any more.
alter policy staff on files using (
    exists (select from messages
             where messages.company_id = files.company_id and messages.file_id = files.id and messages.deleted_at is null)
    or case app.use_of_file(id)
           when 'unsent' then (select app.sees_all()) or uploaded_by = (select app.user_id()) or exists (
               select from conversations
                where conversations.company_id = files.company_id and conversations.id = files.conversation_id)
           when 'sent' then uploaded_by = (select app.user_id())
           else false
       end);
alter policy student on files using (
    exists (select from messages
             where messages.company_id = files.company_id and messages.file_id = files.id and messages.deleted_at is null)
    or (uploaded_by = (select app.user_id()) and app.use_of_file(id) <> 'taken_back'));
