-- Messages of any kind are planned, not texts alone: `asked` is what `POST /messages` would take, but for words and file. What they carry is
-- what they would if they were sent when they were planned; it is made again when they are due.

alter table scheduled_messages
    add column kind    text not null default 'text',
    add column payload jsonb not null default '{}',
    -- No reference: it may go, and the message then says that it did.
    add column file_id uuid,
    -- Null of texts that were planned when there were no others.
    add column asked   jsonb,
    drop constraint scheduled_messages_body_check,
    add constraint scheduled_messages_body_check check (char_length(body) <= 4096 and (kind <> 'text' or body <> ''));
grant insert (kind, payload, file_id, asked), update (kind, payload, file_id, asked) on scheduled_messages to app_staff;

-- Nobody plans a file that they do not see.
create function app.hold_planned_file() returns trigger language plpgsql as $$
begin
    if not exists (select from files where files.id = new.file_id) then
        raise insufficient_privilege using message = 'a file is planned by who sees it';
    end if;
    return new;
end
$$;
create trigger scheduled_messages_file before insert on scheduled_messages
    for each row when (new.file_id is not null) execute function app.hold_planned_file();
create trigger scheduled_messages_other_file before update of file_id on scheduled_messages
    for each row when (new.file_id is not null and new.file_id is distinct from old.file_id) execute function app.hold_planned_file();
