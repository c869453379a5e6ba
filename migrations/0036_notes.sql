-- What staff write to each other about a client or a conversation. No client, student or visitor ever reads it: their role has no right here.

create table notes (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    -- Of a note on a conversation, the conversation's.
    client_id       uuid not null,
    conversation_id uuid,
    author_id       uuid not null default app.user_id() references users,
    text            text not null check (char_length(text) between 1 and 10000),
    mention_ids     uuid[] not null default '{}',
    is_pinned       boolean not null default false,
    version         integer not null default 1,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    deleted_at      timestamptz,
    deleted_by_id   uuid references users,
    -- The clients and conversations that it was on before they became part of others, the first one first.
    moved_from      uuid[] not null default '{}',
    unique (company_id, id),
    foreign key (company_id, client_id) references clients (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id),
    check ((deleted_at is null) = (deleted_by_id is null))
);
create index notes_at on notes (company_id, created_at, id) where deleted_at is null;
create index notes_client on notes (company_id, client_id, created_at, id);
create index notes_conversation on notes (company_id, conversation_id, created_at, id);
create index notes_text on notes using gin (company_id, app.searchable(text) gin_trgm_ops);

-- What a note said before it was changed.
create table note_revisions (
    company_id   uuid not null default app.company_id() references companies,
    note_id      uuid not null,
    version      integer not null,
    text         text not null,
    replaced_at  timestamptz not null default now(),
    replaced_by_id uuid not null default app.user_id() references users,
    primary key (company_id, note_id, version),
    foreign key (company_id, note_id) references notes (company_id, id)
);

call app.protect('notes');
call app.protect('note_revisions');
-- A note is seen with its conversation, and written by its author or a supervisor.
create policy sight on notes as restrictive to app_staff
    using (conversation_id is null or exists (select from conversations where conversations.id = conversation_id));
create policy own_words on notes as restrictive for insert to app_staff with check (author_id = (select app.user_id()));
create policy own_changes on notes as restrictive for update to app_staff
    using (true)
    with check (author_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin')));
create policy sight on note_revisions as restrictive to app_staff
    using (exists (select from notes where notes.id = note_id))
    with check (replaced_by_id = (select app.user_id()) and exists (select from notes where notes.id = note_id));
grant insert (id, client_id, conversation_id, text, mention_ids, is_pinned),
      update (text, mention_ids, is_pinned, version, updated_at, deleted_at, deleted_by_id)
   on notes to app_staff;
grant insert (note_id, version, text) on note_revisions to app_staff;
revoke insert, update, delete on notes, note_revisions from app_system;

insert into event_rules (type, told_by) values
    ('note.created', 'agent'),
    ('note.deleted', 'agent'),
    ('note.mentioned', 'agent'),
    ('note.updated', 'agent');

-- Notes are where their client and their conversation are: with whom these became part of, back again when that is undone, and on the
-- conversation's client whoever that is. What is written after two were joined stays where it was written.
create function app.move_notes() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_table_name = 'clients' and old.merged_into_id is null then
        update notes
           set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id and conversation_id is null;
    elsif tg_table_name = 'clients' then
        update notes
           set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and conversation_id is null and new.id = any (moved_from);
    elsif new.client_id <> old.client_id then
        update notes set client_id = new.client_id where company_id = new.company_id and conversation_id = new.id;
    end if;
    if tg_table_name = 'conversations' and old.merged_into_id is null and new.merged_into_id is not null then
        update notes
           set conversation_id = new.merged_into_id, moved_from = moved_from || new.id,
               client_id = (select client_id from conversations kept where kept.company_id = new.company_id and kept.id = new.merged_into_id)
         where company_id = new.company_id and conversation_id = new.id;
    elsif tg_table_name = 'conversations' and old.merged_into_id is not null and new.merged_into_id is null then
        update notes
           set conversation_id = new.id, client_id = new.client_id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
-- A note written while two are joined waits, and goes where the others went.
create function app.place_note() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    further uuid;
begin
    if new.conversation_id is not null then
        loop
            select client_id, merged_into_id into new.client_id, further
              from conversations where company_id = new.company_id and id = new.conversation_id for share;
            exit when further is null;
            new.conversation_id := further;
        end loop;
        return new;
    end if;
    loop
        select merged_into_id into further from clients where company_id = new.company_id and id = new.client_id for share;
        exit when further is null;
        new.client_id := further;
    end loop;
    return new;
end
$$;
create policy lookup on notes to app_lookup using (true);
grant select, update (client_id, conversation_id, moved_from) on notes to app_lookup;
-- Locking asks for the right to write.
grant update (merged_into_id) on clients, conversations to app_lookup;
alter function app.move_notes owner to app_lookup;
alter function app.place_note owner to app_lookup;
create trigger notes_placed before insert on notes for each row execute function app.place_note();
create trigger clients_notes after update of merged_into_id on clients
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null)) execute function app.move_notes();
create trigger conversations_notes after update of merged_into_id, client_id on conversations
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null) or new.client_id <> old.client_id)
    execute function app.move_notes();
