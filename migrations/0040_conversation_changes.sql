-- What people change of a conversation beside its holder: subject, tags, priority, metadata, and whether it is open.

grant update (subject, tags, priority, metadata) on conversations to app_staff;
insert into event_rules (type, told_by) values ('conversation.reopened', 'agent');

-- The fence silences what the bot has queued once somebody speaks in its place. Another subject or tag puts nobody in its place.
create function app.keep_fence() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update messages
       set fence = new.version
     where company_id = new.company_id and conversation_id = new.id and fence = old.version and status = 'queued'
       and sent_at > now() - interval '1 day';
    return null;
end
$$;
grant update (fence) on messages to app_lookup;
alter function app.keep_fence owner to app_lookup;
create trigger conversations_fence after update of subject, tags, priority, metadata on conversations
    for each row when (new.mode = 'bot' and old.mode = 'bot' and new.ended_at is null and old.ended_at is null
                       and new.version > old.version and new.inbound_count = old.inbound_count)
    execute function app.keep_fence();
