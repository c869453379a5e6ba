
-- Staff who follow a conversation: they see it and are told of it, whoever has it and wherever it is. They stand in its row, so that
-- nobody's sight and no event's audience asks another table.
alter table conversations
    add column participant_ids uuid[] not null default '{}',
    -- Of one that became part of another: those whom the other did not have already.
    add column participants_lent uuid[],
    add constraint conversations_participants_check check (cardinality(participant_ids) <= 100);
-- What decides about sight is in the indexes that lists and counts read.
drop index conversations_inbox;
drop index conversations_recent;
drop index conversations_assignee;
create index conversations_inbox on conversations (company_id, status, last_message_at desc, id desc)
    include (assignee_id, department_id, participant_ids);
create index conversations_recent on conversations (company_id, last_message_at desc, id desc)
    include (assignee_id, department_id, participant_ids);
create index conversations_assignee on conversations (company_id, assignee_id, last_message_at desc, id desc)
    include (status, department_id, participant_ids);
create index conversations_participants on conversations using gin (company_id, participant_ids) with (fastupdate = off)
    where participant_ids <> '{}';
grant update (participant_ids) on conversations to app_staff;
alter policy staff on conversations using (
    (select app.sees_all())
    or assignee_id = (select app.user_id())
    or ((department_id is null or department_id = any ((select app.department_ids())::uuid[]))
        and ((select app.visibility()) = 'department' or assignee_id is null))
    or (select app.user_id()) = any (participant_ids)
    or id = any ((select app.held_conversations())::uuid[])
) with check (true);

-- Whoever is added is held: one who has just left follows nothing. Those whom a merge brings are held by its lock of the rows they stand in.
create function app.hold_participants() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    added uuid[] := array(select person from unnest(new.participant_ids) person
                           where person <> all (old.participant_ids));
begin
    perform from memberships
      where company_id = new.company_id and user_id = any (added) and status = 'active' and role <> 'student'
      order by user_id
        for share;
    if (select count(*) from memberships
         where company_id = new.company_id and user_id = any (added) and status = 'active' and role <> 'student') < cardinality(added) then
        raise serialization_failure using message = 'a conversation is followed by somebody who is not there any more';
    end if;
    return null;
end
$$;
alter function app.hold_participants owner to app_lookup;
create trigger conversations_participants after update of participant_ids on conversations
    for each row when (new.participant_ids <> '{}' and new.participant_ids <> old.participant_ids and pg_trigger_depth() = 0)
    execute function app.hold_participants();

-- Whoever leaves the company, or its staff, follows nothing. What they hold is locked with it, in the order of locks. What they followed is
-- named until the transaction ends, so that whoever lets them go can tell it.
create function app.leave_conversations() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    left_ids uuid[] := array(select id from conversations where company_id = new.company_id and participant_ids <> '{}' and participant_ids @> array[new.user_id]);
    held_ids uuid[] := left_ids || array(
        select id from conversations where company_id = new.company_id and assignee_id = new.user_id and status = 'active');
begin
    perform from conversations where company_id = new.company_id and id = any (held_ids) order by id for update;
    -- Some may have been added until their membership was held.
    left_ids := left_ids || array(
        select id from conversations where company_id = new.company_id and participant_ids <> '{}' and participant_ids @> array[new.user_id] and id <> all (left_ids));
    update conversations
       set participant_ids = array_remove(participant_ids, new.user_id)
     where company_id = new.company_id and id = any (left_ids) and participant_ids @> array[new.user_id];
    perform set_config('app.left_conversations', array_to_string(left_ids, ','), true);
    return null;
end
$$;
alter function app.leave_conversations owner to app_lookup;
create trigger memberships_leave_conversations after update of status, role on memberships
    for each row when (old.status = 'active' and new.status <> 'active' or old.role <> 'student' and new.role = 'student')
    execute function app.leave_conversations();

-- What somebody who has just left followed.
create function app.left_conversations() returns uuid[] language sql stable as
    $$ select string_to_array(nullif(current_setting('app.left_conversations', true), ''), ',')::uuid[] $$;
grant execute on function app.left_conversations to app_staff, app_system;

-- What the caller follows. Under a policy, no index of arrays is used.
create function app.followed_conversations() returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return array(select id from conversations where company_id = app.company_id() and participant_ids <> '{}' and participant_ids @> array[app.user_id()]);
end
$$;
alter function app.followed_conversations owner to app_lookup;
grant execute on function app.followed_conversations to app_staff;

-- With the conversation that has the messages, and back again.
create function app.carry_participants() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.merged_into_id is not null then
        select array_agg(person) into new.participants_lent
          from conversations kept, unnest(new.participant_ids) person
         where kept.company_id = new.company_id and kept.id = new.merged_into_id
           and person <> all (kept.participant_ids);
        update conversations set participant_ids = (participant_ids || new.participants_lent)[:100]
         where company_id = new.company_id and id = new.merged_into_id and new.participants_lent is not null;
    else
        update conversations
           set participant_ids = array(select person from unnest(participant_ids) person where person <> all (old.participants_lent))
         where company_id = new.company_id and id = old.merged_into_id and old.participants_lent is not null;
        new.participants_lent := null;
    end if;
    return new;
end
$$;
alter function app.carry_participants owner to app_lookup;
create trigger conversations_carry_participants before update of merged_into_id on conversations
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null)
                       and (new.participant_ids <> '{}' or old.participants_lent is not null))
    execute function app.carry_participants();

-- Words are found where a conversation is seen.
create or replace function app.find_messages(query text, in_conversation uuid, of_client uuid, sender text, sent_by uuid, of_kind text, in_department uuid, on_channel uuid, since timestamp with time zone, until timestamp with time zone, at timestamp with time zone, at_id uuid, oldest_first boolean, wanted bigint)
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET work_mem TO '64MB'
 SET jit TO 'off'
 SET max_parallel_workers_per_gather TO '0'
 SET enable_seqscan TO 'off'
AS $function$
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
                else ' and (conversations.assignee_id = $14 or $14 = any (conversations.participant_ids)
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
$function$;
