-- What people are told by name: a row with its cause, in the cause's own transaction. Whoever causes something says so with `app.notify`; how
-- and whether somebody is told, `app.tell_notified` decides when it is committed.

-- What there is to be told of. A domain adds its own here, and one call of `app.notify` where it happens.
create table notification_types (
    type       text primary key check (type ~ '^[a-z_]{1,40}$'),
    -- Where it stands among one's preferences.
    position   smallint not null unique,
    -- The least role whose acts may cause it; `system` for what no person does.
    caused_by  text not null check (caused_by in ('student', 'agent', 'supervisor', 'admin', 'system')),
    -- Which sound, where it sounds.
    sound      text not null check (sound in ('message', 'mention', 'assignment', 'alert')),
    -- What holds for whoever has chosen nothing else.
    on_screen  boolean not null,
    rings      boolean not null,
    by_mail    boolean not null,
    by_push    boolean not null,
    -- By language: `name` among one's preferences, `title` of one, `titles` of several, `body`; `title_<variant>` where facts have a variant.
    -- `{fact}` and `{fact|otherwise}` stand for what is known.
    words      jsonb not null check (words ? 'pt-BR' and words ? 'en')
);
alter table notification_types enable row level security;
alter table notification_types force row level security;
create policy everybody on notification_types using (true);
grant select on notification_types to app_staff, app_student, app_system, app_lookup;

insert into notification_types (type, position, caused_by, sound, on_screen, rings, by_mail, by_push, words) values
('assignment', 10, 'agent', 'assignment', true, true, true, true, '{
    "pt-BR": {"name": "Conversas entregues a mim", "title": "{client} é com você", "body": "{preview}"},
    "en": {"name": "Conversations given to me", "title": "{client} is yours", "body": "{preview}"}}'),
('transfer', 20, 'agent', 'assignment', true, true, true, true, '{
    "pt-BR": {"name": "Transferências", "title": "{actor} transferiu {client} para {department|você}", "body": "{reason}"},
    "en": {"name": "Transfers", "title": "{actor} transferred {client} to {department|you}", "body": "{reason}"}}'),
('message', 30, 'agent', 'message', true, true, false, true, '{
    "pt-BR": {"name": "Mensagens nas minhas conversas", "title": "{client}", "titles": "{count} mensagens de {client}", "body": "{preview}"},
    "en": {"name": "Messages in my conversations", "title": "{client}", "titles": "{count} messages from {client}", "body": "{preview}"}}'),
('mention', 40, 'agent', 'mention', true, true, true, true, '{
    "pt-BR": {"name": "Menções", "title": "{actor} mencionou você", "titles": "{count} menções a você", "body": "{preview}"},
    "en": {"name": "Mentions", "title": "{actor} mentioned you", "titles": "{count} mentions of you", "body": "{preview}"}}'),
('chat_message', 50, 'agent', 'message', true, true, false, true, '{
    "pt-BR": {"name": "Mensagens diretas e respostas da equipe", "title": "{actor}", "titles": "{count} mensagens de {room}", "body": "{preview}"},
    "en": {"name": "Direct messages and replies of the team", "title": "{actor}", "titles": "{count} messages from {room}", "body": "{preview}"}}'),
('reminder', 60, 'system', 'alert', true, true, false, true, '{
    "pt-BR": {"name": "Conversas adiadas que voltam", "title": "Hora de voltar a {client}", "body": "{preview}"},
    "en": {"name": "Snoozed conversations that come back", "title": "Time to get back to {client}", "body": "{preview}"}}'),
('planned_failed', 70, 'system', 'alert', true, true, true, true, '{
    "pt-BR": {"name": "Mensagens planejadas que não saíram", "title": "Mensagem planejada não enviada", "titles": "{count} mensagens planejadas não enviadas", "body": ""},
    "en": {"name": "Planned messages that were not sent", "title": "A planned message was not sent", "titles": "{count} planned messages were not sent", "body": ""}}'),
('low_satisfaction', 80, 'system', 'alert', true, false, false, false, '{
    "pt-BR": {"name": "Avaliações baixas", "title": "{client} deu nota {rating}", "body": "Atendimento de {handler|ninguém}"},
    "en": {"name": "Low ratings", "title": "{client} rated it {rating}", "body": "Served by {handler|nobody}"}}'),
('integration_broken', 90, 'admin', 'alert', true, true, true, true, '{
    "pt-BR": {"name": "Canais com problema", "title": "{account} precisa de atenção", "body": "{reason}"},
    "en": {"name": "Channels in trouble", "title": "{account} needs attention", "body": "{reason}"}}'),
('export_ready', 100, 'agent', 'message', true, false, false, false, '{
    "pt-BR": {"name": "Trabalhos longos que terminam", "title": "Um trabalho longo terminou", "title_failed": "Um trabalho longo não deu certo", "body": "{reason|}",
              "title_retry_failed_jobs": "Falhas refeitas",
              "title_sync_botconversa": "Sincronização do BotConversa concluída",
              "title_sync_contacts": "Contatos sincronizados",
              "title_sync_contact_profiles": "Perfis dos contatos atualizados",
              "title_fix_contact_names": "Nomes dos contatos corrigidos",
              "title_import_clients": "Importação de clientes concluída",
              "title_undo_client_import": "Importação de clientes desfeita",
              "title_import_knowledge": "Importação da base de conhecimento concluída",
              "title_undo_knowledge_import": "Importação da base de conhecimento desfeita",
              "title_optimize_knowledge": "Base de conhecimento revista"},
    "en": {"name": "Long jobs that end", "title": "A long job has ended", "title_failed": "A long job has failed", "body": "{reason|}",
           "title_retry_failed_jobs": "Failures done again",
           "title_sync_botconversa": "BotConversa is synchronised",
           "title_sync_contacts": "Contacts are synchronised",
           "title_sync_contact_profiles": "Profiles of contacts are up to date",
           "title_fix_contact_names": "Names of contacts are mended",
           "title_import_clients": "Clients are imported",
           "title_undo_client_import": "The import of clients is undone",
           "title_import_knowledge": "Knowledge is imported",
           "title_undo_knowledge_import": "The import of knowledge is undone",
           "title_optimize_knowledge": "Knowledge is looked through"}}'),
('security', 110, 'student', 'alert', true, false, false, true, '{
    "pt-BR": {"name": "Segurança da conta", "title": "Sua conta mudou", "title_new_device": "Novo acesso à sua conta", "title_password_changed": "Sua senha foi trocada",
              "title_two_factor_enabled": "Verificação em duas etapas ligada", "title_two_factor_disabled": "Verificação em duas etapas desligada",
              "title_recovery_codes_renewed": "Códigos de recuperação renovados", "body": "{device|}"},
    "en": {"name": "Security of the account", "title": "Your account has changed", "title_new_device": "Your account was opened from a new device",
           "title_password_changed": "Your password was changed", "title_two_factor_enabled": "Two-step verification is on",
           "title_two_factor_disabled": "Two-step verification is off", "title_recovery_codes_renewed": "Recovery codes were renewed", "body": "{device|}"}}');

-- What somebody is told of. Several causes of one group are one row until it is read.
create table notifications (
    id              uuid not null default gen_random_uuid(),
    company_id      uuid not null default app.company_id(),
    user_id         uuid not null,
    type            text not null references notification_types,
    group_key       text not null check (char_length(group_key) between 1 and 200),
    count           integer not null default 1,
    -- Whose act the latest was; null for the system, and for clients.
    actor_id        uuid,
    -- What it leads to. Whoever does not see that sees nothing of it.
    conversation_id uuid,
    channel_id      uuid,
    client_id       uuid,
    -- Of sales, which come with tables and a rule of sight of their own.
    lead_id         uuid,
    -- The latest message, note, transfer or job.
    source_id       uuid,
    -- What is known besides, nothing of it personal data of clients: those are looked up for whoever reads.
    facts           jsonb not null default '{}',
    on_screen       boolean not null,
    by_mail         boolean not null,
    -- Whether the latest is told on devices where no page is open.
    by_push         boolean not null,
    created_at      timestamptz not null default now(),
    -- When it last happened.
    at              timestamptz not null default now(),
    rung_at         timestamptz,
    read_at         timestamptz,
    mailed_at       timestamptz,
    -- What it led to before that became part of another, as `notes.moved_from`.
    moved_from      uuid[] not null default '{}',
    primary key (company_id, id),
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade,
    foreign key (company_id, conversation_id) references conversations (company_id, id) on delete cascade,
    foreign key (company_id, channel_id) references channels (company_id, id) on delete cascade,
    foreign key (company_id, client_id) references clients (company_id, id) on delete cascade
);
create unique index notifications_unread on notifications (company_id, user_id, group_key) where read_at is null;
create index notifications_at on notifications (company_id, user_id, at desc, id desc) where on_screen;
create index notifications_conversation on notifications (company_id, conversation_id) where conversation_id is not null;
create index notifications_channel on notifications (company_id, channel_id) where channel_id is not null;
create index notifications_client on notifications (company_id, client_id) where client_id is not null;
create index notifications_source on notifications (company_id, source_id) where source_id is not null;
create index notifications_old on notifications (at);
call app.protect('notifications', 'select');
-- One's own, as long as one sees what it leads to: the policies of those tables say that.
alter policy staff on notifications using (user_id = (select app.user_id()));
create policy student on notifications to app_student using (user_id = (select app.user_id()));
create policy sight on notifications as restrictive to app_staff, app_student
    using (conversation_id is null or exists (
        select from conversations
         where conversations.company_id = notifications.company_id and conversations.id = notifications.conversation_id));
create policy sight_of_channels on notifications as restrictive to app_staff
    using (channel_id is null or channel_id in (select app.my_channels()));
grant select on notifications to app_student;
grant update (read_at) on notifications to app_staff, app_student;
revoke insert, update, delete on notifications from app_system;
grant update (mailed_at) on notifications to app_system;
call app.open_to_lookup('notifications', 'select, insert, update, delete');

-- What somebody was told of already: a cause never tells twice.
create table notification_causes (
    company_id uuid not null default app.company_id(),
    user_id    uuid not null,
    cause      text not null check (char_length(cause) between 1 and 200),
    -- In which of their notifications it is, and what it was about: what is taken back is taken out.
    group_key  text not null,
    source_id  uuid,
    at         timestamptz not null default now(),
    primary key (company_id, user_id, cause),
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade
);
create index notification_causes_old on notification_causes (at);
create index notification_causes_source on notification_causes (company_id, source_id) where source_id is not null;
call app.protect('notification_causes', '');
revoke insert, update, delete on notification_causes from app_system;
call app.open_to_lookup('notification_causes', 'select, insert, update, delete');

-- Whoever changes what somebody has not read holds this first, so that each knows what the one before has changed. `revision` tells the numbers apart
-- that people are told: frames may overtake one another.
create table notification_heads (
    company_id uuid not null default app.company_id(),
    user_id    uuid not null,
    revision   bigint not null default 1,
    primary key (company_id, user_id),
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade
);
call app.protect('notification_heads', '');
revoke insert, update, delete on notification_heads from app_system;
call app.open_to_lookup('notification_heads', 'select, insert, update');

-- What somebody wants otherwise than `notification_types` has it.
create table notification_preferences (
    company_id  uuid not null default app.company_id(),
    user_id     uuid not null default app.user_id(),
    -- By type: `screen`, `sound`, `email`, `web_push`, each as far as it was chosen.
    types       jsonb not null default '{}',
    -- In the person's time zone; across midnight where it ends before it begins.
    quiet_from  time,
    quiet_until time,
    -- How long something is unread before it is mailed, in minutes.
    mails_after integer not null default 15 check (mails_after between 1 and 1440),
    version     integer not null default 1,
    primary key (company_id, user_id),
    foreign key (company_id, user_id) references memberships (company_id, user_id) on delete cascade,
    check ((quiet_from is null) = (quiet_until is null) and quiet_from is distinct from quiet_until or quiet_from is null)
);
call app.protect('notification_preferences', 'select');
alter policy staff on notification_preferences using (user_id = (select app.user_id()));
create policy student on notification_preferences to app_student using (user_id = (select app.user_id()));
grant select on notification_preferences to app_student;
grant insert (types, quiet_from, quiet_until, mails_after), update (types, quiet_from, quiet_until, mails_after, version)
   on notification_preferences to app_staff, app_student;
revoke insert, update, delete on notification_preferences from app_system;
call app.open_to_lookup('notification_preferences', 'select');

insert into job_rules (kind, queue, added_by) values ('mail_notifications', 'notification', 'student'), ('push_notification', 'notification', 'student');

-- Whether devices where no page is open are told what was said, or only that something was.
alter table companies add column push_shows_text boolean not null default true;
grant update (push_shows_text) on companies to app_staff;
insert into mail_rules (template, sent_by) values ('notifications', 'admin');
insert into event_rules (type, told_by, is_private) values
    ('notification.created', 'admin', false), ('notification.read', 'student', true), ('notification.preferences_saved', 'student', true);

-- What one may not see any more is gone from the feed as well.
create policy sight_of_notifications on events as restrictive for select to app_staff, app_student
    using (type <> 'notification.created' or exists (
        select from notifications where id = (events.data -> 'notification' ->> 'id')::uuid));

-- Something has happened that people are to be told of, by name. `type`, `cause` (unique for a person: said again, nobody is told again) and
-- `group_key` (causes of one group are one row until it is read) always; `people` (ids) and `groups` (`department:<id>`, `leaders`, `admins`) say
-- who, `actor_id` whose act it was (they are told only where `tells_actor`), `conversation_id`, `channel_id` and `client_id` what it leads to, `source_id`
-- what is looked up for its words, `facts` what cannot be, `count` how many it is. Who does not see what it leads to is not told.
create function app.notify(notice jsonb) returns void language plpgsql as $$
begin
    perform set_config('app.notices', coalesce(current_setting('app.notices', true), '') || ',' || notice::text, true);
end
$$;

-- What unread notifications tell of is over: the caller, or `everybody`, `but` for one, has seen those of a `conversation_id`, of some `types` where
-- they are given, or those whose latest is of these `source_ids`. What is `gone_ids` is taken out of all that tell of it, or of what tells `gone_for` of it.
create function app.settle_notifications(what jsonb) returns void language plpgsql as $$
begin
    perform set_config('app.settled', coalesce(current_setting('app.settled', true), '') || ',' || what::text, true);
end
$$;

-- Whether somebody of the staff sees a conversation, as the policies of `conversations` say it for whoever asks themselves.
create function app.would_see(role text, visibility text, person uuid, departments uuid[], of_department uuid, assignee uuid, participants uuid[])
returns boolean language sql immutable as $$
    select role in ('admin', 'supervisor') or visibility = 'company' or assignee = person or person = any (participants)
        or (assignee is null or visibility = 'department') and (of_department is null or of_department = any (departments))
$$;

-- Words with what is known in its places: once, whatever is in what is known.
create function app.fill_words(template text, facts jsonb) returns text language plpgsql immutable as $$
declare
    filled text := '';
    rest text := template;
    opens integer;
    closes integer;
    place text;
    known text;
begin
    loop
        opens := strpos(rest, '{');
        exit when opens = 0;
        closes := strpos(rest, '}');
        exit when closes < opens;
        place := substr(rest, opens + 1, closes - opens - 1);
        known := nullif(facts ->> split_part(place, '|', 1), '');
        filled := filled || left(rest, opens - 1) || coalesce(known, split_part(place, '|', 2));
        rest := substr(rest, closes + 1);
    end loop;
    return filled || coalesce(rest, '');
end
$$;

-- What is known of one that is unread: looked up where it can be, so that nothing of a client outlives them.
create function app.notification_facts(of_type text, conversation uuid, channel uuid, client uuid, lead uuid, source uuid, actor uuid, facts jsonb)
returns jsonb language plpgsql stable as $$
declare
    known jsonb := facts;
begin
    if actor is not null then
        known := known || jsonb_build_object('actor', (select name from public.users where id = actor));
    end if;
    if conversation is not null then
        known := known || coalesce((
            select jsonb_build_object('client', clients.name, 'protocol', conversations.protocol, 'preview', left(conversations.last_message_preview, 160))
              from public.conversations
              join public.clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
             where conversations.id = conversation), '{}');
    elsif client is not null then
        known := known || jsonb_build_object('client', (select name from public.clients where id = client));
    end if;
    if lead is not null then
        known := known || jsonb_build_object('lead', (select name from public.leads where id = lead));
    end if;
    if channel is not null then
        known := known || jsonb_build_object('room', coalesce((select name from public.channels where id = channel), known ->> 'actor'));
    end if;
    if source is not null and channel is not null then
        known := known || jsonb_build_object('preview', (select left(body, 160) from public.chat_messages where id = source and deleted_at is null));
    elsif source is not null and of_type = 'mention' then
        known := known || jsonb_build_object('preview', (select left(text, 160) from public.notes where id = source and deleted_at is null));
    elsif source is not null and of_type = 'transfer' then
        known := known || coalesce((
            select jsonb_build_object('reason', transfers.reason, 'department', case when transfers.to_user_id is null then departments.name end)
              from public.conversation_transfers transfers
              left join public.departments on departments.company_id = transfers.company_id and departments.id = transfers.to_department_id
             where transfers.id = source), '{}');
    end if;
    return jsonb_strip_nulls(known);
end
$$;

-- As it is said in a language.
create function app.notification_words(of_type text, language text, facts jsonb, count integer, out title text, out body text)
language plpgsql stable as $$
declare
    own jsonb;
begin
    select coalesce(words -> language, words -> 'pt-BR') into own from public.notification_types where type = of_type;
    title := app.fill_words(coalesce(own ->> ('title_' || (facts ->> 'variant')), case when count > 1 then own ->> 'titles' end, own ->> 'title'),
                            facts || jsonb_build_object('count', count));
    body := app.fill_words(own ->> 'body', facts);
end
$$;

-- What somebody has not read of what they see, 100 at most: `screen` for what is listed, `mail` for what was never mailed, `push` for this one, where
-- devices are told of it.
create function app.unread_of(people uuid[], wanted text, one uuid default null) returns table (user_id uuid, id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select person, unread.id
      from (select distinct unnest(people) as person) each
      join memberships on memberships.company_id = app.company_id() and memberships.user_id = person and memberships.status = 'active'
      join companies on companies.id = memberships.company_id
     cross join lateral (select array(select department_id from department_members
                                       where company_id = memberships.company_id and user_id = person) as departments) own
     cross join lateral (
            select notifications.id
              from notifications
              left join conversations on conversations.company_id = notifications.company_id
                                     and conversations.id = notifications.conversation_id
             where notifications.company_id = memberships.company_id and notifications.user_id = person and notifications.read_at is null
               and case wanted
                       when 'mail' then notifications.by_mail and notifications.mailed_at is null
                       when 'push' then notifications.by_push and notifications.id = one
                       else notifications.on_screen
                   end
               and (notifications.conversation_id is null
                    or memberships.role = 'student' and conversations.client_id = memberships.client_id
                    or memberships.role <> 'student'
                       and app.would_see(memberships.role, companies.agent_visibility, person, departments,
                                         conversations.department_id, conversations.assignee_id, conversations.participant_ids))
               and (notifications.channel_id is null or exists (
                    select from channel_members
                     where channel_members.company_id = notifications.company_id
                       and channel_members.channel_id = notifications.channel_id and channel_members.user_id = person))
               and (notifications.lead_id is null
                    or app.would_see_lead(notifications.lead_id, memberships.role, companies.agent_visibility, person, departments))
             limit 100) unread;
end
$$;

-- How many that are listed; 100 are 100 or more.
create function app.unread_notifications(people uuid[]) returns table (user_id uuid, unread bigint, revision bigint) language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
    select person, count(unread.id), coalesce(max(heads.revision), 0)
      from (select distinct unnest(people) as person) each
      left join public.notification_heads heads on heads.company_id = app.company_id() and heads.user_id = person
      left join app.unread_of(people, 'screen') unread on unread.user_id = person
     group by person;
end
$$;

-- Nobody else changes what these people have not read until this transaction ends.
create function app.hold_unread(people uuid[]) returns void language plpgsql as $$
begin
    insert into public.notification_heads as heads (user_id)
    select person
      from unnest(people) person
      join public.memberships on memberships.company_id = app.company_id() and memberships.user_id = person
     group by person
     order by person
        on conflict (company_id, user_id) do update set revision = heads.revision + 1;
end
$$;

-- The same for the caller.
create function app.hold_own_unread() returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.hold_unread(array[app.user_id()]);
end
$$;
alter function app.hold_own_unread owner to app_lookup;

-- How many the caller has not read.
create function app.own_unread() returns table (unread bigint, revision bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query select counted.unread, counted.revision from app.unread_notifications(array[app.user_id()]) counted;
end
$$;

-- Whom a notice means, each once.
create function app.named_people(people uuid[], groups text[]) returns table (user_id uuid) language plpgsql stable as $$
#variable_conflict use_column
begin
    return query
    select unnest(people)
     union
    select memberships.user_id
      from public.memberships
     where groups <> '{}' and memberships.company_id = app.company_id()
       and ('admins' = any (groups) and memberships.role = 'admin'
            or 'leaders' = any (groups) and memberships.role in ('admin', 'supervisor')
            or exists (select from public.department_members
                        where department_members.company_id = app.company_id() and department_members.user_id = memberships.user_id
                          and 'department:' || department_members.department_id = any (groups)));
end
$$;

-- Tells people that these, ids by their person's, are read or over. Answers the events.
create function app.show_read(ended jsonb) returns jsonb language plpgsql as $$
declare
    told jsonb;
begin
    with event as (
        insert into public.events (topic, type, audience, data)
        select 'user:' || unread.user_id, 'notification.read', array['self:' || unread.user_id],
               jsonb_build_object('ids', ended -> unread.user_id::text, 'unread', unread.unread, 'revision', unread.revision)
          from app.unread_notifications(array(select jsonb_object_keys(ended)::uuid)) unread
         order by unread.user_id
        returning id, topic, type, data
    )
    select coalesce(jsonb_agg(to_jsonb(event) order by id), '[]') into told from event;
    return told;
end
$$;
revoke all on function app.named_people, app.show_read from public;
grant execute on function app.named_people, app.show_read to app_lookup;

-- A time as answers write it.
create function app.rfc3339(at timestamptz) returns text language sql stable parallel safe as $$
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

grant execute on function app.rfc3339 to app_staff, app_system, app_lookup;

-- Tells people of these rows as they are now. Answers the events.
create function app.show_notifications(fresh uuid[]) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    told jsonb;
begin
    with row as materialized (
        select notifications.*, users.locale
          from notifications
          join users on users.id = notifications.user_id
         where notifications.company_id = app.company_id() and notifications.id = any (fresh)
    ), facts as materialized (
        -- The same for all who are told of the same.
        select group_key, source_id, app.notification_facts(type, conversation_id, channel_id, client_id, lead_id, source_id, actor_id, facts) as facts
          from (select distinct on (group_key, source_id) * from row) once
    ), unread as (
        select * from app.unread_notifications(array(select user_id from row where on_screen))
    ), event as (
        insert into events (topic, type, audience, data)
        select 'user:' || row.user_id, 'notification.created', array['self:' || row.user_id],
               jsonb_build_object(
                   'notification', jsonb_build_object(
                       'id', row.id, 'type', row.type, 'title', words.title, 'body', words.body, 'count', row.count,
                       'actor_id', row.actor_id, 'conversation_id', row.conversation_id, 'channel_id', row.channel_id,
                       'client_id', row.client_id, 'lead_id', row.lead_id, 'source_id', row.source_id, 'is_read', false,
                       'at', app.rfc3339(row.at),
                       'created_at', app.rfc3339(row.created_at)),
                   'unread', unread.unread,
                   'revision', unread.revision,
                   'sound', case when row.rung_at = now() then (select sound from notification_types where type = row.type) end)
          from row
          join facts on facts.group_key = row.group_key and facts.source_id is not distinct from row.source_id
          join unread on unread.user_id = row.user_id
         cross join app.notification_words(row.type, row.locale, facts.facts, row.count) words
         where row.on_screen
         order by row.user_id, row.id
        returning id, topic, type, data
    )
    select coalesce(jsonb_agg(to_jsonb(event) order by id), '[]') into told from event;
    return told;
end
$$;
alter function app.show_notifications owner to app_lookup;
revoke all on function app.show_notifications from public;

-- Reads what was settled and tells what is new: rows, the events that tell of them, the digests that would come by mail, what goes to devices where no
-- page is open. Answers `events` to be pushed and `jobs` to be sent.
create function app.tell_notified() returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin', 'system'];
    notices jsonb;
    settled jsonb;
    rank integer := 5;
    refused text;
    fresh uuid[];
    lost_people uuid[];
    lost_causes text[];
    told jsonb := '[]';
    pushes jsonb;
    more jsonb;
    wanted record;
begin
    if coalesce(current_setting('app.notices', true), '') = '' and coalesce(current_setting('app.settled', true), '') = '' then
        return null;
    end if;
    notices := ('[' || substr(current_setting('app.notices', true), 2) || ']')::jsonb;
    settled := ('[' || substr(current_setting('app.settled', true), 2) || ']')::jsonb;
    perform set_config('app.notices', '', true), set_config('app.settled', '', true);
    if current_setting('role') <> 'app_system' then
        select array_position(ranks, role) into rank from memberships where company_id = app.company_id() and user_id = app.user_id();
    end if;
    select notice.type into refused
      from jsonb_to_recordset(notices) notice (type text)
      left join notification_types types on types.type = notice.type
     where (array_position(ranks, types.caused_by) <= rank) is not true
     limit 1;
    if refused is not null then
        raise insufficient_privilege using message = format('%s is not this caller''s to cause: see notification_types', refused);
    end if;

    select coalesce(array_agg(causes.user_id), '{}'), coalesce(array_agg(causes.cause), '{}') into lost_people, lost_causes
      from jsonb_to_recordset(settled) what (gone_ids uuid[], gone_for uuid[])
     cross join unnest(gone_ids) gone
      join notification_causes causes on causes.company_id = app.company_id() and causes.source_id = gone
     where gone_for is null or causes.user_id = any (gone_for);
    perform app.hold_unread(array(
        select named.user_id from jsonb_to_recordset(notices) notice (people uuid[], groups text[]) cross join app.named_people(people, groups) named
         union
        select user_id
          from jsonb_to_recordset(settled) what (conversation_id uuid)
          join notifications on notifications.company_id = app.company_id() and notifications.conversation_id = what.conversation_id
         where read_at is null
         union
        select user_id
          from jsonb_to_recordset(settled) what (source_ids uuid[])
         cross join unnest(source_ids) source
          join notifications on notifications.company_id = app.company_id() and notifications.source_id = source
         where read_at is null
         union
        select unnest(lost_people)));

    if jsonb_array_length(settled) > 0 then
        with what as materialized (
            select * from jsonb_to_recordset(settled) what (conversation_id uuid, source_ids uuid[], types text[], everybody boolean, but uuid)
        ), meant as (
            select notifications.id
              from what
              join notifications on notifications.company_id = app.company_id() and notifications.conversation_id = what.conversation_id
             where read_at is null and (what.types is null or type = any (what.types))
               and (what.everybody is true or user_id = app.user_id()) and user_id is distinct from what.but
             union
            select notifications.id
              from what
             cross join unnest(what.source_ids) source
              join notifications on notifications.company_id = app.company_id() and notifications.source_id = source
             where read_at is null and (what.everybody is true or user_id = app.user_id())
        ), held as materialized (
            select company_id, id
              from notifications
             where company_id = app.company_id() and id = any (array(select id from meant)) and read_at is null
             order by user_id, group_key
               for update
        ), seen as (
            update notifications set read_at = now()
              from held
             where notifications.company_id = held.company_id and notifications.id = held.id
            returning notifications.user_id, notifications.id, notifications.on_screen
        )
        select jsonb_object_agg(user_id, ids) into more
          from (select user_id, jsonb_agg(id) as ids from seen where on_screen group by user_id) of_people;
        told := told || app.show_read(coalesce(more, '{}'));
    end if;

    if lost_causes <> '{}' then
        with held as materialized (
            select notifications.id, notifications.user_id, notifications.group_key, notifications.created_at
              from notifications
             where company_id = app.company_id() and read_at is null
               and (user_id, group_key) in (
                   select causes.user_id, causes.group_key
                     from unnest(lost_people, lost_causes) lost (person, cause)
                     join notification_causes causes on causes.company_id = app.company_id() and causes.user_id = lost.person
                                                    and causes.cause = lost.cause)
             order by user_id, group_key
               for update
        ), taken as (
            delete from notification_causes causes
             using held, unnest(lost_people, lost_causes) lost (person, cause)
             where causes.company_id = app.company_id() and causes.user_id = lost.person and causes.cause = lost.cause
               and causes.user_id = held.user_id and causes.group_key = held.group_key and causes.at >= held.created_at
            returning held.id, causes.source_id
        ), fewer as (
            update notifications
               set count = notifications.count - taken.count,
                   read_at = case when notifications.count <= taken.count then now() end,
                   source_id = case when notifications.source_id = any (taken.source_ids) then (
                       select source_id from notification_causes causes
                        where causes.company_id = notifications.company_id and causes.user_id = notifications.user_id
                          and causes.group_key = notifications.group_key and not causes.source_id = any (taken.source_ids)
                        order by causes.at desc limit 1) else notifications.source_id end
              from (select id, count(*)::integer as count, array_agg(source_id) as source_ids from taken group by id) taken
             where notifications.company_id = app.company_id() and notifications.id = taken.id and notifications.count >= taken.count
            returning notifications.id, notifications.user_id, notifications.on_screen, notifications.read_at is null as is_left
        )
        select array_agg(id) filter (where is_left and on_screen),
               (select jsonb_object_agg(user_id, ids)
                  from (select user_id, jsonb_agg(id) as ids from fewer where not is_left and on_screen group by user_id) of_people)
          into fresh, more
          from fewer;
        told := told || app.show_read(coalesce(more, '{}')) || app.show_notifications(coalesce(fresh, '{}'));
        fresh := null;
    end if;

    if jsonb_array_length(notices) = 0 then
        return jsonb_build_object('events', told);
    end if;
    with notice as materialized (
        select place, type, people, groups, cause, group_key, actor_id,
               conversation_id, channel_id, client_id, lead_id, source_id, coalesce(facts, '{}') as facts, coalesce(count, 1) as count, tells_actor
          from rows from (jsonb_to_recordset(notices)
                          as (type text, people uuid[], groups text[], cause text, group_key text, actor_id uuid, conversation_id uuid,
                              channel_id uuid, client_id uuid, lead_id uuid, source_id uuid, facts jsonb, count integer, tells_actor boolean))
               with ordinality as notice (type, people, groups, cause, group_key, actor_id, conversation_id, channel_id, client_id, lead_id,
                                          source_id, facts, count, tells_actor, place)
    ), named as (
        select notice.place, people.user_id from notice cross join app.named_people(notice.people, notice.groups) people
    ), heard as materialized (
        select notice.*, named.user_id, types.sound,
               coalesce((chosen.types -> notice.type ->> 'screen')::boolean, types.on_screen) as on_screen,
               coalesce((chosen.types -> notice.type ->> 'email')::boolean, types.by_mail) as by_mail,
               coalesce((chosen.types -> notice.type ->> 'web_push')::boolean, types.by_push) and not silence.is_quiet as by_push,
               coalesce((chosen.types -> notice.type ->> 'sound')::boolean, types.rings) and not silence.is_quiet as rings
          from named
          join notice using (place)
          join notification_types types on types.type = notice.type
          join memberships on memberships.company_id = app.company_id() and memberships.user_id = named.user_id and memberships.status = 'active'
          join companies on companies.id = memberships.company_id
          join users on users.id = named.user_id
          left join notification_preferences chosen on chosen.company_id = memberships.company_id and chosen.user_id = named.user_id
          left join conversations on conversations.company_id = memberships.company_id and conversations.id = notice.conversation_id
         cross join lateral (select (now() at time zone users.time_zone)::time as now) clock
         cross join lateral (
                select case
                           when chosen.quiet_from is null then false
                           when chosen.quiet_from < chosen.quiet_until then clock.now >= chosen.quiet_from and clock.now < chosen.quiet_until
                           else clock.now >= chosen.quiet_from or clock.now < chosen.quiet_until
                       end
                       or exists (select from presence_leases
                                   where presence_leases.company_id = app.company_id() and presence_leases.user_id = named.user_id
                                     and status = 'break' and lease_until > now()) as is_quiet) silence
         where (notice.tells_actor is true or named.user_id is distinct from coalesce(notice.actor_id, app.user_id()))
           and (notice.conversation_id is null
                or memberships.role <> 'student'
                   and app.would_see(memberships.role, companies.agent_visibility, named.user_id,
                                     array(select department_id from department_members
                                            where company_id = memberships.company_id and user_id = named.user_id),
                                     conversations.department_id, conversations.assignee_id, conversations.participant_ids)
                or memberships.role = 'student' and memberships.client_id = conversations.client_id)
           and (notice.channel_id is null or exists (
                select from channel_members
                 where channel_members.company_id = memberships.company_id and channel_members.channel_id = notice.channel_id
                   and channel_members.user_id = named.user_id))
           and (notice.lead_id is null
                or app.would_see_lead(notice.lead_id, memberships.role, companies.agent_visibility, named.user_id,
                                      array(select department_id from department_members
                                             where company_id = memberships.company_id and user_id = named.user_id)))
    ), new_cause as (
        insert into notification_causes (user_id, cause, group_key, source_id)
        select distinct on (user_id, cause) user_id, cause, group_key, source_id
          from heard
         where on_screen or by_mail or by_push
         order by user_id, cause
            on conflict do nothing
        returning user_id, cause
    ), grouped as (
        -- What is done to many at once sounds once.
        select user_id, group_key, sum(count)::integer as count, max(place) as place,
               bool_or(rings) and row_number() over (partition by user_id, min(sound), bool_or(rings) order by max(place)) = 1 as rings
          from heard
          join new_cause using (user_id, cause)
         group by user_id, group_key
    ), saved as (
        insert into notifications as known
               (user_id, type, group_key, count, actor_id, conversation_id, channel_id, client_id, lead_id, source_id, facts, on_screen, by_mail, by_push,
                rung_at)
        select heard.user_id, heard.type, heard.group_key, grouped.count, coalesce(heard.actor_id, app.user_id()), heard.conversation_id,
               heard.channel_id, heard.client_id, heard.lead_id, heard.source_id, heard.facts, heard.on_screen, heard.by_mail, heard.by_push,
               case when grouped.rings then now() end
          from grouped
          join heard using (user_id, group_key, place)
         order by heard.user_id, heard.group_key
            on conflict (company_id, user_id, group_key) where read_at is null do update
           set type = excluded.type, count = case when known.on_screen or not excluded.on_screen then known.count else 0 end + excluded.count, actor_id = excluded.actor_id,
               source_id = excluded.source_id, facts = excluded.facts, on_screen = excluded.on_screen, by_mail = excluded.by_mail,
               by_push = excluded.by_push,
               -- A burst sounds once in a while, not each time.
               at = now(), rung_at = case when excluded.rung_at > known.rung_at + interval '5 seconds' or known.rung_at is null
                                          then excluded.rung_at else known.rung_at end
        returning id
    )
    select array_agg(id) into fresh from saved;
    if fresh is null then
        return jsonb_build_object('events', told);
    end if;

    told := told || app.show_notifications(fresh);

    -- One digest waits for a person at a time; whoever takes it holds its row first, so that it has what came until then.
    for wanted in
        select notifications.user_id, coalesce(chosen.mails_after, 15) as mails_after
          from notifications
          left join notification_preferences chosen on chosen.company_id = notifications.company_id and chosen.user_id = notifications.user_id
         where notifications.company_id = app.company_id() and notifications.id = any (fresh) and by_mail
         group by notifications.user_id, chosen.mails_after
         order by notifications.user_id
    loop
        loop
            insert into jobs (id, kind, queue, lane, key, payload, run_at)
            select id, 'mail_notifications', 'notification', id::text, wanted.user_id::text, jsonb_build_object('user_id', wanted.user_id),
                   now() + make_interval(mins => wanted.mails_after)
              from gen_random_uuid() id
                on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing;
            exit when found;
            perform from jobs
              where company_id = app.company_id() and kind = 'mail_notifications' and key = wanted.user_id::text and finished_at is null
                for share;
            exit when found;
        end loop;
    end loop;

    -- Each device is told by itself, unless its person is looking.
    with device as (
        select subscriptions.id, notifications.id as notification_id, notifications.count
          from notifications
          join web_push_subscriptions subscriptions on subscriptions.company_id = notifications.company_id
                                                   and subscriptions.user_id = notifications.user_id
         where notifications.company_id = app.company_id() and notifications.id = any (fresh) and notifications.by_push
           and not exists (select from presence_leases
                            where presence_leases.company_id = app.company_id() and presence_leases.user_id = notifications.user_id
                              and status in ('online', 'busy') and lease_until > now())
         order by subscriptions.id
    ), job as (
        insert into jobs (id, kind, queue, lane, payload, dispatched_at, dispatches)
        select gen_random_uuid(), 'push_notification', 'notification', 'push:' || device.id,
               jsonb_build_object('subscription_id', device.id, 'notification_id', device.notification_id, 'count', device.count), now(), 1
          from device
        returning id, queue, lane, dispatches
    )
    select jsonb_agg(to_jsonb(job)) into pushes from job;
    return jsonb_build_object('events', told, 'jobs', pushes);
end
$$;
alter function app.unread_of owner to app_lookup;
alter function app.tell_notified owner to app_lookup;
alter function app.own_unread owner to app_lookup;
revoke all on function app.unread_of, app.unread_notifications, app.hold_unread, app.hold_own_unread, app.own_unread from public;
grant execute on function app.unread_of to app_system, app_lookup;
grant execute on function app.unread_notifications, app.hold_unread to app_lookup;
grant execute on function app.hold_own_unread, app.own_unread to app_staff, app_student;
revoke all on function app.tell_notified, app.notify, app.settle_notifications, app.would_see, app.fill_words, app.notification_facts,
       app.notification_words from public;
grant execute on function app.tell_notified, app.fill_words, app.notification_facts, app.notification_words
   to app_staff, app_student, app_system, app_lookup;
grant execute on function app.notify, app.settle_notifications to app_staff, app_system, app_lookup;
grant execute on function app.would_see to app_lookup;

-- Conversations that come to somebody, or to a department. Whoever had been told that it waits, or had it before, is not rung for it any more.
create function app.notify_of_transfer() returns trigger language plpgsql as $$
begin
    perform app.settle_notifications(jsonb_build_object(
        'conversation_id', new.conversation_id, 'types', jsonb_build_array('assignment', 'transfer', 'message', 'reminder'), 'everybody', true,
        'but', new.to_user_id));
    if new.to_user_id is not null and new.to_user_id is distinct from new.from_user_id then
        perform app.notify(jsonb_build_object(
            'type', case when new.by_user_id is null or new.from_user_id is null and new.reason is null then 'assignment' else 'transfer' end,
            'people', jsonb_build_array(new.to_user_id), 'cause', 'transfer:' || new.id, 'group_key', 'given:' || new.conversation_id,
            'conversation_id', new.conversation_id, 'source_id', new.id));
    -- Somebody has passed it on; where a department goes with all that waits in it (a trigger of that one), its successor finds it in its inbox.
    elsif new.to_user_id is null and new.by_user_id is not null and new.to_department_id is distinct from new.from_department_id
          and pg_trigger_depth() <= 2 then
        perform app.notify(jsonb_build_object(
            'type', 'transfer', 'groups', jsonb_build_array('department:' || new.to_department_id), 'cause', 'transfer:' || new.id,
            'group_key', 'given:' || new.conversation_id, 'conversation_id', new.conversation_id, 'source_id', new.id));
    end if;
    return null;
end
$$;
create trigger conversation_transfers_told after insert on conversation_transfers for each row execute function app.notify_of_transfer();

-- What is over rings nobody.
create function app.settle_ended() returns trigger language plpgsql as $$
begin
    perform app.settle_notifications(jsonb_build_object(
        'conversation_id', new.id, 'types', jsonb_build_array('assignment', 'transfer', 'message', 'reminder'), 'everybody', true));
    return null;
end
$$;
create trigger conversations_ended_settled after update of ended_at on conversations for each row
    when (old.ended_at is null and new.ended_at is not null)
    execute function app.settle_ended();

-- A client has written to whoever has the conversation, and to those who follow it, but not where they have muted it.
create function app.notify_of_message() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    people uuid[];
begin
    if current_setting('app.joining', true) = new.id::text then
        perform set_config('app.joining', '', true);
        return null;
    end if;
    select array_agg(person) into people
      from unnest(new.participant_ids || new.assignee_id) person
     where person is not null
       and not exists (select from conversation_preferences
                        where company_id = new.company_id and user_id = person and conversation_id = new.id
                          and (muted_until is null or muted_until > now()));
    if people is not null then
        perform app.notify(jsonb_build_object(
            'type', 'message', 'people', to_jsonb(people), 'cause', 'message:' || new.id || ':' || new.inbound_count,
            'group_key', 'message:' || new.id, 'conversation_id', new.id, 'count', new.inbound_count - old.inbound_count));
    end if;
    return null;
end
$$;
alter function app.notify_of_message owner to app_lookup;
create trigger conversations_message_told after update of inbound_count on conversations for each row
    when (new.inbound_count > old.inbound_count and new.ended_at is null and new.last_message_from = 'client'
          and new.merged_into_id is not distinct from old.merged_into_id and (new.assignee_id is not null or new.participant_ids <> '{}'))
    execute function app.notify_of_message();

-- A snooze is over by itself.
create function app.notify_of_return() returns trigger language plpgsql as $$
begin
    perform app.notify(jsonb_build_object(
        'type', 'reminder', 'people', jsonb_build_array(new.assignee_id), 'cause', 'reminder:' || new.id || ':' || new.revision,
        'group_key', 'reminder:' || new.id, 'conversation_id', new.id));
    return null;
end
$$;
create trigger conversations_return_told after update of snoozed_at on conversations for each row
    when (old.snoozed_until <= now() and new.snoozed_at is null and new.assignee_id is not null and new.ended_at is null)
    execute function app.notify_of_return();

-- A low rating, for those who lead and whoever served the client.
create function app.notify_of_rating() returns trigger language plpgsql as $$
begin
    perform app.notify(jsonb_build_object(
        'type', 'low_satisfaction', 'groups', jsonb_build_array('leaders'), 'cause', 'rating:' || new.id || ':' || new.rating,
        'group_key', 'rating:' || new.id, 'conversation_id', new.id,
        'facts', jsonb_build_object('rating', new.rating, 'handler', (select name from public.users where id = new.assignee_id))));
    return null;
end
$$;
create trigger conversations_rating_told after update of rating on conversations for each row
    when (new.rating <= 2 and new.rating is distinct from old.rating)
    execute function app.notify_of_rating();

-- An account of the company does not work as it should.
create function app.notify_of_channel() returns trigger language plpgsql as $$
begin
    perform app.notify(jsonb_build_object(
        'type', 'integration_broken', 'groups', jsonb_build_array('admins'), 'cause', 'channel:' || new.id,
        'group_key', 'channel:' || new.channel_account_id, 'source_id', new.id,
        'facts', jsonb_build_object('reason', left(new.text, 300), 'channel_account_id', new.channel_account_id,
                                    'account', (select name from public.channel_accounts where id = new.channel_account_id))));
    return null;
end
$$;
create trigger channel_notices_told after insert on channel_notices for each row execute function app.notify_of_channel();

-- Somebody is mentioned in the team's chat: by name always, otherwise not where they have muted the channel; and never where they want nothing.
create function app.notify_of_chat_mention() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    message record;
begin
    for message in
        select added.message_id, added.channel_id, chat_messages.author_id, array_agg(distinct added.user_id) as people
          from added
          join chat_messages on chat_messages.company_id = added.company_id and chat_messages.id = added.message_id
          join channel_members members on members.company_id = added.company_id and members.channel_id = added.channel_id
                                      and members.user_id = added.user_id
         where members.level <> 'nothing'
           and (added.way like 'person:%' or not (members.is_muted and (members.muted_until is null or members.muted_until > now())))
         group by added.message_id, added.channel_id, chat_messages.author_id
    loop
        perform app.notify(jsonb_build_object(
            'type', 'mention', 'people', to_jsonb(message.people), 'cause', 'mention:' || message.message_id,
            'group_key', 'mention:' || message.channel_id, 'channel_id', message.channel_id, 'source_id', message.message_id,
            'actor_id', message.author_id));
    end loop;
    return null;
end
$$;
alter function app.notify_of_chat_mention owner to app_lookup;
create trigger chat_mentions_told after insert on chat_mentions referencing new table as added for each statement
    execute function app.notify_of_chat_mention();

-- Who is not mentioned any more is told of nothing any more. Of a message that is deleted nobody is, which is said for it.
create function app.settle_mentions() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    message record;
begin
    for message in
        select removed.message_id, array_agg(distinct removed.user_id) as people
          from removed
          join chat_messages on chat_messages.company_id = removed.company_id and chat_messages.id = removed.message_id
         where chat_messages.deleted_at is null
         group by removed.message_id
    loop
        perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(message.message_id), 'gone_for', to_jsonb(message.people)));
    end loop;
    return null;
end
$$;
alter function app.settle_mentions owner to app_lookup;
create trigger chat_mentions_settled after delete on chat_mentions referencing old table as removed for each statement
    execute function app.settle_mentions();

-- What is said in direct messages, and in threads that somebody follows. What is said in other channels is unread there, and no more than that.
create function app.notify_of_chat_message() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    -- What stands in a direct message itself, and not only in a thread there.
    is_direct boolean := new.place is not null and (select kind = 'direct' from channels where company_id = new.company_id and id = new.channel_id);
    people uuid[];
begin
    if not is_direct and new.root_id is null then
        return null;
    end if;
    select array_agg(members.user_id) into people
      from channel_members members
      left join chat_thread_followers followers on followers.company_id = new.company_id and followers.root_id = new.root_id
                                               and followers.user_id = members.user_id
     where members.company_id = new.company_id and members.channel_id = new.channel_id and members.user_id <> new.author_id
       and members.level = 'all'
       and not (members.is_muted and (members.muted_until is null or members.muted_until > now()))
       and (is_direct or followers.is_following)
       -- Who is mentioned is told of that.
       and not exists (select from chat_mentions
                        where company_id = new.company_id and message_id = new.id and user_id = members.user_id);
    if people is not null then
        perform app.notify(jsonb_build_object(
            'type', 'chat_message', 'people', to_jsonb(people), 'cause', 'chat:' || new.id,
            'group_key', 'chat:' || case when is_direct then new.channel_id else new.root_id end, 'channel_id', new.channel_id, 'source_id', new.id,
            'actor_id', new.author_id));
    end if;
    return null;
end
$$;
alter function app.notify_of_chat_message owner to app_lookup;
-- After the one that notes who is mentioned: triggers go by their names.
create trigger chat_messages_told after insert on chat_messages for each row execute function app.notify_of_chat_message();

-- What was read in the chat, on any device, and what is not there any more.
create function app.settle_chat() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    seen uuid[];
begin
    if tg_table_name = 'chat_messages' then
        perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(new.id)));
        return null;
    end if;
    if tg_table_name = 'channel_members' then
        select array_agg(notifications.source_id) into seen
          from notifications
          join chat_messages on chat_messages.company_id = new.company_id and chat_messages.id = notifications.source_id
         where notifications.company_id = new.company_id and notifications.user_id = new.user_id and notifications.channel_id = new.channel_id
           and notifications.read_at is null and chat_messages.place <= new.read_place;
    else
        select array_agg(notifications.source_id) into seen
          from notifications
          join chat_messages on chat_messages.company_id = new.company_id and chat_messages.id = notifications.source_id
         where notifications.company_id = new.company_id and notifications.user_id = new.user_id and notifications.channel_id = new.channel_id
           and notifications.read_at is null and chat_messages.root_id = new.root_id and chat_messages.thread_place <= new.read_place;
    end if;
    if seen is not null then
        perform app.settle_notifications(jsonb_build_object('source_ids', to_jsonb(seen)));
    end if;
    return null;
end
$$;
alter function app.settle_chat owner to app_lookup;
create trigger channel_members_read_settled after update of read_place on channel_members for each row
    when (new.user_id = app.user_id())
    execute function app.settle_chat();
create trigger chat_thread_followers_read_settled after insert or update of read_place on chat_thread_followers for each row
    when (new.user_id = app.user_id() and new.read_place > 0)
    execute function app.settle_chat();
create trigger chat_messages_deleted_settled after update of deleted_at on chat_messages for each row
    when (old.deleted_at is null and new.deleted_at is not null)
    execute function app.settle_chat();

-- Whoever has only read a thread has not said that they do not follow it: answering and being named does. Whoever has said so follows it again when
-- they answer or are named; what mentions them already is unread then.
alter table chat_thread_followers add column has_chosen boolean not null default false;
grant insert (has_chosen), update (has_chosen) on chat_thread_followers to app_staff;
-- Unread mentions in threads are looked for by whom they mean.
create index chat_mentions_threads on chat_mentions (company_id, user_id, root_id, thread_place) where root_id is not null;
create or replace function app.follow_chat_message() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    has_read boolean := app.user_id() is not null;
begin
    insert into chat_message_files (company_id, file_id, message_id)
    select new.company_id, file, new.id from unnest(new.file_ids) file on conflict do nothing;
    if new.mentions <> '{}' then
        insert into chat_mentions (company_id, user_id, message_id, channel_id, root_id, place, thread_place, way, at)
        select new.company_id, mentioned.user_id, new.id, new.channel_id, new.root_id, new.place, new.thread_place, mentioned.way,
               new.created_at
          from app.mentioned(new.channel_id, app.mention_ways(new.mentions)) mentioned
         where mentioned.user_id <> new.author_id;
    end if;
    if new.root_id is not null then
        insert into chat_thread_followers (company_id, root_id, channel_id, user_id, read_place)
        select new.company_id, new.root_id, new.channel_id, person, case when person = new.author_id then new.thread_place
                    else (select coalesce(min(thread_place), new.thread_place) - 1
                            from chat_mentions
                           where company_id = new.company_id and user_id = person and root_id = new.root_id) end
          from (select author_id from chat_messages where company_id = new.company_id and id = new.root_id
                union
                select new.author_id
                union
                select user_id from chat_mentions where company_id = new.company_id and message_id = new.id and way like 'person:%') people (person)
         order by person
            on conflict (company_id, root_id, user_id) do update
           set is_following = chat_thread_followers.is_following or not chat_thread_followers.has_chosen or excluded.user_id = new.author_id
                          or exists (select from chat_mentions
                                      where company_id = new.company_id and user_id = excluded.user_id and message_id = new.id
                                        and way like 'person:%'),
               read_place = case when excluded.user_id = new.author_id and has_read then new.thread_place
                                 else chat_thread_followers.read_place end;
    end if;
    if new.place is not null then
        -- What was posted while its author was away counts as read where they had read everything before.
        update channel_members set read_place = new.place, draft = case when has_read then '' else draft end, is_hidden = false
         where company_id = new.company_id and channel_id = new.channel_id and user_id = new.author_id
           and (has_read or read_place = new.place - 1);
        update channel_members set is_hidden = false
         where company_id = new.company_id and channel_id = new.channel_id and is_hidden;
    end if;
    return null;
end
$$;

-- An edit that names somebody newly in a thread makes them follow it, as a new message does.
create or replace function app.change_chat_message() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    had text[] := app.mention_ways(old.mentions);
    has text[] := app.mention_ways(new.mentions);
begin
    if new.body <> old.body or new.mentions <> old.mentions or (new.deleted_at is null) <> (old.deleted_at is null) then
        new.revision := old.revision + 1;
    end if;
    if new.body <> old.body then
        insert into chat_message_revisions (company_id, message_id, revision, body, replaced_by_id)
        values (new.company_id, new.id, old.revision, old.body, app.user_id());
    end if;
    if new.deleted_at is not null and old.deleted_at is null then
        delete from chat_mentions where company_id = new.company_id and message_id = new.id;
    elsif new.mentions <> old.mentions then
        delete from chat_mentions where company_id = new.company_id and message_id = new.id and way <> all (has);
        insert into chat_mentions (company_id, user_id, message_id, channel_id, root_id, place, thread_place, way)
        select new.company_id, mentioned.user_id, new.id, new.channel_id, new.root_id, new.place, new.thread_place, mentioned.way
          from app.mentioned(new.channel_id, array(select way from unnest(has) way where way <> all (had) or way like 'person:%')) mentioned
         where mentioned.user_id <> new.author_id
            on conflict do nothing;
        if new.root_id is not null then
            insert into chat_thread_followers as followers (company_id, root_id, channel_id, user_id, read_place)
            select new.company_id, new.root_id, new.channel_id, named.user_id,
                   (select min(thread_place) - 1
                      from chat_mentions
                     where company_id = new.company_id and user_id = named.user_id and root_id = new.root_id)
              from chat_mentions named
             where named.company_id = new.company_id and named.message_id = new.id and named.way like 'person:%'
               and (named.way <> all (had) or not exists (
                    select from chat_thread_followers own
                     where own.company_id = new.company_id and own.root_id = new.root_id and own.user_id = named.user_id))
             order by named.user_id
                on conflict (company_id, root_id, user_id) do update set is_following = true;
        end if;
    end if;
    return new;
end
$$;

-- Where nobody who manages a channel is there any more, whoever is longest in it does, until one of those is back.
create or replace function app.manages_channel(channel uuid) returns boolean
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (
        select exists (
            select from channels
              left join channel_members member
                on member.company_id = channels.company_id and member.channel_id = channels.id and member.user_id = app.user_id()
             where channels.company_id = app.company_id() and channels.id = channel and channels.kind <> 'direct'
               and (member.is_manager
                    or (channels.kind = 'public' or member.user_id is not null) and app.has_role('supervisor', 'admin')
                    or member.user_id = (select case when bool_or(others.is_manager) then null
                                                     else (array_agg(others.user_id order by others.joined_at, others.user_id))[1] end
                                           from app.channel_people(array[channel]) people
                                           join channel_members others
                                             on others.company_id = channels.company_id and others.channel_id = channel and others.user_id = people.user_id))));
end
$$;

-- What pings renew is written for nobody but staff, and said in one statement for all.
grant update (status) on presence_leases to app_student;

-- Nobody changes what was planned but to call it off.
revoke update (asked, due_at) on scheduled_chat_messages from app_staff;

-- A planned message did not go out.
create function app.notify_of_planned() returns trigger language plpgsql as $$
begin
    -- It leads nowhere: where it was to be said, its author may see nothing any more.
    perform app.notify(jsonb_build_object(
        'type', 'planned_failed', 'people', jsonb_build_array(new.author_id), 'cause', 'planned:' || new.id, 'group_key', 'planned',
        'tells_actor', true, 'source_id', new.id));
    return null;
end
$$;
create trigger scheduled_messages_failed_told after update of state on scheduled_messages for each row
    when (new.state = 'failed' and old.state <> 'failed')
    execute function app.notify_of_planned();
create trigger scheduled_chat_messages_failed_told after update of state on scheduled_chat_messages for each row
    when (new.state = 'failed' and old.state <> 'failed')
    execute function app.notify_of_planned();

-- A long job that somebody had started has ended.
create function app.notify_of_job() returns trigger language plpgsql as $$
begin
    perform app.notify(jsonb_build_object(
        'type', 'export_ready', 'people', jsonb_build_array(new.started_by), 'cause', 'job:' || new.id || ':' || new.state, 'group_key', 'job:' || new.id,
        'tells_actor', true, 'source_id', new.id,
        'facts', jsonb_build_object('variant', case new.state when 'failed' then 'failed' else new.kind end, 'job', new.kind)));
    return null;
end
$$;
create trigger job_progress_told after update of finished_at on job_progress for each row
    when (old.finished_at is null and new.finished_at is not null and new.started_by is not null and new.state in ('done', 'failed'))
    execute function app.notify_of_job();

-- Conversations and clients that become part of others, and those that are parted again: what leads to them follows.
create function app.move_notifications() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_table_name = 'clients' and old.merged_into_id is null then
        update notifications set client_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and client_id = new.id;
    elsif tg_table_name = 'clients' then
        update notifications set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    elsif old.merged_into_id is null then
        -- What its client has written was told of when it came: the other takes over how much it was next.
        perform set_config('app.joining', new.merged_into_id::text, true);
        update notifications set conversation_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and conversation_id = new.id;
    else
        update notifications set conversation_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
alter function app.move_notifications owner to app_lookup;
create trigger clients_notifications after update of merged_into_id on clients for each row
    when ((new.merged_into_id is null) <> (old.merged_into_id is null))
    execute function app.move_notifications();
create trigger conversations_notifications after update of merged_into_id on conversations for each row
    when ((new.merged_into_id is null) <> (old.merged_into_id is null))
    execute function app.move_notifications();

-- Somebody is mentioned in a note: those newly named.
create function app.notify_of_note() returns trigger language plpgsql as $$
declare
    named uuid[] := new.mention_ids;
    unnamed uuid[];
begin
    if tg_op = 'UPDATE' then
        if new.deleted_at is not null then
            perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(new.id)));
            return null;
        end if;
        named := array(select unnest(named) except select unnest(old.mention_ids));
        unnamed := array(select unnest(old.mention_ids) except select unnest(new.mention_ids));
        if unnamed <> '{}' then
            perform app.settle_notifications(jsonb_build_object('gone_ids', jsonb_build_array(new.id), 'gone_for', to_jsonb(unnamed)));
        end if;
    end if;
    if named <> '{}' then
        perform app.notify(jsonb_build_object(
            'type', 'mention', 'people', to_jsonb(named), 'cause', 'note:' || new.id, 'group_key', 'note:' || new.id,
            'conversation_id', new.conversation_id, 'client_id', case when new.conversation_id is null then new.client_id end,
            'source_id', new.id));
    end if;
    return null;
end
$$;
create trigger notes_told after insert or update of mention_ids, deleted_at on notes for each row execute function app.notify_of_note();

-- What people are told of their account by mail, they are told here too.
create function app.notify_of_mail() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    person uuid := (select id from users where email = new.to_address);
begin
    if person is not null then
        perform app.notify(jsonb_build_object(
            'type', 'security', 'people', jsonb_build_array(person), 'cause', 'mail:' || new.id, 'group_key', 'security:' || new.template,
            'tells_actor', true, 'facts', jsonb_build_object('variant', new.template, 'device', new.data ->> 'device')));
    end if;
    return null;
end
$$;
alter function app.notify_of_mail owner to app_lookup;
create trigger mails_told after insert on mails for each row
    when (new.template in ('new_device', 'password_changed', 'two_factor_enabled', 'two_factor_disabled', 'recovery_codes_renewed'))
    execute function app.notify_of_mail();

-- What is older than three months goes, read or not.
create function app.sweep_notifications(most integer) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint;
    more bigint;
begin
    delete from notifications where ctid in (
        select ctid from notifications where at < now() - interval '90 days' limit most for update skip locked);
    get diagnostics gone = row_count;
    delete from notification_causes where ctid in (
        select ctid from notification_causes where at < now() - interval '90 days' limit most for update skip locked);
    get diagnostics more = row_count;
    return gone + more;
end
$$;
alter function app.sweep_notifications owner to app_lookup;
revoke all on function app.sweep_notifications from public;
grant execute on function app.sweep_notifications to app;
