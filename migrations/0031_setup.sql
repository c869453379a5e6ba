-- Set-up: what a company gives before it goes live, and what was made for it once.

create table company_setup (
    company_id       uuid primary key default app.company_id() references companies,
    -- A language model behind an OpenAI-compatible API; its key is in `company_secrets`.
    ai_base_url      text,
    ai_model         text,
    ai_key_hint      text,
    -- Defaults that were made: not again, whatever became of them.
    made             text[] not null default '{}',
    -- 0 until something is saved.
    version          integer not null default 0
);
-- Sealed, each for its company and name.
create table company_secrets (
    company_id uuid not null default app.company_id() references companies,
    name       text not null,
    sealed     bytea not null,
    primary key (company_id, name)
);
do $$
declare
    target text;
begin
    foreach target in array array['company_setup', 'company_secrets'] loop
        execute format('alter table %I enable row level security', target);
        execute format('alter table %I force row level security', target);
        execute format('create policy company on %I as restrictive using (company_id = (select app.company_id()))', target);
        execute format('create policy admins on %I to app_staff using ((select app.has_role(''admin'')))', target);
        execute format('create policy system on %I to app_system using (true)', target);
        execute format('grant select on %I to app_staff, app_system', target);
    end loop;
end
$$;
grant insert (company_id), update (ai_base_url, ai_model, ai_key_hint, made, version) on company_setup to app_staff;
grant insert (name, sealed), update (sealed), delete on company_secrets to app_staff;
insert into event_rules (type, told_by) values ('setup.updated', 'admin');

-- The company's own words, which set-up writes too.
alter table companies
    add column if not exists coin_name text not null default 'moedas' check (coin_name <> '' and char_length(coin_name) <= 40),
    add column if not exists version integer not null default 1;
grant update (name, time_zone, locale, front_end_url, coin_name, version) on companies to app_staff;
create policy admins_alone on companies as restrictive for update to app_staff using ((select app.has_role('admin')));

-- A first flow is the admins'.
create policy admins_inserts on bot_flows as restrictive for insert to app_staff with check ((select app.has_role('admin')));
grant insert (id, key, definition, published_at) on bot_flows to app_staff;

-- When each schedule has run last: nobody's in particular.
create table schedule_runs (
    name   text primary key,
    run_at timestamptz not null
);
alter table schedule_runs enable row level security;
alter table schedule_runs force row level security;
create policy everybody on schedule_runs for select using (true);
create policy lookup on schedule_runs to app_lookup using (true);
grant select on schedule_runs to app_staff;
grant select, insert, update on schedule_runs to app_lookup;

create function app.note_run(schedule text) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into schedule_runs (name, run_at) values (schedule, now())
    on conflict (name) do update set run_at = now();
end
$$;
alter function app.note_run owner to app_lookup;
grant execute on function app.note_run to app;
