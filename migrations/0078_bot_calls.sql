-- Turns that stop until somebody else has answered, and what a flow holds on to: its files, and the job by which it goes on.

-- The job by which the flow goes on by itself: of a call, a wait, or of who says nothing. Any other moves nothing.
alter table conversations add column bot_job_id uuid;
grant select (bot_job_id) on conversations to app_system;

-- Whom people give back to the bot, it does not know: nothing that was answered to it before counts.
create or replace function app.begin_anew() returns trigger language plpgsql as $$
begin
    new.bot_flow_id := coalesce((select bot_flow_id from public.channel_accounts where id = new.channel_account_id), new.bot_flow_id);
    new.bot_node := null;
    new.bot_fields := '{}';
    new.bot_misses := 0;
    new.bot_turns := 0;
    new.bot_job_id := null;
    new.bot_answered := new.inbound_count;
    return new;
end
$$;

-- A bot that fills in what a client answers goes by the rules of people.
grant execute on function app.find_namesake to app_system;

-- Whether there is what the calls of flows are signed with; sealed, it is no secret to who publishes them.
create policy leaders_read on company_secrets for select to app_staff
    using (name = 'bot' and (select app.has_role('supervisor', 'admin')));

-- The files that a flow sends.
create function app.files_of_flow(definition jsonb) returns uuid[] language sql immutable as $$
    select coalesce(array_agg(distinct (media ->> 'file_id')::uuid), '{}')
      from jsonb_path_query(definition, '$.nodes.*.media') media
     where media ->> 'file_id' ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
$$;
grant execute on function app.files_of_flow to app_staff, app_system, app_lookup;

-- What is published has its files: they are held, so that none goes meanwhile.
create function app.hold_flow_files() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    named uuid[] := app.files_of_flow(new.definition);
begin
    perform from files where company_id = new.company_id and id = any (named) order by id for key share;
    if (select count(*) from files where company_id = new.company_id and id = any (named) and status = 'ready') < cardinality(named) then
        raise serialization_failure using message = 'a file of the flow has just gone';
    end if;
    return new;
end
$$;
alter function app.hold_flow_files owner to app_lookup;
create trigger bot_flows_files before insert on bot_flows
    for each row when (new.number > 0) execute function app.hold_flow_files();

-- A file that a published flow sends stays, as what was sent does.
create function app.keep_flow_files() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from (select distinct on (key) definition
                              from bot_flows
                             where company_id = old.company_id and number > 0 and removed_at is null
                             order by key, number desc) published
                where old.id = any (app.files_of_flow(definition))) then
        raise foreign_key_violation using message = 'a published flow has this file', constraint = 'bot_flows_files';
    end if;
    return old;
end
$$;
alter function app.keep_flow_files owner to app_lookup;
create trigger files_of_flows before delete on files for each row execute function app.keep_flow_files();
