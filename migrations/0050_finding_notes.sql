-- The words of notes and the state of planned messages are asked for by index.

create index scheduled_messages_state on scheduled_messages (company_id, state, due_at desc, id desc);
create index scheduled_messages_author on scheduled_messages (company_id, author_id, due_at desc, id desc);

-- Which notes of the company hold these words; the caller's statement decides which of them the caller sees.
create function app.find_notes(query text) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    spaced text := app.spaced(query);
begin
    return array(select id from notes
                  where company_id = company and deleted_at is null
                    and spaced <> '' and app.searchable(text) like '%' || spaced || '%');
end
$$;
alter function app.find_notes owner to app_lookup;
revoke all on function app.find_notes from public;
grant execute on function app.find_notes to app_staff;
