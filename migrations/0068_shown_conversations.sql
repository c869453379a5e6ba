-- What a subscriber of BotConversa shows of their conversation follows it, whoever changes it: the job reads how things stand when it is done, so that
-- of several changes the last one is shown, in order for each client.

-- Pairs of channel account and client, of which something else is to be shown. Nothing is written yet: jobs are locked last, with the commit.
create function app.note_shown() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    asked text[] := coalesce(nullif(current_setting('app.conversations_to_show', true), ''), '{}')::text[];
    wanted text := new.channel_account_id || ':' || new.client_id;
begin
    if wanted <> all (asked)
       and exists (select from channel_accounts
                    where company_id = new.company_id and id = new.channel_account_id and kind = 'botconversa' and status = 'active'
                      and removed_at is null and jsonb_strip_nulls(settings -> 'shows') <> '{}') then
        perform set_config('app.conversations_to_show', (asked || wanted)::text, true);
    end if;
    return null;
end
$$;
alter function app.note_shown owner to app_lookup;
create trigger conversations_shown after update on conversations
    for each row when (old.status <> new.status or old.assignee_id is distinct from new.assignee_id or old.client_id <> new.client_id)
    execute function app.note_shown();
create trigger conversations_shown_from_the_start after insert on conversations for each row execute function app.note_shown();

-- As before, with what subscribers show.
create or replace function app.add_asked_jobs() returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
    to_assign uuid[];
    to_show text[];
    wanted record;
    job uuid;
    added jsonb := '[]';
begin
    if current_setting('role') = 'app_student'
       or coalesce(current_setting('app.departments_to_assign', true), '') = ''
      and coalesce(current_setting('app.conversations_to_show', true), '') = '' then
        return null;
    end if;
    to_assign := nullif(current_setting('app.departments_to_assign', true), '');
    to_show := nullif(current_setting('app.conversations_to_show', true), '');
    perform set_config('app.departments_to_assign', '', true), set_config('app.conversations_to_show', '', true);
    for wanted in
        select 'assign_waiting_conversation' as kind, 'automation' as queue, app.company_id()::text as lane, department::text as key,
               jsonb_build_object('department_id', department) as payload
          from unnest(to_assign) department
         group by department
         union all
        select 'show_conversation', 'sync', 'show:' || pair, pair,
               jsonb_build_object('channel_account_id', split_part(pair, ':', 1), 'client_id', split_part(pair, ':', 2))
          from unnest(to_show) pair
         group by pair
         order by kind, key
    loop
        loop
            insert into jobs (id, kind, queue, lane, key, payload, dispatched_at, dispatches)
            values (gen_random_uuid(), wanted.kind, wanted.queue, wanted.lane, wanted.key, wanted.payload, now(), 1)
            on conflict (company_id, kind, key) where key is not null and finished_at is null do nothing
            returning id into job;
            if found then
                added := added || jsonb_build_object('id', job, 'queue', wanted.queue, 'lane', wanted.lane, 'dispatches', 1);
                exit;
            end if;
            perform from jobs
              where company_id = app.company_id() and kind = wanted.kind and key = wanted.key and finished_at is null
                for share;
            exit when found;
        end loop;
    end loop;
    return added;
end
$$;
