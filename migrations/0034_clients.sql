-- Clients as staff keep them: found by anything that is known of them, put away and back, one for each document.

alter table clients add column archived_at timestamptz;
create unique index clients_document on clients (company_id, document text_pattern_ops)
    where document is not null and merged_into_id is null;
create index clients_newest on clients (company_id, created_at, id) where archived_at is null and merged_into_id is null;
create index clients_archived on clients (company_id, created_at, id) where archived_at is not null and merged_into_id is null;
create index clients_tags on clients using gin (company_id, tags) with (fastupdate = off) where tags <> '{}';

grant insert (id, name, document, email, tags, metadata) on clients to app_staff;
grant update (name, name_source, document, email, tags, metadata, archived_at, version) on clients to app_staff;
grant insert (client_id, kind, value, address), delete on client_identities to app_staff;
create policy staff_adds on client_identities for insert to app_staff with check (kind in ('phone', 'email'));

-- What is written in a client's row is who they are, too.
alter table client_identities no force row level security;
alter table clients no force row level security;
insert into client_identities (company_id, client_id, kind, value, address)
select company_id, id, 'email', lower(email), email from clients where email is not null and merged_into_id is null
    on conflict do nothing;
alter table clients force row level security;
alter table client_identities force row level security;

insert into event_rules (type, told_by) values
    ('client.created', 'agent'),
    ('client.deleted', 'supervisor'),
    ('client.updated', 'agent');

-- Who writes again is there again.
create function app.bring_client_back() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update clients set archived_at = null, version = version + 1
     where company_id = new.company_id and id = new.client_id and archived_at is not null;
    return null;
end
$$;
alter function app.bring_client_back owner to app_lookup;
grant update (archived_at, version) on clients to app_lookup;
create trigger conversations_client_back after update on conversations
    for each row when (new.ended_at is null and (old.ended_at is not null or old.client_id <> new.client_id))
    execute function app.bring_client_back();
create trigger conversations_client_back_from_the_start after insert on conversations
    for each row when (new.ended_at is null) execute function app.bring_client_back();

-- One page of the company's clients, by when they came, in the order asked for. What a text finds is looked for among those who come next
-- as long as enough of them fit; what few have, the indexes find.
create function app.find_clients(
    query text, phones text[], tag text, is_archived boolean, is_oldest_first boolean, at timestamptz, after uuid, wanted bigint
) returns uuid[] language plpgsql stable security definer set search_path = public, pg_temp
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
$$;
alter function app.find_clients owner to app_lookup;
grant execute on function app.find_clients to app_staff;

-- Whether somebody talks to the client now, seen by the caller or not.
create function app.has_open_conversation(client uuid) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    return exists (
        select from conversations
         where conversations.company_id = app.company_id() and conversations.client_id = client and conversations.ended_at is null);
end
$$;
alter function app.has_open_conversation owner to app_lookup;
grant execute on function app.has_open_conversation to app_staff;

-- A client of the company who is known by one of these, but for one.
create function app.find_namesake(phones text[], mail text, paper text, but_for uuid) returns uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
begin
    return (
        select known.id
          from (select client_id as id from client_identities
                 where company_id = company and (kind = 'phone' and value = any (phones) or kind = 'email' and value = mail)
                union all
                select id from clients
                 where company_id = company and email is not null and lower(email) = mail and merged_into_id is null
                union all
                select id from clients
                 where company_id = company and document is not null and document = paper and merged_into_id is null) known
         where known.id is distinct from but_for
         order by known.id
         limit 1);
end
$$;
alter function app.find_namesake owner to app_lookup;
grant execute on function app.find_namesake to app_staff;

-- A number to which answers go is nobody's to take away.
create policy staff_removes on client_identities for delete to app_staff
    using (kind = 'email' or kind = 'phone' and not app.has_open_conversation(client_id));
