-- Search that is complete: what a caller sees and asks for is decided before anything is cut.

-- Lets identifiers and words stand in one index.
create extension if not exists btree_gin;

-- Holds all that decides who sees a conversation, and its category: they are counted without being read.
drop index conversations_assignee;
create index conversations_assignee on conversations (company_id, assignee_id, last_message_at desc, id desc)
    include (status, department_id);

-- The stems of a text's words, each with its company: one company's search reads nothing of the others'.
create function app.words(company uuid, body text) returns text[] language sql immutable strict parallel safe as $$
    select array(select right(company::text, 12) || lexeme from unnest(to_tsvector('portuguese', app.fold(body))))
$$;
grant execute on function app.words to app_staff, app_lookup;

-- The words of one conversation are found as fast as those of a company. Without a list of pending entries, which every look-up
-- would have to read.
create index messages_words on messages using gin (conversation_id, app.words(company_id, body))
    with (fastupdate = off) where body <> '' and deleted_at is null;
drop index clients_name;
create index clients_name on clients using gin (company_id, app.fold(name) gin_trgm_ops) with (fastupdate = off);
drop index client_identities_value;
create index client_identities_value on client_identities using gin (company_id, value gin_trgm_ops) with (fastupdate = off);

-- Those of `candidates` whose client has such a name, number or e-mail, or a message of which has all the words.
create function app.matching_conversations(candidates uuid[], names text[], numbers text[], email_address text, words text[]) returns uuid[]
language plpgsql stable as $$
declare
    company uuid := app.company_id();
begin
    return array(
        select candidate.id
          from unnest(candidates) candidate (id)
         where exists (
               select from messages
                where messages.conversation_id = candidate.id
                  and messages.body <> ''
                  and messages.deleted_at is null
                  and app.words(messages.company_id, messages.body) @> words
               offset 0)
            or exists (
               select from conversations
                 join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
                where conversations.company_id = company
                  and conversations.id = candidate.id
                  and (app.fold(clients.name) like any (names) or exists (
                       select from client_identities
                        where client_identities.company_id = company
                          and client_identities.client_id = clients.id
                          and (client_identities.value like any (numbers)
                               or client_identities.kind = 'email' and client_identities.value = email_address)
                       offset 0))
               offset 0));
end
$$;
grant execute on function app.matching_conversations to app_lookup;

-- Of this company's conversations those whose client (name, phone, e-mail) or messages match: at least the first `wanted` of
-- them among what the caller asks for, or all there are.
--
-- `newest` are the newest conversations that the caller sees and asks for, in the order of the answer; fewer than `walked` are all.
-- A sample of them tells whether they may fill the page: then they are looked through until they have. What is rarer is asked for
-- by index in the whole company, at a cost that grows with its matches alone.
--
-- A definer, because trigram and array operators may not use their indexes under row-level security; the caller joins the answer
-- with `conversations`, where its own policies decide.
create function app.find_conversations(query text, phones text[], newest uuid[], walked bigint, wanted bigint) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp set work_mem = '64MB' set jit = off
set max_parallel_workers_per_gather = 0 set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
    step constant integer := 50;
    company uuid := app.company_id();
    folded text := app.fold(query);
    escaped text := replace(replace(replace(folded, '\', '\\'), '%', '\%'), '_', '\_');
    -- Within a name when that is long enough for its index, else at the beginning of one of its words.
    names text[] := case when folded ~ '[[:alnum:]]{3}' then array['%' || escaped || '%']
                         when folded ~ '^[[:alnum:]]' then array[escaped || '%', '% ' || escaped || '%']
                         else '{}' end;
    numbers text[] := array(select '%' || phone || '%' from unnest(phones) phone);
    words text[] := nullif(app.words(company, query), '{}');
    is_all boolean := cardinality(newest) < walked;
    place integer := 1;
    sample uuid[];
    matches integer;
    found uuid[] := '{}';
    found_clients uuid[];
begin
    if not is_all then
        sample := array(select newest[1 + floor(random() * cardinality(newest))] from generate_series(1, step));
        matches := cardinality(app.matching_conversations(sample, names, numbers, folded, words));
    end if;
    -- Even when only half of the page is to be expected: that the sample errs is cheaper so.
    if is_all or 2 * matches * cardinality(newest) >= wanted * step then
        while place <= cardinality(newest) and cardinality(found) < wanted loop
            found := found || app.matching_conversations(newest[place:place + step - 1], names, numbers, folded, words);
            place := place + step;
        end loop;
        if is_all or cardinality(found) >= wanted then
            return found;
        end if;
    end if;
    -- Planned for the text at hand: how many names it fits decides how they are best read.
    execute '
        select array(
            select clients.id from clients where clients.company_id = $1 and app.fold(clients.name) like any ($2)
            union
            select client_id from client_identities where company_id = $1 and value like any ($3)
            union
            select client_id from client_identities where company_id = $1 and kind = ''email'' and value = $4)'
       into found_clients
      using company, names, numbers, folded;
    return array(
        select conversations.id
          from conversations
         where conversations.company_id = company and conversations.client_id = any (found_clients)
        union
        -- The words are the company's own.
        select messages.conversation_id
          from messages
         where messages.body <> ''
           and messages.deleted_at is null
           and app.words(messages.company_id, messages.body) @> words);
end
$$;
alter function app.find_conversations owner to app_lookup;
grant execute on function app.find_conversations to app_staff;

-- For functions of before that are still running when this is applied; goes once none is.
create or replace function app.search_conversations(query text, digits text) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
    select unnest(app.find_conversations(query, case when length(digits) >= 4 then array[digits] end, '{}', 0, 1))
$$;
