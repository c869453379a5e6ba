-- Channels changed, removed and watched; what messages cost; secrets sealed anew.

-- What a channel was found by before: while its server may still bring an earlier secret (no end until it was told the new one), and of a number
-- that was removed, so that what comes for it meanwhile is nobody else's.
alter table channel_accounts
    add column previous_key text,
    add column previous_key_until timestamptz;
create index channel_accounts_previous_key on channel_accounts (kind, previous_key) where previous_key is not null;
grant update (external_key, previous_key, previous_key_until) on channel_accounts to app_staff;

create or replace function app.find_channel(channel_kind text, key text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select channel_accounts.id, channel_accounts.company_id, channel_accounts.department_id,
           case when companies.bot_enabled then channel_accounts.bot_flow_id end, companies.reopen_window
      from channel_accounts
      join companies on companies.id = channel_accounts.company_id
     where channel_accounts.kind = channel_kind and channel_accounts.external_key = key and channel_accounts.status <> 'disabled';
    if not found then
        return query
        select channel_accounts.id, channel_accounts.company_id, channel_accounts.department_id,
               case when companies.bot_enabled then channel_accounts.bot_flow_id end, companies.reopen_window
          from channel_accounts
          join companies on companies.id = channel_accounts.company_id
         where channel_accounts.kind = channel_kind and channel_accounts.previous_key = key and channel_accounts.status <> 'disabled'
           and (channel_accounts.previous_key_until is null or channel_accounts.previous_key_until > now());
    end if;
end
$$;

create or replace function app.keep_webhook(webhook uuid, received timestamptz, channel_kind text, number text, account text, shown text, content bytea, named text[], told text[] default '{}')
returns uuid language plpgsql security definer set search_path = public, pg_temp as $$
declare
    channel record;
begin
    if number is not null then
        select id, company_id into channel from app.find_channel(channel_kind, number);
    else
        select id, company_id into channel from app.find_account(channel_kind, account, shown);
    end if;
    if channel.id is null then
        insert into unrouted_webhooks (id, source, external_key, body, kinds, number, account, shown, holder_id)
        values (webhook, channel_kind, coalesce(number, account, ''), content, told, number, account, shown,
                (select company_id
                   from channel_accounts
                  where kind = channel_kind
                    and case when number is not null then external_key = number or previous_key = number
                             else account_key = account and status = 'disabled' end
                  order by removed_at is not null, created_at
                  limit 1));
        return null;
    end if;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, clients, kinds, received_at)
    values (webhook, channel.company_id, channel.id, channel_kind, content, named, told, received);
    return channel.company_id;
end
$$;

-- A server that was told the new secret may try again what it began with the old one, for less than an hour.
create function app.end_previous_key() returns trigger language plpgsql as $$
begin
    update channel_accounts
       set previous_key_until = now() + interval '1 hour'
     where id = new.channel_account_id and previous_key is not null and previous_key_until is null;
    return null;
end
$$;
create trigger evolution_instances_told after update of webhook_at on evolution_instances
    for each row when (old.webhook_at is null and new.webhook_at is not null) execute function app.end_previous_key();

-- How a channel fares: its calls of a day, the last message each way.
create index integration_calls_channel on integration_calls (company_id, channel_account_id, at desc) include (operation, status, error_code);
create index messages_inbound on messages (company_id, channel_account_id, sent_at desc) where sender_type = 'client';

-- What a channel's messages cost: one row for a message that its provider takes money for, however often it says so.
create table external_api_usage (
    company_id         uuid not null default app.company_id(),
    channel_account_id uuid not null,
    -- The provider's id of the message.
    provider_id        text not null,
    -- As the provider calls it, such as `marketing`.
    category           text not null,
    -- Of the recipient's number, two letters; null where nobody can tell.
    country            text check (country ~ '^[A-Z]{2}$'),
    -- As the company's prices were then; null without one.
    amount             numeric(14, 6),
    currency           text,
    -- When it was delivered.
    at                 timestamptz not null,
    created_at         timestamptz not null default now(),
    primary key (company_id, channel_account_id, provider_id),
    check ((amount is null) = (currency is null)),
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id)
);
create index external_api_usage_at on external_api_usage (company_id, at);
call app.protect('external_api_usage');
alter policy staff on external_api_usage using ((select app.sees_all()));
revoke update, delete on external_api_usage from app_system;

alter table integration_prices add column message_prices jsonb not null default '[]';
grant update (message_prices) on integration_prices to app_staff;

-- The price of its category: of its country rather than of any, and of those the last that was valid where the company is.
create function app.price_message() returns trigger language plpgsql as $$
begin
    select (item ->> 'price')::numeric, item ->> 'currency'
      into new.amount, new.currency
      from integration_prices
      join companies on companies.id = integration_prices.company_id
     cross join jsonb_array_elements(integration_prices.message_prices) item
     where integration_prices.company_id = new.company_id and item ->> 'category' = new.category
       and coalesce(item ->> 'country', new.country, '') = coalesce(new.country, '')
       and (item ->> 'valid_from')::date <= (new.at at time zone companies.time_zone)::date
     order by item ->> 'country' is null, (item ->> 'valid_from')::date desc
     limit 1;
    return new;
end
$$;
create trigger price before insert on external_api_usage for each row execute function app.price_message();

-- By which key something is sealed, as `crypto::seal` writes it.
create function app.sealed_with(sealed bytea) returns text language sql immutable strict parallel safe as $$
    select encode(substr(sealed, 2, get_byte(sealed, 0)), 'escape')
$$;
grant execute on function app.sealed_with to app_staff, app_system, app_lookup;
create index channel_credentials_key on channel_credentials (app.sealed_with(sealed));
create index company_secrets_key on company_secrets (app.sealed_with(sealed));
create index mail_accounts_key on mail_accounts (app.sealed_with(sealed)) where sealed is not null;
create index second_factors_key on second_factors (app.sealed_with(secret));

-- What is sealed with another key than this, of whatever company, in an order of its own: some of it, behind a place.
call app.open_to_lookup('channel_credentials', 'select, update');
call app.open_to_lookup('company_secrets', 'select, update');
call app.open_to_lookup('mail_accounts', 'select, update');
create function app.sealed_otherwise(key_id text, behind text, most integer) returns table (place text, kept_in text, owner_id uuid, name text, sealed bytea)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    with otherwise as (
        select 'channel_credentials' as kept_in, channel_account_id as owner_id, '' as name, sealed
          from channel_credentials where app.sealed_with(sealed) < key_id or app.sealed_with(sealed) > key_id
        union all
        select 'company_secrets', company_id, company_secrets.name, sealed
          from company_secrets where app.sealed_with(sealed) < key_id or app.sealed_with(sealed) > key_id
        union all
        select 'mail_accounts', company_id, '', sealed
          from mail_accounts where sealed is not null and (app.sealed_with(sealed) < key_id or app.sealed_with(sealed) > key_id)
        union all
        select 'second_factors', user_id, '', secret
          from second_factors where app.sealed_with(secret) < key_id or app.sealed_with(secret) > key_id
    )
    select concat_ws(':', otherwise.kept_in, otherwise.owner_id, otherwise.name), otherwise.*
      from otherwise
     where concat_ws(':', otherwise.kept_in, otherwise.owner_id, otherwise.name) > behind
     order by 1
     limit most;
end
$$;
alter function app.sealed_otherwise owner to app_lookup;
revoke all on function app.sealed_otherwise from public;
grant execute on function app.sealed_otherwise to app;

-- Keeps what was sealed anew, where nobody has written another secret meanwhile. Answers how many were.
create function app.keep_sealed(kept_ins text[], owner_ids uuid[], names text[], befores bytea[], afters bytea[]) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    kept integer;
begin
    with anew as (
        select * from unnest(kept_ins, owner_ids, names, befores, afters) anew (kept_in, owner_id, name, before, after)
    ), channels as (
        update channel_credentials set sealed = anew.after from anew
         where anew.kept_in = 'channel_credentials' and channel_account_id = anew.owner_id and sealed = anew.before
        returning 1
    ), companies as (
        update company_secrets set sealed = anew.after from anew
         where anew.kept_in = 'company_secrets' and company_id = anew.owner_id and company_secrets.name = anew.name and sealed = anew.before
        returning 1
    ), mails as (
        update mail_accounts set sealed = anew.after from anew
         where anew.kept_in = 'mail_accounts' and company_id = anew.owner_id and sealed = anew.before
        returning 1
    ), factors as (
        update second_factors set secret = anew.after from anew
         where anew.kept_in = 'second_factors' and user_id = anew.owner_id and secret = anew.before
        returning 1
    )
    select (select count(*) from channels) + (select count(*) from companies) + (select count(*) from mails) + (select count(*) from factors)
      into kept;
    return kept;
end
$$;
alter function app.keep_sealed owner to app_lookup;
revoke all on function app.keep_sealed from public;
grant execute on function app.keep_sealed to app;
