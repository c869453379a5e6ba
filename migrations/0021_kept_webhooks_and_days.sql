-- A signed webhook is kept before anything is done with it: what cannot be applied at once is a job's, whether it comes again or not.

alter table inbound_webhooks
    -- Null until it is applied.
    alter column outcome drop not null,
    -- The identities it names, as they are locked: what one client did stays in its order.
    add column clients text[] not null default '{}',
    -- When it was left to a job.
    add column left_at timestamptz;
create index inbound_webhooks_open on inbound_webhooks (received_at) where outcome is null and left_at is null;
create index inbound_webhooks_left on inbound_webhooks (company_id, channel_account_id, received_at) where outcome is null and left_at is not null;
grant select, insert, update on inbound_webhooks to app_lookup;
grant update (outcome, failed_items, left_at) on inbound_webhooks to app_system;

-- Keeps a signed webhook for the company of its number, or of its account and the number it shows; without one as nobody's. Answers which.
create function app.keep_webhook(webhook uuid, received timestamptz, channel_kind text, number text, account text, shown text, content bytea, named text[])
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
        insert into unrouted_webhooks (id, source, external_key, body)
        values (webhook, channel_kind, coalesce(number, account, ''), content);
        return null;
    end if;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, clients, received_at)
    values (webhook, channel.company_id, channel.id, channel_kind, content, named, received);
    return channel.company_id;
end
$$;
alter function app.keep_webhook owner to app_lookup;
grant execute on function app.keep_webhook to app;

-- As `app.enter_webhook`, for one that is kept; whether it was applied meanwhile, and whether an earlier one of the same clients is left
-- to a job, behind which it belongs. Its row is locked after all that it names.
create function app.enter_kept_webhook(webhook uuid, received timestamptz, channel_kind text, number text, account text, shown text,
                                       persons integer[], kinds text[], identities text[], message_ids text[], changed_ids text[], own_ids uuid[])
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text,
               is_applied boolean, is_behind boolean)
language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    channel record;
    kept record;
begin
    select * into channel
      from app.enter_webhook(channel_kind, number, account, shown, persons, kinds, identities, message_ids, changed_ids, own_ids);
    if channel.id is null then
        return;
    end if;
    select outcome, clients
      into kept
      from inbound_webhooks
     where inbound_webhooks.id = webhook and received_at = received
       for no key update;
    return query
    select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window, channel.feed_cursor,
           kept.outcome is not null,
           exists (select
                     from inbound_webhooks earlier
                    where earlier.channel_account_id = channel.id and earlier.outcome is null and earlier.left_at is not null
                      and (earlier.received_at, earlier.id) < (received, webhook)
                      and earlier.clients && kept.clients);
end
$$;
grant execute on function app.enter_kept_webhook to app;

-- Leaves to jobs what was kept over a minute ago and nobody has applied or left since: who received it was killed, or could not even
-- say so. The jobs are as `whatsapp::kept` adds them. Answers how many there were.
create function app.leave_webhooks(most integer) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    left_behind bigint;
begin
    with late as (
        select id, received_at
          from inbound_webhooks
         where outcome is null and left_at is null and received_at < now() - interval '1 minute'
         order by received_at
         limit most
           for no key update skip locked
    ), webhook as (
        update inbound_webhooks set left_at = now()
          from late
         where inbound_webhooks.id = late.id and inbound_webhooks.received_at = late.received_at
        returning inbound_webhooks.id, company_id, channel_account_id, inbound_webhooks.received_at
    )
    insert into jobs (id, company_id, kind, queue, lane, payload)
    select gen_random_uuid(), company_id, 'apply_webhook', 'media', 'webhooks:' || channel_account_id, jsonb_build_object('webhook_id', id, 'received_at', received_at)
      from webhook
     order by received_at, id;
    get diagnostics left_behind = row_count;
    return left_behind;
end
$$;
alter function app.leave_webhooks owner to app_lookup;
grant execute on function app.leave_webhooks to app;

-- Events and raw webhooks are kept by days, and a day that is past its age is dropped as a whole. The days are tables of a schema that nobody
-- else may use: they are reached through the whole, where the policies are. A unique key holds the time, as it has to.

create schema days;
alter schema days owner to app_lookup;

alter table events rename to events_before;
alter table events_before rename constraint events_pkey to events_before_pkey;
create table events (
    tx         xid8 not null default pg_current_xact_id(),
    id         bigint generated always as identity,
    company_id uuid not null default app.company_id(),
    topic      text not null,
    type       text not null,
    -- Who may read it: any of these audiences; null is all staff.
    audience   text[],
    data       jsonb not null,
    at         timestamptz not null default now(),
    primary key (company_id, tx, id, at)
) partition by range (at);
select setval(pg_get_serial_sequence('events', 'id'), greatest(1, (select max(id) from events_before)));

alter table inbound_webhooks rename to inbound_webhooks_before;
alter table inbound_webhooks_before rename constraint inbound_webhooks_pkey to inbound_webhooks_before_pkey;
alter index inbound_webhooks_recent rename to inbound_webhooks_before_recent;
alter index inbound_webhooks_open rename to inbound_webhooks_before_open;
alter index inbound_webhooks_left rename to inbound_webhooks_before_left;
create table inbound_webhooks (
    id                 uuid not null,
    company_id         uuid not null default app.company_id() references companies,
    channel_account_id uuid not null,
    source             text not null,
    body               bytea not null,
    -- One `{id, outcome, error}` for every item, in order. Null until it is applied.
    outcome            jsonb,
    failed_items       integer not null default 0,
    received_at        timestamptz not null default now(),
    -- The identities it names, as they are locked: what one client did stays in its order.
    clients            text[] not null default '{}',
    -- When it was left to a job.
    left_at            timestamptz,
    primary key (id, received_at)
) partition by range (received_at);
create index inbound_webhooks_recent on inbound_webhooks (company_id, received_at desc);
create index inbound_webhooks_open on inbound_webhooks (received_at) where outcome is null and left_at is null;
create index inbound_webhooks_left on inbound_webhooks (company_id, channel_account_id, received_at) where outcome is null and left_at is not null;

do $$
declare
    policy record;
begin
    for policy in select * from pg_policies where schemaname = 'public' and tablename in ('events_before', 'inbound_webhooks_before') loop
        execute format('create policy %I on %I as %s for %s to %s using (%s)', policy.policyname,
                       replace(policy.tablename, '_before', ''), policy.permissive, policy.cmd,
                       array_to_string(policy.roles, ', '), policy.qual);
    end loop;
end
$$;
alter table events enable row level security;
alter table events force row level security;
alter table inbound_webhooks enable row level security;
alter table inbound_webhooks force row level security;
grant select on events to app_staff, app_student, app_system;
grant select on inbound_webhooks to app_staff;
grant select, insert, update (outcome, failed_items, left_at) on inbound_webhooks to app_system;

-- What came for a day that nobody had made.
create table days.events_other partition of events default;
create table days.inbound_webhooks_other partition of inbound_webhooks default;
-- Who drops a day owns it, and the whole.
grant create on schema public to app_lookup;
alter table events owner to app_lookup;
alter table inbound_webhooks owner to app_lookup;
alter table days.events_other owner to app_lookup;
alter table days.inbound_webhooks_other owner to app_lookup;
revoke create on schema public from app_lookup;

-- Makes a day of a table by days, with what came for it before it was there.
create function app.make_day(whole text, key text, day date) returns void language plpgsql as $$
declare
    name text := whole || '_' || to_char(day, 'YYYYMMDD');
    first_moment timestamptz := day::timestamp at time zone 'utc';
    next_moment timestamptz := (day + 1)::timestamp at time zone 'utc';
begin
    if to_regclass('days.' || name) is not null then
        return;
    end if;
    execute format('create table days.%I (like public.%I including defaults including constraints)', name, whole);
    execute format('with moved as (delete from days.%I where %I >= %L and %2$I < %4$L returning *) insert into days.%5$I select * from moved',
                   whole || '_other', key, first_moment, next_moment, name);
    execute format('alter table public.%I attach partition days.%I for values from (%L) to (%L)', whole, name, first_moment, next_moment);
end
$$;
alter function app.make_day owner to app_lookup;

-- Drops the days of a table that ended this many days ago, and removes what is as old and in no day. Answers, of events, the latest
-- transaction of those that went.
create function app.drop_days(whole text, key text, kept integer) returns xid8 language plpgsql as $$
declare
    first_kept date := (now() at time zone 'utc')::date - kept;
    latest_of constant text := case when whole = 'events' then 'select max(tx::text::numeric)::text::xid8 from ' else 'select null::xid8 from ' end;
    day text;
    latest xid8;
    gone xid8;
begin
    for day in
        select relname::text
          from pg_inherits
          join pg_class on pg_class.oid = inhrelid
         where inhparent = format('public.%I', whole)::regclass
           and relname ~ '_[0-9]{8}$' and right(relname, 8) < to_char(first_kept, 'YYYYMMDD')
         order by 1
    loop
        execute latest_of || format('days.%I', day) into latest;
        gone := greatest(gone, latest);
        execute format('drop table days.%I', day);
    end loop;
    execute format('with old as (delete from days.%I where %I < now() - make_interval(days => $1) returning *) ', whole || '_other', key)
            || latest_of || 'old'
       into latest
      using kept;
    return greatest(gone, latest);
end
$$;
alter function app.drop_days owner to app_lookup;

-- Makes the days to come, and drops those past their age. A day goes when nobody is reading the table, else the next time.
create function app.turn_days() returns void
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
declare
    gone xid8;
begin
    for ahead in 0 .. 3 loop
        perform app.make_day('events', 'at', (now() at time zone 'utc')::date + ahead),
                app.make_day('inbound_webhooks', 'received_at', (now() at time zone 'utc')::date + ahead);
    end loop;
    gone := app.drop_days('events', 'at', 7);
    update feed_epochs set swept = gone where gone > swept;
    perform app.drop_days('inbound_webhooks', 'received_at', 30);
end
$$;
alter function app.turn_days owner to app_lookup;
grant execute on function app.turn_days to app;

set local role app_lookup;
select app.make_day('events', 'at', day)
  from (select distinct (at at time zone 'utc')::date as day from events_before) days
 where day > (now() at time zone 'utc')::date - 8;
select app.make_day('inbound_webhooks', 'received_at', day)
  from (select distinct (received_at at time zone 'utc')::date as day from inbound_webhooks_before) days
 where day > (now() at time zone 'utc')::date - 31;
select app.turn_days();
reset role;
insert into events overriding system value select * from events_before;
insert into inbound_webhooks select * from inbound_webhooks_before;
drop table events_before, inbound_webhooks_before;

-- As before, without what goes by days.
create or replace function app.sweep_foundation(most integer) returns bigint language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from idempotency_keys where ctid in (select ctid from idempotency_keys where created_at < now() - interval '24 hours' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from refresh_tokens where ctid in (select ctid from refresh_tokens where expires_at < now() - interval '1 day' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from sessions where ctid in (
        select ctid from sessions where coalesce(revoked_at, expires_at) < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from jobs where ctid in (
        select ctid from jobs where finished_at < now() - interval '7 days' and not failed limit most);
    get diagnostics step = row_count; gone := gone + step;
    -- A database restored into another cluster counts transactions anew: cursors handed out before mean nothing in it.
    insert into feed_epochs (value, system_identifier)
    select substr(md5(gen_random_uuid()::text), 1, 8), control.system_identifier
      from pg_control_system() control
     where control.system_identifier <> (select system_identifier from feed_epochs order by started_at desc limit 1);
    return gone;
end
$$;

create or replace function app.sweep_service_desk(most integer) returns bigint language plpgsql security definer
set search_path = public, pg_temp as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from unrouted_webhooks where ctid in (select ctid from unrouted_webhooks where received_at < now() - interval '30 days' limit most);
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
