-- What staff wrote and nobody has sent yet gets other words; what it said before is kept.

-- No row when it is on its way or was sent, or is nobody's of the caller's to change.
create function app.edit_unsent_message(message uuid, words text) returns setof messages
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    return query
    update messages
       set (revisions, body, edited_at) = (
               select edited.revisions, edited.body, clock_timestamp()
                 from app.add_edit(messages.revisions, messages.body, gen_random_uuid()::text, words, clock_timestamp()) edited)
     where company_id = app.company_id() and id = message
       and (sender_id = app.user_id() or app.sees_all())
       and sender_type = 'agent' and kind in ('text', 'image', 'video', 'document') and deleted_at is null and body <> words
       and provider_id is null
       and (status = 'queued' or status = 'failed' and error_code is distinct from 'outcome_unknown')
    returning messages.*;
end
$$;
alter function app.edit_unsent_message owner to app_lookup;
revoke all on function app.edit_unsent_message from public;
grant execute on function app.edit_unsent_message to app_staff;
grant update (revisions, body, edited_at) on messages to app_lookup;
grant execute on function app.add_edit to app_lookup;

insert into event_rules (type, told_by, is_private) values ('message.updated', 'agent', false);
