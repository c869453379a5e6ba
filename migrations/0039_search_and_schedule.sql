-- Words in messages, found among whatever the caller sees, the newest first, at any density; and messages to be sent later.

-- What is searched, in the order of the answer.
create index messages_said on messages (company_id, sent_at desc, id desc)
    where body <> '' and deleted_at is null and sender_type <> 'system' and kind <> 'reaction';

-- The first `wanted` messages with all the words, of those that the caller sees and asks for, in the order asked for, behind a place.
--
-- A sample of the newest tells whether a short walk through the newest is likely to fill the page. What is rarer is asked for by its words,
-- at a cost that grows with its matches alone.
--
-- A definer, because array operators may not use their index under row-level security. Who sees a conversation is said here as in its
-- policy, which decides in any case: the caller joins the answer with `messages`.
create function app.find_messages(query text, in_conversation uuid, of_client uuid, sender text, sent_by uuid, of_kind text,
                                  in_department uuid, on_channel uuid, since timestamptz, until timestamptz,
                                  at timestamptz, at_id uuid, oldest_first boolean, wanted bigint) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp set work_mem = '64MB' set jit = off
set max_parallel_workers_per_gather = 0 set enable_seqscan = off as $$
declare
    sampled constant integer := 300;
    walked constant integer := 2000;
    company uuid := app.company_id();
    words text[] := app.stems(company, app.spaced(query));
    direction text := case when oldest_first then 'asc' else 'desc' end;
    -- What is searched at all, and the place.
    said text := 'messages.company_id = $1 and messages.body <> '''' and messages.deleted_at is null
                  and messages.sender_type <> ''system'' and messages.kind <> ''reaction'''
        || case when since is not null then ' and messages.sent_at >= $10' else '' end
        || case when until is not null then ' and messages.sent_at < $11' else '' end
        || case when at is null then ''
                when oldest_first then ' and (messages.sent_at, messages.id) > ($12, $13)'
                else ' and (messages.sent_at, messages.id) < ($12, $13)' end;
    has_words text := ' and app.stems(messages.company_id, app.searchable(messages.body)) @> $2';
    -- What the caller asks for, and sees.
    asked text :=
        case when in_conversation is not null then ' and messages.conversation_id = $3' else '' end
        || case when of_client is not null then
                ' and messages.conversation_id = any (array(
                      select id from conversations where company_id = $1 and client_id = $4))' else '' end
        || case when sender is not null then ' and messages.sender_type = $5' else '' end
        || case when sent_by is not null then ' and messages.sender_id = $6' else '' end
        || case when of_kind is not null then ' and messages.kind = $7' else '' end
        || case when in_department is not null then ' and conversations.department_id = $8' else '' end
        || case when on_channel is not null then ' and messages.channel_account_id = $9' else '' end
        || case when app.sees_all() then ''
                else ' and (conversations.assignee_id = $14
                            or (conversations.department_id is null or conversations.department_id = any ($15))
                               and ($16 = ''department'' or conversations.assignee_id is null))' end;
    joined constant text := ' join conversations on conversations.company_id = messages.company_id
                                                and conversations.id = messages.conversation_id';
    ordered text := format(' order by messages.sent_at %1$s, messages.id %1$s', direction);
    newest text;
    matches integer;
    found uuid[];
begin
    if words = '{}' then
        return '{}';
    end if;
    if in_conversation is null and of_client is null then
        newest := '(select * from messages where ' || said || ordered || ' limit %s) messages';
        execute 'select count(*) from ' || format(newest, sampled) || joined || ' where true' || has_words || asked
           into matches
          using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                app.user_id(), app.department_ids(), app.visibility();
        if matches * walked >= wanted * sampled then
            execute 'select array(select messages.id from ' || format(newest, walked) || joined || ' where true' || has_words || asked
                    || ordered || format(' limit %s)', wanted)
               into found
              using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                    app.user_id(), app.department_ids(), app.visibility();
            if cardinality(found) >= wanted then
                return found;
            end if;
        end if;
    end if;
    execute 'select array(select messages.id from messages' || joined || ' where ' || said || has_words || asked
            || ordered || format(' limit %s)', wanted)
       into found
      using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
            app.user_id(), app.department_ids(), app.visibility();
    return found;
end
$$;
alter function app.find_messages owner to app_lookup;
grant execute on function app.find_messages to app_staff;

-- Words to be said later: the row decides whether they still are, whatever jobs come for it.
create table scheduled_messages (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    conversation_id uuid not null,
    author_id       uuid not null default app.user_id(),
    body            text not null check (char_length(body) between 1 and 4096),
    due_at          timestamptz not null,
    state           text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'cancelled')),
    -- Why it was not sent: what `POST /messages` would have answered.
    failure         text,
    message_id      uuid,
    version         integer not null default 1,
    created_at      timestamptz not null default now(),
    unique (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id) on delete cascade,
    foreign key (company_id, message_id) references messages (company_id, id) on delete set null (message_id)
);
create index scheduled_messages_due on scheduled_messages (company_id, due_at desc, id desc);
create index scheduled_messages_conversation on scheduled_messages (company_id, conversation_id, due_at desc, id desc);
create index scheduled_messages_message on scheduled_messages (company_id, message_id) where message_id is not null;
call app.protect('scheduled_messages');
-- Seen by whoever sees the conversation.
create policy seen on scheduled_messages as restrictive to app_staff using (
    exists (select from conversations
             where conversations.company_id = scheduled_messages.company_id and conversations.id = scheduled_messages.conversation_id));
revoke insert, delete on scheduled_messages from app_system;
grant insert (id, conversation_id, body, due_at) on scheduled_messages to app_staff;
grant update (body, due_at, state, version) on scheduled_messages to app_staff;

-- What was to be said in a conversation that has become part of another is said there.
create function app.follow_conversation() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update scheduled_messages
       set conversation_id = new.merged_into_id
     where company_id = new.company_id and conversation_id = new.id;
    return null;
end
$$;
create policy lookup on scheduled_messages to app_lookup using (true);
grant select, update (conversation_id) on scheduled_messages to app_lookup;
alter function app.follow_conversation owner to app_lookup;
create trigger conversations_scheduled after update of merged_into_id on conversations
    for each row when (new.merged_into_id is not null and new.merged_into_id is distinct from old.merged_into_id)
    execute function app.follow_conversation();

insert into event_rules (type, told_by, is_private) values ('scheduled_message.updated', 'agent', false);
insert into job_rules (kind, queue, added_by) values ('send_scheduled_message', 'automation', 'agent');
