-- Web push: browsers that tell a person what has happened while no page is open.

-- A browser's subscription, of one person in one company. A browser is one person's, whoever signed in there last.
create table web_push_subscriptions (
    id            uuid primary key,
    company_id    uuid not null default app.company_id(),
    user_id       uuid not null default app.user_id(),
    -- The one that asked for it, and with which it ends.
    session_id    uuid not null default app.session_id() references sessions on delete cascade,
    -- The browser's address at its push service, and its SHA-256. Who knows it may send there: it is shown to nobody.
    endpoint      text not null check (char_length(endpoint) between 1 and 2000),
    endpoint_hash bytea not null,
    -- What is sent is sealed for the browser alone: its public key, a point of P-256, and a secret that it shares with us.
    p256dh        bytea not null check (octet_length(p256dh) = 65),
    auth          bytea not null check (octet_length(auth) = 16),
    -- Our public key when the browser subscribed: its push service takes what is signed with that one only.
    server_key    text not null,
    device        text check (char_length(device) between 1 and 100),
    -- As the browser says it; most never end.
    expires_at    timestamptz,
    created_at    timestamptz not null default now(),
    refreshed_at  timestamptz not null,
    unique (company_id, endpoint_hash),
    foreign key (company_id, user_id) references memberships (company_id, user_id),
    -- Across companies: of two people at one browser the earlier one is told nothing any more.
    constraint web_push_subscriptions_one_person exclude using gist (endpoint_hash with =, user_id with <>)
);
create index web_push_subscriptions_person on web_push_subscriptions (company_id, user_id, refreshed_at);
create index web_push_subscriptions_session on web_push_subscriptions (session_id);
call app.protect('web_push_subscriptions', '');
call app.open_to_lookup('web_push_subscriptions', 'select, insert, update, delete');
alter policy staff on web_push_subscriptions using (user_id = (select app.user_id()));
create policy student on web_push_subscriptions to app_student using (user_id = (select app.user_id()));
grant select (id, company_id, user_id, session_id, endpoint_hash, server_key), delete on web_push_subscriptions to app_staff, app_student;
revoke insert, update on web_push_subscriptions from app_system;

-- Keeps a browser's subscription for the caller in their company, or keeps it anew; whoever had the browser before loses it, in every company. Of
-- more than twenty the one that was kept longest ago goes.
--
-- The session is held: who ends it meanwhile waits and then finds the subscription, or has ended it and is found to have.
create function app.subscribe_web_push(new_id uuid, address text, browser_key bytea, secret bytea, our_key text, named text, ends timestamptz)
returns table (id uuid, device text, created_at timestamptz, refreshed_at timestamptz)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    most constant integer := 20;
    hash constant bytea := sha256(convert_to(address, 'UTF8'));
    kept uuid;
begin
    perform from sessions where sessions.id = app.session_id() and revoked_at is null for no key update;
    if not found then
        raise serialization_failure using message = 'a session that has ended subscribes to web push';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('web_push:' || app.company_id() || app.user_id(), 0));
    perform pg_advisory_xact_lock(hashtextextended('web_push:' || encode(hash, 'hex'), 0));
    delete from web_push_subscriptions where endpoint_hash = hash and user_id <> app.user_id();
    insert into web_push_subscriptions (id, endpoint, endpoint_hash, p256dh, auth, server_key, device, expires_at, refreshed_at)
    values (new_id, address, hash, browser_key, secret, our_key, named, ends, clock_timestamp())
    on conflict (company_id, endpoint_hash) do update
       set session_id = excluded.session_id, p256dh = excluded.p256dh, auth = excluded.auth, server_key = excluded.server_key,
           device = excluded.device, expires_at = excluded.expires_at, refreshed_at = excluded.refreshed_at
    returning web_push_subscriptions.id into kept;
    delete from web_push_subscriptions
     where company_id = app.company_id()
       and user_id = app.user_id()
       and id in (select id from web_push_subscriptions
                   where company_id = app.company_id() and user_id = app.user_id()
                   order by refreshed_at desc, id desc
                  offset most);
    return query
    select id, device, created_at, refreshed_at from web_push_subscriptions where id = kept;
end
$$;
alter function app.subscribe_web_push owner to app_lookup;
revoke all on function app.subscribe_web_push from public;
grant execute on function app.subscribe_web_push to app_staff, app_student;

-- The browsers that a person of the company is to be told at, each while its session is open: who has to sign in again sees nothing until then.
create function app.web_push_of(person uuid)
returns table (id uuid, company_id uuid, session_id uuid, endpoint text, p256dh bytea, auth bytea, server_key text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select subscriptions.id, subscriptions.company_id, subscriptions.session_id, subscriptions.endpoint, subscriptions.p256dh,
           subscriptions.auth, subscriptions.server_key
      from web_push_subscriptions subscriptions
      join sessions on sessions.id = subscriptions.session_id
      join memberships on memberships.company_id = subscriptions.company_id and memberships.user_id = subscriptions.user_id
      join companies on companies.id = subscriptions.company_id
     where subscriptions.company_id = app.company_id()
       and subscriptions.user_id = person
       and (subscriptions.expires_at is null or subscriptions.expires_at > now())
       and sessions.revoked_at is null
       and sessions.expires_at > now()
       and (companies.idle_minutes is null or sessions.last_seen_at > now() - make_interval(mins => companies.idle_minutes))
       and memberships.status = 'active'
     order by subscriptions.refreshed_at desc, subscriptions.id;
end
$$;
alter function app.web_push_of owner to app_lookup;
revoke all on function app.web_push_of from public;
grant execute on function app.web_push_of to app_system;

-- With a session its subscriptions end, whoever ends it.
create function app.end_web_push() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    delete from web_push_subscriptions where session_id = new.id;
    return null;
end
$$;
alter function app.end_web_push owner to app_lookup;
revoke all on function app.end_web_push from public;
create trigger sessions_web_push after update of revoked_at on sessions
    for each row when (old.revoked_at is null and new.revoked_at is not null) execute function app.end_web_push();
