-- What leads set off that enter a stage: each automation once for each entry, whatever becomes of whoever does it.

alter table lead_stages add unique (company_id, id);

-- As the stage had them when the lead entered. What was done is written with its effect, in one transaction.
create table lead_automations (
    id           uuid not null default gen_random_uuid(),
    company_id   uuid not null default app.company_id() references companies,
    -- The row of the lead's stages that says so.
    entry_id     uuid not null,
    place        integer not null check (place between 0 and 9),
    lead_id      uuid not null,
    automation   jsonb not null,
    -- Null of what is still to be done.
    outcome      text check (outcome in ('done', 'task', 'skipped', 'failed')),
    reason       text check (reason ~ '^[a-z_]{1,60}$'),
    message_id   uuid,
    task_id      uuid,
    execution_id uuid,
    at           timestamptz,
    primary key (company_id, entry_id, place),
    unique (company_id, id),
    foreign key (company_id, entry_id) references lead_stages (company_id, id),
    foreign key (company_id, lead_id) references leads (company_id, id),
    check ((outcome is null) = (at is null))
);
create index lead_automations_lead on lead_automations (company_id, lead_id, at, id);
call app.protect('lead_automations');
call app.open_to_lookup('lead_automations', 'select, insert');
revoke insert, update, delete on lead_automations from app_system;
grant update (outcome, reason, message_id, task_id, execution_id, at) on lead_automations to app_system;
create policy seen_leads on lead_automations as restrictive for select to app_staff
    using (exists (select from leads where leads.company_id = lead_automations.company_id and leads.id = lead_id));

-- As before, and the stage's automations are asked for: not by what is off the board, nor by a table that comes in (`app.is_import`), nor
-- by what goes along with a stage that is no more (`app.stages_drawn`).
create or replace function app.note_stage() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    entry uuid := gen_random_uuid();
begin
    if tg_op = 'UPDATE' then
        update lead_stages set left_at = greatest(new.entered_at, entered_at) where company_id = new.company_id and lead_id = new.id and left_at is null;
    end if;
    insert into lead_stages (id, company_id, lead_id, pipeline_id, stage_id, stage_name, stage_kind, by_id, entered_at)
    select entry, new.company_id, new.id, new.pipeline_id, new.stage_id, name, kind, app.user_id(), new.entered_at
      from stages where company_id = new.company_id and id = new.stage_id;
    if new.deleted_at is not null or 'on' in (current_setting('app.is_import', true), current_setting('app.stages_drawn', true)) then
        return null;
    end if;
    insert into lead_automations (company_id, entry_id, place, lead_id, automation)
    select new.company_id, entry, wanted.place - 1, new.id, wanted.automation
      from stages
     cross join lateral jsonb_array_elements(stages.automations) with ordinality wanted (automation, place)
     where stages.company_id = new.company_id and stages.id = new.stage_id and wanted.place <= 10;
    if found then
        perform set_config('app.stages_entered', concat_ws(',', nullif(current_setting('app.stages_entered', true), ''), new.id || ':' || entry), true);
    end if;
    return null;
end
$$;

-- As before, with what stages do by themselves: of many at once as many are sent as there is room for, and the others follow those that finish.
create or replace function app.add_asked_jobs() returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
    to_assign uuid[];
    to_show text[];
    for_ai text[];
    entered text[];
    room integer;
    wanted record;
    job uuid;
    added jsonb := '[]';
begin
    if current_setting('role') = 'app_student'
       or coalesce(current_setting('app.departments_to_assign', true), '') = ''
      and coalesce(current_setting('app.conversations_to_show', true), '') = ''
      and coalesce(current_setting('app.work_for_ai', true), '') = ''
      and coalesce(current_setting('app.stages_entered', true), '') = '' then
        return null;
    end if;
    to_assign := nullif(current_setting('app.departments_to_assign', true), '');
    to_show := nullif(current_setting('app.conversations_to_show', true), '');
    for_ai := nullif(current_setting('app.work_for_ai', true), '');
    entered := string_to_array(nullif(current_setting('app.stages_entered', true), ''), ',');
    perform set_config('app.departments_to_assign', '', true), set_config('app.conversations_to_show', '', true),
            set_config('app.work_for_ai', '', true), set_config('app.stages_entered', '', true);
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
         union all
        select split_part(work, ':', 1), 'ai', 'ai:' || split_part(work, ':', 2), split_part(work, ':', 2),
               jsonb_build_object(case split_part(work, ':', 1) when 'transcribe_message' then 'message_id' when 'analyse_conversation' then 'conversation_id'
                                  else 'company_id' end, split_part(work, ':', 2))
          from unnest(for_ai) work
         group by work
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
    if entered is not null then
        room := app.room_for_jobs(app.company_id(), 'stages');
        with placed as (
            insert into jobs (id, kind, queue, lane, key, payload, dispatched_at, dispatches)
            select gen_random_uuid(), 'run_stage_automation', 'stages', 'lead:' || split_part(entry, ':', 1), split_part(entry, ':', 2),
                   jsonb_build_object('entry_id', split_part(entry, ':', 2)), case when place <= room then now() end, (place <= room)::integer
              from unnest(entered) with ordinality entries (entry, place)
             order by place
            returning id, queue, lane, dispatches, dispatched_at
        )
        select added || coalesce(jsonb_agg(to_jsonb(placed) - 'dispatched_at'), '[]') into added from placed where dispatched_at is not null;
    end if;
    return added;
end
$$;

-- Who is told that a lead has come to a stage.
insert into notification_types (type, position, caused_by, sound, on_screen, rings, by_mail, by_push, words) values
('lead_entered_stage', 145, 'system', 'assignment', true, true, false, true, '{
    "pt-BR": {"name": "Leads que entram numa etapa", "title": "{lead} entrou em {stage}", "titles": "{lead} entrou em {stage}", "body": "{text|}"},
    "en": {"name": "Leads that enter a stage", "title": "{lead} is in {stage}", "titles": "{lead} is in {stage}", "body": "{text|}"}}');

create or replace view lead_history with (security_invoker = true) as
    select id, lead_id, 'change' as kind, at, by_id, jsonb_build_object('changes', changes) as data from lead_changes
    union all
    select id, lead_id, 'stage', entered_at, by_id,
           jsonb_build_object('stage_id', stage_id, 'pipeline_id', pipeline_id, 'name', stage_name, 'kind', stage_kind, 'left_at', app.rfc3339(left_at))
      from lead_stages
    union all
    select id, lead_id, 'interaction', at, author_id,
           jsonb_build_object('source', source, 'type', type, 'summary', summary, 'result', result, 'next_step', next_step)
      from lead_interactions
    union all
    select id, lead_id, 'merge', at, by_id, jsonb_build_object('merged_lead_id', merged_id, 'undone_at', app.rfc3339(undone_at)) from lead_merges
    union all
    select automations.id, automations.lead_id, 'automation', automations.at, null,
           jsonb_build_object('automation', automations.automation ->> 'kind', 'stage_name', entries.stage_name, 'outcome', automations.outcome,
                              'reason', automations.reason, 'message_id', automations.message_id, 'task_id', automations.task_id,
                              'execution_id', automations.execution_id)
      from lead_automations automations
      join lead_stages entries on entries.company_id = automations.company_id and entries.id = automations.entry_id
     where automations.outcome is not null;
