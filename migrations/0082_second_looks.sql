-- Imports of knowledge that are taken back, long jobs of colleagues, and what models say of conversations while they go on.

-- What an import made and changed, until its job is forgotten.
create table knowledge_import_rows (
    company_id uuid not null default app.company_id(),
    -- The job's.
    import_id  uuid not null,
    article_id uuid not null,
    -- The version that the import wrote; the first of an article that it made.
    version    integer not null,
    is_undone  boolean not null default false,
    primary key (company_id, import_id, article_id),
    foreign key (company_id, import_id) references job_progress (company_id, id) on delete cascade,
    foreign key (company_id, article_id) references knowledge_articles (company_id, id)
);
create index knowledge_import_rows_article on knowledge_import_rows (company_id, article_id);
call app.protect('knowledge_import_rows', 'select');
alter policy staff on knowledge_import_rows using ((select app.has_role('supervisor', 'admin')));
revoke delete, update on knowledge_import_rows from app_system;
grant update (is_undone) on knowledge_import_rows to app_system;
grant update (removed_at) on knowledge_articles to app_system;
insert into job_rules (kind, queue, added_by) values ('undo_knowledge_import', 'knowledge', 'supervisor');

-- Who may start a kind of job sees those of their colleagues: while one goes on, it is the answer to whoever would start another.
grant select on job_rules to app_staff;
alter policy own on job_progress
    using (started_by = (select app.user_id())
           or (select app.has_role('admin'))
           or (select app.has_role('supervisor')) and kind in (select job_rules.kind from job_rules where added_by <> 'admin'));

-- What models say of a conversation also after every so many messages of the client's, where the company wants it.
alter table bot_config drop constraint bot_config_key_check;
alter table bot_config add constraint bot_config_key_check check (key in (
    'not_understood', 'goodbye', 'human_words', 'menu_words', 'leave_words',
    'ai_enabled', 'ai_tone', 'ai_languages', 'ai_forbidden_topics', 'ai_least_confidence', 'ai_daily_tokens', 'ai_monthly_tokens',
    'ai_daily_cost', 'ai_input_price', 'ai_output_price', 'ai_fallback_model', 'ai_embedding_model', 'ai_transcription_model',
    'ai_masks_personal_data', 'ai_transcribes_on_arrival', 'ai_analyses_on_close', 'ai_insights_every', 'ai_categories'));

create function app.note_heard() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    every bigint := (select value::bigint from bot_config
                      where company_id = new.company_id and key = 'ai_insights_every' and is_active and jsonb_typeof(value) = 'number');
begin
    if every > 0 and new.inbound_count / every > coalesce(old.inbound_count, 0) / every then
        perform app.ask_ai('ai_insights_every', 'analyse_conversation:' || new.id);
    end if;
    return null;
end
$$;
alter function app.note_heard owner to app_lookup;
create trigger conversations_heard after insert or update of inbound_count on conversations
    for each row when (new.inbound_count > 0 and new.ended_at is null and new.imported_at is null) execute function app.note_heard();

-- As before, with the cost claimed as the tokens are: calls at once cost no more than there is.
alter table ai_runs add column claimed_cost bigint not null default 0;
create or replace function app.claim_ai(run uuid, run_purpose text, run_prompt text, of_conversation uuid, of_person uuid, wanted integer)
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
    claimed bigint;
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
    -- Prices are of a million tokens, costs in millionths.
    claimed := ceil(wanted * greatest((settings ->> 'ai_input_price')::double precision, (settings ->> 'ai_output_price')::double precision, 0));
    if most_of_month is not null then
        select coalesce(sum(tokens), 0) into of_month
          from ai_days where company_id = app.company_id() and day between date_trunc('month', today) and today;
    end if;
    refusal := case
        when taken.tokens + wanted > most_of_day then 'daily_tokens_gone'
        when of_month + wanted > most_of_month then 'monthly_tokens_gone'
        when taken.cost >= most_cost * 1000000 or taken.cost + claimed > most_cost * 1000000 then 'daily_cost_gone'
    end;
    insert into ai_runs (id, purpose, prompt, model, status, reason, conversation_id, user_id, day, claimed_tokens, claimed_cost, settled_at)
    values (run, run_purpose, run_prompt, model, case when refusal is null then 'running' else 'refused' end, refusal, of_conversation,
            of_person, today, wanted, claimed, case when refusal is not null then now() end);
    update ai_days
       set tokens = tokens + case when refusal is null then wanted else 0 end,
           cost = cost + case when refusal is null then claimed else 0 end,
           runs = runs + case when refusal is null then 1 else 0 end,
           refused = refused + case when refusal is null then 0 else 1 end
     where company_id = app.company_id() and day = today;
    state := coalesce(refusal, 'run');
    return next;
end
$$;

create or replace function app.settle_ai(run uuid, ending text, why text, by_model text, input integer, output integer, costs bigint, took integer)
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
           set tokens = tokens + coalesce(input + output, settled.claimed_tokens) - settled.claimed_tokens,
               cost = cost + case when input is null then settled.claimed_cost else coalesce(costs, 0) end - settled.claimed_cost
         where company_id = app.company_id() and day = settled.day;
    end if;
end
$$;

-- What does not hold yet, or no longer, is for who leads, as what is no article yet.
alter policy staff on knowledge_articles
    using (removed_at is null and status = 'active' and (valid_from is null or valid_from <= now()) and (valid_until is null or valid_until > now())
           or (select app.has_role('supervisor', 'admin')));
