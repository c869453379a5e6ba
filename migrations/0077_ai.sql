-- Language models: what each call was for, what it took and what came of it; what a day has taken; what is known of conversations by them.

-- The company's own words for what its models may do are rows beside the bot's.
alter table bot_config drop constraint bot_config_key_check;
alter table bot_config add constraint bot_config_key_check check (key in (
    'not_understood', 'goodbye', 'human_words', 'menu_words', 'leave_words',
    'ai_enabled', 'ai_tone', 'ai_languages', 'ai_forbidden_topics', 'ai_least_confidence', 'ai_daily_tokens', 'ai_monthly_tokens',
    'ai_daily_cost', 'ai_input_price', 'ai_output_price', 'ai_fallback_model', 'ai_embedding_model', 'ai_transcription_model',
    'ai_masks_personal_data', 'ai_transcribes_on_arrival', 'ai_analyses_on_close', 'ai_categories'));

-- What a company's models have taken on a day of its own. What is claimed before a call is in it until the call has told what it took;
-- a call that never came back stays as it was claimed.
create table ai_days (
    company_id uuid not null default app.company_id() references companies,
    day        date not null,
    tokens     bigint not null default 0,
    -- In millionths of the currency of the company's prices.
    cost       bigint not null default 0,
    runs       integer not null default 0,
    refused    integer not null default 0,
    primary key (company_id, day)
);
call app.protect('ai_days');
revoke delete on ai_days from app_system;
create policy leaders on ai_days as restrictive for select to app_staff using ((select app.has_role('supervisor', 'admin')));

-- One question to a model.
create table ai_runs (
    id              uuid not null,
    company_id      uuid not null default app.company_id() references companies,
    purpose         text not null check (purpose in ('answer', 'compose', 'suggest', 'rewrite', 'learn', 'transcribe', 'sentiment', 'summary', 'category', 'embed')),
    -- The prompt's name and version.
    prompt          text not null,
    model           text not null,
    status          text not null default 'running' check (status in ('running', 'done', 'failed', 'refused')),
    -- Why there is no answer, or why the answer was not used.
    reason          text,
    conversation_id uuid,
    -- Who asked; null of what goes by itself.
    user_id         uuid,
    day             date not null,
    claimed_tokens  integer not null,
    input_tokens    integer,
    output_tokens   integer,
    cost            bigint,
    took_ms         integer,
    -- Articles that the answer names as its own.
    sources         uuid[] not null default '{}',
    confidence      real,
    -- What became of it: said by whoever used it.
    feedback        text check (feedback in ('accepted', 'edited', 'rejected')),
    feedback_note   text check (char_length(feedback_note) <= 500),
    created_at      timestamptz not null default now(),
    settled_at      timestamptz,
    primary key (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id) on delete set null (conversation_id),
    foreign key (company_id, user_id) references memberships (company_id, user_id)
);
create index ai_runs_day on ai_runs (company_id, day, purpose);
create index ai_runs_conversation on ai_runs (company_id, conversation_id) where conversation_id is not null;
create index ai_runs_user on ai_runs (company_id, user_id) where user_id is not null;
call app.protect('ai_runs');
revoke delete on ai_runs from app_system;
create policy own_or_leaders on ai_runs as restrictive for select to app_staff
    using (user_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin'))
           or exists (select from conversations where conversations.company_id = ai_runs.company_id and conversations.id = ai_runs.conversation_id));
grant update (feedback, feedback_note) on ai_runs to app_staff;

-- What models say of conversations: each time anew, the last one counts.
create table conversation_insights (
    id              uuid not null,
    company_id      uuid not null default app.company_id(),
    conversation_id uuid not null,
    kind            text not null check (kind in ('sentiment', 'summary', 'category')),
    -- Of a sentiment `positive`, `neutral` or `negative`; the summary's words; the category's name.
    value           text not null check (char_length(value) <= 4000),
    -- Of a sentiment, from -1 to 1.
    score           real check (score between -1 and 1),
    confidence      real check (confidence between 0 and 1),
    run_id          uuid not null,
    -- The last message that was read for it.
    message_id      uuid,
    created_at      timestamptz not null default now(),
    primary key (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id) on delete cascade,
    foreign key (company_id, run_id) references ai_runs (company_id, id)
);
create index conversation_insights_conversation on conversation_insights (company_id, conversation_id, kind, id);
create index conversation_insights_run on conversation_insights (company_id, run_id);
call app.protect('conversation_insights');
revoke update, delete on conversation_insights from app_system;
create policy seen_conversations on conversation_insights as restrictive for select to app_staff
    using (exists (select from conversations where conversations.company_id = conversation_insights.company_id
                                               and conversations.id = conversation_insights.conversation_id));

-- The call's room in the company's budgets, and what it is called with. One transaction of the company's day at a time.
create function app.claim_ai(run uuid, run_purpose text, run_prompt text, of_conversation uuid, of_person uuid, wanted integer)
returns table (state text, base_url text, model text, sealed bytea, settings jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
    today date := (now() at time zone (select time_zone from companies where id = app.company_id()))::date;
    taken ai_days;
    of_month bigint;
    most_of_day bigint;
    most_of_month bigint;
    most_cost double precision;
    refusal text;
begin
    select company_setup.ai_base_url, company_setup.ai_model into base_url, model from company_setup where company_id = app.company_id();
    select company_secrets.sealed into sealed from company_secrets where company_id = app.company_id() and name = 'ai';
    select coalesce(jsonb_object_agg(key, value), '{}') into settings
      from bot_config where company_id = app.company_id() and is_active and key like 'ai\_%';
    if base_url is null or model is null or sealed is null then
        state := 'not_configured';
        return next;
        return;
    end if;
    if settings -> 'ai_enabled' = 'false' then
        state := 'off';
        return next;
        return;
    end if;
    insert into ai_days (day) values (today) on conflict do nothing;
    select * into taken from ai_days where company_id = app.company_id() and day = today for update;
    -- As `shared::ai::Settings` has them built in; null is no limit.
    most_of_day := case when settings ? 'ai_daily_tokens' then (settings ->> 'ai_daily_tokens')::bigint else 500000 end;
    most_of_month := case when settings ? 'ai_monthly_tokens' then (settings ->> 'ai_monthly_tokens')::bigint else 10000000 end;
    most_cost := (settings ->> 'ai_daily_cost')::double precision;
    if most_of_month is not null then
        select coalesce(sum(tokens), 0) into of_month
          from ai_days where company_id = app.company_id() and day between date_trunc('month', today) and today;
    end if;
    refusal := case
        when taken.tokens + wanted > most_of_day then 'daily_tokens_gone'
        when of_month + wanted > most_of_month then 'monthly_tokens_gone'
        when taken.cost >= most_cost * 1000000 then 'daily_cost_gone'
    end;
    insert into ai_runs (id, purpose, prompt, model, status, reason, conversation_id, user_id, day, claimed_tokens, settled_at)
    values (run, run_purpose, run_prompt, model, case when refusal is null then 'running' else 'refused' end, refusal, of_conversation,
            of_person, today, wanted, case when refusal is not null then now() end);
    update ai_days
       set tokens = tokens + case when refusal is null then wanted else 0 end,
           runs = runs + case when refusal is null then 1 else 0 end,
           refused = refused + case when refusal is null then 0 else 1 end
     where company_id = app.company_id() and day = today;
    state := coalesce(refusal, 'run');
    return next;
end
$$;
revoke all on function app.claim_ai from public;
grant execute on function app.claim_ai to app_system;

-- What a call has taken, instead of what was claimed for it; once.
create function app.settle_ai(run uuid, ending text, why text, by_model text, input integer, output integer, costs bigint, took integer)
returns void language plpgsql as $$
declare
    settled ai_runs;
begin
    update ai_runs
       set status = ending, reason = why, model = coalesce(by_model, model), input_tokens = input, output_tokens = output, cost = costs,
           took_ms = took, settled_at = now()
     where company_id = app.company_id() and id = run and settled_at is null
    returning * into settled;
    if settled.id is not null then
        -- What nobody has told stays as it was claimed.
        update ai_days
           set tokens = tokens + coalesce(input + output, settled.claimed_tokens) - settled.claimed_tokens, cost = cost + coalesce(costs, 0)
         where company_id = app.company_id() and day = settled.day;
    end if;
end
$$;
revoke all on function app.settle_ai from public;
grant execute on function app.settle_ai to app_system;

insert into event_rules (type, told_by) values ('conversation.insight', 'agent');

-- What models do by themselves, where the company wants it: voice notes are written down when their files are there, conversations that have ended are
-- looked at. Nothing is written yet: jobs are locked last, with the commit.
create function app.ask_ai(setting text, work text) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    asked text[] := coalesce(nullif(current_setting('app.work_for_ai', true), ''), '{}')::text[];
begin
    if work <> all (asked)
       and exists (select from bot_config
                    where company_id = app.company_id() and key = setting and is_active and value not in ('false', '""', 'null')) then
        perform set_config('app.work_for_ai', (asked || work)::text, true);
    end if;
end
$$;
alter function app.ask_ai owner to app_lookup;
revoke all on function app.ask_ai from public;
call app.open_to_lookup('bot_config', 'select');

create function app.note_ended() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.ask_ai('ai_analyses_on_close', 'analyse_conversation:' || new.id);
    return null;
end
$$;
alter function app.note_ended owner to app_lookup;
create trigger conversations_ended after update of ended_at on conversations
    for each row when (old.ended_at is null and new.ended_at is not null and new.merged_into_id is null and new.imported_at is null)
    execute function app.note_ended();

create function app.note_voice() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    message uuid := (select id from messages
                      where company_id = new.company_id and file_id = new.id and sender_type = 'client' and kind = 'audio' and body = ''
                      limit 1);
begin
    if message is not null then
        perform app.ask_ai('ai_transcribes_on_arrival', 'transcribe_message:' || message);
    end if;
    return null;
end
$$;
alter function app.note_voice owner to app_lookup;
create trigger files_voice after update of status on files
    for each row when (old.status <> 'ready' and new.status = 'ready' and new.mime_type like 'audio/%' and new.conversation_id is not null)
    execute function app.note_voice();

create function app.note_article() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.ask_ai('ai_embedding_model', 'embed_knowledge:' || app.company_id());
    return null;
end
$$;
alter function app.note_article owner to app_lookup;
create trigger knowledge_articles_embedded after insert or update of title, answer, questions, status on knowledge_articles
    for each row when (new.status = 'active' and new.removed_at is null) execute function app.note_article();
-- Whoever chooses a model has all articles read by it.
create function app.note_model() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform app.ask_ai('ai_embedding_model', 'embed_knowledge:' || app.company_id());
    return null;
end
$$;
alter function app.note_model owner to app_lookup;
create trigger bot_config_embedded after insert or update on bot_config
    for each row when (new.key = 'ai_embedding_model') execute function app.note_model();

-- As before, with what models do by themselves.
create or replace function app.add_asked_jobs() returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
    to_assign uuid[];
    to_show text[];
    for_ai text[];
    wanted record;
    job uuid;
    added jsonb := '[]';
begin
    if current_setting('role') = 'app_student'
       or coalesce(current_setting('app.departments_to_assign', true), '') = ''
      and coalesce(current_setting('app.conversations_to_show', true), '') = ''
      and coalesce(current_setting('app.work_for_ai', true), '') = '' then
        return null;
    end if;
    to_assign := nullif(current_setting('app.departments_to_assign', true), '');
    to_show := nullif(current_setting('app.conversations_to_show', true), '');
    for_ai := nullif(current_setting('app.work_for_ai', true), '');
    perform set_config('app.departments_to_assign', '', true), set_config('app.conversations_to_show', '', true),
            set_config('app.work_for_ai', '', true);
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
    return added;
end
$$;
