-- What else WhatsApp tells: whom a notice about an account is for, what a client consents to, who gave a client their name.

-- The account above a number (at WhatsApp the business account) and the number people see, as the provider itself has named them, in a
-- signed webhook or to the company's own token: what an admin types proves nothing.
alter table channel_accounts
    add column account_key text,
    add column display_number text;
create index channel_accounts_account on channel_accounts (kind, account_key) where account_key is not null;

-- The one company a notice about an account is for, by one of its channels: the one with this number when the notice names it, else the
-- oldest. No row when nobody, or more than one company, has a number there.
create function app.find_account(channel_kind text, account text, number text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
language sql stable security definer set search_path = public, pg_temp as $$
    with known as (
        select * from channel_accounts where kind = channel_kind and account_key = account and status <> 'disabled'
    ), chosen as (
        select * from known where display_number = number
        union all
        select * from known where not exists (select from known named where named.display_number = number)
    )
    select chosen.id, chosen.company_id, chosen.department_id, chosen.bot_flow_id, companies.reopen_window
      from chosen
      join companies on companies.id = chosen.company_id
     where not exists (select from chosen other where other.company_id <> chosen.company_id)
     order by chosen.created_at, chosen.id
     limit 1
$$;
alter function app.find_account owner to app_lookup;

-- As `app.enter_channel`, for what names an account and no number of it.
create function app.enter_account(channel_kind text, account text, number text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text)
language plpgsql as $$
#variable_conflict use_column
declare
    channel record;
begin
    select * into channel from app.find_account(channel_kind, account, number);
    if found then
        return query select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window,
                            app.enter_system(channel.company_id);
    end if;
end
$$;
grant execute on function app.find_account, app.enter_account to app;

-- As before, and admins have an audience of their own: supervisors, who see all else, have no part in it.
create or replace function app.enter(company uuid, person uuid, claimed_role text, session uuid) returns text language plpgsql as $$
declare
    access record;
    departments uuid[];
    audiences text[];
begin
    select * into access from app.session_access(company, person, claimed_role, session);
    if not found then
        raise exception 'session_revoked' using errcode = '28000';
    end if;
    departments := coalesce(access.departments, '{}');
    if claimed_role = 'student' then
        audiences := array['self:' || person, 'user:' || person, 'client:' || coalesce(access.client::text, 'none')];
    elsif access.visibility = 'own' then
        audiences := array['self:' || person, 'user:' || person, 'waiting:none'] || array(select 'waiting:' || d from unnest(departments) d);
    else
        audiences := array['self:' || person, 'user:' || person, 'department:none'] || array(select 'department:' || d from unnest(departments) d);
    end if;
    if claimed_role = 'admin' then
        audiences := audiences || 'self:admins'::text;
    end if;
    perform set_config('app.company_id', company::text, true),
            set_config('app.user_id', person::text, true),
            set_config('app.session_id', session::text, true),
            set_config('app.client_id', coalesce(access.client::text, ''), true),
            set_config('app.sees_all', access.sees_all::text, true),
            set_config('app.visibility', access.visibility, true),
            set_config('app.department_ids', departments::text, true),
            set_config('app.audiences', audiences::text, true),
            set_config('role', case when claimed_role = 'student' then 'app_student' else 'app_staff' end, true);
    return app.feed_head();
end
$$;

-- What the provider told about an account or a number, as far as a person must act. Told to admins once, however often it comes.
create table channel_notices (
    id                 uuid primary key,
    company_id         uuid not null default app.company_id(),
    channel_account_id uuid not null,
    code               text not null,
    text               text not null,
    -- The change as it came.
    content            jsonb not null,
    at                 timestamptz not null,
    created_at         timestamptz not null default now(),
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id) on delete cascade
);
create unique index channel_notices_once on channel_notices (company_id, md5(content::text));
create index channel_notices_recent on channel_notices (company_id, at desc);
call app.protect('channel_notices', 'select, insert');
alter policy staff on channel_notices
    using ((select app.user_id()) is null or 'self:admins' = any ((select app.audiences())::text[]));

-- What clients agreed to and refused, one row for each time they said so. The newest by the provider's time counts, of two at the same
-- second the refusal.
create table client_consents (
    id         uuid primary key,
    company_id uuid not null default app.company_id(),
    client_id  uuid not null,
    purpose    text not null check (purpose in ('marketing')),
    channel    text not null check (channel in ('whatsapp')),
    granted    boolean not null,
    -- How they said it.
    source     text not null check (source in ('whatsapp_preference')),
    at         timestamptz not null,
    -- What the provider sent of it.
    proof      jsonb not null,
    created_at timestamptz not null default now(),
    unique (company_id, id),
    foreign key (company_id, client_id) references clients (company_id, id) on delete cascade
);
create unique index client_consents_once on client_consents (company_id, md5(proof::text));
create index client_consents_client on client_consents (company_id, client_id, purpose, channel, at desc, granted);
call app.protect('client_consents', 'select, insert');
-- Only for clients who turn out to be one.
grant update (client_id) on client_consents to app_staff;

-- Who gave the client their name: nobody (it is their number), they themselves at WhatsApp, the business's own address book on its phone,
-- or staff, whose word is not overwritten.
alter table clients
    add column name_source text not null default 'staff' check (name_source in ('number', 'profile', 'address_book', 'staff')),
    -- When the address book said it.
    add column name_told_at timestamptz;
-- Until now nothing but webhooks has named those who write on WhatsApp. Forced, the policies would show the owner none of them.
alter table clients no force row level security;
alter table client_identities no force row level security;
update clients
   set name_source = case when name ~ '^\+?\d+$' or name = 'Cliente do WhatsApp' then 'number' else 'profile' end
 where exists (select from client_identities
                where client_identities.company_id = clients.company_id and client_identities.client_id = clients.id
                  and client_identities.kind in ('phone', 'bsuid'));

-- Argentine and Mexican numbers in their one writing, as `shared::phone` makes it. Where the company knows both writings as two clients
-- they stay until a message proves them one.
update client_identities
   set value = left(value, 2) || substr(value, 4)
 where kind = 'phone'
   and (value ~ '^549[1-3]\d{9}$' or value ~ '^521[2-9]\d{9}$')
   and not exists (select from client_identities other
                    where other.company_id = client_identities.company_id and other.kind = 'phone'
                      and other.value = left(client_identities.value, 2) || substr(client_identities.value, 4));
alter table client_identities force row level security;
alter table clients force row level security;
