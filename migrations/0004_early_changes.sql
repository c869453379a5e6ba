-- Edits, revocations and reactions that came before the message they change.
create table early_changes (
    company_id         uuid not null default app.company_id(),
    channel_account_id uuid not null,
    -- The provider's id of the message, and of the change.
    provider_id        text not null,
    change_id          text not null,
    kind               text not null check (kind in ('edit', 'revoke', 'reaction')),
    changed_by         text not null check (changed_by in ('client', 'agent')),
    -- The new text, or the emoji.
    body               text not null,
    at                 timestamptz not null,
    received_at        timestamptz not null default now(),
    primary key (company_id, channel_account_id, provider_id, change_id)
);
call app.protect('early_changes', 'select, insert, delete');
call app.open_to_lookup('early_changes', 'select, delete');

-- As before, and early changes whose message never came.
create or replace function app.sweep_service_desk(most integer) returns bigint language plpgsql security definer set search_path = public as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from inbound_webhooks where ctid in (select ctid from inbound_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from unrouted_webhooks where ctid in (select ctid from unrouted_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_statuses where ctid in (select ctid from early_statuses where received_at < now() - interval '7 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_changes where ctid in (select ctid from early_changes where received_at < now() - interval '7 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$$;
alter function app.sweep_service_desk owner to app_lookup;

-- The message whose words `last_message_preview` shows. Null until the next message of conversations that are older than the column.
alter table conversations add column last_message_id uuid;

-- As before, but words taken back are not found.
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
               and messages.deleted_at is null
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
