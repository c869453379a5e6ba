-- What somebody of the staff is to do: by when, about whom, and again when it was done.

create table tasks (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    kind            text not null check (kind in ('call', 'message', 'generic')),
    title           text not null check (char_length(title) between 1 and 200),
    notes           text not null default '' check (char_length(notes) <= 5000),
    owner_id        uuid not null,
    -- Null: the system.
    created_by      uuid default app.user_id() references users,
    due_at          timestamptz,
    -- In which its days are cut; null is the company's.
    time_zone       text,
    recurrence      text check (recurrence in ('daily', 'weekly', 'monthly')),
    -- A series goes on from the time of its first one: the third after the 31st of January is the 30th of April.
    series_id       uuid not null,
    series_at       timestamptz,
    occurrence      integer not null default 0 check (occurrence >= 0),
    -- The one that it was said to come after.
    follows_id      uuid,
    -- What made it, where nobody did: never twice for the same.
    cause           text,
    -- Who last said whose it is and what it is about: they see what they have given away.
    given_by        uuid references users,
    lead_id         uuid,
    client_id       uuid,
    mentee_id       uuid,
    conversation_id uuid,
    completed_at    timestamptz,
    completed_by    uuid references users,
    result          text not null default '' check (char_length(result) <= 5000),
    -- For which time its owner was told that it is over.
    told_due_at     timestamptz,
    version         integer not null default 1,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    -- The clients and conversations that it was about before they became part of others, the first one first.
    moved_from      uuid[] not null default '{}',
    -- Its place in lists: what has no time comes after all that has.
    listed_at       timestamptz not null generated always as (coalesce(due_at, timestamptz '8000-01-01 00:00:00+00')) stored,
    unique (company_id, id),
    constraint tasks_series unique (company_id, series_id, occurrence),
    constraint tasks_cause unique (company_id, cause),
    foreign key (company_id, owner_id) references memberships (company_id, user_id),
    foreign key (company_id, lead_id) references leads (company_id, id),
    foreign key (company_id, client_id) references clients (company_id, id),
    foreign key (company_id, mentee_id) references mentees (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id),
    check ((completed_at is null) = (completed_by is null)),
    check (recurrence is null or due_at is not null and series_at is not null)
);
create index tasks_open on tasks (company_id, listed_at, id) where completed_at is null;
create index tasks_at on tasks (company_id, listed_at, id);
create index tasks_owner on tasks (company_id, owner_id, listed_at, id);
create index tasks_client on tasks (company_id, client_id, listed_at, id) where client_id is not null;
create index tasks_lead on tasks (company_id, lead_id, listed_at, id) where lead_id is not null;
create index tasks_mentee on tasks (company_id, mentee_id, listed_at, id) where mentee_id is not null;
create index tasks_conversation on tasks (company_id, conversation_id, listed_at, id) where conversation_id is not null;
create index tasks_follows on tasks (company_id, follows_id) where follows_id is not null;
create index tasks_open_of_owner on tasks (company_id, owner_id, listed_at, id) where completed_at is null;
create index tasks_untold on tasks (due_at) where completed_at is null and told_due_at is distinct from due_at;
call app.protect('tasks');
-- One's own, and what is about something that one sees: its conversation, else its mentoring, else its lead, else its client, whom all staff see.
alter policy staff on tasks
    using ((select app.sees_all()) or owner_id = (select app.user_id()) or created_by = (select app.user_id())
           or given_by = (select app.user_id())
           or case
                  when conversation_id is not null then exists (
                      select from conversations where conversations.company_id = tasks.company_id and conversations.id = conversation_id)
                  when mentee_id is not null then exists (
                      select from mentees where mentees.company_id = tasks.company_id and mentees.id = mentee_id)
                  when lead_id is not null then exists (
                      select from leads where leads.company_id = tasks.company_id and leads.id = lead_id)
                  else client_id is not null
              end)
    with check (true);
create policy own_words on tasks as restrictive for insert to app_staff with check (created_by = (select app.user_id()));
call app.open_to_lookup('tasks', 'select, insert, update (lead_id, client_id, conversation_id, moved_from)');
grant insert (id, kind, title, notes, owner_id, due_at, time_zone, recurrence, series_id, series_at, occurrence, follows_id,
              lead_id, client_id, mentee_id, conversation_id),
      update (kind, title, notes, owner_id, due_at, time_zone, recurrence, series_id, series_at, occurrence,
              lead_id, client_id, mentee_id, conversation_id, given_by, completed_at, completed_by, result, version, updated_at),
      delete
   on tasks to app_staff;
revoke insert, update, delete on tasks from app_system;
grant update (told_due_at) on tasks to app_system;

-- A task goes with its client and its conversation, as notes do; one that is written while two are joined goes where the others went.
create trigger tasks_placed before insert or update of client_id, conversation_id on tasks
    for each row when (new.client_id is not null or new.conversation_id is not null) execute function app.place_note();
create function app.move_tasks() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_table_name = 'clients' and old.merged_into_id is null then
        update tasks
           set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id and conversation_id is null;
    elsif tg_table_name = 'clients' then
        update tasks
           set client_id = new.id, moved_from = array_remove(moved_from, new.id)
         where company_id = new.company_id and client_id = old.merged_into_id and conversation_id is null and new.id = any (moved_from);
    elsif new.client_id <> old.client_id then
        update tasks set client_id = new.client_id where company_id = new.company_id and conversation_id = new.id;
    end if;
    if tg_table_name = 'conversations' and old.merged_into_id is null and new.merged_into_id is not null then
        update tasks
           set conversation_id = new.merged_into_id, moved_from = moved_from || new.id,
               client_id = (select client_id from conversations kept where kept.company_id = new.company_id and kept.id = new.merged_into_id)
         where company_id = new.company_id and conversation_id = new.id;
    elsif tg_table_name = 'conversations' and old.merged_into_id is not null and new.merged_into_id is null then
        update tasks
           set conversation_id = new.id, client_id = new.client_id, moved_from = array_remove(moved_from, new.id)
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
alter function app.move_tasks owner to app_lookup;
create trigger clients_tasks after update of merged_into_id on clients
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null)) execute function app.move_tasks();
create trigger conversations_tasks after update of merged_into_id, client_id on conversations
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null) or new.client_id <> old.client_id)
    execute function app.move_tasks();

-- A lead that becomes another takes its tasks along, and has them back when that is undone.
create function app.move_tasks_of_lead() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.merged_into_id is not null then
        update tasks
           set lead_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and lead_id = new.id;
    else
        update tasks
           set lead_id = new.id, moved_from = array_remove(moved_from, new.id)
         where company_id = new.company_id and lead_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
alter function app.move_tasks_of_lead owner to app_lookup;
create trigger leads_tasks after update of merged_into_id on leads
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null)) execute function app.move_tasks_of_lead();

-- Who sees what a task is about, for whoever tells of the task without seeing that themselves.
create function app.who_sees_task(conversation uuid, mentee uuid, lead uuid, out department_id uuid, out assignee_id uuid, out participant_ids uuid[])
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    if conversation is not null then
        select conversations.department_id, conversations.assignee_id, conversations.participant_ids
          into department_id, assignee_id, participant_ids
          from conversations
         where conversations.company_id = app.company_id() and conversations.id = conversation;
    elsif mentee is not null then
        select mentees.mentor_id into assignee_id from mentees where mentees.company_id = app.company_id() and mentees.id = mentee;
    elsif lead is not null then
        select pipelines.department_id, coalesce(leads.closer_id, leads.sdr_id), array_remove(array[leads.sdr_id], null)
          into department_id, assignee_id, participant_ids
          from leads
          join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
         where leads.company_id = app.company_id() and leads.id = lead;
    end if;
    participant_ids := coalesce(participant_ids, '{}');
end
$$;
alter function app.who_sees_task owner to app_lookup;
revoke all on function app.who_sees_task from public;
grant execute on function app.who_sees_task to app_staff, app_system;

insert into event_rules (type, told_by) values
    ('task.created', 'agent'),
    ('task.updated', 'agent'),
    ('task.completed', 'agent'),
    ('task.deleted', 'agent');

-- The time of a task is over: its owner is told, once for each time; whoever leads where the owner is not there any more.
insert into notification_types (type, position, caused_by, sound, on_screen, rings, by_mail, by_push, words) values
('task_overdue', 125, 'system', 'alert', true, true, false, true, '{
    "pt-BR": {"name": "Tarefas atrasadas", "title": "Tarefa atrasada: {task}", "titles": "Tarefa atrasada: {task}", "body": "{client|}"},
    "en": {"name": "Overdue tasks", "title": "Overdue task: {task}", "titles": "Overdue task: {task}", "body": "{client|}"}}');
create function app.overdue_tasks(most integer) returns table (company_id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select distinct due.company_id
      from (select tasks.company_id from tasks
             where completed_at is null and told_due_at is distinct from due_at and due_at <= now()
             order by due_at
             limit most) due;
end
$$;
alter function app.overdue_tasks owner to app_lookup;
revoke all on function app.overdue_tasks from public;
grant execute on function app.overdue_tasks to app;
create function app.notify_of_task() returns trigger language plpgsql as $$
declare
    is_there boolean;
begin
    if tg_op = 'DELETE' then
        perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(old.id), 'source_ids', jsonb_build_array(old.id), 'everybody', true));
        return null;
    elsif new.completed_at is not null or new.due_at is distinct from old.due_at then
        perform app.settle_notifications(jsonb_build_object('source_ids', jsonb_build_array(new.id), 'everybody', true));
        return null;
    end if;
    is_there := exists (select from public.memberships
                         where memberships.company_id = new.company_id and memberships.user_id = new.owner_id and memberships.status = 'active');
    perform app.notify(jsonb_build_object(
        'type', 'task_overdue', 'people', case when is_there then jsonb_build_array(new.owner_id) else '[]' end,
        'groups', case when is_there then '[]'::jsonb else '["leaders"]' end,
        'cause', 'task:' || new.id || ':' || extract(epoch from new.due_at), 'group_key', 'task:' || new.id,
        'client_id', new.client_id, 'source_id', new.id, 'facts', jsonb_build_object('task', new.title)));
    return null;
end
$$;
create trigger tasks_overdue_told after update of told_due_at on tasks for each row
    when (new.told_due_at is distinct from old.told_due_at and new.completed_at is null)
    execute function app.notify_of_task();
create trigger tasks_settled after update of completed_at, due_at on tasks for each row
    when (new.completed_at is distinct from old.completed_at or new.due_at is distinct from old.due_at)
    execute function app.notify_of_task();
create trigger tasks_gone after delete on tasks for each row execute function app.notify_of_task();

-- A mentee who is not content: the mentor is told and has a task, in the transaction that says so; whoever leads where the mentor is not there any more.
update notification_types
   set caused_by = 'student',
       words = jsonb_set(jsonb_set(words, '{pt-BR}', words -> 'pt-BR' || '{"title_mentoring": "{client} deu nota {rating} à mentoria", "body_mentoring": "Converse sobre isso: há uma tarefa para amanhã"}'),
                         '{en}', words -> 'en' || '{"title_mentoring": "{client} rated the mentoring {rating}", "body_mentoring": "Talk about it: there is a task for tomorrow"}')
 where type = 'low_satisfaction';
create or replace function app.notification_words(of_type text, language text, facts jsonb, count integer, out title text, out body text)
language plpgsql stable as $$
declare
    own jsonb;
begin
    select coalesce(words -> language, words -> 'pt-BR') into own from public.notification_types where type = of_type;
    title := app.fill_words(coalesce(own ->> ('title_' || (facts ->> 'variant')), case when count > 1 then own ->> 'titles' end, own ->> 'title'),
                            facts || jsonb_build_object('count', count));
    body := app.fill_words(coalesce(own ->> ('body_' || (facts ->> 'variant')), own ->> 'body'), facts);
end
$$;
create function app.answer_feedback() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    mentee mentees;
    is_there boolean;
begin
    select * into mentee from mentees where company_id = new.company_id and id = new.mentee_id;
    is_there := exists (select from memberships
                         where company_id = new.company_id and user_id = mentee.mentor_id and status = 'active');
    perform app.notify(jsonb_build_object(
        'type', 'low_satisfaction', 'people', case when is_there then jsonb_build_array(mentee.mentor_id) else '[]' end,
        'groups', case when is_there then '[]'::jsonb else '["leaders"]' end, 'tells_actor', true,
        'cause', 'feedback:' || new.id, 'group_key', 'feedback:' || new.id, 'client_id', mentee.client_id, 'source_id', new.id,
        'facts', jsonb_build_object('variant', 'mentoring', 'rating', new.overall)));
    insert into tasks (id, company_id, kind, title, owner_id, created_by, due_at, series_id, cause, client_id, mentee_id)
    select id, new.company_id, 'call', 'Conversar sobre a nota ' || new.overall || ' da mentoria', mentee.mentor_id, null,
           now() + interval '1 day', id, 'feedback:' || new.id, mentee.client_id, mentee.id
      from (select gen_random_uuid() as id) made;
    return null;
end
$$;
alter function app.answer_feedback owner to app_lookup;
create trigger mentee_feedback_answered after insert on mentee_feedback for each row
    when (new.overall <= 5) execute function app.answer_feedback();

-- What students tell of their mentoring is that there is something to read, to those who see it.
create function app.is_of_own_mentoring(topic text, audience text[], data jsonb) returns boolean language plpgsql stable as $$
begin
    return topic = 'company:' || app.company_id()
       and data - array['mentee_id', 'month', 'feedback_id'] = '{}'
       and coalesce(data ->> 'month', '2000-01') ~ '^[0-9]{4}-[0-9]{2}$'
       and coalesce(data ->> 'feedback_id', data ->> 'mentee_id') ~ '^[0-9a-f-]{36}$'
       and exists (select from public.mentees
                    where mentees.company_id = app.company_id() and mentees.client_id = app.client_id()
                      and mentees.id::text = data ->> 'mentee_id' and audience = array['department:none', 'user:' || mentees.mentor_id]);
end
$$;
revoke all on function app.is_of_own_mentoring from public;
grant execute on function app.is_of_own_mentoring to app_lookup;
create or replace function app.judge_record(new_events jsonb, new_jobs jsonb) returns void language plpgsql stable as $$
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin'];
    rank integer;
    refused text;
begin
    select array_position(ranks, role) into rank
      from memberships
     where company_id = app.company_id() and user_id = app.user_id();
    select 'event ' || event.type into refused
      from jsonb_to_recordset(new_events) event (topic text, type text, audience text[], data jsonb)
      left join event_rules rule on rule.type = event.type
     where (array_position(ranks, rule.told_by) <= rank
            and case
                when rule.is_private then
                    event.topic = 'user:' || app.user_id() and event.audience = array['self:' || app.user_id()]
                when rank = 1 then app.is_of_own_mentoring(event.topic, event.audience, event.data)
                when exists (select from unnest(event.audience) key where key like 'self:%') then
                    event.topic ~ '^user:[0-9a-f-]{36}$' and event.audience = array['self:' || substr(event.topic, 6)]
                when exists (select from unnest(event.audience) key where key like 'channel:%') then
                    event.topic = 'company:' || app.company_id() and cardinality(event.audience) = 1
                    -- Whoever has just left says so to the others.
                    and (rule.type = 'chat.member_removed'
                         or event.audience[1] in (select 'channel:' || channel from app.my_channels() channel))
                else
                    event.topic in ('company:' || app.company_id(), 'dashboard:' || app.company_id())
                    or event.topic ~ '^(conversation|user):'
                end) is not true
     limit 1;
    if refused is null then
        select 'job ' || job.kind into refused
          from jsonb_to_recordset(new_jobs) job (kind text, queue text, run_at timestamptz)
          left join job_rules rule on rule.kind = job.kind and rule.queue = job.queue
         where (array_position(ranks, rule.added_by) <= rank and job.run_at is null) is not true
         limit 1;
    end if;
    if refused is not null then
        raise insufficient_privilege using message = format('%s is not this caller''s to record: see event_rules and job_rules', refused);
    end if;
end
$$;
