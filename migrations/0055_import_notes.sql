-- What an import notes on the clients it makes, in the name of whoever imports; imports as a list.

create index client_imports_at on client_imports (company_id, created_at, id);
grant insert (id, client_id, author_id, text), delete on notes to app_system;

-- As before, and what it noted on whom it made goes with them.
create or replace function app.undo_client_import(import uuid, most integer)
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
                -- A note that somebody has changed stays, and its client with it.
                delete from notes
                 where company_id = company and id = (item.after ->> 'note_id')::uuid and client_id = client.id and version = 1;
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
                    -- Theirs by it alone.
                    delete from client_identities
                     where company_id = company and client_id = client.id and kind = 'email' and value = lower(client.email)
                       and created_at >= (select created_at from client_imports where company_id = company and id = import);
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
