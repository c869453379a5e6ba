-- What few messages have is found by its index, however little the planner knows of a word; so are clients with a name and a tag.
create or replace function app.find_messages(query text, in_conversation uuid, of_client uuid, sender text, sent_by uuid, of_kind text, in_department uuid, on_channel uuid, since timestamp with time zone, until timestamp with time zone, at timestamp with time zone, at_id uuid, oldest_first boolean, wanted bigint)
returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp
set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 set enable_seqscan = off as $$
declare
    sampled constant integer := 300;
    -- What is compared word by word; ten times as many where something else says of most that they are not meant.
    walked integer := 2000;
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
    -- What the caller asks of the messages themselves.
    asked text :=
        case when in_conversation is not null then ' and messages.conversation_id = $3' else '' end
        || case when of_client is not null then
                ' and messages.conversation_id = any (array(
                      select id from conversations where company_id = $1 and client_id = $4))' else '' end
        || case when sender is not null then ' and messages.sender_type = $5' else '' end
        || case when sent_by is not null then ' and messages.sender_id = $6' else '' end
        || case when of_kind is not null then ' and messages.kind = $7' else '' end
        -- Files are few, and have an index.
        || case when of_kind in ('image', 'audio', 'video', 'document', 'sticker') then ' and messages.file_id is not null' else '' end
        || case when on_channel is not null then ' and messages.channel_account_id = $9' else '' end;
    -- What is asked of their conversations, and seen.
    seen text :=
        case when in_department is not null then ' and conversations.department_id = $8' else '' end
        || case when app.sees_all() then ''
                else ' and (conversations.assignee_id = $14 or $14 = any (conversations.participant_ids)
                            or (conversations.department_id is null or conversations.department_id = any ($15))
                               and ($16 = ''department'' or conversations.assignee_id is null))' end;
    joined constant text := ' join conversations on conversations.company_id = messages.company_id
                                                and conversations.id = messages.conversation_id';
    ordered text := format(' order by messages.sent_at %1$s, messages.id %1$s', direction);
    newest text;
    few uuid[];
    matches integer;
    found uuid[];
begin
    if words = '{}' then
        return '{}';
    end if;
    if in_conversation is null and of_client is null then
        walked := case when asked || seen = '' then walked else 10 * walked end;
        newest := '(select * from messages where ' || said || ordered || ' limit %s) messages';
        execute 'select count(*) from ' || format(newest, sampled) || joined || ' where true' || asked || seen || has_words
           into matches
          using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                app.user_id(), app.department_ids(), app.visibility();
        if matches * walked >= wanted * sampled then
            execute 'select array(select messages.id from ' || format(newest, walked) || joined || ' where true' || asked || seen || has_words
                    || ordered || format(' limit %s)', wanted)
               into found
              using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                    app.user_id(), app.department_ids(), app.visibility();
            if cardinality(found) >= wanted then
                return found;
            end if;
        end if;
    end if;
    -- Of who sees little, only that is looked at.
    if not app.sees_all() then
        execute 'select array(select conversations.id from conversations where conversations.company_id = $1' || seen || ' limit 1001)'
           into few
          using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
                app.user_id(), app.department_ids(), app.visibility();
        if cardinality(few) <= 1000 then
            asked := asked || ' and messages.conversation_id = any ($17)';
        end if;
    end if;
    -- All that have the words, by their index: the planner would rather walk through everything in order, and compare word by word. Then one
    -- by one in order, until the page is full.
    execute 'with matches as materialized (
                 select messages.id, messages.sent_at, messages.company_id, messages.conversation_id
                   from messages where ' || said || has_words || asked || ')
             select array(select messages.id from (select * from matches messages' || ordered || ') messages
                           where (select true from conversations
                                   where conversations.company_id = messages.company_id and conversations.id = messages.conversation_id'
            || seen || format(') limit %s)', wanted)
       into found
      using company, words, in_conversation, of_client, sender, sent_by, of_kind, in_department, on_channel, since, until, at, at_id,
            app.user_id(), app.department_ids(), app.visibility(), few;
    return found;
end
$$;

create or replace function app.find_clients(query text, phones text[], tag text, is_archived boolean, is_oldest_first boolean, at timestamp with time zone, after uuid, wanted bigint, is_blocked boolean)
returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp
set work_mem = '64MB' set jit = off set max_parallel_workers_per_gather = 0 as $$
declare
    step constant integer := 500;
    -- Of so many of a step the page is filled sooner than the indexes answer.
    enough constant integer := 5;
    most constant integer := 10000;
    company uuid := app.company_id();
    spaced text := app.spaced(query);
    address text := lower(btrim(query));
    inside text := '%' || replace(replace(replace(address, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    names text[] := case when spaced ~ '[[:alnum:]]{3}'
                         then array(select distinct '%' || written || '%' from unnest(array[spaced, app.joined(query)]) written)
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
    has_name text := is_named;
    is_known constant text := '(identity.value like any ($7) or identity.kind = ''email'' and identity.value like any ($8))';
    has_document constant text := '(clients.document like $9 and clients.merged_into_id is null)';
    has_address constant text := 'clients.email is not null and lower(clients.email) = $10';
    found uuid[] := '{}';
    more uuid[];
    walked integer := 0;
    passed integer;
    tagged integer;
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
    if tag is not null then
        execute 'select count(*) from (select from clients
                                        where clients.company_id = $1 and clients.tags <> ''{}'' and clients.tags @> array[$2]
                                        limit 2001) tagged'
           into tagged using company, tag;
        -- By the index of the tags where these are few, which the planner cannot know here; then not by that of the names.
        has_name := case when tagged <= 2000 then 'app.searchable(clients.name) || '''' like any ($6)' else is_named end
            || ' and clients.tags <> ''{}'' and clients.tags @> array[$2]';
    end if;
    execute 'with known as materialized (
                 select clients.id from clients where clients.company_id = $1 and ' || has_name || '
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
$$;
