-- An agent's own conversations, the closed ones too, in the inbox's order.
drop index conversations_assignee;
create index conversations_assignee on conversations (company_id, assignee_id, last_message_at desc, id desc);

-- As before, but planned for the words at hand: without knowing them, the planner reads whole tables for a rare word.
create or replace function app.search_conversations(query text, digits text) returns setof uuid
language plpgsql stable security definer set search_path = public set max_parallel_workers_per_gather = 0 as $$
declare
    found_ids uuid[];
    folded text := app.fold(query);
    pattern text := '%' || replace(replace(replace(folded, '\', '\\'), '%', '\%'), '_', '\_') || '%';
begin
    execute '
        with found_clients as (
            select clients.id from clients
             where clients.company_id = $1 and app.fold(clients.name) like $2
            union
            select client_identities.client_id from client_identities
             where client_identities.company_id = $1 and client_identities.kind = ''email'' and client_identities.value = $3'
        || case when length(digits) >= 4 then '
            union
            select client_identities.client_id from client_identities
             where client_identities.company_id = $1 and client_identities.value like ''%'' || $4 || ''%''' else '' end || '
        )
        select array(
            select conversations.id
              from conversations
             where conversations.company_id = $1 and conversations.client_id in (select found_clients.id from found_clients)
            union
            select messages.conversation_id
              from messages
             where messages.company_id = $1
               and messages.body <> ''''
               and to_tsvector(''portuguese'', app.fold(messages.body)) @@ plainto_tsquery(''portuguese'', $3))'
       into found_ids
      using app.company_id(), pattern, folded, digits;
    -- Now their number is known too.
    return query execute '
        select conversations.id
          from conversations
         where conversations.company_id = $1 and conversations.id = any ($2)
         order by conversations.last_message_at desc
         limit 1000'
      using app.company_id(), found_ids;
end
$$;
alter function app.search_conversations owner to app_lookup;
