-- What the business calls people on its phone of whom nobody has heard yet: told once, when a number is connected, before what was said with
-- them. Whoever becomes a client takes the name along; the others' are forgotten with the webhooks that told them.
create table address_book_names (
    company_id  uuid not null default app.company_id() references companies,
    -- As identities of phones have it.
    number      text not null,
    name        text not null,
    at          timestamptz not null,
    received_at timestamptz not null default now(),
    primary key (company_id, number)
);
create index address_book_names_received on address_book_names (received_at);
-- Most are no clients of the company's: staff do not see them.
call app.protect('address_book_names', '');
call app.open_to_lookup('address_book_names', 'select, update, delete');

create or replace function app.sweep_service_desk(most integer) returns bigint language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from unrouted_webhooks where ctid in (select ctid from unrouted_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from address_book_names where ctid in (
        select ctid from address_book_names where received_at < now() - interval '30 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_statuses where ctid in (
        select ctid from early_statuses where received_at < now() - interval '7 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_changes where ctid in (
        select ctid from early_changes where received_at < now() - interval '7 days' limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$$;
