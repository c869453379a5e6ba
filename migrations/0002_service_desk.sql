-- Clients, channel accounts, conversations, messages, files, inbound webhooks and the bot's flows.

-- `unaccent` is only stable; with its dictionary named it may be indexed.
create function app.fold(value text) returns text language sql immutable strict parallel safe as
    $$ select lower(public.unaccent('public.unaccent', value)) $$;

create table clients (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    name          text not null,
    document      text,
    email         text,
    tags          text[] not null default '{}',
    custom_fields jsonb not null default '{}',
    created_at    timestamptz not null default now(),
    version       integer not null default 1,
    unique (company_id, id)
);
create index clients_name on clients using gin (app.fold(name) gin_trgm_ops);

alter table memberships add foreign key (company_id, client_id) references clients (company_id, id);

create table client_identities (
    company_id uuid not null default app.company_id(),
    client_id  uuid not null,
    kind       text not null check (kind in ('phone', 'email', 'lid', 'bsuid', 'student', 'visitor', 'botconversa')),
    -- Canonical: a Brazilian mobile always with its ninth digit, digits only.
    value      text not null,
    -- As the provider gave it: what a reply must be addressed to.
    address    text not null,
    created_at timestamptz not null default now(),
    primary key (company_id, kind, value),
    foreign key (company_id, client_id) references clients (company_id, id) on delete cascade
);
create index client_identities_client on client_identities (company_id, client_id);
create index client_identities_value on client_identities using gin (value gin_trgm_ops);

create table bot_flows (
    id           uuid primary key,
    company_id   uuid not null default app.company_id() references companies,
    key          text not null,
    number       integer not null default 1,
    definition   jsonb not null,
    published_at timestamptz,
    unique (company_id, key, number),
    unique (company_id, id)
);

create table channel_accounts (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    kind          text not null check (kind in ('whatsapp_cloud', 'evolution', 'botconversa', 'widget')),
    name          text not null check (name <> ''),
    -- What the provider's webhooks name it by: the phone number id, the instance, the token's hash.
    external_key  text not null,
    status        text not null default 'active' check (status in ('active', 'broken', 'disabled')),
    department_id uuid,
    bot_flow_id   uuid,
    -- What may be shown of the configuration; secrets only as `••••1234`.
    settings      jsonb not null default '{}',
    created_at    timestamptz not null default now(),
    version       integer not null default 1,
    unique (company_id, id),
    constraint channel_accounts_external_key unique (kind, external_key),
    foreign key (company_id, department_id) references departments (company_id, id),
    foreign key (company_id, bot_flow_id) references bot_flows (company_id, id)
);

create table channel_credentials (
    channel_account_id uuid primary key,
    company_id         uuid not null default app.company_id(),
    -- AES-256-GCM, with the id of the key that sealed it.
    sealed             bytea not null,
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id) on delete cascade
);

create table conversations (
    id                   uuid primary key,
    company_id           uuid not null default app.company_id(),
    client_id            uuid not null,
    channel_account_id   uuid not null,
    department_id        uuid,
    assignee_id          uuid,
    mode                 text not null check (mode in ('bot', 'human')),
    status               text not null generated always as (
        case when ended_at is not null then 'closed'
             when mode = 'bot' then 'bot'
             when assignee_id is null then 'pending'
             else 'active'
        end) stored,
    priority             text not null default 'normal' check (priority in ('low', 'normal', 'high', 'urgent')),
    tags                 text[] not null default '{}',
    subject              text,
    -- The fence: grows with every takeover, transfer, mode change, close and human reply.
    version              integer not null default 1,
    last_message_at      timestamptz not null default now(),
    last_message_preview text not null default '',
    last_message_from    text not null default 'client',
    -- Messages the client has sent, and how many of them staff have read: unread is the difference.
    inbound_count        integer not null default 0,
    read_count           integer not null default 0,
    window_expires_at    timestamptz,
    first_human_at       timestamptz,
    started_at           timestamptz not null default now(),
    ended_at             timestamptz,
    close_reason         text,
    -- The bot's run: the flow version it started with, where it stands, what it knows, the last message it has answered.
    bot_flow_id          uuid,
    bot_node             text,
    bot_fields           jsonb not null default '{}',
    bot_answered         integer not null default 0,
    bot_turns            integer not null default 0,
    unique (company_id, id),
    check (read_count <= inbound_count),
    foreign key (company_id, client_id) references clients (company_id, id),
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id),
    foreign key (company_id, department_id) references departments (company_id, id),
    foreign key (company_id, assignee_id) references memberships (company_id, user_id)
);
create unique index conversations_open on conversations (company_id, channel_account_id, client_id) where ended_at is null;
create index conversations_client on conversations (company_id, client_id, started_at desc);
create index conversations_inbox on conversations (company_id, status, last_message_at desc, id desc) include (assignee_id, department_id);
create index conversations_recent on conversations (company_id, last_message_at desc, id desc) include (assignee_id, department_id);
create index conversations_assignee on conversations (company_id, assignee_id, last_message_at desc, id desc) where ended_at is null;

create table files (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    conversation_id uuid,
    uploaded_by     uuid,
    name            text not null,
    mime_type       text not null,
    size            bigint not null check (size >= 0),
    sha256          bytea,
    storage_key     text not null unique,
    status          text not null default 'pending' check (status in ('pending', 'ready', 'failed')),
    failure         text,
    width           integer,
    height          integer,
    duration_ms     integer,
    provider_id     text,
    created_at      timestamptz not null default now(),
    completed_at    timestamptz,
    unique (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id)
);
create index files_pending on files (created_at) where status = 'pending';

create table messages (
    id                 uuid primary key,
    company_id         uuid not null default app.company_id(),
    conversation_id    uuid not null,
    channel_account_id uuid not null,
    sender_type        text not null check (sender_type in ('client', 'agent', 'bot', 'system')),
    sender_id          uuid,
    kind               text not null check (kind in ('text', 'image', 'audio', 'video', 'document', 'sticker', 'location', 'contacts',
                                                     'interactive', 'template', 'reaction', 'order', 'system', 'unsupported')),
    body               text not null default '',
    payload            jsonb not null default '{}',
    file_id            uuid,
    reply_to_id        uuid,
    provider_id        text,
    client_message_id  text,
    -- Null for what is not delivered anywhere: messages of the client and of the system.
    status             text check (status in ('queued', 'sending', 'sent', 'delivered', 'read', 'failed')),
    error_code         text,
    error_detail       text,
    reactions          jsonb not null default '[]',
    revisions          jsonb not null default '[]',
    -- The client's message number within its conversation; null for all others.
    inbound_number     integer,
    sent_at            timestamptz not null,
    created_at         timestamptz not null default now(),
    -- Of the bot's messages: the conversation's version when it spoke. Once that has moved on, a queued message is silenced.
    fence              integer,
    -- When the provider call began.
    sending_at         timestamptz,
    edited_at          timestamptz,
    deleted_at         timestamptz,
    unique (company_id, id),
    constraint messages_provider_id unique (company_id, channel_account_id, provider_id),
    constraint messages_client_message_id unique (company_id, client_message_id),
    foreign key (company_id, conversation_id) references conversations (company_id, id),
    foreign key (company_id, file_id) references files (company_id, id)
);
create index messages_conversation on messages (company_id, conversation_id, sent_at desc, id desc);
create index messages_file on messages (company_id, file_id) where file_id is not null;
create index messages_text on messages using gin (to_tsvector('portuguese', app.fold(body))) where body <> '';

-- Statuses that came before the message they speak of was recorded.
create table early_statuses (
    company_id         uuid not null default app.company_id(),
    channel_account_id uuid not null,
    provider_id        text not null,
    status             text not null,
    error_code         text,
    error_detail       text,
    at                 timestamptz not null,
    received_at        timestamptz not null default now(),
    primary key (company_id, channel_account_id, provider_id, status)
);

create table conversation_transfers (
    id                 uuid primary key,
    company_id         uuid not null default app.company_id(),
    conversation_id    uuid not null,
    from_user_id       uuid,
    to_user_id         uuid,
    from_department_id uuid,
    to_department_id   uuid,
    by_user_id         uuid,
    reason             text,
    at                 timestamptz not null default now(),
    foreign key (company_id, conversation_id) references conversations (company_id, id)
);
create index conversation_transfers_conversation on conversation_transfers (company_id, conversation_id, at);

create table inbound_webhooks (
    id                 uuid primary key,
    company_id         uuid not null default app.company_id() references companies,
    channel_account_id uuid not null,
    source             text not null,
    body               bytea not null,
    -- One `{id, outcome, error}` for every item, in order.
    outcome            jsonb not null,
    failed_items       integer not null default 0,
    received_at        timestamptz not null default now()
);
create index inbound_webhooks_recent on inbound_webhooks (company_id, received_at desc);
create index inbound_webhooks_age on inbound_webhooks using brin (received_at);

-- Signed webhooks for a number no company has configured: kept, so that nothing is lost when it is configured later.
create table unrouted_webhooks (
    id           uuid primary key,
    source       text not null,
    external_key text not null,
    body         bytea not null,
    received_at  timestamptz not null default now()
);
create index unrouted_webhooks_key on unrouted_webhooks (source, external_key, received_at);

create table integration_calls (
    id                 uuid primary key,
    company_id         uuid not null default app.company_id() references companies,
    channel_account_id uuid,
    provider           text not null,
    operation          text not null,
    status             integer,
    error_code         text,
    took_ms            integer not null,
    at                 timestamptz not null default now()
);
create index integration_calls_recent on integration_calls (company_id, at desc);

-- The conversation this transaction has locked after proving access to it; it stays in sight while the transaction moves it elsewhere.
create function app.held_conversation() returns uuid language sql stable as
    $$ select nullif(current_setting('app.held_conversation', true), '')::uuid $$;

call app.protect('clients');
call app.protect('client_identities');
call app.protect('bot_flows');
call app.protect('channel_accounts');
call app.protect('channel_credentials', 'select, insert, update, delete');
call app.protect('conversations', 'select, insert, update');
call app.protect('files', 'select, insert, update, delete');
call app.protect('messages', 'select, insert, update');
call app.protect('early_statuses');
call app.protect('conversation_transfers', 'select, insert');
call app.protect('inbound_webhooks', 'select, insert, update');
call app.protect('integration_calls', 'select, insert');

call app.open_to_lookup('clients', 'select');
call app.open_to_lookup('client_identities', 'select');
call app.open_to_lookup('channel_accounts', 'select');
call app.open_to_lookup('conversations', 'select');
call app.open_to_lookup('messages', 'select');
call app.open_to_lookup('files', 'select, delete');
call app.open_to_lookup('inbound_webhooks', 'delete');
call app.open_to_lookup('early_statuses', 'delete');
alter table unrouted_webhooks enable row level security;
alter table unrouted_webhooks force row level security;
create policy lookup on unrouted_webhooks to app_lookup using (true);
grant select, insert, delete on unrouted_webhooks to app_lookup;
grant select on inbound_webhooks, early_statuses to app_lookup;

grant execute on function app.held_conversation, app.fold to app_staff, app_student, app_lookup;

-- Which conversations an agent sees: all; those of their departments and of none; or only their own and those waiting there.
-- Written out, because a function of these look-ups would be called for every row.
alter policy staff on conversations using (
    (select app.sees_all())
    or assignee_id = (select app.user_id())
    or ((department_id is null or department_id = any ((select app.department_ids())::uuid[]))
        and ((select app.visibility()) = 'department' or assignee_id is null))
    or id = (select app.held_conversation())
) with check (true);
alter policy staff on messages
    using ((select app.sees_all()) or exists (
        select from conversations
         where conversations.company_id = messages.company_id and conversations.id = messages.conversation_id));
alter policy staff on conversation_transfers
    using ((select app.sees_all()) or exists (
        select from conversations
         where conversations.company_id = conversation_transfers.company_id and conversations.id = conversation_transfers.conversation_id));
alter policy staff on files
    using ((select app.sees_all()) or uploaded_by = (select app.user_id()) or exists (
        select from conversations
         where conversations.company_id = files.company_id and conversations.id = files.conversation_id));
alter policy staff on channel_credentials using ((select app.sees_all()));
alter policy staff on inbound_webhooks using ((select app.sees_all()));
alter policy staff on integration_calls using ((select app.sees_all()));

-- A student: their own client row, conversations, messages and files.
create policy student on clients for select to app_student using (id = (select app.client_id()));
create policy student on conversations for select to app_student using (client_id = (select app.client_id()));
create policy student on messages for select to app_student using (exists (
    select from conversations
     where conversations.company_id = messages.company_id and conversations.id = messages.conversation_id));
create policy student on files to app_student using (uploaded_by = (select app.user_id()) or exists (
    select from messages where messages.company_id = files.company_id and messages.file_id = files.id));
grant select on clients, conversations, messages to app_student;
grant select, insert, update on files to app_student;

-- Which channel account, of which company, a provider's webhook is for.
create function app.find_channel(channel_kind text, key text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer)
language sql stable security definer set search_path = public as $$
    select channel_accounts.id, channel_accounts.company_id, channel_accounts.department_id, channel_accounts.bot_flow_id, companies.reopen_window
      from channel_accounts
      join companies on companies.id = channel_accounts.company_id
     where channel_accounts.kind = channel_kind and channel_accounts.external_key = key and channel_accounts.status <> 'disabled'
$$;
alter function app.find_channel owner to app_lookup;

-- Opens the tenant of a channel account for one transaction, as the system. No row when nobody has configured it.
create function app.enter_channel(channel_kind text, key text)
returns table (id uuid, company_id uuid, department_id uuid, bot_flow_id uuid, reopen_window integer, feed_cursor text)
language plpgsql as $$
#variable_conflict use_column
declare
    channel record;
begin
    select * into channel from app.find_channel(channel_kind, key);
    if found then
        return query select channel.id, channel.company_id, channel.department_id, channel.bot_flow_id, channel.reopen_window,
                            app.enter_system(channel.company_id);
    end if;
end
$$;

create function app.keep_unrouted_webhook(webhook uuid, from_source text, key text, content bytea) returns void
language sql security definer set search_path = public as $$
    insert into unrouted_webhooks (id, source, external_key, body) values (webhook, from_source, key, content)
$$;
alter function app.keep_unrouted_webhook owner to app_lookup;

-- The newest conversations of this company whose client (name, phone, e-mail, document) or messages match.
-- A definer, because trigram and text operators may not use their indexes under row-level security; the caller joins the answer
-- with `conversations`, where its own policies still decide.
create function app.search_conversations(query text, digits text) returns setof uuid
language sql stable security definer set search_path = public as $$
    select id from (
        select conversations.id, conversations.last_message_at
          from conversations
         where conversations.company_id = app.company_id()
           and conversations.client_id in (
               select clients.id from clients
                where clients.company_id = app.company_id()
                  and app.fold(clients.name) like '%' || replace(replace(replace(app.fold(query), '\', '\\'), '%', '\%'), '_', '\_') || '%'
               union
               select client_identities.client_id from client_identities
                where client_identities.company_id = app.company_id()
                  and ((length(digits) >= 4 and client_identities.value like '%' || digits || '%')
                       or (client_identities.kind = 'email' and client_identities.value = app.fold(query))))
        union
        select conversations.id, conversations.last_message_at
          from messages
          join conversations on conversations.company_id = messages.company_id and conversations.id = messages.conversation_id
         where messages.company_id = app.company_id()
           and messages.body <> ''
           and to_tsvector('portuguese', app.fold(messages.body)) @@ plainto_tsquery('portuguese', app.fold(query))
    ) found
     order by last_message_at desc
     limit 1000
$$;
alter function app.search_conversations owner to app_lookup;

-- Deletes old raw webhooks and lists uploads never completed, whose objects the caller removes.
create function app.sweep_service_desk(most integer) returns bigint language plpgsql security definer set search_path = public as $$
declare
    gone bigint := 0;
    step bigint;
begin
    delete from inbound_webhooks where ctid in (select ctid from inbound_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from unrouted_webhooks where ctid in (select ctid from unrouted_webhooks where received_at < now() - interval '30 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    delete from early_statuses where ctid in (select ctid from early_statuses where received_at < now() - interval '7 days' limit most);
    get diagnostics step = row_count; gone := gone + step;
    return gone;
end
$$;
alter function app.sweep_service_desk owner to app_lookup;

create function app.take_orphan_uploads(most integer) returns table (storage_key text)
language sql security definer set search_path = public as $$
    delete from files
     where id in (select id from files where status = 'pending' and uploaded_by is not null and created_at < now() - interval '1 day'
                   limit most for update skip locked)
    returning files.storage_key
$$;
alter function app.take_orphan_uploads owner to app_lookup;
grant update on files to app_lookup;

grant execute on function app.find_channel, app.enter_channel, app.keep_unrouted_webhook, app.sweep_service_desk, app.take_orphan_uploads to app;
grant execute on function app.search_conversations to app_staff;
