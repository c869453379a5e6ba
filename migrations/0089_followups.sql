-- Follow-ups: sequences of steps, leads that go through them, and what ends that: a reply, an opt-out, the end of the lead.

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Sequences.

create table followup_sequences (
    id                 uuid primary key,
    company_id         uuid not null default app.company_id() references companies,
    name               text not null check (char_length(name) between 1 and 120),
    description        text not null default '' check (char_length(description) <= 2000),
    -- Whether leads are taken in and steps run.
    is_active          boolean not null default false,
    criteria           jsonb not null default '{}',
    steps              jsonb not null check (jsonb_array_length(steps) between 1 and 30),
    window_start       text not null check (window_start ~ '^[0-2][0-9]:[0-5][0-9]$'),
    window_end         text not null check (window_end ~ '^[0-2][0-9]:[0-5][0-9]$'),
    weekdays           text[] not null check (cardinality(weekdays) between 1 and 7),
    pause_weekends     boolean not null,
    pause_holidays     boolean not null,
    -- Messages and e-mails that a lead gets on a day of theirs, of all sequences together.
    max_per_day        integer not null check (max_per_day between 1 and 50),
    -- The number that it writes from; null is the one that the client was last talked to on, else the company's only one.
    channel_account_id uuid,
    created_by_id      uuid not null default app.user_id() references users,
    version            integer not null default 1,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    deleted_at         timestamptz,
    unique (company_id, id),
    constraint followup_sequences_window check (window_start < window_end),
    constraint followup_sequences_channel foreign key (company_id, channel_account_id) references channel_accounts (company_id, id)
);
create index followup_sequences_newest on followup_sequences (company_id, created_at, id) where deleted_at is null;
create unique index followup_sequences_name on followup_sequences (company_id, app.look(name)) where deleted_at is null;
create index followup_sequences_channel_account on followup_sequences (company_id, channel_account_id) where channel_account_id is not null;
-- Of all companies, those that take leads in.
create index followup_sequences_active on followup_sequences (company_id, id) where is_active and deleted_at is null;
call app.protect('followup_sequences');
revoke insert, delete on followup_sequences from app_system;
alter policy company on followup_sequences to app_staff, app_student, app_system;
create policy lookup on followup_sequences to app_lookup using (true);
grant select on followup_sequences to app_lookup;
create policy leaders_insert on followup_sequences as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on followup_sequences as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));
grant insert (id, name, description, is_active, criteria, steps, window_start, window_end, weekdays, pause_weekends, pause_holidays, max_per_day,
              channel_account_id),
      update (name, description, is_active, criteria, steps, window_start, window_end, weekdays, pause_weekends, pause_holidays, max_per_day,
              channel_account_id, version, updated_at, deleted_at)
   on followup_sequences to app_staff;

-- ---------------------------------------------------------------------------------------------------------------------------------
-- Leads on their way through them.

create table followup_executions (
    id           uuid primary key default gen_random_uuid(),
    company_id   uuid not null default app.company_id() references companies,
    sequence_id  uuid not null,
    lead_id      uuid not null,
    -- The times that the lead went through the sequence before.
    rotation     integer not null default 0 check (rotation >= 0),
    status       text not null default 'active' check (status in ('active', 'paused', 'responded', 'completed', 'cancelled', 'failed')),
    -- The one that comes next, from 0.
    current_step integer not null default 0 check (current_step >= 0),
    -- Of the present step, from 1.
    attempt      integer not null default 1 check (attempt >= 1),
    next_run_at  timestamptz,
    -- The job that looks after it; any other finds nothing to do. Null of one that none looks after yet: people add no jobs for later.
    job_id       uuid,
    -- Why it ended.
    reason       text check (reason ~ '^[a-z_]{1,60}$'),
    enrolled_by  uuid default app.user_id() references users,
    started_at   timestamptz not null default now(),
    responded_at timestamptz,
    finished_at  timestamptz,
    unique (company_id, id),
    constraint followup_executions_once unique (company_id, sequence_id, lead_id, rotation),
    foreign key (company_id, sequence_id) references followup_sequences (company_id, id),
    foreign key (company_id, lead_id) references leads (company_id, id),
    check ((status in ('active', 'paused')) = (finished_at is null)),
    check (status <> 'responded' or responded_at is not null)
);
-- One at a time.
create unique index followup_executions_open on followup_executions (company_id, sequence_id, lead_id) where finished_at is null;
create index followup_executions_lead on followup_executions (company_id, lead_id, started_at, id);
create index followup_executions_sequence on followup_executions (company_id, sequence_id, status, started_at, id);
create index followup_executions_newest on followup_executions (company_id, started_at, id);

-- What was done: each step once for an attempt, and what became of the execution.
create table followup_logs (
    id           uuid primary key default gen_random_uuid(),
    company_id   uuid not null default app.company_id() references companies,
    execution_id uuid not null,
    at           timestamptz not null default clock_timestamp(),
    -- Both null of what is no step.
    step         integer check (step >= 0),
    attempt      integer check (attempt >= 1),
    kind         text check (kind in ('email', 'whatsapp', 'call_task', 'task')),
    -- Which of a step's words; 0 are its own.
    variant      integer check (variant >= 0),
    outcome      text not null check (outcome in ('enrolled', 'sent', 'task', 'skipped', 'put_off',
                                                  'active', 'paused', 'responded', 'completed', 'cancelled', 'failed')),
    reason       text check (reason ~ '^[a-z_]{1,60}$'),
    message_id   uuid,
    mail_id      uuid,
    task_id      uuid,
    by_id        uuid,
    constraint followup_logs_once unique (company_id, execution_id, step, attempt),
    foreign key (company_id, execution_id) references followup_executions (company_id, id),
    check ((step is null) = (attempt is null) and (step is null) = (kind is null))
);
create index followup_logs_execution on followup_logs (company_id, execution_id, at, id);

-- Who wants nothing of this any more, whichever lead they become.
create table followup_optouts (
    company_id uuid not null default app.company_id() references companies,
    kind       text not null check (kind in ('lead', 'phone', 'email')),
    value      text not null check (char_length(value) between 1 and 254),
    -- How they said it.
    source     text not null check (source in ('word', 'link')),
    at         timestamptz not null default now(),
    primary key (company_id, kind, value)
);

call app.protect('followup_executions');
call app.protect('followup_logs');
call app.protect('followup_optouts');
revoke delete on followup_executions, followup_logs, followup_optouts from app_system;
revoke update on followup_logs, followup_optouts from app_system;
alter policy company on followup_executions to app_staff, app_student, app_system;
alter policy company on followup_logs to app_staff, app_student, app_system;
alter policy company on followup_optouts to app_staff, app_student, app_system;
create policy lookup on followup_executions to app_lookup using (true);
create policy lookup on followup_logs to app_lookup using (true);
create policy lookup on followup_optouts to app_lookup using (true);
grant select, update (lead_id, status, current_step, attempt, next_run_at, reason, responded_at, finished_at) on followup_executions to app_lookup;
grant select, insert on followup_logs, followup_optouts to app_lookup;
-- Of a lead that the caller sees.
create policy seen_leads on followup_executions as restrictive to app_staff
    using (exists (select from leads where leads.company_id = followup_executions.company_id and leads.id = lead_id));
create policy seen_leads on followup_logs as restrictive for select to app_staff
    using (exists (select from followup_executions
                    where followup_executions.company_id = followup_logs.company_id and followup_executions.id = execution_id));
grant insert (id, sequence_id, lead_id, rotation, next_run_at, job_id),
      update (status, next_run_at, reason, finished_at) on followup_executions to app_staff;

-- Their beginning and what becomes of them is in the log, whoever does it.
create function app.note_followup() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into followup_logs (company_id, execution_id, outcome, reason, by_id)
    values (new.company_id, new.id, case when tg_op = 'INSERT' then 'enrolled' else new.status end, new.reason, app.user_id());
    return null;
end
$$;
alter function app.note_followup owner to app_lookup;
create trigger followup_executions_begun after insert on followup_executions for each row execute function app.note_followup();
create trigger followup_executions_noted after update of status on followup_executions for each row
    when (new.status <> old.status) execute function app.note_followup();

-- Whether a lead has what is wanted; what is not named is not asked.
create function app.meets(lead leads, wanted jsonb) returns boolean language sql stable as $$
    select (not wanted ? 'pipeline_id' or lead.pipeline_id = (wanted ->> 'pipeline_id')::uuid)
       and (not wanted ? 'stages' or exists (
               select from public.stages
                where stages.company_id = lead.company_id and stages.id = lead.stage_id and wanted -> 'stages' ? stages.key))
       and (not wanted ? 'temperatures' or wanted -> 'temperatures' ? lead.temperature)
       and (not wanted ? 'origins' or exists (
               select from jsonb_array_elements_text(wanted -> 'origins') origin where app.look(origin) = app.look(lead.origin)))
       and (not wanted ? 'tags' or lead.tags && array(select jsonb_array_elements_text(wanted -> 'tags')))
       and (not wanted ? 'score_min' or lead.score >= (wanted ->> 'score_min')::integer)
       and (not wanted ? 'score_max' or lead.score <= (wanted ->> 'score_max')::integer)
       and (not wanted ? 'no_reply_days'
            or coalesce(lead.replied_at, lead.created_at) < now() - (wanted ->> 'no_reply_days')::integer * interval '1 day')
       and (not wanted ? 'has_email' or (lead.email is not null) = (wanted ->> 'has_email')::boolean)
       and (not wanted ? 'has_phone' or (lead.phone is not null) = (wanted ->> 'has_phone')::boolean)
$$;
create function app.has_opted_out(lead leads) returns boolean language sql stable as $$
    select exists (
        select from public.followup_optouts optout
         where optout.company_id = lead.company_id
           and (optout.kind = 'lead' and optout.value = lead.id::text or optout.kind = 'phone' and optout.value = lead.phone
                or optout.kind = 'email' and optout.value = lead.email))
$$;
-- The zone that a lead says, which may be none that there is.
create function app.zone_said_of(lead leads) returns text language sql immutable as
    $$ select nullif(btrim(lead.custom_fields ->> 'time_zone'), '') $$;
grant execute on function app.meets, app.has_opted_out, app.zone_said_of to app_staff, app_system, app_lookup;

-- What the company says of its holidays: whether the optional ones are kept, and its own; and where its days are cut.
create function app.followup_holidays() returns jsonb language plpgsql stable as $$
begin
    return (
        select jsonb_build_object(
                   'time_zone', coalesce(calendars.time_zone, companies.time_zone),
                   'keeps_optional', coalesce(calendars.keeps_optional, true),
                   'custom', (select coalesce(jsonb_agg(jsonb_build_object('date', date, 'name', name, 'yearly', yearly) order by date, id), '[]')
                                from public.holidays where holidays.department_id is null))
          from public.companies
          left join public.calendars on calendars.company_id = companies.id and calendars.department_id is null
         where companies.id = app.company_id());
end
$$;
grant execute on function app.followup_holidays to app_staff, app_system;

-- Of the people named, the first one who is still there; else whoever has been admin for longest.
create function app.first_there(people uuid[]) returns uuid language plpgsql stable as $$
begin
    return coalesce(
        (select user_id from public.memberships
          where company_id = app.company_id() and user_id = any (people) and status = 'active' and role <> 'student'
          order by array_position(people, user_id)
          limit 1),
        (select user_id from public.memberships
          where company_id = app.company_id() and status = 'active' and role = 'admin'
          order by created_at, user_id
          limit 1));
end
$$;
grant execute on function app.first_there to app_system;

-- Sequences of all companies that take leads in.
create function app.sequences_to_enroll(after_company uuid, after_sequence uuid, most integer) returns table (company_id uuid, sequence_id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select sequences.company_id, sequences.id
      from followup_sequences sequences
     where is_active and deleted_at is null and (sequences.company_id, sequences.id) > (after_company, after_sequence)
     order by sequences.company_id, sequences.id
     limit most;
end
$$;
alter function app.sequences_to_enroll owner to app_lookup;
revoke all on function app.sequences_to_enroll from public;
grant execute on function app.sequences_to_enroll to app;

-- ---------------------------------------------------------------------------------------------------------------------------------
-- What is on its way to a lead who has replied or wants nothing more is not sent: what is queued is behind its conversation's fence, as a bot's
-- words are once people have taken over.

grant select on mails to app_lookup;
grant update (state, reply) on mails to app_lookup;
create function app.silence_followups(company uuid, wanted uuid[], why text) returns void language plpgsql as $$
begin
    update public.messages
       set fence = -1
      from (select queued.id
              from public.followup_executions executions
              join public.followup_logs logs on logs.company_id = executions.company_id and logs.execution_id = executions.id
              join public.messages queued on queued.company_id = logs.company_id and queued.id = logs.message_id
             where executions.company_id = company and executions.lead_id = any (wanted) and logs.message_id is not null
               and logs.at > now() - interval '7 days' and queued.status = 'queued'
             order by queued.id
               for update of queued) queued
     where messages.company_id = company and messages.id = queued.id and messages.status = 'queued';
    update public.mails
       set state = 'failed', reply = why
      from public.followup_executions executions
      join public.followup_logs logs on logs.company_id = executions.company_id and logs.execution_id = executions.id
     where executions.company_id = company and executions.lead_id = any (wanted) and logs.mail_id is not null
       and logs.at > now() - interval '7 days' and mails.company_id = company and mails.id = logs.mail_id and mails.state = 'queued';
end
$$;
grant execute on function app.silence_followups to app_lookup, app_system;

alter table client_consents drop constraint client_consents_source_check;
alter table client_consents add constraint client_consents_source_check check (source in ('whatsapp_preference', 'opt_out'));
grant insert, select on client_consents to app_lookup;

-- These leads, and whoever has their numbers and addresses, are written to by no sequence any more.
create function app.opt_out(company uuid, wanted uuid[], how text) returns void language plpgsql as $$
begin
    -- With those that they have become part of.
    wanted := array(
        with recursive become as (
            select unnest(wanted) as id
            union
            select leads.merged_into_id from public.leads join become on become.id = leads.id
             where leads.company_id = company and leads.merged_into_id is not null
        ) select id from become);
    perform from public.leads where company_id = company and id = any (wanted) order by id for no key update;
    insert into public.followup_optouts (company_id, kind, value, source)
    select company, kind, value, how
      from (select 'lead' as kind, id::text as value from public.leads where company_id = company and id = any (wanted)
            union
            select 'phone', phone from public.leads where company_id = company and id = any (wanted) and phone is not null
            union
            select 'email', email from public.leads where company_id = company and id = any (wanted) and email is not null
            union
            select identity.kind, identity.value
              from public.leads
              join public.client_identities identity on identity.company_id = leads.company_id and identity.client_id = leads.client_id
             where leads.company_id = company and leads.id = any (wanted) and identity.kind in ('phone', 'email')) said
     order by kind, value
        on conflict do nothing;
    update public.followup_executions
       set status = 'cancelled', reason = 'unsubscribed', finished_at = now(), next_run_at = null
     where company_id = company and lead_id = any (wanted) and finished_at is null;
    perform app.silence_followups(company, wanted, 'unsubscribed');
    insert into public.client_consents (id, company_id, client_id, purpose, channel, granted, source, at, proof)
    select gen_random_uuid(), company, client_id, 'marketing', 'whatsapp', false, 'opt_out', now(),
           jsonb_build_object('lead_id', min(id::text), 'by', how, 'at', now())
      from public.leads
     where company_id = company and id = any (wanted) and client_id is not null
     group by client_id
     order by client_id
        on conflict do nothing;
end
$$;
grant execute on function app.opt_out to app_lookup, app_system;

-- Whether somebody wants nothing more: the words alone, however they are written.
create function app.is_opt_out(words text) returns boolean language sql immutable as $$
    select app.spaced(words) in ('parar', 'pare', 'para', 'sair', 'stop', 'cancelar', 'cancele', 'descadastrar', 'me descadastre', 'remover',
                                 'me remova', 'unsubscribe', 'nao quero mais', 'nao quero mais receber', 'nao quero receber', 'parar de receber')
$$;
grant execute on function app.is_opt_out to app_lookup;

-- ---------------------------------------------------------------------------------------------------------------------------------
-- A reply, by whatever way it comes, ends all that goes on with the lead, in the transaction that stores it.

grant update (replied_at, scored_at) on leads to app_lookup;
create function app.take_reply(company uuid, wanted uuid[], way text, words text, replied timestamptz) returns uuid[]
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    answered uuid[];
    had_any boolean;
begin
    perform from leads where company_id = company and id = any (wanted) order by id for no key update;
    had_any := exists (select from followup_executions where company_id = company and lead_id = any (wanted));
    with ended as (
        update followup_executions
           set status = 'responded', responded_at = replied, finished_at = now(), next_run_at = null
         where company_id = company and lead_id = any (wanted) and finished_at is null
        returning lead_id, id
    )
    select array_agg(distinct lead_id) into answered from ended;
    if had_any then
        perform app.silence_followups(company, wanted, 'responded');
    end if;
    if answered is not null then
        insert into lead_interactions (id, company_id, lead_id, author_id, source, type, summary, result, at)
        select gen_random_uuid(), company, lead, null, 'followup',
               case when way in ('whatsapp', 'email', 'call', 'meeting') then way else 'other' end,
               'Resposta recebida no follow-up automatizado', 'contacted', replied
          from unnest(answered) lead
         order by lead;
        perform app.notify(jsonb_build_object(
                    'type', 'lead_responded',
                    'people', jsonb_build_array(coalesce(leads.closer_id, leads.sdr_id, execution.enrolled_by)),
                    'cause', 'followup:' || execution.id, 'group_key', 'lead_responded:' || leads.id,
                    'lead_id', leads.id, 'source_id', leads.id))
           from leads
          cross join lateral (
                select id, enrolled_by from followup_executions
                 where followup_executions.company_id = leads.company_id and lead_id = leads.id and status = 'responded' and responded_at = replied
                 order by id
                 limit 1) execution
          where leads.company_id = company and leads.id = any (answered)
            and coalesce(leads.closer_id, leads.sdr_id, execution.enrolled_by) is not null
          order by leads.id;
    end if;
    update leads set replied_at = greatest(replied_at, replied), scored_at = '-infinity'
     where company_id = company and id = any (wanted) and (replied_at is null or replied_at < replied);
    if had_any and app.is_opt_out(words) then
        perform app.opt_out(company, wanted, 'word');
    end if;
    return coalesce(answered, '{}');
end
$$;
alter function app.take_reply owner to app_lookup;
revoke all on function app.take_reply from public;

create function app.note_followup_reply() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    client uuid;
    replied uuid[];
begin
    -- Most companies have none; the order asks the index, and not the table of who has many.
    if (select id from followup_executions where company_id = new.company_id order by started_at, id limit 1) is null then
        return null;
    end if;
    client := (select client_id from conversations where company_id = new.company_id and id = new.conversation_id);
    perform app.link_leads(new.company_id, client);
    -- Held: whoever is being taken in meanwhile is seen as soon as they are.
    replied := array(
        select id from leads where company_id = new.company_id and client_id = client and deleted_at is null order by id for no key update);
    if exists (select from followup_executions where company_id = new.company_id and lead_id = any (replied)) then
        perform app.take_reply(new.company_id, replied, 'whatsapp', new.body, new.sent_at);
    end if;
    return null;
end
$$;
alter function app.note_followup_reply owner to app_lookup;
create trigger messages_followup_reply after insert on messages for each row
    when (new.sender_type = 'client' and new.inbound_number is not null) execute function app.note_followup_reply();

-- One interaction for a reply: the first message of a day that answers a sequence is written down as that alone.
create function app.one_interaction() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from followup_executions where company_id = new.company_id and lead_id = new.lead_id and finished_at is null)
       or exists (
           select from lead_interactions
             join companies on companies.id = lead_interactions.company_id
            where lead_interactions.company_id = new.company_id and lead_interactions.lead_id = new.lead_id
              and lead_interactions.source = 'followup' and lead_interactions.at > new.at - interval '2 days'
              and (lead_interactions.at at time zone companies.time_zone)::date = new.day) then
        return null;
    end if;
    return new;
end
$$;
alter function app.one_interaction owner to app_lookup;
create trigger lead_interactions_once before insert on lead_interactions for each row
    when (new.source = 'message') execute function app.one_interaction();

-- What somebody tells of a reply that came elsewhere; where nothing goes on, the first by WhatsApp of a day is written down as a message's is.
create function app.record_lead_response(lead uuid, way text, words text) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    answered uuid[] := app.take_reply(company, array[lead], way, words, clock_timestamp());
begin
    if answered = '{}' and way = 'whatsapp' then
        insert into lead_interactions (id, company_id, lead_id, author_id, source, type, summary, result, at, day)
        select gen_random_uuid(), company, lead, null, 'message', 'whatsapp', 'Mensagem recebida via WhatsApp', 'contacted', now(),
               (now() at time zone companies.time_zone)::date
          from companies
         where companies.id = company
            on conflict do nothing;
    end if;
    return answered <> '{}';
end
$$;
alter function app.record_lead_response owner to app_lookup;
revoke all on function app.record_lead_response from public;
grant execute on function app.record_lead_response to app_staff;

-- Whose lead a link to unsubscribe is of, and whether it was used.
create function app.company_of_lead(lead uuid) returns table (company_id uuid, company_name text, is_unsubscribed boolean)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select leads.company_id, companies.name, app.has_opted_out(leads)
      from leads join companies on companies.id = leads.company_id
     where leads.id = lead;
end
$$;
alter function app.company_of_lead owner to app_lookup;
revoke all on function app.company_of_lead from public;
grant execute on function app.company_of_lead to app;

-- By whoever tells of it, or writes.
update notification_types set caused_by = 'student' where type = 'lead_responded';

-- ---------------------------------------------------------------------------------------------------------------------------------
-- The end of a lead is the end of what goes on with it; of two that become one, what both went through is gone through once.

create function app.end_followups() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    why text;
begin
    if new.merged_into_id is not null and old.merged_into_id is null then
        perform from leads where company_id = new.company_id and id = new.merged_into_id for no key update;
        -- Of a sequence that both were in, the one who stays is as far as who was farther, and over where either is.
        update followup_executions kept
           set current_step = greatest(kept.current_step, gone.current_step),
               attempt = case when gone.current_step > kept.current_step then 1 else kept.attempt end,
               next_run_at = case when gone.finished_at is null then greatest(kept.next_run_at, gone.next_run_at) end,
               status = case when gone.finished_at is null then kept.status else 'cancelled' end,
               reason = case when gone.finished_at is null then kept.reason else 'merged' end,
               finished_at = case when gone.finished_at is not null then now() end
          from followup_executions gone
         where gone.company_id = new.company_id and gone.lead_id = new.id
           and kept.company_id = new.company_id and kept.lead_id = new.merged_into_id and kept.sequence_id = gone.sequence_id
           and kept.finished_at is null
           and not exists (select from followup_executions later
                            where later.company_id = gone.company_id and later.lead_id = gone.lead_id and later.sequence_id = gone.sequence_id
                              and later.rotation > gone.rotation);
        update followup_executions moved
           set lead_id = new.merged_into_id
         where moved.company_id = new.company_id and moved.lead_id = new.id
           and not exists (select from followup_executions kept
                            where kept.company_id = moved.company_id and kept.lead_id = new.merged_into_id
                              and kept.sequence_id = moved.sequence_id);
        why := 'merged';
    elsif new.deleted_at is not null and old.deleted_at is null then
        why := 'lead_deleted';
    elsif new.status <> 'open' and old.status = 'open' then
        why := 'lead_' || new.status;
    else
        return null;
    end if;
    update followup_executions
       set status = 'cancelled', reason = why, finished_at = now(), next_run_at = null
     where company_id = new.company_id and lead_id = new.id and finished_at is null;
    perform app.silence_followups(new.company_id, array[new.id], why);
    return null;
end
$$;
alter function app.end_followups owner to app_lookup;
create trigger leads_followups after update of status, stage_id, deleted_at, merged_into_id on leads for each row
    when (new.status <> old.status or new.deleted_at is distinct from old.deleted_at or new.merged_into_id is distinct from old.merged_into_id)
    execute function app.end_followups();

-- ---------------------------------------------------------------------------------------------------------------------------------
-- What a step does.

-- Somebody's conversation may be begun for them, too: by what writes in their name.
drop function app.start_conversation;
create function app.start_conversation(
    new_id uuid, new_client uuid, client uuid, number text, called text, is_named boolean, channel uuid, holder uuid default app.user_id())
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
            values (new_id, company, known.id, account.id, account.department_id, holder, 'human', 'agent',
                    case when app.user_id() is not null then now() end,
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
grant execute on function app.start_conversation to app_staff, app_system;

-- Tasks that a sequence leaves.
grant insert (id, kind, title, notes, owner_id, due_at, series_id, cause, lead_id, client_id) on tasks to app_system;

insert into event_rules (type, told_by) values
    ('followup_sequence.created', 'supervisor'),
    ('followup_sequence.updated', 'supervisor'),
    ('followup_sequence.deleted', 'supervisor');
insert into job_rules (kind, queue, added_by) values ('enroll_leads', 'followup', 'agent');
