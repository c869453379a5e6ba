-- Sales: pipelines with stages, leads as cards in them, what was done with each, and how each is scored.

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Pipelines.

create table pipelines (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    name          text not null check (char_length(name) between 1 and 80),
    -- Whose it is; null of one that all staff see.
    department_id uuid,
    -- Where leads come in that name none.
    is_default    boolean not null default false,
    version       integer not null default 1,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    archived_at   timestamptz,
    unique (company_id, id),
    foreign key (company_id, department_id) references departments (company_id, id),
    check (not is_default or archived_at is null and department_id is null)
);
create unique index pipelines_name on pipelines (company_id, app.look(name)) where archived_at is null;
create unique index pipelines_default on pipelines (company_id) where is_default;
create index pipelines_department on pipelines (company_id, department_id) where department_id is not null;

create table stages (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    pipeline_id     uuid not null,
    -- What filters call it.
    key             text not null check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    name            text not null check (char_length(name) between 1 and 60),
    position        integer not null,
    colour          text not null default '#8a8f98' check (colour ~ '^#[0-9a-f]{6}$'),
    kind            text not null check (kind in ('open', 'won', 'lost')),
    -- What a lead has before it enters: names of its fields, `custom_fields.<key>` of the company's own.
    required_fields text[] not null default '{}' check (cardinality(required_fields) <= 30),
    -- Days without anything done after which a lead here is said to rot.
    rotting_days    integer check (rotting_days between 1 and 365),
    automations     jsonb not null default '[]',
    unique (company_id, id),
    unique (company_id, pipeline_id, id),
    unique (company_id, pipeline_id, key) deferrable initially deferred,
    unique (company_id, pipeline_id, position) deferrable initially deferred,
    foreign key (company_id, pipeline_id) references pipelines (company_id, id)
);
call app.protect('pipelines');
call app.protect('stages');
revoke insert, update, delete on pipelines, stages from app_system;
alter policy company on pipelines to app_staff, app_student, app_system;
alter policy company on stages to app_staff, app_student, app_system;
create policy lookup on pipelines to app_lookup using (true);
create policy lookup on stages to app_lookup using (true);
grant select, insert on pipelines, stages to app_lookup;
grant update (position) on stages to app_lookup;

-- Pipelines that the caller sees all of, as of departments' conversations.
create function app.own_pipelines() returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return array(select id from pipelines
                  where company_id = app.company_id()
                    and (app.sees_all() or department_id is null or department_id = any (app.department_ids())));
end
$$;
alter function app.own_pipelines owner to app_lookup;
revoke all on function app.own_pipelines from public;
grant execute on function app.own_pipelines to app_staff;

create policy leaders_insert on pipelines as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on pipelines as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));
create policy leaders_insert on stages as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on stages as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));
create policy leaders_delete on stages as restrictive for delete to app_staff using ((select app.has_role('supervisor', 'admin')));
grant insert (id, name, department_id, is_default), update (name, department_id, is_default, version, updated_at, archived_at)
    on pipelines to app_staff;
grant insert (id, pipeline_id, key, name, position, colour, kind, required_fields, rotting_days, automations),
      update (key, name, position, colour, required_fields, rotting_days, automations), delete on stages to app_staff;

-- A company begins with one. What a lost lead was lost for is asked.
create function app.make_first_pipeline(company uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    pipeline uuid := gen_random_uuid();
begin
    insert into pipelines (id, company_id, name, is_default) values (pipeline, company, 'Vendas', true);
    insert into stages (id, company_id, pipeline_id, key, name, position, colour, kind, required_fields, rotting_days)
    select gen_random_uuid(), company, pipeline, key, name, position, colour, kind, required, rotting
      from (values (0, 'new', 'Novo', '#4c8dff', 'open', '{}'::text[], 3),
                   (1, 'contacted', 'Contatado', '#22b8cf', 'open', '{}', 7),
                   (2, 'qualified', 'Qualificado', '#9775fa', 'open', '{}', 7),
                   (3, 'proposal', 'Proposta', '#f5a623', 'open', '{}', 7),
                   (4, 'negotiation', 'Negociação', '#fd7e14', 'open', '{}', 14),
                   (5, 'won', 'Ganho', '#2f9e44', 'won', '{}', null),
                   (6, 'lost', 'Perdido', '#e03131', 'lost', '{close_reason}', null))
        as stage (position, key, name, colour, kind, required, rotting);
end
$$;
grant execute on function app.look to app_lookup;
alter function app.make_first_pipeline owner to app_lookup;
revoke all on function app.make_first_pipeline from public;
create function app.begin_selling() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.make_first_pipeline(new.id);
    return null;
end
$$;
alter function app.begin_selling owner to app_lookup;
create trigger companies_pipeline after insert on companies for each row execute function app.begin_selling();

-- ---------------------------------------------------------------------------------------------------------------------------------
-- The company's own fields of leads, and how leads are scored.

create table lead_fields (
    company_id uuid primary key default app.company_id() references companies,
    fields     jsonb not null default '[]',
    kinds      jsonb not null default '{}',
    version    integer not null default 0
);
call app.protect('lead_fields');
revoke insert, update, delete on lead_fields from app_system;
grant insert (company_id), update (fields, kinds, version) on lead_fields to app_staff;
create policy leaders_insert on lead_fields as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on lead_fields as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));

-- Rules of each version stay: scores say by which they were made. The newest holds.
create table lead_scoring (
    company_id uuid not null default app.company_id() references companies,
    version    integer not null check (version > 0),
    rules      jsonb not null,
    author_id  uuid not null default app.user_id() references users,
    created_at timestamptz not null default now(),
    primary key (company_id, version)
);
call app.protect('lead_scoring');
revoke insert, update, delete on lead_scoring from app_system;
create policy leaders_insert on lead_scoring as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
grant insert (version, rules) on lead_scoring to app_staff;

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Leads.

create table leads (
    id                  uuid primary key,
    company_id          uuid not null default app.company_id() references companies,
    pipeline_id         uuid not null,
    stage_id            uuid not null,
    -- Its place in the column: the smallest is on top. Always eight figures before the point, so that its text sorts as the figure does.
    rank                numeric not null check (rank >= 10000000 and rank < 100000000),
    status              text not null default 'open' check (status in ('open', 'won', 'lost')),
    -- The furthest one that it got to, of those before the lost.
    furthest_stage_id   uuid,
    name                text not null check (char_length(name) between 1 and 120),
    email               text check (char_length(email) <= 254 and email = lower(email)),
    phone               text check (phone ~ '^[0-9]{5,15}$'),
    organisation        text check (char_length(organisation) between 1 and 120),
    job_title           text check (char_length(job_title) between 1 and 80),
    origin              text check (char_length(origin) between 1 and 80),
    campaign            text check (char_length(campaign) between 1 and 80),
    closer_id           uuid,
    sdr_id              uuid,
    potential_value     numeric(14, 2) check (potential_value >= 0),
    expected_close      date,
    tags                text[] not null default '{}' check (cardinality(tags) <= 30),
    custom_fields       jsonb not null default '{}',
    client_id           uuid,
    crm_id              text check (char_length(crm_id) between 1 and 120),
    -- Budget, authority, need, timeline, each with who says so; the figures are those that scores are made of.
    budget_confirmed    boolean,
    budget_amount       numeric(14, 2) check (budget_amount >= 0),
    authority_level     text check (authority_level in ('decision_maker', 'influencer', 'user', 'unknown')),
    need_level          text check (need_level in ('high', 'medium', 'low', 'unknown')),
    -- By when they want to decide.
    decides_by          date,
    qualification       jsonb not null default '{}',
    qualification_score integer not null default 0 check (qualification_score between 0 and 100),
    score               integer not null default 0 check (score between 0 and 100),
    -- By which version of the rules; null while it is to be made anew.
    scored_by           integer,
    scored_at           timestamptz not null default now(),
    temperature         text not null default 'cold' check (temperature in ('cold', 'warm', 'hot')),
    last_contact_at     timestamptz,
    entered_at          timestamptz not null default now(),
    closed_at           timestamptz,
    close_reason        text check (char_length(close_reason) between 1 and 500),
    -- What it was won for.
    value               numeric(14, 2) check (value >= 0),
    version             integer not null default 1,
    created_by_id       uuid references users,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    deleted_at          timestamptz,
    merged_into_id      uuid,
    -- As `notes.moved_from`.
    moved_from          uuid[] not null default '{}',
    unique (company_id, id),
    foreign key (company_id, pipeline_id, stage_id) references stages (company_id, pipeline_id, id),
    foreign key (company_id, closer_id) references memberships (company_id, user_id),
    foreign key (company_id, sdr_id) references memberships (company_id, user_id),
    foreign key (company_id, client_id) references clients (company_id, id),
    foreign key (company_id, merged_into_id) references leads (company_id, id),
    check ((status = 'open') = (closed_at is null)),
    check (merged_into_id is null or deleted_at is not null and merged_into_id <> id)
);
create unique index leads_rank on leads (company_id, stage_id, rank) where deleted_at is null;
create index leads_newest on leads (company_id, created_at, id) where deleted_at is null;
create index leads_pipeline on leads (company_id, pipeline_id, stage_id);
create index leads_closer on leads (company_id, closer_id, created_at, id) where closer_id is not null and deleted_at is null;
create index leads_sdr on leads (company_id, sdr_id, created_at, id) where sdr_id is not null and deleted_at is null;
create index leads_client on leads (company_id, client_id) where client_id is not null;
create index leads_phone on leads (company_id, phone) where phone is not null and deleted_at is null;
create index leads_email on leads (company_id, email) where email is not null and deleted_at is null;
create unique index leads_crm on leads (company_id, crm_id) where crm_id is not null and merged_into_id is null;
create index leads_merged on leads (company_id, merged_into_id) where merged_into_id is not null;
create index leads_closed on leads (company_id, closed_at, id) where closed_at is not null and deleted_at is null;
-- Whose scores time has changed, of all companies.
create index leads_to_score on leads (company_id, scored_at, id) where status = 'open' and deleted_at is null;
create index leads_tags on leads using gin (company_id, tags) with (fastupdate = off) where tags <> '{}';
create index leads_search on leads using gin
    (company_id, app.searchable(name || ' ' || coalesce(email, '') || ' ' || coalesce(organisation, '') || ' ' || coalesce(phone, '')) gin_trgm_ops);
call app.protect('leads');
alter policy company on leads to app_staff, app_student, app_system;
create policy lookup on leads to app_lookup using (true);
revoke insert, delete on leads from app_system;
grant insert (id, pipeline_id, stage_id, rank, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id, potential_value,
              expected_close, tags, custom_fields, client_id, crm_id, created_by_id),
      update (pipeline_id, stage_id, rank, furthest_stage_id, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id, potential_value,
              expected_close, tags, custom_fields, client_id, crm_id, budget_confirmed, budget_amount, authority_level, need_level, decides_by,
              qualification, qualification_score, score, scored_by, scored_at, temperature, last_contact_at, close_reason, value,
              version, updated_at, deleted_at)
    on leads to app_staff;

-- A bot makes leads, too.
grant insert (id, pipeline_id, stage_id, rank, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id, potential_value,
              expected_close, tags, custom_fields, client_id, crm_id, created_by_id)
    on leads to app_system;

-- Of many that a transaction changes at once, all stay in its sight.
create function app.held_leads() returns uuid[] language sql stable as
    $$ select string_to_array(nullif(current_setting('app.held_leads', true), ''), ',')::uuid[] $$;
grant execute on function app.held_leads to app_staff, app_system, app_lookup;

-- Whoever sees a pipeline sees its leads, or those of nobody and their own where the company says so of conversations, too.
drop policy staff on leads;
create policy staff on leads to app_staff
    using ((select app.sees_all()) or closer_id = (select app.user_id()) or sdr_id = (select app.user_id())
           or pipeline_id = any ((select app.own_pipelines())::uuid[])
              and ((select app.visibility()) = 'department' or closer_id is null and sdr_id is null)
           or id = any ((select app.held_leads())::uuid[]))
    with check (true);
-- A pipeline is seen where its leads may be, and by whose leads are in it.
drop policy staff on pipelines;
create policy staff on pipelines to app_staff
    using ((select app.sees_all()) or department_id is null or department_id = any ((select app.department_ids())::uuid[])
           or exists (select from leads
                       where leads.company_id = pipelines.company_id and leads.pipeline_id = pipelines.id
                         and (leads.closer_id = (select app.user_id()) or leads.sdr_id = (select app.user_id())
                              or leads.id = any ((select app.held_leads())::uuid[]))))
    with check (true);
-- Other people's leads are led by others.
drop policy if exists system on leads;
create policy system on leads to app_system using (true);

create trigger leads_tags before insert or update of tags on leads
    for each row when (new.tags <> '{}' and pg_trigger_depth() = 0) execute function app.catalogue_tags();

-- Leads in which a text is found, of those that a person sees; the newest of very many.
create function app.find_leads(query text) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    inside text := '%' || replace(replace(replace(app.searchable(query), '\', '\\'), '%', '\%'), '_', '\_') || '%';
begin
    return array(
        select id from leads
         where company_id = company
           and app.searchable(name || ' ' || coalesce(email, '') || ' ' || coalesce(organisation, '') || ' ' || coalesce(phone, '')) like inside
           and ((select app.sees_all()) or closer_id = (select app.user_id()) or sdr_id = (select app.user_id())
                or pipeline_id = any ((select app.own_pipelines())::uuid[]))
         order by created_at desc, id desc
         limit 100000);
end
$$;
alter function app.find_leads owner to app_lookup;
revoke all on function app.find_leads from public;
grant execute on function app.find_leads to app_staff;

-- A figure between two others with as few figures as there are; above the first or below the last one, the next whole one.
create function app.rank_between(low numeric, high numeric) returns numeric language plpgsql immutable as $$
declare
    digits integer := 0;
    middle numeric;
begin
    if low is null and high is null then
        return 50000000;
    elsif low is null then
        return ceil(high) - 1;
    elsif high is null then
        return floor(low) + 1;
    end if;
    loop
        middle := trim_scale(round((low + high) * 0.5, digits));
        if middle > low and middle < high then
            return middle;
        end if;
        digits := digits + 1;
    end loop;
end
$$;
grant execute on function app.rank_between to app_staff, app_system, app_lookup;

-- Holds stages, in one order, so that places in them are given one after the other.
create function app.hold_stages(wanted uuid[]) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from stages where company_id = app.company_id() and id = any (wanted) order by id for no key update;
end
$$;
alter function app.hold_stages owner to app_lookup;
revoke all on function app.hold_stages from public;
grant execute on function app.hold_stages to app_staff, app_system;
grant select, update (rank) on leads to app_lookup;

-- The rank of a lead between two cards of a stage that is held: below the one, above the other; of neighbours that have moved the one that is
-- there counts. On top where none is named; null where none of those named is there any more. Where there is no room left, the column is
-- spread anew first, in the order it has.
create function app.rank_in(stage uuid, lead uuid, below uuid, above uuid, out place numeric, out is_spread boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    -- Figures behind the point.
    most constant integer := 40;
    own_rank numeric := (select rank from leads where company_id = company and id = lead and stage_id = stage and deleted_at is null);
    upper_rank numeric;
    lower_rank numeric;
begin
    is_spread := false;
    loop
        select rank into upper_rank from leads
         where company_id = company and stage_id = stage and id = below and id <> lead and deleted_at is null;
        select rank into lower_rank from leads
         where company_id = company and stage_id = stage and id = above and id <> lead and deleted_at is null and upper_rank is null;
        if upper_rank is not null then
            select min(rank) into lower_rank from leads
             where company_id = company and stage_id = stage and rank > upper_rank and id <> lead and deleted_at is null;
        elsif lower_rank is not null then
            select max(rank) into upper_rank from leads
             where company_id = company and stage_id = stage and rank < lower_rank and id <> lead and deleted_at is null;
        elsif below is not null or above is not null then
            return;
        else
            select min(rank) into lower_rank from leads
             where company_id = company and stage_id = stage and id <> lead and deleted_at is null;
        end if;
        -- Where it stands already it stays.
        if own_rank > coalesce(upper_rank, 0) and own_rank < coalesce(lower_rank, 100000000) then
            place := own_rank;
            return;
        end if;
        place := app.rank_between(upper_rank, lower_rank);
        exit when is_spread or scale(place) <= most and place >= 10000000 and place < 100000000;
        perform app.spread_stage(stage, array[lead]);
        is_spread := true;
    end loop;
end
$$;
alter function app.rank_in owner to app_lookup;
revoke all on function app.rank_in from public;
grant execute on function app.rank_in to app_staff, app_system;

-- Gives the cards of a stage, but for those that are on their way, whole ranks in the order they have, all of them beyond those there are: no
-- rank is anybody's twice meanwhile.
create function app.spread_stage(stage uuid, but_for uuid[]) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    lowest numeric;
    highest numeric;
    cards integer;
begin
    perform from leads
     where company_id = company and stage_id = stage and deleted_at is null and id <> all (but_for)
     order by id for no key update;
    select min(rank), max(rank), count(*) into lowest, highest, cards from leads
     where company_id = company and stage_id = stage and deleted_at is null;
    update leads
       set rank = case when highest + 2 * cards < 99000000 then floor(highest) else ceil(lowest) - cards - 1 end + placed.place
      from (select id, row_number() over (order by rank) as place from leads
             where company_id = company and stage_id = stage and deleted_at is null and id <> all (but_for)) placed
     where leads.company_id = company and leads.id = placed.id;
end
$$;
alter function app.spread_stage owner to app_lookup;
revoke all on function app.spread_stage from public;
grant execute on function app.spread_stage to app_lookup;

-- Places for many leads below all others of a stage that is held, or above them, in the order given.
create function app.places_in(stage uuid, ids uuid[], is_on_top boolean) returns table (id uuid, place numeric)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    first_rank numeric;
begin
    for attempt in 1..2 loop
        select case when is_on_top then ceil(min(rank)) - cardinality(ids) - 1 else floor(max(rank)) end into first_rank from leads
         where company_id = company and stage_id = stage and deleted_at is null and leads.id <> all (ids);
        first_rank := coalesce(first_rank, 50000000 - cardinality(ids) / 2);
        exit when first_rank >= 10000000 and first_rank + cardinality(ids) < 100000000;
        perform app.spread_stage(stage, ids);
    end loop;
    return query select given.id, first_rank + given.place from unnest(ids) with ordinality given (id, place);
end
$$;
alter function app.places_in owner to app_lookup;
revoke all on function app.places_in from public;
grant execute on function app.places_in to app_staff, app_system;

-- Companies with open leads whose scores time has changed, and how many pages of 200 they are, at most ten; those first who have waited longest.
create function app.companies_to_score(most integer) returns table (company_id uuid, pages bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query
        select companies.id, (due.count + 199) / 200
          from companies
         cross join lateral (
               select count(*), min(scored_at) as oldest
                 from (select scored_at from leads
                        where leads.company_id = companies.id and status = 'open' and deleted_at is null
                          and scored_at < now() - interval '1 day'
                        order by scored_at
                        limit 2000) few) due
         where due.count > 0
         order by due.oldest, companies.id
         limit most;
end
$$;
alter function app.companies_to_score owner to app_lookup;
revoke all on function app.companies_to_score from public;
grant execute on function app.companies_to_score to app;

-- A stage says what becomes of the leads in it.
create function app.enter_stage() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    stage_position integer;
begin
    select kind, position into new.status, stage_position from stages where company_id = new.company_id and id = new.stage_id;
    if new.status <> 'lost' and not exists (
        select from stages
         where company_id = new.company_id and id = new.furthest_stage_id and pipeline_id = new.pipeline_id and position >= stage_position) then
        new.furthest_stage_id := new.stage_id;
    end if;
    if tg_op = 'UPDATE' then
        new.entered_at := now();
    end if;
    if new.status = 'open' then
        new.closed_at := null;
        new.close_reason := null;
        new.value := null;
    elsif tg_op = 'INSERT' then
        new.closed_at := coalesce(new.closed_at, now());
    elsif old.status <> new.status then
        new.closed_at := now();
    end if;
    return new;
end
$$;
alter function app.enter_stage owner to app_lookup;
create trigger leads_enter before insert on leads for each row execute function app.enter_stage();
create trigger leads_move before update of stage_id on leads for each row when (new.stage_id <> old.stage_id) execute function app.enter_stage();

-- When each lead was in which stage; it is in the one that it has not left.
create table lead_stages (
    id          uuid primary key default gen_random_uuid(),
    company_id  uuid not null default app.company_id() references companies,
    lead_id     uuid not null,
    pipeline_id uuid not null,
    -- What became of a stage that is no more is told by its name here.
    stage_id    uuid not null,
    stage_name  text not null,
    stage_kind  text not null,
    by_id       uuid,
    entered_at  timestamptz not null default now(),
    left_at     timestamptz,
    check (left_at >= entered_at),
    foreign key (company_id, lead_id) references leads (company_id, id)
);
create unique index lead_stages_now on lead_stages (company_id, lead_id) where left_at is null;
create index lead_stages_lead on lead_stages (company_id, lead_id, entered_at, id);
create index lead_stages_entered on lead_stages (company_id, pipeline_id, entered_at);

-- What of a lead was changed, by whom: names of fields, each with what it was and what it is.
create table lead_changes (
    id         uuid primary key default gen_random_uuid(),
    company_id uuid not null default app.company_id() references companies,
    lead_id    uuid not null,
    by_id      uuid,
    at         timestamptz not null default clock_timestamp(),
    changes    jsonb not null,
    foreign key (company_id, lead_id) references leads (company_id, id)
);
create index lead_changes_lead on lead_changes (company_id, lead_id, at, id);

-- What was done with a lead.
create table lead_interactions (
    id         uuid primary key,
    company_id uuid not null default app.company_id() references companies,
    lead_id    uuid not null,
    -- Null of what comes by itself.
    author_id  uuid default app.user_id() references users,
    source     text not null default 'person' check (source in ('person', 'message', 'followup', 'import')),
    type       text not null check (type in ('whatsapp', 'email', 'call', 'meeting', 'note', 'other')),
    summary    text not null check (char_length(summary) between 1 and 500),
    details    text check (char_length(details) between 1 and 10000),
    result     text not null check (result in ('contacted', 'closed_won', 'no_answer', 'scheduled', 'proposal_sent', 'closed_lost', 'other')),
    next_step  text check (char_length(next_step) between 1 and 500),
    at         timestamptz not null default now(),
    -- Of the first message of a day: which day.
    day        date,
    created_at timestamptz not null default now(),
    unique (company_id, id),
    check ((source = 'message') = (day is not null)),
    foreign key (company_id, lead_id) references leads (company_id, id)
);
create index lead_interactions_lead on lead_interactions (company_id, lead_id, at, id);
create index lead_interactions_at on lead_interactions (company_id, at, id);
create unique index lead_interactions_day on lead_interactions (company_id, lead_id, day) where day is not null;

call app.protect('lead_stages');
call app.protect('lead_changes');
call app.protect('lead_interactions');
-- A lead that the caller sees, and all that hangs on it.
create policy seen_leads on lead_stages as restrictive for select to app_staff
    using (exists (select from leads where leads.company_id = lead_stages.company_id and leads.id = lead_id));
create policy seen_leads on lead_changes as restrictive for select to app_staff
    using (exists (select from leads where leads.company_id = lead_changes.company_id and leads.id = lead_id));
create policy seen_leads on lead_interactions as restrictive for select to app_staff
    using (exists (select from leads where leads.company_id = lead_interactions.company_id and leads.id = lead_id));
revoke insert, update, delete on lead_stages, lead_changes from app_system;
revoke update, delete on lead_interactions from app_system;
grant insert (id, lead_id, source, type, summary, details, result, next_step, at) on lead_interactions to app_staff;
create policy own_work on lead_interactions as restrictive for insert to app_staff with check (author_id = (select app.user_id()) and source = 'person');
alter policy company on lead_stages to app_staff, app_student, app_system;
alter policy company on lead_changes to app_staff, app_student, app_system;
alter policy company on lead_interactions to app_staff, app_student, app_system;
create policy lookup on lead_stages to app_lookup using (true);
create policy lookup on lead_changes to app_lookup using (true);
create policy lookup on lead_interactions to app_lookup using (true);
grant select, insert, update (left_at, lead_id) on lead_stages to app_lookup;
grant select, insert on lead_changes to app_lookup;
grant select, insert, update (lead_id) on lead_interactions to app_lookup;

create function app.note_stage() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        update lead_stages set left_at = greatest(new.entered_at, entered_at) where company_id = new.company_id and lead_id = new.id and left_at is null;
    end if;
    insert into lead_stages (company_id, lead_id, pipeline_id, stage_id, stage_name, stage_kind, by_id, entered_at)
    select new.company_id, new.id, new.pipeline_id, new.stage_id, name, kind, app.user_id(), new.entered_at
      from stages where company_id = new.company_id and id = new.stage_id;
    return null;
end
$$;
alter function app.note_stage owner to app_lookup;
create trigger leads_stage_first after insert on leads for each row execute function app.note_stage();
create trigger leads_stage after update of stage_id on leads for each row when (new.stage_id <> old.stage_id) execute function app.note_stage();

create function app.note_lead_change() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    -- What says itself elsewhere, or follows from the rest.
    silent constant text[] := '{rank, version, updated_at, score, scored_by, scored_at, qualification_score, temperature, entered_at, last_contact_at,
                                replied_at, quick_reply_at, moved_from, furthest_stage_id}';
    was jsonb := to_jsonb(old) - silent;
    changed jsonb;
begin
    select jsonb_object_agg(key, jsonb_build_array(was -> key, value)) into changed
      from jsonb_each(to_jsonb(new) - silent)
     where value is distinct from was -> key;
    if changed is not null then
        insert into lead_changes (company_id, lead_id, by_id, changes) values (new.company_id, new.id, app.user_id(), changed);
    end if;
    return null;
end
$$;
alter function app.note_lead_change owner to app_lookup;
create trigger leads_changed after update on leads for each row execute function app.note_lead_change();

-- ---------------------------------------------------------------------------------------------------------------------------------
-- What clients write is done with their leads, too.

alter table leads
    add column replied_at timestamptz,
    -- The first time that they wrote within an hour of a message of ours.
    add column quick_reply_at timestamptz;

-- Leads that wait for a client with their phone or e-mail.
create function app.link_leads(company uuid, client uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    with theirs as (
        select leads.id
          from client_identities identity
          join leads on leads.company_id = identity.company_id and leads.phone = identity.value
         where identity.company_id = company and identity.client_id = client and identity.kind = 'phone'
           and leads.client_id is null and leads.deleted_at is null
        union
        select leads.id
          from client_identities identity
          join leads on leads.company_id = identity.company_id and leads.email = identity.value
         where identity.company_id = company and identity.client_id = client and identity.kind = 'email'
           and leads.client_id is null and leads.deleted_at is null
    ), held as (
        select id from leads where company_id = company and id in (select id from theirs) and client_id is null order by id for no key update
    )
    update leads set client_id = client from held where leads.company_id = company and leads.id = held.id;
end
$$;
alter function app.link_leads owner to app_lookup;
revoke all on function app.link_leads from public;
grant execute on function app.link_leads to app_lookup;

create function app.link_leads_of_identity() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.link_leads(new.company_id, new.client_id);
    return null;
end
$$;
alter function app.link_leads_of_identity owner to app_lookup;
create trigger client_identities_leads after insert on client_identities for each row
    when (new.kind in ('phone', 'email')) execute function app.link_leads_of_identity();

create function app.note_reply() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    is_quick boolean;
begin
    -- A lead that was made in the moment in which they became a client.
    perform app.link_leads(new.company_id, new.client_id);
    if not exists (select from leads where company_id = new.company_id and client_id = new.client_id and deleted_at is null and status = 'open') then
        return null;
    end if;
    is_quick := exists (
        select from messages
         where company_id = new.company_id and conversation_id = new.id and sender_type in ('agent', 'bot')
           and sent_at between new.last_message_at - interval '1 hour' and new.last_message_at);
    with replied as (
        select id from leads
         where company_id = new.company_id and client_id = new.client_id and deleted_at is null and status = 'open'
         order by id for no key update
    )
    update leads
       set replied_at = greatest(leads.replied_at, new.last_message_at),
           quick_reply_at = coalesce(leads.quick_reply_at, case when is_quick then new.last_message_at end),
           scored_at = '-infinity'
      from replied
     where leads.company_id = new.company_id and leads.id = replied.id;
    insert into lead_interactions (id, company_id, lead_id, author_id, source, type, summary, result, at, day)
    select gen_random_uuid(), new.company_id, leads.id, null, 'message', 'whatsapp', 'Mensagem recebida via WhatsApp', 'contacted', new.last_message_at,
           (new.last_message_at at time zone companies.time_zone)::date
      from leads
      join companies on companies.id = leads.company_id
     where leads.company_id = new.company_id and leads.client_id = new.client_id and leads.deleted_at is null and leads.status = 'open'
     order by leads.id
        on conflict do nothing;
    return null;
end
$$;
alter function app.note_reply owner to app_lookup;
grant update (replied_at, quick_reply_at, scored_at) on leads to app_lookup;
grant update (replied_at, quick_reply_at) on leads to app_staff;
create trigger conversations_lead_reply after update of inbound_count on conversations for each row
    when (new.inbound_count > old.inbound_count and new.ended_at is null and new.imported_at is null and new.last_message_from = 'client'
          and new.merged_into_id is not distinct from old.merged_into_id)
    execute function app.note_reply();
create trigger conversations_lead_reply_first after insert on conversations for each row
    when (new.inbound_count > 0 and new.ended_at is null and new.imported_at is null) execute function app.note_reply();

-- What is made of a client who became part of another meanwhile is the other's.
create function app.follow_client() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    further uuid;
begin
    loop
        select merged_into_id into further from clients where company_id = new.company_id and id = new.client_id for share;
        exit when further is null;
        new.client_id := further;
    end loop;
    return new;
end
$$;
alter function app.follow_client owner to app_lookup;
create trigger leads_placed before insert or update of client_id on leads for each row
    when (new.client_id is not null and new.merged_into_id is null) execute function app.follow_client();

-- A client has one lead that is made of conversations, also where it is none of the caller's.
create function app.open_lead(client uuid) returns uuid language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (
        select id from leads
         where company_id = app.company_id() and client_id = client and status = 'open' and deleted_at is null
         order by created_at, id
         limit 1);
end
$$;
alter function app.open_lead owner to app_lookup;
revoke all on function app.open_lead from public;
grant execute on function app.open_lead to app_staff, app_system;

-- A client who becomes part of another is the other's leads' client; undone, they have their own again.
create function app.move_leads() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if old.merged_into_id is null then
        update leads set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id;
    else
        update leads set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
alter function app.move_leads owner to app_lookup;
grant update (client_id, moved_from) on leads to app_lookup;
create trigger clients_leads after update of merged_into_id on clients for each row
    when ((new.merged_into_id is null) <> (old.merged_into_id is null)) execute function app.move_leads();

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Two cards of one person become one, and may be parted again.

create table lead_merges (
    id           uuid primary key,
    company_id   uuid not null default app.company_id() references companies,
    lead_id      uuid not null,
    merged_id    uuid not null,
    by_id        uuid not null default app.user_id() references users,
    at           timestamptz not null default now(),
    -- What the kept one was before, and what it got of the other: {before, interactions}.
    undo         jsonb not null,
    undone_at    timestamptz,
    undone_by_id uuid references users,
    unique (company_id, id),
    foreign key (company_id, lead_id) references leads (company_id, id),
    foreign key (company_id, merged_id) references leads (company_id, id)
);
create index lead_merges_lead on lead_merges (company_id, lead_id, at, id);
create unique index lead_merges_merged on lead_merges (company_id, merged_id) where undone_at is null;
call app.protect('lead_merges');
revoke insert, update, delete on lead_merges from app_system;
create policy seen_leads on lead_merges as restrictive for select to app_staff
    using (exists (select from leads where leads.company_id = lead_merges.company_id and leads.id = lead_id));
create policy leaders_insert on lead_merges as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on lead_merges as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));
grant insert (id, lead_id, merged_id, undo), update (undone_at, undone_by_id) on lead_merges to app_staff;
grant update (merged_into_id) on leads to app_staff;
grant update (lead_id) on lead_interactions to app_staff;
create policy leaders_update on lead_interactions as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));

-- How often something was done with leads since then, for who sees all of them: counted without asking of each row who sees it.
create function app.count_all_lead_work(since timestamptz) returns bigint
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return case when app.sees_all() then (select count(*) from lead_interactions where company_id = app.company_id() and at >= since) end;
end
$$;
alter function app.count_all_lead_work owner to app_lookup;
revoke all on function app.count_all_lead_work from public;
grant execute on function app.count_all_lead_work to app_staff;

-- ---------------------------------------------------------------------------------------------------------------------------------
-- People are told of leads by name.

alter table notifications add foreign key (company_id, lead_id) references leads (company_id, id);
create index notifications_lead on notifications (company_id, lead_id) where lead_id is not null;
create policy sight_of_leads on notifications as restrictive to app_staff
    using (lead_id is null or exists (select from leads where leads.company_id = notifications.company_id and leads.id = lead_id));

-- Whether somebody of the staff sees a lead, as the policies of `leads` say it for whoever asks themselves.
create function app.would_see_lead(lead uuid, role text, visibility text, person uuid, departments uuid[]) returns boolean
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return role <> 'student' and exists (
        select from leads
          join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
         where leads.company_id = app.company_id() and leads.id = lead
           and app.would_see(role, visibility, person, departments, pipelines.department_id, coalesce(leads.closer_id, leads.sdr_id),
                             array[leads.sdr_id]));
end
$$;
alter function app.would_see_lead owner to app_lookup;
revoke all on function app.would_see_lead from public;
grant execute on function app.would_see_lead to app_lookup;

insert into notification_types (type, position, caused_by, sound, on_screen, rings, by_mail, by_push, words) values
('lead_assigned', 130, 'agent', 'assignment', true, true, true, true, '{
    "pt-BR": {"name": "Leads entregues a mim", "title": "O lead {lead} é com você", "titles": "{count} leads são com você", "title_many": "{leads} leads são com você", "body": ""},
    "en": {"name": "Leads given to me", "title": "The lead {lead} is yours", "titles": "{count} leads are yours", "title_many": "{leads} leads are yours", "body": ""}}'),
('lead_converted', 140, 'agent', 'alert', true, true, false, true, '{
    "pt-BR": {"name": "Vendas fechadas", "title": "{lead} fechou!", "body": "{value|}"},
    "en": {"name": "Sales", "title": "{lead} has bought!", "body": "{value|}"}}'),
('lead_responded', 150, 'system', 'message', true, true, false, true, '{
    "pt-BR": {"name": "Respostas a follow-ups", "title": "{lead} respondeu ao follow-up!", "body": ""},
    "en": {"name": "Answers to follow-ups", "title": "{lead} has answered the follow-up!", "body": ""}}');

-- Once for each statement: of many leads that somebody gets at once they are told together. A table that comes in tells of all at its end.
create function app.notice_of_leads(person uuid, leads bigint, lead uuid, version integer) returns jsonb language sql immutable as $$
    select jsonb_build_object('type', 'lead_assigned', 'people', jsonb_build_array(person), 'cause', 'lead:' || lead || ':' || version,
                              'group_key', 'lead:' || lead, 'lead_id', lead, 'source_id', lead)
           || case when leads > 1 then jsonb_build_object('facts', jsonb_build_object('variant', 'many', 'leads', leads)) else '{}' end
$$;
grant execute on function app.notice_of_leads to app_staff, app_system, app_lookup;
create function app.notify_of_leads() returns trigger language plpgsql as $$
begin
    if current_setting('app.is_import', true) = 'on' then
        return null;
    elsif tg_op = 'INSERT' then
        perform app.notify(app.notice_of_leads(person, count(*), (array_agg(made.id order by made.id))[1], (array_agg(made.version order by made.id))[1]))
          from made
         cross join lateral (select closer_id as person union select sdr_id) people
         where person is not null and made.status = 'open'
         group by person
         order by person;
    else
        perform app.notify(app.notice_of_leads(person, count(*), (array_agg(made.id order by made.id))[1], (array_agg(made.version order by made.id))[1]))
          from made
          join was on was.id = made.id
         cross join lateral (select made.closer_id as person where made.closer_id is distinct from was.closer_id
                             union select made.sdr_id where made.sdr_id is distinct from was.sdr_id) people
         where person is not null and made.status = 'open' and made.merged_into_id is null and made.deleted_at is null
         group by person
         order by person;
    end if;
    return null;
end
$$;
create trigger leads_notify_new after insert on leads referencing new table as made for each statement execute function app.notify_of_leads();
create trigger leads_notify after update on leads referencing new table as made old table as was
    for each statement execute function app.notify_of_leads();

create function app.notify_of_sale() returns trigger language plpgsql as $$
begin
    perform app.notify(jsonb_build_object(
        'type', 'lead_converted', 'people', jsonb_path_query_array(jsonb_build_array(new.closer_id, new.sdr_id), '$[*] ? (@ != null)'),
        'groups', jsonb_build_array('leaders'), 'cause', 'won:' || new.id || ':' || new.closed_at, 'group_key', 'won:' || new.id,
        'lead_id', new.id, 'source_id', new.id,
        'facts', jsonb_strip_nulls(jsonb_build_object('value', 'R$ ' || replace(to_char(new.value, 'FM999999999990.00'), '.', ',')))));
    return null;
end
$$;
create trigger leads_sold after update of stage_id on leads
    for each row when (new.status = 'won' and old.status <> 'won' and new.merged_into_id is null and new.deleted_at is null)
    execute function app.notify_of_sale();

-- All that happened with a lead.
create view lead_history with (security_invoker = true) as
    select id, lead_id, 'change' as kind, at, by_id, jsonb_build_object('changes', changes) as data from lead_changes
    union all
    select id, lead_id, 'stage', entered_at, by_id,
           jsonb_build_object('stage_id', stage_id, 'pipeline_id', pipeline_id, 'name', stage_name, 'kind', stage_kind, 'left_at', app.rfc3339(left_at))
      from lead_stages
    union all
    select id, lead_id, 'interaction', at, author_id,
           jsonb_build_object('source', source, 'type', type, 'summary', summary, 'result', result, 'next_step', next_step)
      from lead_interactions
    union all
    select id, lead_id, 'merge', at, by_id, jsonb_build_object('merged_lead_id', merged_id, 'undone_at', app.rfc3339(undone_at)) from lead_merges;
grant select on lead_history to app_staff;

insert into event_rules (type, told_by) values
    ('pipeline.created', 'supervisor'),
    ('pipeline.deleted', 'supervisor'),
    ('pipeline.updated', 'supervisor'),
    ('stage.spread', 'agent'),
    ('lead.created', 'agent'),
    ('lead.updated', 'agent'),
    ('lead.deleted', 'agent'),
    ('lead.interaction_added', 'agent'),
    ('lead.scored', 'supervisor'),
    ('lead_fields.updated', 'supervisor'),
    ('lead_scoring.updated', 'supervisor');

insert into job_rules (kind, queue, added_by) values ('recompute_scores', 'scores', 'supervisor');

select app.make_first_pipeline(id) from companies;

-- Tags are renamed and deleted on leads, too.
create or replace function app.hold_tagged(tag uuid) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    wanted text := (select name from tags where company_id = company and id = tag);
begin
    perform from clients where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
    perform from conversations where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
    perform from leads where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
end
$$;
create or replace function app.follow_tag() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update clients
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end,
           version = version + 1
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    update conversations
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    update leads
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end,
           version = version + 1
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    return null;
end
$$;
grant update (tags, version) on leads to app_lookup;
