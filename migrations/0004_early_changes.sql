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
