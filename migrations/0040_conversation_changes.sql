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
    for each row when (new.version > old.version and new.inbound_count = old.inbound_count and new.mode = old.mode
                       and new.assignee_id is not distinct from old.assignee_id and new.ended_at is not distinct from old.ended_at)
    execute function app.keep_fence();

-- What comes back by itself: a conversation put off until a time or until its client writes, and one the bot takes again. The row
-- decides, whatever jobs come for it. One that is put off until its client writes has no time.
alter table conversations
    add column snoozed_at timestamptz,
    add column snoozed_until timestamptz,
    add column return_to_bot_at timestamptz,
    add constraint conversations_snooze check (snoozed_until is null or snoozed_at is not null),
    add constraint conversations_return check (return_to_bot_at is null or mode = 'human' and ended_at is null);
create index conversations_snoozed on conversations (company_id, last_message_at desc, id desc) where snoozed_at is not null;
grant update (snoozed_at, snoozed_until, return_to_bot_at) on conversations to app_staff;
insert into event_rules (type, told_by) values ('conversation.unsnoozed', 'agent');
insert into job_rules (kind, queue, added_by) values ('run_conversation_timer', 'automation', 'agent');

-- Whoever writes, takes it or ends it has it before their eyes again.
create function app.end_waiting() returns trigger language plpgsql as $$
begin
    if new.inbound_count > old.inbound_count or new.ended_at is distinct from old.ended_at or new.mode <> old.mode
       or new.assignee_id is distinct from old.assignee_id then
        new.snoozed_at := null;
        new.snoozed_until := null;
    end if;
    if new.return_to_bot_at is not distinct from old.return_to_bot_at
       and (new.ended_at is distinct from old.ended_at or new.mode = 'bot' or new.assignee_id is distinct from old.assignee_id) then
        new.return_to_bot_at := null;
    end if;
    return new;
end
$$;
create trigger conversations_end_waiting before update on conversations
    for each row when (old.snoozed_at is not null or old.return_to_bot_at is not null) execute function app.end_waiting();

-- The bot that takes a conversation begins anew when its client writes next.
create function app.begin_anew() returns trigger language plpgsql as $$
begin
    new.bot_flow_id := coalesce(new.bot_flow_id,
                                (select bot_flow_id from public.channel_accounts where id = new.channel_account_id));
    new.bot_node := null;
    new.bot_turns := 0;
    new.bot_answered := new.inbound_count;
    return new;
end
$$;
create trigger conversations_begin_anew before update on conversations
    for each row when (old.mode = 'human' and new.mode = 'bot') execute function app.begin_anew();

-- It may be given to somebody again.
create trigger conversations_waiting_again after update on conversations
    for each row when (new.status = 'pending' and new.department_id is not null and old.snoozed_at is not null
                       and new.snoozed_at is null)
    execute function app.note_waiting();
