-- Instances of Evolution API servers: channels whose phone is linked by a code.

alter table channel_accounts
    -- How an instance stands with WhatsApp; null where a channel has no phone to be linked.
    add column state text check (state in ('connecting', 'open', 'close')),
    -- Removed by an admin: it is shown no more, and what was said there keeps its name.
    add column removed_at timestamptz;

-- Of an instance `account_key` is its server and its name there, which its key has proved or we have made up.
create unique index channel_accounts_instance on channel_accounts (account_key) where kind = 'evolution' and removed_at is null;
create unique index channel_accounts_instance_name on channel_accounts (company_id, lower(name)) where kind = 'evolution' and removed_at is null;

grant insert (account_key, state), update (state, removed_at) on channel_accounts to app_staff;
grant delete on channel_credentials to app_staff;

-- What is known of an instance beside what its channel has.
create table evolution_instances (
    channel_account_id uuid primary key,
    company_id         uuid not null default app.company_id(),
    -- When the server was first known to have it.
    made_at            timestamptz,
    -- When the server was told where its webhooks go.
    webhook_at         timestamptz,
    server_version     text,
    profile_name       text,
    -- When it was last known to be open.
    seen_at            timestamptz,
    -- As of when all this is. Nothing older takes its place.
    told_at            timestamptz not null,
    -- Why it does not work, as the last call to its server has shown.
    problem            text check (problem in ('not_made', 'unreachable', 'key_refused', 'missing', 'name_taken')),
    detail             text,
    -- Since when the admins know that it is down; null while it works.
    down_told_at       timestamptz,
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id) on delete cascade
);
create index evolution_instances_due on evolution_instances (told_at);
call app.protect('evolution_instances');
revoke insert, delete on evolution_instances from app_system;
create policy admins on evolution_instances to app_staff using ((select app.has_role('admin')));
alter policy staff on evolution_instances using (true);
grant insert (channel_account_id, made_at, problem, told_at), update (webhook_at, problem) on evolution_instances to app_staff;

-- What is scanned or typed to link a phone: whoever has it has the channel.
create table evolution_codes (
    channel_account_id uuid primary key,
    company_id         uuid not null default app.company_id(),
    -- A picture, as a data URL.
    qr_code            text,
    pairing_code       text,
    shown_at           timestamptz not null,
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id) on delete cascade
);
call app.protect('evolution_codes');
alter policy staff on evolution_codes using ((select app.has_role('admin')));

-- Instances that nobody has asked after for some minutes, of whatever company.
call app.open_to_lookup('evolution_instances', 'select');
create function app.instances_to_check(most integer) returns table (channel_account_id uuid, company_id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select instance.channel_account_id, instance.company_id
      from evolution_instances instance
      join channel_accounts channel on channel.id = instance.channel_account_id
     where channel.status <> 'disabled' and instance.told_at < now() - interval '2 minutes'
     order by instance.told_at
     limit most;
end
$$;
alter function app.instances_to_check owner to app_lookup;
revoke all on function app.instances_to_check from public;
grant execute on function app.instances_to_check to app;
