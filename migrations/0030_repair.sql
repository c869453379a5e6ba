-- What failed in the background is seen and done again; raw webhooks are seen and applied again; long jobs say how far they have come.

-- Admins see the jobs that failed. What becomes of them is the system's: see `app.retry_job`.
alter table jobs
    -- Times that somebody had it done again after it had failed for good.
    add column retries integer not null default 0,
    add column retried_at timestamptz;
drop index jobs_failed;
create index jobs_failed on jobs (company_id, finished_at desc, id desc) where failed;
create index jobs_failed_of_kind on jobs (company_id, kind, finished_at, id) where failed;
create policy failed on jobs for select to app_staff using (failed and (select app.has_role('admin')));
grant select (id, company_id, kind, queue, lane, payload, attempts, retries, retried_at, failed, last_error, created_at, finished_at)
    on jobs to app_staff;

-- As before; also whether somebody had it done again.
drop function app.claim_job;
create function app.claim_job(wanted uuid, lease interval)
returns table (state text, wait_seconds integer, id uuid, company_id uuid, kind text, lane text, payload jsonb, attempts integer, retries integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    asked record;
    head jobs;
begin
    select jobs.company_id, jobs.queue, jobs.lane, jobs.finished_at into asked from jobs where jobs.id = wanted;
    if not found or asked.finished_at is not null then
        return query select 'finished', 0, wanted, asked.company_id, null::text, null::text, null::jsonb, 0, 0;
        return;
    end if;
    select * into head from jobs
     where jobs.company_id = asked.company_id and jobs.queue = asked.queue and jobs.lane = asked.lane and jobs.finished_at is null
     order by number limit 1 for update;
    if head.id is null then
        -- The head was finished while we waited for it: look again.
        return query select 'wait', 1, wanted, asked.company_id, null::text, null::text, null::jsonb, 0, 0;
        return;
    end if;
    if head.leased_until > now() then
        return query select 'busy', greatest(1, ceil(extract(epoch from head.leased_until - now())))::integer,
                            head.id, head.company_id, head.kind, head.lane, null::jsonb, head.attempts, head.retries;
        return;
    end if;
    if head.run_at > now() then
        return query select 'wait', greatest(1, ceil(extract(epoch from head.run_at - now())))::integer,
                            head.id, head.company_id, head.kind, head.lane, null::jsonb, head.attempts, head.retries;
        return;
    end if;
    update jobs set leased_until = now() + lease, attempts = jobs.attempts + 1, key = null where jobs.id = head.id;
    return query select 'run', 0, head.id, head.company_id, head.kind, head.lane, head.payload, head.attempts + 1, head.retries;
end
$$;
alter function app.claim_job owner to app_lookup;
grant execute on function app.claim_job to app;

-- Has a failed job of the caller's company done again, in its old place of its lane, and answers it as it is then; for admins. One that did
-- not fail stays as it is. It is sent at once where there is room.
create function app.retry_job(wanted uuid)
returns table (id uuid, kind text, queue text, lane text, payload jsonb, state text, attempts integer, retries integer, reason text,
               created_at timestamptz, failed_at timestamptz, retried_at timestamptz, is_retried boolean, is_sent boolean, dispatches integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    job jobs;
    failure jobs;
begin
    if not app.has_role('admin') then
        return;
    end if;
    select * into job from jobs where jobs.id = wanted and jobs.company_id = app.company_id() for update;
    if not found then
        return;
    end if;
    failure := job;
    if job.failed then
        perform pg_advisory_xact_lock(hashtext('jobs.' || job.queue), hashtext(job.company_id::text));
        update jobs
           set finished_at = null, failed = false, attempts = 0, leased_until = null, run_at = now(),
               retries = jobs.retries + 1, retried_at = now(),
               dispatched_at = case when room.is_there then now() end,
               dispatches = jobs.dispatches + room.is_there::integer
          from (select app.room_for_jobs(job.company_id, job.queue) > 0 as is_there) room
         where jobs.id = wanted
        returning jobs.* into job;
    end if;
    return query
    select job.id, job.kind, job.queue, job.lane, job.payload,
           case when job.finished_at is not null then 'done' when job.leased_until > now() then 'running' else 'waiting' end,
           job.attempts, job.retries, failure.last_error, job.created_at, failure.finished_at, job.retried_at,
           failure.failed, failure.failed and job.dispatched_at is not null, job.dispatches;
end
$$;
alter function app.retry_job owner to app_lookup;
grant execute on function app.retry_job to app_staff;

grant execute on function app.has_role to app_lookup;

-- How far a long job has come. Its id is the job's.
create table job_progress (
    id          uuid primary key,
    company_id  uuid not null default app.company_id() references companies,
    kind        text not null,
    -- While one of this kind and key goes on, another is not begun.
    key         text not null default '',
    state       text not null default 'queued' check (state in ('queued', 'running', 'cancelling', 'cancelled', 'done', 'failed')),
    -- Items, of which `failed` came to nothing; `done` counts all that were taken up.
    done        bigint not null default 0,
    failed      bigint not null default 0,
    total       bigint,
    -- Where the next page begins, as the job knows it.
    place       jsonb,
    result      jsonb,
    reason      text,
    started_by  uuid default app.user_id() references users,
    created_at  timestamptz not null default now(),
    told_at     timestamptz not null default now(),
    finished_at timestamptz,
    unique (company_id, id)
);
create unique index job_progress_going on job_progress (company_id, kind, key) where finished_at is null;
create index job_progress_finished on job_progress (finished_at);
create index job_progress_started_by on job_progress (company_id, started_by);
alter table job_progress enable row level security;
alter table job_progress force row level security;
create policy company on job_progress as restrictive using (company_id = (select app.company_id()));
create policy lookup on job_progress to app_lookup using (true);
create policy system on job_progress to app_system using (true);
create policy own on job_progress for select to app_staff
    using (started_by = (select app.user_id()) or (select app.has_role('admin')));
create policy starts on job_progress for insert to app_staff
    with check (started_by = (select app.user_id()) and state = 'queued' and finished_at is null);
create policy cancels on job_progress for update to app_staff
    using (state in ('queued', 'running') and (started_by = (select app.user_id()) or (select app.has_role('admin'))))
    with check (state = 'cancelling');
grant select on job_progress to app_staff;
grant insert (id, kind, key, total) on job_progress to app_staff;
grant update (state) on job_progress to app_staff;
grant select, insert on job_progress to app_system;
grant update (state, done, failed, total, place, result, reason, told_at, finished_at) on job_progress to app_system;
grant select, delete on job_progress to app_lookup;
insert into event_rules (type, told_by, is_private) values ('job.progress', 'agent', true);
insert into job_rules (kind, queue, added_by) values
    ('apply_webhook', 'media', 'admin'),
    ('retry_failed_jobs', 'repair', 'admin');

-- Raw webhooks: what they tell of, and when that was applied.
set local role app_lookup;
alter table inbound_webhooks
    -- Kinds of what it tells: `message`, `status`, … Empty for those of before.
    add column kinds text[] not null default '{}',
    add column applied_at timestamptz;
grant update (applied_at) on inbound_webhooks to app_system;
reset role;

-- Whose an unrouted one is, is decided when somebody looks for it.
alter table unrouted_webhooks
    add column kinds text[] not null default '{}',
    -- As the webhook names them; null in those of before.
    add column number text,
    add column account text,
    add column shown text,
    -- Whoever had the number, or a number in the account, when it came, and had disabled it: nobody else's from then on.
    add column holder_id uuid references companies;
-- To lock one while it is routed.
grant update on unrouted_webhooks to app_lookup;

drop function app.keep_webhook;
-- As before; with the kinds of what it tells, and what decides later whose it is if it is nobody's now.
create function app.keep_webhook(webhook uuid, received timestamptz, channel_kind text, number text, account text, shown text, content bytea,
                                 named text[], told text[] default '{}')
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
                    and case when number is not null then external_key = number else account_key = account and status = 'disabled' end
                  order by created_at
                  limit 1));
        return null;
    end if;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, clients, kinds, received_at)
    values (webhook, channel.company_id, channel.id, channel_kind, content, named, told, received);
    return channel.company_id;
end
$$;
alter function app.keep_webhook owner to app_lookup;
grant execute on function app.keep_webhook to app;

-- The channel that an unrouted webhook is for, as it would be routed now; no row for one that is nobody's, not one company's alone, of
-- another account than its number is proved to be in, or held by another company when it came.
create function app.channel_of_unrouted(webhook unrouted_webhooks) returns table (id uuid, company_id uuid) language plpgsql stable as $$
#variable_conflict use_column
declare
    its_number constant text := coalesce(webhook.number, case when webhook.account is null then webhook.external_key end);
begin
    if its_number is not null then
        return query
        select channel.id, channel.company_id
          from app.find_channel(webhook.source, its_number) channel
          join channel_accounts on channel_accounts.id = channel.id
         where (webhook.holder_id is null or webhook.holder_id = channel.company_id)
           and (webhook.account is null or channel_accounts.account_key is null or channel_accounts.account_key = webhook.account);
    else
        return query
        select channel.id, channel.company_id
          from app.find_account(webhook.source, webhook.account, webhook.shown) channel
         where webhook.holder_id is null or webhook.holder_id = channel.company_id;
    end if;
end
$$;
grant execute on function app.channel_of_unrouted to app_lookup;

-- The unrouted webhooks that are the caller's company's by now, the ten thousand newest, without what is in them; for admins.
create function app.unrouted_webhooks()
returns table (id uuid, company_id uuid, channel_account_id uuid, source text, kinds text[], size integer, received_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    if not app.has_role('admin') then
        return;
    end if;
    return query
    select (webhook.kept).id, channel.company_id, channel.id, (webhook.kept).source, (webhook.kept).kinds, length((webhook.kept).body),
           (webhook.kept).received_at
      from (select distinct own.kind, key
              from channel_accounts own
             cross join unnest(array[own.external_key, own.account_key]) key
             where own.company_id = app.company_id() and own.status <> 'disabled' and key is not null) keys
     cross join lateral (
        select unrouted as kept
          from unrouted_webhooks unrouted
         where unrouted.source = keys.kind and unrouted.external_key = keys.key
         order by unrouted.received_at desc
         limit 10000) webhook
     cross join lateral app.channel_of_unrouted(webhook.kept) channel
     where channel.company_id = app.company_id();
end
$$;
alter function app.unrouted_webhooks owner to app_lookup;
grant execute on function app.unrouted_webhooks to app_staff;

-- One of them with what is in it.
create function app.unrouted_webhook(wanted uuid)
returns table (id uuid, channel_account_id uuid, source text, kinds text[], body bytea, received_at timestamptz)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    if not app.has_role('admin') then
        return;
    end if;
    return query
    select webhook.id, channel.id, webhook.source, webhook.kinds, webhook.body, webhook.received_at
      from unrouted_webhooks webhook
     cross join lateral app.channel_of_unrouted(webhook) channel
     where webhook.id = wanted and channel.company_id = app.company_id();
end
$$;
alter function app.unrouted_webhook owner to app_lookup;
grant execute on function app.unrouted_webhook to app_staff;

-- Gives an unrouted webhook to the caller's company, if it is theirs by now; for admins, who leave a job behind that applies it. Answers its
-- channel.
create function app.route_webhook(wanted uuid, named text[]) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    webhook unrouted_webhooks;
    channel record;
begin
    if not app.has_role('admin') then
        return null;
    end if;
    select * into webhook from unrouted_webhooks where unrouted_webhooks.id = wanted for update;
    if not found then
        return null;
    end if;
    select * into channel from app.channel_of_unrouted(webhook);
    if channel.company_id is distinct from app.company_id() then
        return null;
    end if;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, clients, kinds, received_at, left_at)
    values (webhook.id, channel.company_id, channel.id, webhook.source, webhook.body, named, webhook.kinds, webhook.received_at, now());
    delete from unrouted_webhooks where unrouted_webhooks.id = wanted;
    return channel.id;
end
$$;
alter function app.route_webhook owner to app_lookup;
grant execute on function app.route_webhook to app_staff;

-- Removes what is past its age: failed jobs after 90 days, what was said of finished ones after 30, calls to others after 100.
create function app.sweep_repair(most integer) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from jobs where ctid in (
        select ctid from jobs where finished_at < now() - interval '90 days' and failed limit most for update skip locked);
    get diagnostics step = row_count; gone := gone + step;
    delete from job_progress where ctid in (select ctid from job_progress where finished_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from integration_calls where ctid in (select ctid from integration_calls where at < now() - interval '100 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$$;
alter function app.sweep_repair owner to app_lookup;
grant execute on function app.sweep_repair to app;
create index jobs_failed_at on jobs (finished_at) where failed;

-- What calls to others cost. Each company says what it pays for one that succeeds; a call keeps what it cost when it was made.
alter table integration_calls
    add column cost numeric(14, 6),
    add column currency text;
drop index integration_calls_recent;
create index integration_calls_recent on integration_calls (company_id, at desc, id desc);
create index integration_calls_old on integration_calls (at);
grant select (cost, currency) on integration_calls to app_system;
grant select, delete on integration_calls to app_lookup;
create policy lookup on integration_calls to app_lookup using (true);
create table integration_prices (
    company_id uuid primary key default app.company_id() references companies,
    currency   text not null default 'BRL' check (currency ~ '^[A-Z]{3}$'),
    -- One `{provider, operation, price}` each.
    prices     jsonb not null default '[]',
    -- 0 until something is saved.
    version    integer not null default 0
);
alter table integration_prices enable row level security;
alter table integration_prices force row level security;
create policy company on integration_prices as restrictive using (company_id = (select app.company_id()));
create policy staff on integration_prices for select to app_staff using ((select app.sees_all()));
create policy admins on integration_prices to app_staff using ((select app.has_role('admin')));
create policy system on integration_prices to app_system using (true);
grant select on integration_prices to app_staff, app_system;
grant insert (company_id), update (currency, prices, version) on integration_prices to app_staff;
insert into event_rules (type, told_by) values ('prices.updated', 'admin');

-- What a call cost: nothing where it failed, or nobody has said.
create function app.price_call() returns trigger language plpgsql as $$
begin
    if new.cost is null and new.status between 200 and 299 then
        select (item ->> 'price')::numeric, integration_prices.currency
          into new.cost, new.currency
          from integration_prices
         cross join jsonb_array_elements(prices) item
         where integration_prices.company_id = new.company_id
           and item ->> 'provider' = new.provider and item ->> 'operation' = new.operation;
    end if;
    return new;
end
$$;
create trigger price before insert on integration_calls for each row execute function app.price_call();
