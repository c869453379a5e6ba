-- When a company works, and each department that has hours of its own; holidays beside the national ones.

create table calendars (
    id             uuid primary key,
    company_id     uuid not null default app.company_id() references companies,
    -- Null for the company's.
    department_id  uuid,
    -- IANA name; null is that of the company's calendar, else of the company.
    time_zone      text check (char_length(time_zone) between 1 and 64),
    -- Null for none of its own any more: the version goes on.
    week           jsonb,
    keeps_optional boolean not null,
    version        integer not null default 1,
    updated_at     timestamptz not null default now(),
    unique nulls not distinct (company_id, department_id),
    foreign key (company_id, department_id) references departments (company_id, id) on delete cascade
);
create table holidays (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    -- Null for the whole company.
    department_id uuid,
    date          date not null,
    name          text not null check (name <> ''),
    yearly        boolean not null,
    unique nulls not distinct (company_id, department_id, date),
    foreign key (company_id, department_id) references departments (company_id, id) on delete cascade
);
call app.protect('calendars');
call app.protect('holidays');
drop policy staff on calendars;
drop policy staff on holidays;
create policy staff on calendars for select to app_staff using (true);
create policy staff on holidays for select to app_staff using (true);
create policy leaders on calendars to app_staff using ((select app.has_role('supervisor', 'admin')));
create policy leaders on holidays to app_staff using ((select app.has_role('supervisor', 'admin')));
grant insert (id, department_id, time_zone, week, keeps_optional), update (time_zone, week, keeps_optional, version, updated_at)
   on calendars to app_staff;
grant insert (id, department_id, date, name, yearly), delete on holidays to app_staff;
revoke insert, update, delete on calendars, holidays from app_system;
insert into event_rules (type, told_by) values ('calendar.updated', 'supervisor');

-- The calendar of a department, or of the company, as `shared::calendar::Written`; null where none was ever saved. A department without hours of
-- its own has the company's; the holidays of both count.
create function app.calendar_of(department uuid) returns jsonb language plpgsql stable as $$
declare
    found_one jsonb;
begin
    select jsonb_build_object(
               'time_zone', coalesce(own.time_zone, of_company.time_zone, companies.time_zone),
               'week', coalesce(own.week, of_company.week),
               'keeps_optional', case when own.week is null then of_company.keeps_optional else own.keeps_optional end,
               'custom', (select coalesce(jsonb_agg(jsonb_build_object('date', date, 'name', name, 'yearly', yearly) order by date, id), '[]')
                            from holidays
                           where department_id is null or department_id = department))
      into found_one
      from companies
      left join calendars own on own.company_id = companies.id and own.department_id = department
      left join calendars of_company on of_company.company_id = companies.id and of_company.department_id is null
     where companies.id = app.company_id() and coalesce(own.week, of_company.week) is not null;
    return found_one;
end
$$;
grant execute on function app.calendar_of to app_staff, app_system;

-- Flows have no hours of their own any more.
alter table bot_flows no force row level security;
update bot_flows set definition = definition - 'hours' where definition ? 'hours';
alter table bot_flows force row level security;
