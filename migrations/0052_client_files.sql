-- Documents of clients, which their company's staff read; notes and files in a client's history.

create table client_files (
    company_id uuid not null default app.company_id() references companies,
    client_id  uuid not null,
    -- Whoever uploaded it may take it away again.
    file_id    uuid not null,
    added_by   uuid not null default app.user_id() references users,
    added_at   timestamptz not null default now(),
    -- Who it was of before they became others, the first one first.
    moved_from uuid[] not null default '{}',
    primary key (company_id, file_id),
    foreign key (company_id, client_id) references clients (company_id, id),
    foreign key (company_id, file_id) references files (company_id, id) on delete cascade
);
create index client_files_client on client_files (company_id, client_id, added_at desc, file_id desc);
create index messages_files on messages (company_id, conversation_id, sent_at desc, id desc) where file_id is not null;
call app.protect('client_files');
revoke insert, update, delete on client_files from app_system;
grant insert (client_id, file_id) on client_files to app_staff;
-- A document of the caller's own.
create function app.hold_client_file() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not exists (select from files
                    where company_id = new.company_id and id = new.file_id
                      and uploaded_by = app.user_id() and status = 'ready' and purpose = 'document') then
        raise insufficient_privilege using message = 'only a document of one''s own is put with a client';
    end if;
    return new;
end
$$;
alter function app.hold_client_file owner to app_lookup;
create trigger client_files_held before insert on client_files
    for each row when (current_user = 'app_staff') execute function app.hold_client_file();
create policy documents on files for select to app_staff using (
    exists (select from client_files where client_files.company_id = files.company_id and client_files.file_id = files.id));
insert into event_rules (type, told_by) values ('client.file_added', 'agent');

-- They are the one's that their client has become, and the client's again when that is undone.
create function app.move_client_files() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.merged_into_id is not null then
        update client_files
           set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id;
    else
        update client_files
           set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
create policy lookup on client_files to app_lookup using (true);
grant select, update (client_id, moved_from) on client_files to app_lookup;
alter function app.move_client_files owner to app_lookup;
create trigger clients_files after update of merged_into_id on clients
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null)) execute function app.move_client_files();

-- What is needed to undo an import goes with the time in which it may be.
create policy lookup on client_imports to app_lookup using (true);
create policy lookup on client_import_rows to app_lookup using (true);
grant select on client_imports to app_lookup;
grant select, delete on client_import_rows to app_lookup;
create index client_imports_finished on client_imports (finished_at);
create function app.sweep_imports(most integer) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint;
begin
    delete from client_import_rows where ctid in (
        select client_import_rows.ctid
          from client_imports
          join client_import_rows on client_import_rows.company_id = client_imports.company_id and import_id = client_imports.id
         where finished_at < now() - interval '31 days'
         limit most);
    get diagnostics gone = row_count;
    return gone;
end
$$;
alter function app.sweep_imports owner to app_lookup;
revoke all on function app.sweep_imports from public;
grant execute on function app.sweep_imports to app;

-- A student's client is looked for when clients go.
create index memberships_client on memberships (company_id, client_id) where client_id is not null;

create or replace view client_history with (security_invoker = true) as
select company_id, client_id, started_at as at, id, 'conversation' as kind from conversations where merged_into_id is null
union all
select conversations.company_id, conversations.client_id, transfers.at, transfers.id, 'transfer'
  from conversations
  join conversation_transfers transfers on transfers.company_id = conversations.company_id
                                       and transfers.conversation_id = conversations.id
union all
select company_id, client_id, at, id, 'consent' from client_consents
union all
select company_id, client_id, at, id, 'merge' from client_merges
union all
select company_id, client_id, created_at, id, 'note' from notes where deleted_at is null
union all
select company_id, client_id, added_at, file_id, 'file' from client_files;

create or replace function app.history_entry(kind text, id uuid) returns jsonb language plpgsql stable as $$
#variable_conflict use_variable
begin
    return case kind
        when 'conversation' then (
            select jsonb_build_object(
                       'conversation_id', c.id, 'channel_account_id', c.channel_account_id, 'status', c.status, 'subject', c.subject,
                       'department_id', c.department_id, 'assignee_id', c.assignee_id, 'ended_at', c.ended_at,
                       'close_reason', c.close_reason, 'last_message_preview', c.last_message_preview)
              from public.conversations c where c.id = history_entry.id)
        when 'transfer' then (
            select jsonb_build_object(
                       'conversation_id', t.conversation_id, 'from_user_id', t.from_user_id, 'to_user_id', t.to_user_id,
                       'from_department_id', t.from_department_id, 'to_department_id', t.to_department_id,
                       'by_user_id', t.by_user_id, 'reason', t.reason)
              from public.conversation_transfers t where t.id = history_entry.id)
        when 'consent' then (
            select jsonb_build_object('purpose', c.purpose, 'channel', c.channel, 'granted', c.granted, 'source', c.source)
              from public.client_consents c where c.id = history_entry.id)
        when 'merge' then (
            select jsonb_build_object('merge_id', m.id, 'merged_client_id', m.merged_client_id, 'by_user_id', m.by_user_id,
                                      'undone_at', m.undone_at)
              from public.client_merges m where m.id = history_entry.id)
        when 'note' then (
            select jsonb_build_object(
                       'conversation_id', n.conversation_id, 'author_id', n.author_id, 'text', n.text, 'is_pinned', n.is_pinned)
              from public.notes n where n.id = history_entry.id)
        when 'file' then (
            select jsonb_build_object('file_id', f.file_id, 'added_by_id', f.added_by, 'name', files.name, 'mime_type', files.mime_type)
              from public.client_files f
              join public.files on files.company_id = f.company_id and files.id = f.file_id
             where f.file_id = history_entry.id)
    end;
end
$$;
