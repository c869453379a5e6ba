-- The team's own rooms and what is said in them. No client, student or visitor has a right on any of it.

create table channels (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    kind            text not null check (kind in ('public', 'private', 'direct')),
    name            text check (char_length(name) between 1 and 80),
    -- Under which no two are alike to the eye. Made by `channels::name_key`.
    name_key        text,
    topic           text not null default '' check (char_length(topic) <= 500),
    -- Who posts there leads, or manages it; everybody answers in threads.
    is_announcement boolean not null default false,
    -- The one that all staff are in.
    is_general      boolean not null default false,
    -- Whose direct messages these are: the sorted ids. There is one channel for a set of people.
    members_key     text,
    -- The place of the newest message. Places are given under this row's lock, in the order of commits.
    last_place      bigint not null default 0,
    last_message_at timestamptz,
    created_by_id   uuid references users,
    archived_at     timestamptz,
    version         integer not null default 1,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    unique (company_id, id),
    check ((kind = 'direct') = (name is null)),
    check ((kind = 'direct') = (members_key is not null)),
    check ((name is null) = (name_key is null)),
    check (not is_general or kind = 'public' and archived_at is null)
);
create unique index channels_name on channels (company_id, name_key) where archived_at is null;
create unique index channels_people on channels (company_id, members_key);
create unique index channels_general on channels (company_id) where is_general;
create index channels_created on channels (company_id, created_at, id);

create table channel_members (
    company_id   uuid not null default app.company_id(),
    channel_id   uuid not null,
    user_id      uuid not null,
    is_manager   boolean not null default false,
    -- Everything up to here was read.
    read_place   bigint not null default 0,
    level        text not null default 'all' check (level in ('all', 'mentions', 'nothing')),
    is_muted     boolean not null default false,
    muted_until  timestamptz,
    is_favorite  boolean not null default false,
    is_hidden    boolean not null default false,
    draft        text not null default '' check (char_length(draft) <= 8000),
    drafted_at   timestamptz,
    added_by_id  uuid,
    joined_at    timestamptz not null default now(),
    primary key (company_id, channel_id, user_id),
    foreign key (company_id, channel_id) references channels (company_id, id),
    foreign key (company_id, user_id) references memberships (company_id, user_id)
);
create index channel_members_user on channel_members (company_id, user_id, channel_id) include (read_place);

create table chat_messages (
    id                uuid primary key,
    company_id        uuid not null default app.company_id(),
    channel_id        uuid not null,
    -- Of an answer in a thread, the message that it is an answer to.
    root_id           uuid,
    -- Its place in the channel; none for an answer that is in its thread only.
    place             bigint,
    thread_place      bigint,
    is_in_channel     boolean not null,
    author_id         uuid not null default app.user_id(),
    client_message_id text check (char_length(client_message_id) between 1 and 100),
    body              text not null check (char_length(body) <= 8000),
    -- As asked for: {user_ids, department_ids, channel, here}.
    mentions          jsonb not null default '{}',
    quote_id          uuid,
    forwarded_from_id uuid,
    -- Whose words a forwarded message has.
    forwarded_author_id uuid,
    -- References only; what is shown of them is looked up for whoever looks.
    cards             jsonb not null default '[]' check (jsonb_array_length(cards) <= 5),
    file_ids          uuid[] not null default '{}' check (cardinality(file_ids) <= 10),
    reply_count       bigint not null default 0,
    last_reply_at     timestamptz,
    revision          integer not null default 1,
    created_at        timestamptz not null default clock_timestamp(),
    edited_at         timestamptz,
    deleted_at        timestamptz,
    deleted_by_id     uuid references users,
    unique (company_id, id),
    foreign key (company_id, channel_id) references channels (company_id, id),
    foreign key (company_id, root_id) references chat_messages (company_id, id),
    foreign key (company_id, quote_id) references chat_messages (company_id, id),
    foreign key (company_id, forwarded_from_id) references chat_messages (company_id, id),
    foreign key (company_id, author_id) references memberships (company_id, user_id),
    check (root_id is not null or is_in_channel),
    check ((deleted_at is null) = (deleted_by_id is null)),
    check (deleted_at is not null or body <> '' or cards <> '[]' or file_ids <> '{}')
);
create unique index chat_messages_client on chat_messages (company_id, author_id, channel_id, client_message_id);
create unique index chat_messages_place on chat_messages (company_id, channel_id, place);
create unique index chat_messages_thread on chat_messages (company_id, root_id, thread_place) where root_id is not null;
create index chat_messages_words on chat_messages using gin (app.stems(company_id, app.searchable(body))) with (fastupdate = off)
    where body <> '' and deleted_at is null;
create index chat_messages_at on chat_messages (company_id, created_at desc, id desc) where deleted_at is null;
create index chat_messages_author on chat_messages (company_id, author_id, created_at desc, id desc) where deleted_at is null;

create table chat_message_files (
    company_id uuid not null,
    file_id    uuid not null,
    message_id uuid not null,
    primary key (company_id, file_id, message_id),
    foreign key (company_id, message_id) references chat_messages (company_id, id)
);
create index chat_message_files_message on chat_message_files (company_id, message_id);

-- What a message said before.
create table chat_message_revisions (
    company_id     uuid not null,
    message_id     uuid not null,
    revision       integer not null,
    body           text not null,
    replaced_at    timestamptz not null default now(),
    replaced_by_id uuid not null,
    primary key (company_id, message_id, revision),
    foreign key (company_id, message_id) references chat_messages (company_id, id)
);

-- Who is mentioned, by their name or by what else (`channel`, `here`, `department:<id>`).
create table chat_mentions (
    company_id   uuid not null,
    user_id      uuid not null,
    message_id   uuid not null,
    channel_id   uuid not null,
    root_id      uuid,
    place        bigint,
    thread_place bigint,
    way          text not null,
    at           timestamptz not null default clock_timestamp(),
    primary key (company_id, message_id, user_id),
    foreign key (company_id, message_id) references chat_messages (company_id, id)
);
create index chat_mentions_place on chat_mentions (company_id, user_id, channel_id, place);
create index chat_mentions_at on chat_mentions (company_id, user_id, at desc, message_id desc);

create table chat_thread_followers (
    company_id   uuid not null default app.company_id(),
    root_id      uuid not null,
    channel_id   uuid not null,
    user_id      uuid not null default app.user_id(),
    is_following boolean not null default true,
    read_place   bigint not null default 0,
    primary key (company_id, root_id, user_id),
    foreign key (company_id, root_id) references chat_messages (company_id, id)
);
create index chat_thread_followers_user on chat_thread_followers (company_id, user_id, channel_id) where is_following;

create table chat_reactions (
    company_id uuid not null default app.company_id(),
    message_id uuid not null,
    emoji      text not null check (char_length(emoji) between 1 and 64),
    user_id    uuid not null default app.user_id(),
    at         timestamptz not null default clock_timestamp(),
    primary key (company_id, message_id, emoji, user_id),
    foreign key (company_id, message_id) references chat_messages (company_id, id)
);

create table chat_pins (
    company_id   uuid not null default app.company_id(),
    channel_id   uuid not null,
    message_id   uuid not null,
    pinned_by_id uuid not null default app.user_id(),
    pinned_at    timestamptz not null default now(),
    primary key (company_id, message_id),
    foreign key (company_id, message_id) references chat_messages (company_id, id)
);
create index chat_pins_channel on chat_pins (company_id, channel_id, pinned_at desc, message_id desc);

create table company_emoji (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    name          text not null check (name ~ '^[a-z0-9_]{2,32}$'),
    file_id       uuid not null,
    created_by_id uuid not null default app.user_id() references users,
    created_at    timestamptz not null default now(),
    foreign key (company_id, file_id) references files (company_id, id)
);
create unique index company_emoji_name on company_emoji (company_id, name);
create index company_emoji_file on company_emoji (company_id, file_id);

-- To be posted later: the row decides whether it still is, whatever jobs come for it.
create table scheduled_chat_messages (
    id         uuid primary key,
    company_id uuid not null default app.company_id(),
    channel_id uuid not null,
    author_id  uuid not null default app.user_id(),
    -- What `POST /channels/{id}/messages` takes.
    asked      jsonb not null,
    due_at     timestamptz not null,
    state      text not null default 'waiting' check (state in ('waiting', 'posted', 'failed', 'cancelled')),
    failure    text,
    message_id uuid,
    created_at timestamptz not null default now(),
    unique (company_id, id),
    foreign key (company_id, channel_id) references channels (company_id, id),
    foreign key (company_id, message_id) references chat_messages (company_id, id)
);
create index scheduled_chat_messages_due on scheduled_chat_messages (company_id, author_id, due_at, id);

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Who sees what.

call app.protect('channels');
call app.protect('channel_members');
call app.protect('chat_messages');
call app.protect('chat_message_files');
call app.protect('chat_message_revisions');
call app.protect('chat_mentions');
call app.protect('chat_thread_followers');
call app.protect('chat_reactions');
call app.protect('chat_pins');
call app.protect('company_emoji');
call app.protect('scheduled_chat_messages');
call app.open_to_lookup('channels', 'select, insert, update');
call app.open_to_lookup('channel_members', 'select, insert, update, delete');
call app.open_to_lookup('chat_messages', 'select, update');
call app.open_to_lookup('chat_message_files', 'select, insert');
call app.open_to_lookup('chat_message_revisions', 'insert');
call app.open_to_lookup('chat_mentions', 'select, insert, delete');
call app.open_to_lookup('chat_thread_followers', 'select, insert, update');
call app.open_to_lookup('chat_pins', 'select');
call app.open_to_lookup('company_emoji', 'select');
call app.open_to_lookup('scheduled_chat_messages', 'select');

-- The channels that the caller is in.
create function app.my_channels() returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select channel_id from channel_members where company_id = app.company_id() and user_id = app.user_id();
end
$$;
alter function app.my_channels owner to app_lookup;
revoke all on function app.my_channels from public;
grant execute on function app.my_channels to app_staff;

-- Who of these channels' members is at work in the company: what is told to a channel is told to them.
create function app.channel_people(wanted uuid[]) returns table (channel_id uuid, user_id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select channel_members.channel_id, channel_members.user_id
      from channel_members
      join memberships on memberships.company_id = channel_members.company_id and memberships.user_id = channel_members.user_id
     where channel_members.company_id = app.company_id() and channel_members.channel_id = any (wanted)
       and memberships.status = 'active' and memberships.role <> 'student';
end
$$;
alter function app.channel_people owner to app_lookup;
revoke all on function app.channel_people from public;
grant execute on function app.channel_people to app_staff, app_system;

-- Who changes a channel: its managers, and who leads the company where they see it.
create function app.manages_channel(channel uuid) returns boolean
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (
        select exists (
            select from channels
              left join channel_members member
                on member.company_id = channels.company_id and member.channel_id = channels.id and member.user_id = app.user_id()
             where channels.company_id = app.company_id() and channels.id = channel and channels.kind <> 'direct'
               and (member.is_manager
                    or (channels.kind = 'public' or member.user_id is not null) and app.has_role('supervisor', 'admin'))));
end
$$;
alter function app.manages_channel owner to app_lookup;
revoke all on function app.manages_channel from public;
grant execute on function app.manages_channel to app_staff;

alter policy staff on channels
    using (kind = 'public' or id in (select app.my_channels()));
create policy managed on channels as restrictive for update to app_staff using (app.manages_channel(id));
grant update (name, name_key, topic, is_announcement, archived_at, version, updated_at) on channels to app_staff;
revoke insert, update, delete on channels from app_system;

alter policy staff on channel_members
    using (user_id = (select app.user_id())
           or channel_id in (select app.my_channels())
           or exists (select from channels where channels.id = channel_id and kind = 'public'));
create policy own_changes on channel_members as restrictive for update to app_staff using (user_id = (select app.user_id()));
grant update (read_place, level, is_muted, muted_until, is_favorite, is_hidden, draft, drafted_at) on channel_members to app_staff;
revoke insert, update, delete on channel_members from app_system;

alter policy staff on chat_messages using (channel_id in (select app.my_channels()));
create policy own_words on chat_messages as restrictive for insert to app_staff with check (author_id = (select app.user_id()));
create policy own_changes on chat_messages as restrictive for update to app_staff
    using (author_id = (select app.user_id()) or app.manages_channel(channel_id));
grant insert (id, channel_id, author_id, root_id, is_in_channel, client_message_id, body, mentions, quote_id, forwarded_from_id, forwarded_author_id, cards, file_ids),
      update (body, mentions, edited_at, deleted_at, deleted_by_id)
   on chat_messages to app_staff;
revoke insert, update, delete on chat_messages from app_system;
grant insert (id, channel_id, author_id, root_id, is_in_channel, client_message_id, body, mentions, quote_id, forwarded_from_id, forwarded_author_id, cards, file_ids)
   on chat_messages to app_system;

alter policy staff on chat_message_files
    using (exists (select from chat_messages where chat_messages.id = message_id and deleted_at is null));
alter policy staff on chat_message_revisions
    using (exists (select from chat_messages where chat_messages.id = message_id and deleted_at is null));
alter policy staff on chat_mentions using (user_id = (select app.user_id()) and channel_id in (select app.my_channels()));
alter policy staff on chat_thread_followers using (user_id = (select app.user_id()) and channel_id in (select app.my_channels()));
alter policy staff on chat_reactions
    using (exists (select from chat_messages where chat_messages.id = message_id and deleted_at is null));
create policy own on chat_reactions as restrictive for insert to app_staff with check (user_id = (select app.user_id()));
create policy own_deletes on chat_reactions as restrictive for delete to app_staff using (user_id = (select app.user_id()));
alter policy staff on chat_pins
    using (exists (select from chat_messages where chat_messages.id = message_id and deleted_at is null));
create policy own on chat_pins as restrictive for insert to app_staff with check (pinned_by_id = (select app.user_id()));
create policy own on company_emoji as restrictive for insert to app_staff with check (created_by_id = (select app.user_id()));
create policy own_deletes on company_emoji as restrictive for delete to app_staff
    using (created_by_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin')));
alter policy staff on scheduled_chat_messages
    using (author_id = (select app.user_id()) and channel_id in (select app.my_channels()));
revoke insert, update, delete
    on chat_message_files, chat_message_revisions, chat_mentions, chat_thread_followers, chat_reactions, chat_pins, company_emoji,
       scheduled_chat_messages
  from app_system;
grant insert (root_id, channel_id, is_following, read_place), update (is_following, read_place) on chat_thread_followers to app_staff;
grant insert (message_id, emoji), delete on chat_reactions to app_staff;
grant insert (channel_id, message_id), delete on chat_pins to app_staff;
grant insert (id, name, file_id), delete on company_emoji to app_staff;
grant insert (id, channel_id, asked, due_at), update (asked, due_at, state) on scheduled_chat_messages to app_staff;
grant update (state, failure, message_id) on scheduled_chat_messages to app_system;

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Channels and their members.

-- Who of these people is no active staff.
create function app.no_colleagues(people uuid[]) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return array(select person from unnest(people) person
                  where not exists (select from memberships
                                     where company_id = app.company_id() and user_id = person
                                       and status = 'active' and role <> 'student'));
end
$$;
alter function app.no_colleagues owner to app_lookup;
revoke all on function app.no_colleagues from public;
grant execute on function app.no_colleagues to app_staff;

-- A new channel with whoever makes it, who manages it, and these people.
create function app.make_channel(channel uuid, of_kind text, called text, key text, about text, announces boolean, people uuid[])
    returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into channels (id, kind, name, name_key, topic, is_announcement, created_by_id)
    values (channel, of_kind, called, app.look(key), about, announces, app.user_id());
    insert into channel_members (channel_id, user_id, is_manager, added_by_id)
    select channel, person, person = app.user_id(), app.user_id()
      from (select distinct unnest(people || app.user_id())) of_people (person)
     where app.no_colleagues(array[person]) = '{}';
end
$$;
alter function app.make_channel owner to app_lookup;
revoke all on function app.make_channel from public;
grant execute on function app.make_channel to app_staff;

-- The channel of these people and the caller, made by whoever opens it first.
create function app.open_direct(new_id uuid, people uuid[], out channel uuid, out is_new boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    everybody uuid[] := array(select distinct person from unnest(people || app.user_id()) person order by person);
begin
    is_new := false;
    insert into channels (id, kind, members_key, created_by_id)
    values (new_id, 'direct', array_to_string(everybody, ','), app.user_id())
        on conflict (company_id, members_key) do nothing
    returning id into channel;
    if found then
        is_new := true;
        insert into channel_members (channel_id, user_id, added_by_id)
        select channel, person, app.user_id() from unnest(everybody) person;
    else
        select id into channel from channels
         where company_id = app.company_id() and members_key = array_to_string(everybody, ',');
    end if;
end
$$;
alter function app.open_direct owner to app_lookup;
revoke all on function app.open_direct from public;
grant execute on function app.open_direct to app_staff;

-- Puts people into a channel under its row's lock. Who joins by themselves needs a public one; who adds others is in it, or manages it.
create function app.add_to_channel(channel uuid, people uuid[], out outcome text, out added uuid[])
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    held channels;
    is_in boolean := channel in (select app.my_channels());
begin
    added := '{}';
    select * into held from channels where company_id = app.company_id() and id = channel for no key update;
    outcome := case when not found or held.kind <> 'public' and not is_in then 'not_found'
                    when held.kind = 'direct' then 'direct'
                    when held.archived_at is not null then 'archived'
                    when people <> array[app.user_id()] and not is_in and not app.manages_channel(channel) then 'not_member'
                    when people <> array[app.user_id()] and held.is_announcement and not app.manages_channel(channel) then 'not_manager'
                    else 'done'
               end;
    if outcome = 'done' then
        with entered as (
            insert into channel_members (channel_id, user_id, read_place, added_by_id)
            select channel, person, held.last_place, app.user_id()
              from (select distinct unnest(people)) of_people (person)
             where app.no_colleagues(array[person]) = '{}'
             order by person
                on conflict do nothing
            returning user_id
        )
        select coalesce(array_agg(user_id), '{}') into added from entered;
    end if;
end
$$;
alter function app.add_to_channel owner to app_lookup;
revoke all on function app.add_to_channel from public;
grant execute on function app.add_to_channel to app_staff;

-- Takes somebody out of a channel: themselves, or another by who manages it. Whoever is left longest manages where nobody else does.
create function app.take_out_of_channel(channel uuid, person uuid, out outcome text)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    held channels;
begin
    select * into held from channels where company_id = app.company_id() and id = channel for no key update;
    outcome := case when not found or held.kind <> 'public' and channel not in (select app.my_channels()) then 'not_found'
                    when held.kind = 'direct' then 'direct'
                    when held.is_general then 'general'
                    when person <> app.user_id() and not app.manages_channel(channel) then 'not_manager'
                    else 'done'
               end;
    if outcome = 'done' then
        delete from channel_members where company_id = app.company_id() and channel_id = channel and user_id = person;
        if not found then
            outcome := 'not_member';
        end if;
    end if;
end
$$;
alter function app.take_out_of_channel owner to app_lookup;
revoke all on function app.take_out_of_channel from public;
grant execute on function app.take_out_of_channel to app_staff;

create function app.keep_managed() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if old.is_manager and not exists (
        select from channel_members where company_id = old.company_id and channel_id = old.channel_id and is_manager) then
        update channel_members set is_manager = true
         where company_id = old.company_id and channel_id = old.channel_id
           and user_id = (select people.user_id
                            from app.channel_people(array[old.channel_id]) people
                            join channel_members eldest
                              on eldest.company_id = old.company_id and eldest.channel_id = old.channel_id and eldest.user_id = people.user_id
                           order by eldest.joined_at, eldest.user_id
                           limit 1);
    end if;
    return null;
end
$$;
alter function app.keep_managed owner to app_lookup;
create trigger channel_members_managed after delete on channel_members for each row execute function app.keep_managed();

-- Every company has one channel that all its staff are in, from the moment they are.
create function app.make_general_channel() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into channels (id, company_id, kind, name, name_key, topic, is_general)
    values (gen_random_uuid(), new.id, 'public', 'geral', 'geral', 'Para toda a equipe', true);
    return null;
end
$$;
alter function app.make_general_channel owner to app_lookup;
create trigger companies_general_channel after insert on companies for each row execute function app.make_general_channel();

create function app.follow_membership() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.status = 'active' and new.role <> 'student' then
        insert into channel_members (company_id, channel_id, user_id, read_place)
        select company_id, id, new.user_id, last_place from channels where company_id = new.company_id and is_general
            on conflict do nothing;
    elsif new.status = 'removed' or new.role = 'student' then
        delete from channel_members
         using channels
         where channel_members.company_id = new.company_id and channel_members.user_id = new.user_id
           and channels.company_id = new.company_id and channels.id = channel_members.channel_id and channels.kind <> 'direct';
    end if;
    return null;
end
$$;
alter function app.follow_membership owner to app_lookup;
create trigger memberships_channels after insert or update of status, role on memberships
    for each row execute function app.follow_membership();

insert into channels (id, company_id, kind, name, name_key, topic, is_general)
select gen_random_uuid(), id, 'public', 'geral', 'geral', 'Para toda a equipe', true from companies;
insert into channel_members (company_id, channel_id, user_id)
select channels.company_id, channels.id, memberships.user_id
  from channels
  join memberships on memberships.company_id = channels.company_id
 where channels.is_general and memberships.status = 'active' and memberships.role <> 'student';

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Messages.

-- Gives a message its place, under the row of its channel: places are in the order of commits, so a read cursor skips none. One that is
-- there already by its `client_message_id` is not stored again, and takes no place.
create function app.place_chat_message() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    held channels;
begin
    select * into held from channels where company_id = new.company_id and id = new.channel_id for no key update;
    if not found or not exists (
        select from channel_members
         where company_id = new.company_id and channel_id = new.channel_id and user_id = new.author_id) then
        raise insufficient_privilege using message = 'not a member of the channel';
    end if;
    if exists (select from chat_messages
                where company_id = new.company_id and channel_id = new.channel_id and author_id = new.author_id
                  and client_message_id = new.client_message_id) then
        return null;
    end if;
    if held.archived_at is not null then
        raise check_violation using message = 'the channel is archived', constraint = 'chat_messages_archived';
    end if;
    -- What was planned is judged by who posts it.
    if held.is_announcement and new.is_in_channel and app.user_id() is not null and not app.manages_channel(new.channel_id) then
        raise insufficient_privilege using message = 'only who manages an announcement channel posts there';
    end if;
    -- In the order of places, whatever the clock does.
    new.created_at := greatest(clock_timestamp(), held.last_message_at);
    if new.is_in_channel then
        update channels set last_place = last_place + 1, last_message_at = new.created_at
         where company_id = new.company_id and id = new.channel_id
        returning last_place into new.place;
    end if;
    if new.root_id is not null then
        update chat_messages set reply_count = reply_count + 1, last_reply_at = new.created_at, revision = revision + 1
         where company_id = new.company_id and id = new.root_id and channel_id = new.channel_id and root_id is null
        returning reply_count into new.thread_place;
        if not found then
            raise foreign_key_violation using message = 'not the beginning of a thread', constraint = 'chat_messages_root';
        end if;
    end if;
    if new.file_ids <> '{}' then
        perform from files where company_id = new.company_id and id = any (new.file_ids) order by id for key share;
    end if;
    return new;
end
$$;
alter function app.place_chat_message owner to app_lookup;
create trigger chat_messages_placed before insert on chat_messages for each row execute function app.place_chat_message();

-- In what ways people are mentioned.
create function app.mention_ways(mentions jsonb) returns text[] language sql immutable as $$
    select array(select 'person:' || id from jsonb_array_elements_text(coalesce(mentions -> 'user_ids', '[]')) id
                 union all
                 select 'department:' || id from jsonb_array_elements_text(coalesce(mentions -> 'department_ids', '[]')) id
                 union all
                 select 'channel' where (mentions ->> 'channel')::boolean
                 union all
                 select 'here' where (mentions ->> 'here')::boolean)
$$;
grant execute on function app.mention_ways to app_staff, app_system, app_lookup;

-- Whom of a channel's people these ways mean, each once, by the narrowest.
create function app.mentioned(channel uuid, ways text[]) returns table (user_id uuid, way text)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    with people as materialized (select people.user_id from app.channel_people(array[channel]) people),
    named as (
        select people.user_id, 'person:' || people.user_id as way, 1 as breadth from people where 'person:' || people.user_id = any (ways)
        union all
        select people.user_id, 'department:' || members.department_id, 2
          from people
          join department_members members on members.company_id = app.company_id() and members.user_id = people.user_id
         where 'department:' || members.department_id = any (ways)
        union all
        select people.user_id, 'here', 3
          from people
         where 'here' = any (ways)
           and exists (select from presence_leases
                        where presence_leases.company_id = app.company_id() and presence_leases.user_id = people.user_id
                          and lease_until >= now())
        union all
        select people.user_id, 'channel', 4 from people where 'channel' = any (ways)
    )
    select distinct on (named.user_id) named.user_id, named.way from named order by named.user_id, breadth;
end
$$;
alter function app.mentioned owner to app_lookup;
revoke all on function app.mentioned from public;
grant execute on function app.mentioned to app_staff, app_system;

-- What follows from a new message: its files are the channel's, those in it are mentioned and follow its thread, and its author has read up to it.
create function app.follow_chat_message() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
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
        select new.company_id, new.root_id, new.channel_id, person, case when person = new.author_id then new.thread_place else new.thread_place - 1 end
          from (select author_id from chat_messages where company_id = new.company_id and id = new.root_id
                union
                select new.author_id
                union
                select user_id from chat_mentions where company_id = new.company_id and message_id = new.id and way like 'person:%') people (person)
         order by person
            on conflict (company_id, root_id, user_id) do update
           set read_place = case when excluded.user_id = new.author_id and has_read then new.thread_place
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
alter function app.follow_chat_message owner to app_lookup;
create trigger chat_messages_followed after insert on chat_messages for each row execute function app.follow_chat_message();
grant select on department_members, presence_leases to app_lookup;

-- What it said before is kept; an edit mentions only whom it names newly, and what is deleted mentions nobody.
create function app.change_chat_message() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
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
    end if;
    return new;
end
$$;
alter function app.change_chat_message owner to app_lookup;
create trigger chat_messages_changed before update of body, mentions, deleted_at on chat_messages
    for each row execute function app.change_chat_message();

-- A message whose reactions or pin change is shown anew: it has another revision.
create function app.show_chat_message_anew() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update chat_messages set revision = revision + 1
     where company_id = coalesce(new.company_id, old.company_id) and id = coalesce(new.message_id, old.message_id);
    return null;
end
$$;
alter function app.show_chat_message_anew owner to app_lookup;
create trigger chat_reactions_shown after insert or delete on chat_reactions
    for each row execute function app.show_chat_message_anew();
create trigger chat_pins_shown after insert or delete on chat_pins
    for each row execute function app.show_chat_message_anew();

-- So many can be looked through. Those of deleted messages are shown to nobody.
create function app.limit_chat_pins() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform from channels where company_id = new.company_id and id = new.channel_id for no key update;
    if (select count(*) from chat_pins
          join chat_messages on chat_messages.company_id = chat_pins.company_id and chat_messages.id = chat_pins.message_id
         where chat_pins.company_id = new.company_id and chat_pins.channel_id = new.channel_id and deleted_at is null) >= 100
       and not exists (select from chat_pins where company_id = new.company_id and message_id = new.message_id) then
        raise check_violation using message = 'a channel has a hundred pins at most', constraint = 'chat_pins_most';
    end if;
    return new;
end
$$;
alter function app.limit_chat_pins owner to app_lookup;
create trigger chat_pins_limited before insert on chat_pins for each row execute function app.limit_chat_pins();

-- The first `wanted` messages with all the words, of those that the caller may read and asks for, in the order asked for, behind a place. Without words,
-- those that have what else is asked for.
--
-- A sample of the first tells whether a walk through these is likely to fill the page; what is rarer is asked for by its words.
create function app.find_chat_messages(query text, in_channel uuid, by_author uuid, with_files boolean, since timestamptz, until timestamptz,
                                       at timestamptz, at_id uuid, oldest_first boolean, wanted bigint) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp set jit = off set max_parallel_workers_per_gather = 0
set enable_seqscan = off as $$
declare
    sampled constant integer := 300;
    walked constant integer := 3000;
    company uuid := app.company_id();
    words text[] := app.stems(company, app.spaced(query));
    mine uuid[] := array(select app.my_channels());
    said text := 'company_id = $1 and body <> '''' and deleted_at is null and channel_id = any ($2)'
        || case when in_channel is not null then ' and channel_id = $4' else '' end
        || case when by_author is not null then ' and author_id = $5' else '' end
        || case when with_files then ' and file_ids <> ''{}''' else '' end
        || case when since is not null then ' and created_at >= $6' else '' end
        || case when until is not null then ' and created_at < $7' else '' end
        || case when at is not null then format(' and (created_at, id) %s ($8, $9)', case when oldest_first then '>' else '<' end) else '' end;
    has_words text := case when words = '{}' then '' else ' and app.stems(company_id, app.searchable(body)) @> $3' end;
    ordered text := format(' order by created_at %1$s, id %1$s', case when oldest_first then 'asc' else 'desc' end);
    newest text := '(select * from chat_messages where company_id = $1 and deleted_at is null'
        || case when until is not null then ' and created_at < $7' else '' end
        || case when at is null then '' else format(' and (created_at, id) %s ($8, $9)', case when oldest_first then '>=' else '<=' end) end
        || ordered || ' limit %s) chat_messages';
    matches integer;
    found uuid[];
begin
    if words = '{}' and query <> '' then
        return '{}';
    end if;
    execute 'select count(*) from ' || format(newest, sampled) || ' where ' || said || has_words
       into matches using company, mine, words, in_channel, by_author, since, until, at, at_id;
    if matches * walked >= wanted * sampled then
        execute 'select array(select id from ' || format(newest, walked) || ' where ' || said || has_words || ordered || ' limit ' || wanted || ')'
           into found using company, mine, words, in_channel, by_author, since, until, at, at_id;
        if cardinality(found) >= wanted then
            return found;
        end if;
    end if;
    if words = '{}' then
        execute 'select array(select id from chat_messages where ' || said || ordered || ' limit ' || wanted || ')'
           into found using company, mine, words, in_channel, by_author, since, until, at, at_id;
    else
        -- The index is asked by itself: the planner would rather walk through all of a company's messages in order, comparing.
        execute 'with chat_messages as materialized (
                     select * from chat_messages where company_id = $1 and body <> '''' and deleted_at is null' || has_words || ')
                 select array(select id from chat_messages where ' || said || ordered || ' limit ' || wanted || ')'
           into found using company, mine, words, in_channel, by_author, since, until, at, at_id;
    end if;
    return found;
end
$$;
alter function app.find_chat_messages owner to app_lookup;
revoke all on function app.find_chat_messages from public;
grant execute on function app.find_chat_messages to app_staff;

-- Files of messages are read by whoever reads these, and stay; so does an emoji's picture.
create policy chat on files for select to app_staff
    using (exists (select from chat_message_files
                    where chat_message_files.company_id = files.company_id and chat_message_files.file_id = files.id)
           or exists (select from company_emoji
                       where company_emoji.company_id = files.company_id and company_emoji.file_id = files.id));
-- In messages of the team only, it is theirs who read these, and nobody's once they are deleted.
create or replace function app.use_of_file(file uuid) returns text
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    sent bigint;
    taken_back bigint;
begin
    select count(*), count(deleted_at) into sent, taken_back
      from messages
     where messages.company_id = app.company_id() and messages.file_id = file;
    return case when sent > taken_back then 'sent'
                when exists (select from chat_message_files where company_id = app.company_id() and file_id = file) then 'chat'
                when sent = 0 then 'unsent'
                else 'taken_back'
           end;
end
$$;
create function app.keep_chat_files() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from chat_message_files where company_id = old.company_id and file_id = old.id)
       or exists (select from scheduled_chat_messages
                   where company_id = old.company_id and author_id = old.uploaded_by and state = 'waiting'
                     and asked -> 'file_ids' ? old.id::text) then
        raise foreign_key_violation using message = 'a message of the team has this file', constraint = 'chat_message_files_file';
    end if;
    return old;
end
$$;
alter function app.keep_chat_files owner to app_lookup;
create trigger files_of_chat before delete on files for each row execute function app.keep_chat_files();

-- ---------------------------------------------------------------------------------------------------------------------------------
-- What is told to a channel is told to who is in it when it is told, and read in the feed by who is in it when it is read.

alter policy staff on events using (
    audience is null
    or (select app.sees_all()) and audience[1] !~~ 'self:%' and audience[1] !~~ 'channel:%'
    or audience && (select app.audiences())
    or audience[1] ~~ 'channel:%' and audience[1] in (select 'channel:' || channel from app.my_channels() channel));

-- The people of the channels that these events are told to; null where there are none.
create function app.people_of_channels(new_events jsonb) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    wanted uuid[] := array(select distinct substr(event -> 'audience' ->> 0, 9)::uuid
                             from jsonb_array_elements(new_events) event
                            where event -> 'audience' ->> 0 like 'channel:%');
begin
    if wanted = '{}' then
        return null;
    end if;
    return (select jsonb_object_agg(channel_id, people)
              from (select channel_id, jsonb_agg(user_id) as people from app.channel_people(wanted) group by channel_id) of_channels);
end
$$;
alter function app.people_of_channels owner to app_lookup;
revoke all on function app.people_of_channels from public;
grant execute on function app.people_of_channels to app_staff, app_student, app_system;

grant execute on function app.my_channels to app_lookup;
create or replace function app.judge_record(new_events jsonb, new_jobs jsonb) returns void language plpgsql stable as $$
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin'];
    rank integer;
    refused text;
begin
    select array_position(ranks, role) into rank
      from memberships
     where company_id = app.company_id() and user_id = app.user_id();
    select 'event ' || event.type into refused
      from jsonb_to_recordset(new_events) event (topic text, type text, audience text[])
      left join event_rules rule on rule.type = event.type
     where (array_position(ranks, rule.told_by) <= rank
            and case
                when rule.is_private then
                    event.topic = 'user:' || app.user_id() and event.audience = array['self:' || app.user_id()]
                when exists (select from unnest(event.audience) key where key like 'self:%') then
                    event.topic ~ '^user:[0-9a-f-]{36}$' and event.audience = array['self:' || substr(event.topic, 6)]
                when exists (select from unnest(event.audience) key where key like 'channel:%') then
                    event.topic = 'company:' || app.company_id() and cardinality(event.audience) = 1
                    -- Whoever has just left says so to the others.
                    and (rule.type = 'chat.member_removed'
                         or event.audience[1] in (select 'channel:' || channel from app.my_channels() channel))
                else
                    event.topic in ('company:' || app.company_id(), 'dashboard:' || app.company_id())
                    or event.topic ~ '^(conversation|user):'
                end) is not true
     limit 1;
    if refused is null then
        select 'job ' || job.kind into refused
          from jsonb_to_recordset(new_jobs) job (kind text, queue text, run_at timestamptz)
          left join job_rules rule on rule.kind = job.kind and rule.queue = job.queue
         where (array_position(ranks, rule.added_by) <= rank and job.run_at is null) is not true
         limit 1;
    end if;
    if refused is not null then
        raise insufficient_privilege using message = format('%s is not this caller''s to record: see event_rules and job_rules', refused);
    end if;
end
$$;

insert into event_rules (type, told_by, is_private) values
    ('chat.channel_created', 'agent', false),
    ('chat.channel_updated', 'agent', false),
    ('chat.member_added', 'agent', false),
    ('chat.member_removed', 'agent', false),
    ('chat.channel_joined', 'agent', false),
    ('chat.channel_left', 'agent', false),
    ('chat.channel_read', 'agent', true),
    ('chat.preferences_saved', 'agent', true),
    ('chat.thread_followed', 'agent', true),
    ('chat.message_created', 'agent', false),
    ('chat.message_updated', 'agent', false),
    ('chat.scheduled_updated', 'agent', true),
    ('chat.emoji_updated', 'agent', false);
insert into job_rules (kind, queue, added_by) values ('post_chat_message', 'chat', 'agent');
