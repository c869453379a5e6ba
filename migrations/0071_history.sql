-- What a phone has said before its number was connected here: it is read like an old letter, and nobody is called.

alter table channel_accounts
    -- How far it has come: `phase`, `progress`, `messages`, `declined`, `began_at`, `told_at`; null where nothing was told of it.
    add column history jsonb;

-- Of one client and channel, what belongs to no conversation that was held here. It was never open and never will be.
alter table conversations
    add column imported_at timestamptz,
    add constraint conversations_imported check (imported_at is null or ended_at is not null);
create index conversations_imported_of on conversations (company_id, channel_account_id, client_id) where imported_at is not null;

-- Of who writes, the last conversation that was held here is locked.
create or replace function app.enter_webhook(channel_kind text, number text, account text, shown text, persons integer[], kinds text[], identities text[], message_ids text[], changed_ids text[], own_ids uuid[])
returns table(id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text) language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    channel record;
    client_ids uuid[];
    conversation_ids uuid[];
begin
    if number is not null then
        select * into channel from app.enter_channel(channel_kind, number);
    else
        select * into channel from app.enter_account(channel_kind, account, shown);
    end if;
    if channel.id is null then
        return;
    end if;
    perform app.lock_keys(array(select named.kind || ':' || named.value from unnest(kinds, identities) named (kind, value))
                          || array(select 'message:' || message_id from unnest(message_ids || changed_ids) message_id));
    client_ids := array(
        select client_identities.client_id
          from unnest(kinds, identities) named (kind, value)
          join client_identities using (kind, value));
    perform from clients where id = any (client_ids) order by id for no key update;
    -- Those who were waited for may have been joined.
    client_ids := array(
        select distinct client_identities.client_id
          from unnest(kinds, identities) named (kind, value)
          join client_identities using (kind, value));
    conversation_ids := array(
        select latest.id
          from unnest(client_ids) client (client_id)
         cross join lateral (
            select conversations.id
              from conversations
             where conversations.channel_account_id = channel.id and conversations.client_id = client.client_id
               and conversations.merged_into_id is null and conversations.imported_at is null
             order by conversations.ended_at desc nulls first
             limit 1) latest);
    if cardinality(client_ids) > 1 then
        conversation_ids := conversation_ids || array(
            with known as (
                select named.person, client_identities.client_id
                  from unnest(persons, kinds, identities) named (person, kind, value)
                  join client_identities using (kind, value)
            )
            select conversations.id
              from conversations
             where conversations.client_id in (
                select known.client_id
                  from known
                 where known.person in (
                    select known.person from known group by known.person having count(distinct known.client_id) > 1)));
    end if;
    if cardinality(changed_ids) > 0 then
        conversation_ids := conversation_ids || array(
            select conversation_id from messages where channel_account_id = channel.id and provider_id = any (changed_ids)
             union all
            select conversation_id from messages where id = any (own_ids));
    end if;
    perform from conversations where id = any (conversation_ids) order by id for update;
    return query select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window,
                        channel.feed_cursor;
end
$$;

-- What came since a merge goes into the last conversation that was held here.
create or replace function app.part_clients(merge uuid, words jsonb)
returns uuid[] language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    done client_merges;
    one uuid;
    two uuid;
    was jsonb;
    had jsonb;
    theirs text[];
    unread uuid[];
    unanswered uuid[];
    pair jsonb;
    kept_id uuid;
    closed_id uuid;
    stray record;
    target uuid;
    touched uuid[];
    now_blocked timestamptz;
    freed uuid[];
    opened uuid[] := '{}';
begin
    if not app.has_role('supervisor', 'admin') then
        raise insufficient_privilege using message = 'clients are parted by supervisors';
    end if;
    select * into done from client_merges
     where company_id = company and id = merge and undone_at is null and at > now() - interval '30 days'
       and exists (select from clients where company_id = company and id = client_merges.client_id and merged_into_id is null)
       and exists (select from clients where company_id = company and id = client_merges.merged_client_id
                                         and merged_into_id = client_merges.client_id);
    if done.id is null then
        return null;
    end if;
    one := done.client_id;
    two := done.merged_client_id;
    was := done.undo -> 'client';
    had := done.undo -> 'merged_client';
    -- What was held is unread from here on, whoever it goes to.
    select blocked_at into now_blocked from clients where company_id = company and id = one;
    freed := app.unblock_client(one, words);
    select coalesce(array_agg(messages.id) filter (where messages.inbound_number > conversations.read_count), '{}'),
           coalesce(array_agg(messages.id) filter (where messages.inbound_number > conversations.bot_answered), '{}')
      into unread, unanswered
      from conversations
      join messages on messages.company_id = company and messages.conversation_id = conversations.id
     where conversations.company_id = company and conversations.client_id = one
       and messages.inbound_number > least(conversations.read_count, conversations.bot_answered);

    -- The rows themselves. What was changed since stays.
    update clients
       set name = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                       then was ->> 'name' else name end,
           name_source = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                              then was ->> 'name_source' else name_source end,
           name_told_at = case when was ->> 'name_source' = 'number' and (name, name_source) = (had ->> 'name', had ->> 'name_source')
                               then (was ->> 'name_told_at')::timestamptz else name_told_at end,
           document = case when was ->> 'document' is null and document = had ->> 'document' then null else document end,
           email = case when was ->> 'email' is null and email = had ->> 'email' then null else email end,
           blocked_at = case when was ->> 'blocked_at' is null and now_blocked = (had ->> 'blocked_at')::timestamptz then null
                             else now_blocked end,
           blocked_count = greatest(blocked_count - coalesce((had ->> 'blocked_count')::integer, 0), 0),
           tags = array(select tag from unnest(tags) with ordinality given (tag, place)
                         where not (had -> 'tags' ? tag) or was -> 'tags' ? tag order by place),
           custom_fields = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(custom_fields)
                             where was -> 'custom_fields' ? key or value is distinct from had -> 'custom_fields' -> key),
           metadata = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(metadata)
                        where was -> 'metadata' ? key or value is distinct from had -> 'metadata' -> key),
           version = version + 1
     where company_id = company and id = one;
    update clients
       set merged_into_id = null, version = version + 1,
           blocked_at = case when had ->> 'blocked_at' is null and now_blocked = (was ->> 'blocked_at')::timestamptz then null
                             else now_blocked end
     where company_id = company and id = two;
    update clients set merged_into_id = two
     where company_id = company and merged_into_id = one
       and id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'clients'));
    with parted as (
        update client_identities
           set client_id = two
         where company_id = company and client_id = one
           and (kind, value) in (select known ->> 'kind', known ->> 'value' from jsonb_array_elements(done.undo -> 'identities') known)
        returning kind || ':' || value as name
    )
    select coalesce(array_agg(name), '{}') into theirs from parted;
    update memberships set client_id = two
     where company_id = company and client_id = one
       and user_id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'memberships'));
    update client_consents set client_id = two
     where company_id = company and client_id = one
       and id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'consents'));
    with parted as (
        update conversations set client_id = two
         where company_id = company and client_id = one
           and (id in (select value::uuid from jsonb_array_elements_text(done.undo -> 'conversations'))
                -- Begun since, by their identities alone.
                or started_at >= done.at
                   and exists (select from messages where messages.company_id = company and messages.conversation_id = conversations.id
                                                      and messages.came_by = any (theirs))
                   and not exists (select from messages where messages.company_id = company and messages.conversation_id = conversations.id
                                                          and messages.came_by <> all (theirs)))
        returning id
    )
    select coalesce(array_agg(id), '{}') || freed into touched from parted;

    for pair in select value from jsonb_array_elements(done.undo -> 'joined') loop
        kept_id := (pair -> 'kept' ->> 'id')::uuid;
        closed_id := (pair -> 'closed' ->> 'id')::uuid;
        touched := touched || kept_id || closed_id || array(
            select distinct conversation_id from messages
             where company_id = company and id in (select key::uuid from jsonb_object_keys(pair -> 'messages') key));
        update conversations
           set merged_into_id = null, close_reason = 'merge_undone', bot_node = pair -> 'closed' ->> 'bot_node'
         where company_id = company and id = closed_id;
        update conversations
           set tags = array(select tag from unnest(tags) with ordinality given (tag, place)
                             where not (pair -> 'closed' -> 'tags' ? tag) or pair -> 'kept' -> 'tags' ? tag order by place),
               subject = case when pair -> 'kept' ->> 'subject' is null and subject = pair -> 'closed' ->> 'subject' then null
                              else subject end,
               started_at = (pair -> 'kept' ->> 'started_at')::timestamptz
         where company_id = company and id = kept_id;
        update messages set conversation_id = closed_id
         where company_id = company and id in (select key::uuid from jsonb_object_keys(pair -> 'messages') key);
        update files set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(pair -> 'files'));
        update conversation_transfers set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(pair -> 'transfers'));
        update scheduled_messages set conversation_id = closed_id
         where company_id = company and id in (select value::uuid from jsonb_array_elements_text(coalesce(pair -> 'scheduled', '[]')));
        update conversations set merged_into_id = closed_id
         where company_id = company and merged_into_id = kept_id
           and id in (select value::uuid from jsonb_array_elements_text(pair -> 'conversations'));
        insert into conversation_handlers (company_id, conversation_id, user_id)
        select company, closed_id, value::uuid from jsonb_array_elements_text(pair -> 'handlers')
        on conflict do nothing;
        delete from conversation_handlers handler
         where handler.company_id = company and handler.conversation_id = kept_id
           and pair -> 'handlers' ? handler.user_id::text and not (coalesce(pair -> 'kept_handlers', '[]') ? handler.user_id::text)
           and not exists (select from messages where messages.company_id = company and messages.conversation_id = kept_id
                                                  and messages.sender_id = handler.user_id)
           and not exists (select from conversation_transfers transfer
                            where transfer.company_id = company and transfer.conversation_id = kept_id
                              and transfer.to_user_id = handler.user_id);
        if exists (select from conversations where company_id = company and id = kept_id and ended_at is null) then
            opened := opened || closed_id;
        end if;
    end loop;

    -- What came since by an identity of the one in a conversation of the other.
    for stray in
        select messages.id, messages.file_id, messages.conversation_id, conversations.channel_account_id, conversations.department_id,
               conversations.ended_at, case when messages.came_by = any (theirs) then two else one end as owner
          from conversations
          join messages on messages.company_id = company and messages.conversation_id = conversations.id
         where conversations.company_id = company and conversations.client_id in (one, two)
           and messages.sender_type = 'client'
           -- By when its transaction began, which may have waited for the merge.
           and messages.created_at > done.at - interval '1 minute'
           and (conversations.client_id = one and messages.came_by = any (theirs)
                or conversations.client_id = two
                   and messages.came_by in (select kind || ':' || value from client_identities
                                             where company_id = company and client_id = one))
         order by messages.sent_at, messages.id
    loop
        select id into target
          from conversations
         where company_id = company and channel_account_id = stray.channel_account_id and client_id = stray.owner
           and merged_into_id is null and imported_at is null
         order by ended_at desc nulls first
         limit 1;
        if target is null then
            target := gen_random_uuid();
            insert into conversations (id, company_id, client_id, channel_account_id, department_id, mode, ended_at, close_reason)
            values (target, company, stray.owner, stray.channel_account_id, stray.department_id, 'human', now(), 'merge_undone');
        end if;
        update messages set conversation_id = target where company_id = company and id = stray.id;
        update files set conversation_id = target where company_id = company and id = stray.file_id;
        touched := touched || target || stray.conversation_id;
        if stray.ended_at is null then
            opened := opened || target;
        end if;
    end loop;
    foreach target in array opened loop
        update conversations
           set ended_at = null, close_reason = null
         where company_id = company and id = target and ended_at is not null and imported_at is null
           and not exists (select from conversations other
                            where other.company_id = company and other.client_id = conversations.client_id
                              and other.channel_account_id = conversations.channel_account_id and other.ended_at is null);
    end loop;

    with numbered as (
        select id, conversation_id, inbound_number as old_number,
               case when inbound_number is not null then
                   row_number() over (partition by conversation_id, inbound_number is null order by sent_at, id)::integer end as number
          from messages
         where company_id = company and conversation_id = any (touched)
    ), renumbered as (
        update messages set inbound_number = numbered.number
          from numbered
         where messages.company_id = company and messages.id = numbered.id and numbered.number <> numbered.old_number
    ), counted as (
        select concerned.id, count(number)::integer as inbound, min(number) filter (where numbered.id = any (unread)) as first_unread,
               min(number) filter (where numbered.id = any (unanswered)) as first_unanswered
          from (select distinct unnest(touched) as id) concerned
          left join numbered on numbered.conversation_id = concerned.id
         group by concerned.id
    )
    update conversations
       set inbound_count = counted.inbound,
           read_count = coalesce(counted.first_unread - 1, counted.inbound),
           bot_answered = coalesce(counted.first_unanswered - 1, counted.inbound),
           last_message_at = coalesce(newest.sent_at, conversations.last_message_at),
           last_message_id = newest.id,
           last_message_from = coalesce(newest.sender_type, conversations.last_message_from),
           last_message_preview = case when newest.deleted_at is not null then words ->> 'taken_back'
                                       else left(replace(coalesce(nullif(newest.body, ''), words ->> newest.kind, ''), E'\n', ' '), 120) end,
           -- WhatsApp's window is the client's and the number's, whichever conversation it was in.
           window_expires_at = (select max(messages.sent_at) + interval '24 hours'
                                  from conversations other
                                  join messages on messages.company_id = company and messages.conversation_id = other.id
                                 where other.company_id = company and other.client_id = conversations.client_id
                                   and other.channel_account_id = conversations.channel_account_id and messages.sender_type = 'client'),
           version = conversations.version + 1
      from counted
      left join lateral (
          select id, sent_at, sender_type, kind, body, deleted_at from messages
           where company_id = company and conversation_id = counted.id and kind <> 'reaction' and sender_type <> 'system'
           order by sent_at desc, id desc limit 1) newest on true
     where conversations.company_id = company and conversations.id = counted.id;
    update jobs
       set lane = messages.conversation_id::text
      from messages
     where jobs.company_id = company and jobs.queue = 'delivery' and jobs.finished_at is null
       and jobs.lane in (select id::text from unnest(touched) id)
       and messages.company_id = company and messages.id = (jobs.payload ->> 'message_id')::uuid
       and messages.conversation_id::text <> jobs.lane;
    update client_merges set undone_at = now(), undone_by_id = app.user_id() where company_id = company and id = merge;
    return array(select distinct unnest(touched));
end
$$;
