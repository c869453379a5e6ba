-- Search that takes words apart in one way, wherever they stand; what third parties send that nobody can read.

-- The words of a text as they are compared: without case and accents, one space for whatever signs are between them. This and what is
-- made of it is planned once for a connection, and run for every message.
create function app.spaced(value text) returns text language plpgsql immutable strict parallel safe as $$
begin
    return btrim(regexp_replace(app.fold(normalize(value, nfc)), '[^[:alnum:]]+', ' ', 'g'));
end
$$;

-- The same with words that an apostrophe or a hyphen holds together as one.
create function app.joined(value text) returns text language plpgsql immutable strict parallel safe as $$
begin
    return app.spaced(regexp_replace(value, '([[:alnum:]])[''’‘ʼ´`‐-](?=[[:alnum:]])', '\1', 'g'));
end
$$;

-- What a text is found by: `Ana-Clara` by `ana clara` and by `anaclara`. Nothing is found across the line's end between them.
create function app.searchable(value text) returns text language plpgsql immutable strict parallel safe as $$
begin
    if value ~ '[[:alnum:]][''’‘ʼ´`‐-][[:alnum:]]' then
        return app.spaced(value) || E' \n ' || app.joined(value);
    end if;
    return app.spaced(value);
end
$$;

-- The stems of words, each with its company: one company's search reads nothing of the others'.
create function app.stems(company uuid, words text) returns text[] language plpgsql immutable strict parallel safe as $$
begin
    return array(select right(company::text, 12) || lexeme from unnest(to_tsvector('portuguese', words)));
end
$$;
grant execute on function app.spaced, app.joined, app.searchable, app.stems to app_staff, app_lookup;

drop index clients_name;
create index clients_name on clients using gin (company_id, app.searchable(name) gin_trgm_ops) with (fastupdate = off);
drop index messages_words;
create index messages_words on messages using gin (conversation_id, app.stems(company_id, app.searchable(body)))
    with (fastupdate = off) where body <> '' and deleted_at is null;

drop function app.matching_conversations;

-- Those of `candidates` whose client has such a name, number or e-mail, or a message of which has all the stems.
create function app.matching_conversations(candidates uuid[], names text[], numbers text[], emails text[], stems text[]) returns uuid[]
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
                  and app.stems(messages.company_id, app.searchable(messages.body)) @> stems
               offset 0)
            or exists (
               select from conversations
                 join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
                where conversations.company_id = company
                  and conversations.id = candidate.id
                  and (app.searchable(clients.name) like any (names) or exists (
                       select from client_identities
                        where client_identities.company_id = company
                          and client_identities.client_id = clients.id
                          and (client_identities.value like any (numbers)
                               or client_identities.kind = 'email' and client_identities.value like any (emails))
                       offset 0))
               offset 0));
end
$$;
grant execute on function app.matching_conversations to app_lookup;

-- As before (see 0012), with names, e-mails and words of messages taken apart alike.
create or replace function app.find_conversations(query text, phones text[], newest uuid[], walked bigint, wanted bigint) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp set work_mem = '64MB' set jit = off
set max_parallel_workers_per_gather = 0 set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
    step constant integer := 50;
    company uuid := app.company_id();
    spaced text := app.spaced(query);
    address text := replace(replace(replace(lower(btrim(query)), '\', '\\'), '%', '\%'), '_', '\_');
    -- Within a name when that is long enough for its index, else at the beginning of one of its words.
    names text[] := case when spaced ~ '[[:alnum:]]{3}' then array['%' || spaced || '%', '%' || app.joined(query) || '%']
                         when spaced <> '' then array[spaced || '%', '% ' || spaced || '%']
                         else '{}' end;
    emails text[] := case when address ~ '[[:alnum:]]{3}' then array['%' || address || '%'] else '{}' end;
    numbers text[] := array(select '%' || phone || '%' from unnest(phones) phone);
    stems text[] := nullif(app.stems(company, spaced), '{}');
    is_all boolean := cardinality(newest) < walked;
    place integer := 1;
    sample uuid[];
    matches integer;
    found uuid[] := '{}';
    found_clients uuid[];
begin
    if not is_all then
        sample := array(select newest[1 + floor(random() * cardinality(newest))] from generate_series(1, step));
        matches := cardinality(app.matching_conversations(sample, names, numbers, emails, stems));
    end if;
    -- Even when only half of the page is to be expected: that the sample errs is cheaper so.
    if is_all or 2 * matches * cardinality(newest) >= wanted * step then
        while place <= cardinality(newest) and cardinality(found) < wanted loop
            found := found || app.matching_conversations(newest[place:place + step - 1], names, numbers, emails, stems);
            place := place + step;
        end loop;
        if is_all or cardinality(found) >= wanted then
            return found;
        end if;
    end if;
    -- Planned for the text at hand: how many names it fits decides how they are best read.
    execute '
        select array(
            select clients.id from clients where clients.company_id = $1 and app.searchable(clients.name) like any ($2)
            union
            select client_id from client_identities where company_id = $1 and value like any ($3)
            union
            select client_id from client_identities where company_id = $1 and kind = ''email'' and value like any ($4))'
       into found_clients
      using company, names, numbers, emails;
    return array(
        select conversations.id
          from conversations
         where conversations.company_id = company and conversations.client_id = any (found_clients)
        union
        -- The stems are the company's own.
        select messages.conversation_id
          from messages
         where messages.body <> ''
           and messages.deleted_at is null
           and app.stems(messages.company_id, app.searchable(messages.body)) @> stems);
end
$$;

drop function app.words;

-- Why a webhook is nobody's, where that is not its number.
alter table unrouted_webhooks add column reason text;
drop function app.keep_unrouted_webhook;
-- Functions of before give no reason.
create function app.keep_unrouted_webhook(webhook uuid, from_source text, key text, content bytea, reason text default null)
returns void language sql security definer set search_path = public, pg_temp as $$
    insert into unrouted_webhooks (id, source, external_key, body, reason) values (webhook, from_source, key, content, reason)
$$;
alter function app.keep_unrouted_webhook owner to app_lookup;
grant execute on function app.keep_unrouted_webhook to app;
