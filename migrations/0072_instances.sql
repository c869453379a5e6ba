-- What instances of Evolution API servers still lacked: words that are changed at the client's, numbers that are asked after before the first
-- message, and a pace that WhatsApp bears.

-- What staff want of a message that its client has: `id`, `kind` (`edit`, `revoke`), `body`, `status` (`queued`, `sent`, `failed`),
-- `error_code`, `error_detail`, `at`. Of two the newer one counts.
alter table messages add column change jsonb;

-- No row where the client's is not to be changed: on a channel that changes nothing, too late, or not the caller's.
create function app.ask_for_change(message uuid, change_id uuid, what text, words text) returns setof messages
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    return query
    update messages
       set change = jsonb_build_object('id', change_id, 'kind', what, 'body', words, 'status', 'queued', 'error_code', null, 'error_detail', null,
                                     'at', clock_timestamp())
     where company_id = app.company_id() and id = message
       and (sender_id = app.user_id() or app.sees_all())
       and sender_type in ('agent', 'bot') and provider_id is not null and status in ('sent', 'delivered', 'read') and kind <> 'reaction'
       and case what
               when 'edit' then kind = 'text' and deleted_at is null and body <> words and sent_at > clock_timestamp() - interval '15 minutes'
               when 'revoke' then sent_at > clock_timestamp() - interval '2 days'
               else false end
       and exists (select from channel_accounts channel
                    where channel.company_id = messages.company_id and channel.id = messages.channel_account_id
                      and channel.kind = 'evolution' and channel.removed_at is null)
    returning messages.*;
end
$$;
alter function app.ask_for_change owner to app_lookup;
revoke all on function app.ask_for_change from public;
grant execute on function app.ask_for_change to app_staff;
grant update (change) on messages to app_lookup;
insert into job_rules (kind, queue, added_by) values ('change_message', 'delivery', 'agent');

-- When WhatsApp was known to have the number.
alter table client_identities add column checked_at timestamptz;

-- Who sends too much too fast is locked out of WhatsApp.
alter table evolution_instances
    -- Nobody else is written to before.
    add column next_at timestamptz,
    -- Each message takes its share of a minute, one after the other, up to here.
    add column spent_until timestamptz,
    -- Whom it wrote to last; only compared.
    add column paced_conversation_id uuid;

-- Who has an id of the channel's own, and no phone, is written to by that.
create or replace function app.start_conversation(new_id uuid, new_client uuid, client uuid, number text, called text, is_named boolean, channel uuid)
returns table(conversation_id uuid, client_id uuid, channel_account_id uuid, is_new boolean, refusal text) language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    company constant uuid := app.company_id();
    account channel_accounts;
    known clients;
begin
    is_new := false;
    if channel is not null then
        select * into account from channel_accounts where company_id = company and id = channel and kind <> 'widget';
        refusal := case when account.id is null then 'unknown_channel' when account.status = 'disabled' then 'channel_disabled' end;
    else
        select * into account from channel_accounts where company_id = company and kind <> 'widget' and status = 'active' limit 1;
        refusal := case when account.id is null or exists (
            select from channel_accounts other
             where other.company_id = company and other.kind <> 'widget' and other.status = 'active' and other.id <> account.id)
            then 'channel_required' end;
    end if;
    if refusal is not null then
        return next;
        return;
    end if;
    if client is null then
        perform app.lock_keys(array['phone:' || number]);
        select identity.client_id into client
          from client_identities identity where identity.company_id = company and identity.kind = 'phone' and identity.value = number;
    end if;
    if client is null then
        insert into clients (id, company_id, name, name_source)
        values (new_client, company, called, case when is_named then 'staff' else 'number' end);
        insert into client_identities (company_id, client_id, kind, value, address)
        values (company, new_client, 'phone', number, number)
        on conflict do nothing;
        if not found then
            raise serialization_failure using message = 'the phone has just become another client''s';
        end if;
        client := new_client;
    end if;
    select * into known from clients where company_id = company and id = client for no key update;
    if known.merged_into_id is not null and number is not null then
        raise serialization_failure using message = 'the client has just become another one';
    end if;
    if known.id is null or known.merged_into_id is not null then
        refusal := 'unknown_client';
        return next;
        return;
    end if;
    client_id := client;
    channel_account_id := account.id;
    select open.id into conversation_id
      from conversations open
     where open.company_id = company and open.channel_account_id = account.id and open.client_id = known.id and open.ended_at is null
       for update;
    if conversation_id is null then
        refusal := case
            when known.blocked_at is not null then 'client_blocked'
            when not exists (select from client_identities identity
                              where identity.company_id = company and identity.client_id = known.id
                                and identity.kind in ('phone', case account.kind when 'evolution' then 'lid' else 'bsuid' end))
            then 'no_phone'
        end;
        if refusal is null then
            -- WhatsApp's window is the client's and the number's, whichever conversation it was in.
            insert into conversations (id, company_id, client_id, channel_account_id, department_id, assignee_id, mode, last_message_from,
                                       first_human_at, window_expires_at)
            values (new_id, company, known.id, account.id, account.department_id, app.user_id(), 'human', 'agent', now(),
                    (select max(earlier.window_expires_at)
                       from conversations earlier
                      where earlier.company_id = company and earlier.client_id = known.id and earlier.channel_account_id = account.id))
            on conflict (company_id, channel_account_id, client_id) where ended_at is null do nothing;
            if not found then
                raise serialization_failure using message = 'a conversation has just been opened';
            end if;
            conversation_id := new_id;
            is_new := true;
        end if;
    end if;
    return next;
end
$$;
