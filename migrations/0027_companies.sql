-- What a company sets of itself, and further companies of a person's.

alter table companies
    add column bot_enabled boolean not null default true,
    add column coin_name text not null default 'moedas' check (coin_name <> '' and char_length(coin_name) <= 40),
    add column colour text not null default '#2563eb' check (colour ~ '^#[0-9a-f]{6}$'),
    add column founded_by uuid references users,
    add column version integer not null default 1,
    add constraint companies_locale_check check (locale in ('pt-BR', 'en'));
create index companies_founder on companies (founded_by) where founded_by is not null;

-- Everybody in it sees it; what it sets is the admins'.
drop policy company on companies;
create policy company on companies for select to app_staff, app_student, app_system using (id = (select app.company_id()));
create policy admins on companies for update to app_staff
    using (id = (select app.company_id()) and (select app.has_role('admin')));
grant update (name, time_zone, locale, agent_visibility, reopen_window, takeover_text, bot_enabled, coin_name, colour, two_factor_policy,
              idle_minutes, version)
   on companies to app_staff;
insert into event_rules (type, told_by) values ('company.updated', 'admin');

-- A further company of the caller's, with them as its admin, and nothing else. No row when they have founded twenty.
create function app.create_company(company uuid, company_name text, company_slug text, other_slug text, zone text, language text,
                                   browser text, caller text, request text)
returns setof companies language plpgsql security definer set search_path = public, pg_temp as $$
declare
    founder uuid := app.user_id();
    origin uuid := app.company_id();
begin
    -- One at a time.
    perform pg_advisory_xact_lock(hashtextextended('companies:' || founder, 0));
    if (select count(*) from companies where founded_by = founder) >= 20 then
        return;
    end if;
    insert into companies (id, name, slug, time_zone, locale, founded_by) values (company, company_name, company_slug, zone, language, founder)
    on conflict on constraint companies_slug_key do nothing;
    if not found then
        insert into companies (id, name, slug, time_zone, locale, founded_by) values (company, company_name, other_slug, zone, language, founder);
    end if;
    insert into memberships (company_id, user_id, role) values (company, founder, 'admin');
    insert into audit_log (company_id, user_id, action, target, ip, user_agent, request_id)
    values (company, founder, 'create_company', company::text, caller, browser, request);
    return query select * from companies where companies.id = company;
end
$$;
alter function app.create_company owner to app_lookup;
grant execute on function app.create_company to app_staff, app_student;

-- As before; without the bot, what begins waits for people.
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
end
$$;

create or replace function app.find_account(channel_kind text, account text, number text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    with known as (
        select * from channel_accounts where kind = channel_kind and account_key = account and status <> 'disabled'
    ), chosen as (
        select * from known where display_number = number
        union all
        select * from known where not exists (select from known named where named.display_number = number)
    )
    select chosen.id, chosen.company_id, chosen.department_id,
           case when companies.bot_enabled then chosen.bot_flow_id end, companies.reopen_window
      from chosen
      join companies on companies.id = chosen.company_id
     where not exists (select from chosen other where other.company_id <> chosen.company_id)
     order by chosen.created_at, chosen.id
     limit 1;
end
$$;
