-- What the server of an instance itself calls it: the same by whatever address the server is reached, so that no two companies have one instance.
alter table channel_accounts add column instance_id text;
create unique index channel_accounts_instance_id on channel_accounts (instance_id) where kind = 'evolution' and removed_at is null;
grant insert (status), update (instance_id) on channel_accounts to app_staff;
grant update (instance_id) on channel_accounts to app_lookup;

-- What a visit has shown. Another channel's stays that one's.
create function app.learn_instance_id(channel uuid, told text) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update channel_accounts
       set instance_id = told
     where company_id = app.company_id() and id = channel and kind = 'evolution' and removed_at is null
       and instance_id is distinct from told;
exception when unique_violation then
    null;
end
$$;
alter function app.learn_instance_id owner to app_lookup;
revoke all on function app.learn_instance_id from public;
grant execute on function app.learn_instance_id to app_system;

-- Nobody opens a conversation on a channel that is being removed: who began before waits for its row, and begins again.
create function app.opens_on_a_channel() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone timestamptz;
begin
    select removed_at into gone
      from channel_accounts
     where company_id = new.company_id and id = new.channel_account_id
       for key share;
    if gone is not null then
        raise serialization_failure using message = 'the channel has just been removed';
    end if;
    return null;
end
$$;
alter function app.opens_on_a_channel owner to app_lookup;
revoke all on function app.opens_on_a_channel from public;
create trigger conversations_channel after insert on conversations
    for each row when (new.ended_at is null) execute function app.opens_on_a_channel();

-- What comes with a secret is kept once it is known whose it is, in one flight with being applied.
create or replace function app.keep_webhook(webhook uuid, received timestamp with time zone, channel_kind text, number text, account text, shown text, content bytea, named text[], told text[] DEFAULT '{}'::text[])
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
    channel record;
begin
    if number is not null then
        select id, company_id into channel from app.find_channel(channel_kind, number);
    else
        select id, company_id into channel from app.find_account(channel_kind, account, shown);
    end if;
    if channel.id is null and channel_kind = 'evolution' then
        -- The key is a secret's fingerprint: nobody has given it out, and what comes with it is nobody's.
        return null;
    end if;
    if channel.id is null then
        insert into unrouted_webhooks (id, source, external_key, body, kinds, number, account, shown, holder_id)
        values (webhook, channel_kind, coalesce(number, account, ''), content, told, number, account, shown,
                (select company_id
                   from channel_accounts
                  where kind = channel_kind
                    and case when number is not null then external_key = number or previous_key = number
                             else account_key = account and status = 'disabled' end
                  order by removed_at is not null, created_at
                  limit 1));
        return null;
    end if;
    insert into inbound_webhooks (id, company_id, channel_account_id, source, body, clients, kinds, received_at)
    values (webhook, channel.company_id, channel.id, channel_kind, content, named, told, received);
    return channel.company_id;
end
$function$;
