-- What is given to many at once, windows after a merge was undone, mutes that are over, clients who are blocked.

-- Whoever leaves locks their membership before what they hold; so does who gives them many conversations.
create function app.hold_member(person uuid) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from memberships where company_id = app.company_id() and user_id = person for share;
end
$$;
alter function app.hold_member owner to app_lookup;
revoke all on function app.hold_member from public;
grant execute on function app.hold_member to app_staff;

create index conversation_preferences_muted on conversation_preferences (muted_until);
create function app.sweep_preferences(most integer) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint;
begin
    delete from conversation_preferences where ctid in (
        select ctid from conversation_preferences where muted_until < now() limit most for update skip locked);
    get diagnostics gone = row_count;
    return gone;
end
$$;
alter function app.sweep_preferences owner to app_lookup;
revoke all on function app.sweep_preferences from public;
grant execute on function app.sweep_preferences to app;

create or replace function app.part_clients(merge uuid, words jsonb) returns uuid[] language plpgsql security definer set search_path = public, pg_temp as $function$
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
           and merged_into_id is null
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
         where company_id = company and id = target and ended_at is not null
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
$function$;

-- Clients are found by whether they are blocked too.
create index clients_blocked on clients (company_id, created_at, id) where blocked_at is not null and merged_into_id is null;
drop function app.find_clients;
create function app.find_clients(
    query text, phones text[], tag text, is_archived boolean, is_oldest_first boolean, at timestamptz, after uuid, wanted bigint,
    is_blocked boolean
) returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp set work_mem = '64MB' set jit = off
    set max_parallel_workers_per_gather = 0 as $function$
declare
    step constant integer := 500;
    -- Of so many of a step the page is filled sooner than the indexes answer.
    enough constant integer := 5;
    most constant integer := 10000;
    company uuid := app.company_id();
    spaced text := app.spaced(query);
    address text := lower(btrim(query));
    inside text := '%' || replace(replace(replace(address, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    names text[] := case when spaced ~ '[[:alnum:]]{3}' then array['%' || spaced || '%', '%' || app.joined(query) || '%']
                         when spaced <> '' then array[spaced || '%', '% ' || spaced || '%']
                         else '{}' end;
    emails text[] := case when address ~ '[[:alnum:]]{3}' then array[inside] else '{}' end;
    numbers text[] := array(select '%' || phone || '%' from unnest(phones) phone);
    bare text := upper(regexp_replace(query, '[./ -]', '', 'g'));
    documents text := case when bare ~ '^[0-9A-Z]{6,14}$' and bare ~ '[0-9]' then bare || '%' end;
    direction text := case when is_oldest_first then 'asc' else 'desc' end;
    ordered text := format(' order by clients.created_at %1$s, clients.id %1$s limit ', direction);
    rows text := 'clients where clients.company_id = $1 and clients.merged_into_id is null'
        || case when is_archived then ' and clients.archived_at is not null' else ' and clients.archived_at is null' end
        || case when is_blocked then ' and clients.blocked_at is not null'
                when not is_blocked then ' and clients.blocked_at is null'
                else '' end
        || case when tag is not null then ' and clients.tags <> ''{}'' and clients.tags @> array[$2]' else '' end
        || case when is_oldest_first then ' and (clients.created_at, clients.id) > ($3, $4)'
                else ' and (clients.created_at, clients.id) < ($3, $4)' end;
    is_named constant text := 'app.searchable(clients.name) like any ($6)';
    is_known constant text := '(identity.value like any ($7) or identity.kind = ''email'' and identity.value like any ($8))';
    has_document constant text := '(clients.document like $9 and clients.merged_into_id is null)';
    has_address constant text := 'clients.email is not null and lower(clients.email) = $10';
    found uuid[] := '{}';
    more uuid[];
    walked integer := 0;
    passed integer;
begin
    at := coalesce(at, case when is_oldest_first then '-infinity'::timestamptz else 'infinity' end);
    after := coalesce(after, '00000000-0000-0000-0000-000000000000');
    if query is null then
        execute 'select array(select clients.id from ' || rows || ordered || '$5)' into found using company, tag, at, after, wanted;
        return found;
    end if;
    if cardinality(names) = 0 and cardinality(numbers) = 0 and cardinality(emails) = 0 then
        return '{}';
    end if;
    loop
        execute 'with clients as materialized (select * from ' || rows || ordered || '$5),
                      page as materialized (
                     select clients.id, clients.created_at
                       from clients
                      where ' || is_named || ' or ' || has_document || ' or ' || has_address || '
                         or exists (select from client_identities identity
                                     where identity.company_id = $1 and identity.client_id = clients.id and ' || is_known || '))
                 select array(select clients.id from page clients' || ordered || 'all), last.passed, last.created_at, last.id
                   from (select count(*) over () as passed, clients.created_at, clients.id
                           from clients order by clients.created_at ' || case when is_oldest_first then 'desc' else 'asc' end
                     || ', clients.id ' || case when is_oldest_first then 'desc' else 'asc' end || ' limit 1) last'
           into more, passed, at, after
          using company, tag, at, after, step, names, numbers, emails, documents, address;
        if passed is null then
            return found;
        end if;
        found := found || more;
        walked := walked + passed;
        if passed < step or cardinality(found) >= wanted then
            return found[:wanted];
        end if;
        exit when cardinality(found) * step < enough * walked or walked >= most;
    end loop;
    execute 'with known as materialized (
                 select clients.id from clients where clients.company_id = $1 and ' || is_named || '
                 union
                 select client_id from client_identities identity where identity.company_id = $1 and identity.value like any ($7)
                 union
                 select client_id from client_identities identity
                  where identity.company_id = $1 and identity.kind = ''email'' and identity.value like any ($8)
                 union
                 select clients.id from clients where clients.company_id = $1 and ' || has_document || '
                 union
                 select clients.id from clients where clients.company_id = $1 and ' || has_address || ')
             select array(select clients.id from known join ' || replace(rows, 'clients where', 'clients using (id) where') || ordered || '$5)'
       into more
      using company, tag, at, after, wanted - cardinality(found), names, numbers, emails, documents, address;
    return found || more;
end
$function$;
alter function app.find_clients owner to app_lookup;
revoke all on function app.find_clients from public;
grant execute on function app.find_clients to app_staff;
