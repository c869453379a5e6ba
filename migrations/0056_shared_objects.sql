-- The same content is kept once: of a company's files with one hash, size and purpose, all are made of the first one's object. Each row keeps
-- its own readers, names and fate; the object goes with the last of them.

alter table files drop constraint files_storage_key_key;
create index files_storage_key on files (storage_key);
create index files_content on files (company_id, sha256, size) where status = 'ready';

-- The object that a file is made of.
create function app.key_of_file(file uuid) returns text
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (select storage_key from files where company_id = app.company_id() and id = file);
end
$$;
alter function app.key_of_file owner to app_lookup;
revoke all on function app.key_of_file from public;
grant execute on function app.key_of_file to app_staff, app_student;
-- Its uploader gives a file no other object than one of its own; the one it has stays.
alter policy own_updates on files
    with check (starts_with(split_part(storage_key, '/', 3), id::text) or storage_key = app.key_of_file(id));

-- After the file's row, under a key of the content: of two that come at once the second sees the first. The row whose object it is is held, so
-- that it does not go meanwhile.
create function app.share_object() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    earlier uuid;
    kept text;
begin
    perform pg_advisory_xact_lock(hashtextextended(
        new.company_id || ':content:' || encode(new.sha256, 'hex') || ':' || new.size || ':' || new.purpose, 0));
    loop
        select id into earlier
          from files
         where company_id = new.company_id and sha256 = new.sha256 and size = new.size and purpose = new.purpose and status = 'ready'
           and id <> new.id
         order by completed_at, id
         limit 1;
        exit when not found;
        select storage_key into kept from files where id = earlier and status = 'ready' for key share;
        exit when found;
    end loop;
    if kept is not null and kept <> new.storage_key then
        update files set storage_key = kept where id = new.id;
        insert into object_removals (storage_key, company_id, due_at)
        values (new.storage_key, new.company_id, now())
        on conflict do nothing;
    end if;
    return null;
end
$$;
alter function app.share_object owner to app_lookup;
create trigger files_shared after update of status on files
    for each row when (old.status = 'pending' and new.status = 'ready' and new.sha256 is not null)
    execute function app.share_object();

-- What a file was made of goes with it, unless another is made of the same. A form may write its upload until it ends.
create function app.let_objects_go() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    key text;
begin
    foreach key in array array_remove(array[old.storage_key, old.thumb_key, old.poster_key], null) loop
        -- Of two that go at once the second sees that it is the last.
        perform pg_advisory_xact_lock(hashtextextended('object:' || key, 0));
        insert into object_removals (storage_key, company_id, due_at)
        select key, old.company_id, now() + interval '15 minutes'
         where not exists (select from files where storage_key = key)
        on conflict do nothing;
    end loop;
    return null;
end
$$;
alter function app.let_objects_go owner to app_lookup;
create trigger files_objects after delete on files for each row execute function app.let_objects_go();

-- Each by itself: of files there are many, and what is due is little.
create or replace function app.begin_object_removals(most integer) returns setof text
language sql security definer set search_path = public, pg_temp as $$
    update object_removals
       set begun_at = coalesce(begun_at, now())
     where storage_key in (select storage_key from object_removals
                            where due_at <= now()
                              and (select count(*) from files
                                    where files.storage_key = object_removals.storage_key and status = 'ready') = 0
                              and (select count(*) from files where files.thumb_key = object_removals.storage_key) = 0
                              and (select count(*) from files where files.poster_key = object_removals.storage_key) = 0
                            order by due_at
                            limit most for update skip locked)
    returning storage_key
$$;
