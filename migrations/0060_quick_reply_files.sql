-- Files that a quick reply is sent with.

alter table quick_replies
    add column file_ids uuid[] not null default '{}',
    add constraint quick_replies_file_ids_check check (cardinality(file_ids) <= 5);
create index quick_replies_files on quick_replies using gin (company_id, file_ids) with (fastupdate = off) where file_ids <> '{}';
grant insert (file_ids), update (file_ids) on quick_replies to app_staff;

-- Whoever adds a file has uploaded it for messages. It is held, so that it does not go meanwhile.
create function app.hold_quick_reply_files() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    had uuid[] := case when tg_op = 'UPDATE' then old.file_ids else '{}' end;
    added uuid[] := array(select distinct file from unnest(new.file_ids) file where file <> all (had));
begin
    perform from files where company_id = new.company_id and id = any (added) order by id for key share;
    if (select count(*) from files
         where company_id = new.company_id and id = any (added)
           and uploaded_by = app.user_id() and status = 'ready' and purpose = 'message') < cardinality(added) then
        raise serialization_failure using message = 'a file of a quick reply has just gone';
    end if;
    return new;
end
$$;
alter function app.hold_quick_reply_files owner to app_lookup;
create trigger quick_replies_new_files before insert on quick_replies
    for each row when (new.file_ids <> '{}') execute function app.hold_quick_reply_files();
create trigger quick_replies_other_files before update of file_ids on quick_replies
    for each row when (new.file_ids <> '{}' and new.file_ids <> old.file_ids) execute function app.hold_quick_reply_files();

-- What a quick reply has stays, as what was sent does.
create function app.keep_quick_reply_files() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from quick_replies
                where company_id = old.company_id and file_ids <> '{}' and file_ids @> array[old.id]) then
        raise foreign_key_violation using message = 'a quick reply has this file', constraint = 'quick_replies_files';
    end if;
    return old;
end
$$;
alter function app.keep_quick_reply_files owner to app_lookup;
create trigger files_of_quick_replies before delete on files for each row execute function app.keep_quick_reply_files();

-- Files of the quick replies that the caller sees.
create function app.quick_reply_files() returns uuid[] language sql stable as
    $$ select array(select unnest(file_ids) from quick_replies where file_ids <> '{}') $$;
grant execute on function app.quick_reply_files to app_staff, app_system;
create policy quick_replies on files for select to app_staff using (id = any ((select app.quick_reply_files())::uuid[]));
