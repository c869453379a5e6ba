-- What names somebody in a thread, or all of its channel: told by name and counted as unread alike.

-- Unread mentions in threads are looked for by whom they mean.
create index chat_mentions_threads on chat_mentions (company_id, user_id, root_id, thread_place) where root_id is not null;

-- As before, and who is named follows the thread whatever they have chosen before. What already mentions somebody who begins to follow stays unread.
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

-- As before, of whom an edit names newly.
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
