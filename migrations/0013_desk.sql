-- What front ends ask of conversations: since when they wait, who held them, what else is known of them, and the words of a takeover.

-- What the client is told when somebody takes a conversation over, with `{{agent.name}}`. Null is the text that comes with the
-- product, an empty one is none.
alter table companies add column takeover_text text check (char_length(takeover_text) <= 2000);
grant select (takeover_text) on companies to app_staff;

-- Whatever front ends keep of their own.
alter table clients add column metadata jsonb not null default '{}'
    check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 16384);
alter table conversations
    add column metadata jsonb not null default '{}'
        check (jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 16384),
    -- When it first waited for a human, and since when it waits now; null when it does not.
    add column first_pending_at timestamptz,
    add column pending_since timestamptz;

-- Everybody who ever held a conversation or wrote in it.
create table conversation_handlers (
    company_id      uuid not null default app.company_id(),
    conversation_id uuid not null,
    user_id         uuid not null,
    primary key (company_id, conversation_id, user_id),
    foreign key (company_id, conversation_id) references conversations (company_id, id) on delete cascade
);
create index conversation_handlers_user on conversation_handlers (company_id, user_id, conversation_id);
call app.protect('conversation_handlers', 'select, insert');

drop index conversation_transfers_conversation;
create index conversation_transfers_conversation on conversation_transfers (company_id, conversation_id, at desc, id desc);

-- The past, as far as it is known. Forced, the policies would show the owner none of it.
alter table conversations no force row level security;
alter table conversation_transfers no force row level security;
alter table conversation_handlers no force row level security;
alter table messages no force row level security;

-- Waiting since the last transfer to nobody, the bot's last word, or the beginning.
update conversations
   set pending_since = waits.since,
       first_pending_at = case when bot_flow_id is null then started_at else waits.since end
  from (select conversations.id,
               greatest(started_at,
                        (select max(at) from conversation_transfers
                          where conversation_transfers.company_id = conversations.company_id
                            and conversation_transfers.conversation_id = conversations.id and to_user_id is null),
                        (select max(sent_at) from messages
                          where messages.company_id = conversations.company_id
                            and messages.conversation_id = conversations.id and sender_type = 'bot')) as since
          from conversations
         where status = 'pending') waits
 where conversations.id = waits.id;
-- Without a bot they all began by waiting. When a bot's did, nobody knows any more.
update conversations set first_pending_at = started_at where first_pending_at is null and bot_flow_id is null;

insert into conversation_transfers (id, company_id, conversation_id, to_user_id, by_user_id, at)
select gen_random_uuid(), company_id, conversation_id, sender_id, sender_id, sent_at
  from messages
 where sender_type = 'system' and sender_id is not null and payload ->> 'act' = 'taken_over';

insert into conversation_handlers (company_id, conversation_id, user_id)
select company_id, id, assignee_id from conversations where assignee_id is not null
 union
select company_id, conversation_id, to_user_id from conversation_transfers where to_user_id is not null
 union
select company_id, conversation_id, from_user_id from conversation_transfers where from_user_id is not null
 union
select company_id, conversation_id, sender_id from messages where sender_type = 'agent' and sender_id is not null;

alter table conversations force row level security;
alter table conversation_transfers force row level security;
alter table conversation_handlers force row level security;
alter table messages force row level security;

-- One place for all who move a conversation: ingest, the bot, commands, and whatever comes. `status` is not made yet here.
create function app.note_pending() returns trigger language plpgsql as $$
begin
    if new.ended_at is null and new.mode = 'human' and new.assignee_id is null then
        new.pending_since := coalesce(new.pending_since, now());
        new.first_pending_at := coalesce(new.first_pending_at, new.pending_since);
    else
        new.pending_since := null;
    end if;
    return new;
end
$$;
create trigger conversations_pending_from_the_start before insert on conversations
    for each row execute function app.note_pending();
create trigger conversations_pending before update on conversations
    for each row when (old.mode is distinct from new.mode or old.assignee_id is distinct from new.assignee_id
                       or old.ended_at is distinct from new.ended_at)
    execute function app.note_pending();

-- Every change of assignee or department leaves a row: where it was, where it is, whose act it was. A null user is the bot or the
-- queue. The reason is what the statement that moves it has told.
create function app.record_transfer() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into public.conversation_transfers (id, company_id, conversation_id, to_user_id, from_department_id, to_department_id,
                                                   by_user_id, at)
        values (gen_random_uuid(), new.company_id, new.id, new.assignee_id, new.department_id, new.department_id,
                app.user_id(), clock_timestamp());
    else
        insert into public.conversation_transfers (id, company_id, conversation_id, from_user_id, to_user_id, from_department_id,
                                                   to_department_id, by_user_id, reason, at)
        values (gen_random_uuid(), new.company_id, new.id, old.assignee_id, new.assignee_id, old.department_id, new.department_id,
                app.user_id(), nullif(current_setting('app.transfer_reason', true), ''), clock_timestamp());
    end if;
    return null;
end
$$;
create trigger conversations_assigned_from_the_start after insert on conversations
    for each row when (new.assignee_id is not null) execute function app.record_transfer();
create trigger conversations_transferred after update on conversations
    for each row when (old.assignee_id is distinct from new.assignee_id or old.department_id is distinct from new.department_id)
    execute function app.record_transfer();

create function app.note_handler() returns trigger language plpgsql as $$
declare
    handler uuid;
begin
    if tg_table_name = 'messages' then
        handler := new.sender_id;
    else
        handler := new.to_user_id;
    end if;
    insert into public.conversation_handlers (company_id, conversation_id, user_id)
    values (new.company_id, new.conversation_id, handler)
    on conflict do nothing;
    return null;
end
$$;
create trigger conversation_transfers_handler after insert or update of conversation_id on conversation_transfers
    for each row when (new.to_user_id is not null) execute function app.note_handler();
create trigger messages_handler after insert or update of conversation_id on messages
    for each row when (new.sender_type = 'agent' and new.sender_id is not null) execute function app.note_handler();
