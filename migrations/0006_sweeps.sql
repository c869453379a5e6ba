-- What the sweep looks for is found by index: it runs every five minutes, however large the tables are.
drop index events_age;
create index events_age on events (at);
create index jobs_finished on jobs (finished_at) where finished_at is not null and not failed;
create index sessions_ended on sessions (coalesce(revoked_at, expires_at));
create index refresh_tokens_age on refresh_tokens (expires_at);

-- As before, but the events that went are counted too: more of them than one batch are all swept in one run.
-- Deletes what has outlived its use, a bounded number of rows of each kind. Answers how many rows went.
create or replace function app.sweep_foundation(most integer) returns bigint language plpgsql security definer set search_path = public as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from idempotency_keys where ctid in (select ctid from idempotency_keys where created_at < now() - interval '24 hours' limit most);
    get diagnostics step = row_count; gone := gone + step;
    with old as (
        delete from events where ctid in (select ctid from events where at < now() - interval '7 days' order by at limit most) returning tx
    ), latest as (
        select max(tx::text::numeric)::text::xid8 as tx from old
    ), noted as (
        update feed_epochs set swept = latest.tx from latest where latest.tx is not null and latest.tx > swept
    )
    select count(*) into step from old;
    gone := gone + step;
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
alter function app.sweep_foundation owner to app_lookup;
