-- Clients that come in as a table, and go out as one.

-- What is exported is named, and goes, as every object that no file's row names.
alter policy own_files on object_removals
    using (exists (select
                     from files
                    where files.id = case when split_part(object_removals.storage_key, '/', 3) ~ '^[0-9a-f-]{36}'
                                          then left(split_part(object_removals.storage_key, '/', 3), 36)::uuid end
                      and files.uploaded_by = (select app.user_id()))
           or (select app.sees_all()) and starts_with(storage_key, 'company/' || company_id || '/export-'));

-- An import. Its id is its job's.
create table client_imports (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    -- No reference: the file may go while this stays.
    file_id       uuid not null,
    file_name     text not null,
    started_by    uuid default app.user_id() references users,
    on_existing   text not null check (on_existing in ('skip', 'update')),
    is_dry_run    boolean not null,
    -- Of headers, what the columns are; null until it is guessed.
    mapping       jsonb,
    state         text not null default 'going' check (state in ('going', 'done', 'cancelled', 'failed')),
    -- Why nothing of the file could be read.
    fault         text,
    headers       text[],
    made          integer not null default 0,
    updated       integer not null default 0,
    skipped       integer not null default 0,
    failed        integer not null default 0,
    -- The first thousand; all are counted in `error_count`.
    errors        jsonb not null default '[]',
    error_count   integer not null default 0,
    created_at    timestamptz not null default now(),
    finished_at   timestamptz,
    undo_job_id   uuid,
    undone_by     uuid references users,
    undone_at     timestamptz,
    -- Clients who are gone again, who are as they were, and who stayed as they are.
    removed       integer not null default 0,
    restored      integer not null default 0,
    kept          integer not null default 0,
    unique (company_id, id)
);
call app.protect('client_imports');
alter policy staff on client_imports using ((select app.sees_all()));
revoke delete, insert, update on client_imports from app_system;
grant update (mapping, state, fault, headers, made, updated, skipped, failed, errors, error_count, finished_at, undo_job_id, undone_at, removed,
              restored, kept)
    on client_imports to app_system;
grant insert (id, file_id, file_name, on_existing, is_dry_run, mapping), update (undo_job_id, undone_by) on client_imports to app_staff;

-- What an import did to whom. No reference to the client: they may be gone when it is undone.
create table client_import_rows (
    company_id uuid not null default app.company_id(),
    import_id  uuid not null,
    client_id  uuid not null,
    -- Of the file.
    number     bigint not null,
    -- Null where the client was made; otherwise what was there before, and `added` identities.
    before     jsonb,
    -- What the import wrote; of a client it made, the version.
    after      jsonb not null,
    is_undone  boolean not null default false,
    primary key (company_id, import_id, client_id),
    foreign key (company_id, import_id) references client_imports (company_id, id)
);
create index client_import_rows_left on client_import_rows (company_id, import_id, client_id) where not is_undone;
call app.protect('client_import_rows', '');
drop policy staff on client_import_rows;
revoke delete, update on client_import_rows from app_system;
grant update (is_undone) on client_import_rows to app_system;

grant delete on clients, client_identities to app_system;
-- Who has said what they agree to stays with it.
alter table client_consents drop constraint client_consents_company_id_client_id_fkey;
alter table client_consents add foreign key (company_id, client_id) references clients (company_id, id);

insert into job_rules (kind, queue, added_by) values
    ('import_clients', 'export', 'supervisor'),
    ('undo_client_import', 'export', 'supervisor');

-- Takes back what an import did to the next of its clients, `most` at once. Who was made by it goes, unless somebody has changed them or anything is
-- theirs; of who was changed by it, what nobody has changed since is as it was.
create function app.undo_client_import(import uuid, most integer)
returns table (taken integer, removed integer, restored integer, kept integer)
language plpgsql set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
    company constant uuid := app.company_id();
    page constant uuid[] := array(select client_id from client_import_rows
                                   where company_id = company and import_id = import and not is_undone
                                   order by client_id limit most);
    item record;
    client clients;
    numbers text[];
    is_whole boolean;
begin
    taken := cardinality(page);
    removed := 0;
    restored := 0;
    kept := 0;
    perform app.lock_keys(array(select kind || ':' || value from client_identities
                                 where company_id = company and client_id = any (page) order by 1));
    perform from clients where company_id = company and id = any (page) order by id for update;
    for item in
        select * from client_import_rows where company_id = company and import_id = import and client_id = any (page) order by client_id
    loop
        select * into client from clients where company_id = company and id = item.client_id and merged_into_id is null;
        if not found then
            kept := kept + 1;
        elsif item.before is null then
            begin
                -- What came by itself counts as well: a number that wrote, another one that was found to be theirs.
                if client.version <> (item.after ->> 'version')::integer
                   or exists (select from client_identities
                               where company_id = company and client_id = client.id
                                 and (created_at > client.created_at or seen_at > created_at)) then
                    raise foreign_key_violation;
                end if;
                delete from client_identities where company_id = company and client_id = client.id;
                delete from clients where company_id = company and id = client.id;
                removed := removed + 1;
            exception when foreign_key_violation then
                kept := kept + 1;
            end;
        else
            -- A number to which answers may go stays.
            numbers := array(select jsonb_array_elements_text(item.before -> 'added'));
            is_whole := cardinality(numbers) = 0 or not exists (
                select from conversations where company_id = company and client_id = client.id and ended_at is null);
            if is_whole then
                delete from client_identities
                 where company_id = company and client_id = client.id and kind = 'phone' and value = any (numbers)
                   and seen_at <= created_at;
                is_whole := not exists (
                    select from client_identities
                     where company_id = company and client_id = client.id and kind = 'phone' and value = any (numbers));
            end if;
            is_whole := is_whole
                and client.name = item.after ->> 'name'
                and client.document is not distinct from item.after ->> 'document'
                and client.email is not distinct from item.after ->> 'email'
                and to_jsonb(client.tags) = item.after -> 'tags'
                and client.custom_fields = item.after -> 'custom_fields';
            if client.email is not distinct from item.after ->> 'email' and item.before ->> 'email' is distinct from item.after ->> 'email' then
                -- Whose address it is by now decides.
                if item.before ->> 'email' is null or not exists (
                    select from client_identities
                     where company_id = company and kind = 'email' and value = lower(item.before ->> 'email') and client_id <> client.id) then
                    delete from client_identities
                     where company_id = company and client_id = client.id and kind = 'email' and value = lower(client.email);
                    insert into client_identities (client_id, kind, value, address)
                    select client.id, 'email', lower(item.before ->> 'email'), item.before ->> 'email'
                     where item.before ->> 'email' is not null
                        on conflict do nothing;
                    client.email := item.before ->> 'email';
                else
                    is_whole := false;
                end if;
            end if;
            if client.document is not distinct from item.after ->> 'document'
               and item.before ->> 'document' is distinct from item.after ->> 'document' then
                if item.before ->> 'document' is null or not exists (
                    select from clients other
                     where company_id = company and document = item.before ->> 'document' and merged_into_id is null and id <> client.id) then
                    client.document := item.before ->> 'document';
                else
                    is_whole := false;
                end if;
            end if;
            if client.name = item.after ->> 'name' then
                client.name := item.before ->> 'name';
                client.name_source := item.before ->> 'name_source';
            end if;
            if to_jsonb(client.tags) = item.after -> 'tags' then
                client.tags := array(select jsonb_array_elements_text(item.before -> 'tags'));
            end if;
            if client.custom_fields = item.after -> 'custom_fields' then
                client.custom_fields := item.before -> 'custom_fields';
            end if;
            update clients
               set name = client.name, name_source = client.name_source, document = client.document, email = client.email,
                   tags = client.tags, custom_fields = client.custom_fields, version = version + 1
             where company_id = company and id = client.id;
            if is_whole then restored := restored + 1; else kept := kept + 1; end if;
        end if;
    end loop;
    update client_import_rows set is_undone = true where company_id = company and import_id = import and client_id = any (page);
    update client_imports
       set removed = client_imports.removed + undo_client_import.removed, restored = client_imports.restored + undo_client_import.restored,
           kept = client_imports.kept + undo_client_import.kept
     where company_id = company and id = import;
    return next;
end
$$;
grant execute on function app.undo_client_import to app_system;
