-- Conversations that staff begin, by writing to a client first.

insert into event_rules (type, told_by) values ('conversation.created', 'agent');

-- The client's open conversation on a number, seen by the caller or not, or one that begins in the caller's hands. By a phone of nobody's
-- a client is made. The key of the phone and the client's row are held before anything is looked for, as webhooks hold them: of two who
-- begin at once, the second finds what the first has made.
create function app.start_conversation(new_id uuid, new_client uuid, client uuid, number text, called text, is_named boolean, channel uuid)
returns table (conversation_id uuid, client_id uuid, channel_account_id uuid, is_new boolean, refusal text)
language plpgsql security definer set search_path = public, pg_temp as $$
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
                              where identity.company_id = company and identity.client_id = known.id and identity.kind in ('phone', 'bsuid'))
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
alter function app.start_conversation owner to app_lookup;
revoke all on function app.start_conversation from public;
grant execute on function app.start_conversation to app_staff;

-- Of many that a transaction changes at once, all stay in its sight.
create function app.held_conversations() returns uuid[] language sql stable as
    $$ select string_to_array(nullif(current_setting('app.held_conversation', true), ''), ',')::uuid[] $$;
grant execute on function app.held_conversations to app_staff, app_student, app_system, app_lookup;
alter policy staff on conversations using (
    (select app.sees_all())
    or assignee_id = (select app.user_id())
    or ((department_id is null or department_id = any ((select app.department_ids())::uuid[]))
        and ((select app.visibility()) = 'department' or assignee_id is null))
    or id = any ((select app.held_conversations())::uuid[])
) with check (true);
drop function app.held_conversation;
