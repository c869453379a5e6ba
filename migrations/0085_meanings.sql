-- What knowledge means, compared by pgvector where a database has it; questions to models that are asked once, ended when they are lost, and fair to
-- other companies; and a bot that goes on when its client is unblocked.

-- The extension `vector`, where this database has it and its owner may have it. Asked with every migration of a database, so that one that gets it later
-- needs none. Without it meanings are compared by their signs.
create function app.take_vector() returns boolean language plpgsql as $$
begin
    if not exists (select from pg_extension where extname = 'vector') then
        if not exists (select from pg_available_extensions where name = 'vector') then
            return false;
        end if;
        create extension vector with schema public;
    end if;
    return true;
exception when insufficient_privilege or feature_not_supported or undefined_file then
    return false;
end
$$;
revoke all on function app.take_vector from public;

-- Whoever makes indexes of a table owns it.
grant create on schema public to app_lookup;
alter table knowledge_embeddings owner to app_lookup;

-- An index of the company's own, for embeddings as long as its last ones, once there are many: an index of all companies would be searched for everybody's
-- neighbours to find a few of one's own. Few are compared one by one. What was made for embeddings of another length goes when there are none.
-- Whether there is such an index now.
create function app.index_meanings() returns boolean
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
declare
    -- So many of 1,536 numbers are compared within 30 ms, and each rightly. The index takes no more than so many numbers.
    many constant integer := 2000;
    longest constant integer := 2000;
    company constant uuid := app.company_id();
    prefix constant text := 'knowledge_near_' || replace(company::text, '-', '') || '_';
    numbers integer;
    old text;
begin
    if to_regtype('vector') is null then
        return false;
    end if;
    select length(signs) into numbers
      from knowledge_embeddings
     where company_id = company
     group by length(signs)
     order by count(*) desc
     limit 1;
    for old in
        select relname
          from pg_class
         where relkind = 'i' and starts_with(relname, prefix)
           and not exists (select from knowledge_embeddings
                            where company_id = company and length(signs) = substr(relname, length(prefix) + 1)::integer)
    loop
        execute format('drop index %I', old);
    end loop;
    if numbers is null or numbers > longest
       or (select count(*) from knowledge_embeddings where company_id = company and length(signs) = numbers) < many then
        return false;
    end if;
    if to_regclass(prefix || numbers) is null then
        execute format('create index %I on knowledge_embeddings using hnsw ((embedding::vector(%s)) vector_cosine_ops)
                         where company_id = %L and length(signs) = %2$s', prefix || numbers, numbers, company);
    end if;
    return true;
exception when lock_not_available or query_canceled or undefined_object then
    -- Somebody is writing or reading, or it takes too long: what is compared one by one is right, too.
    return false;
end
$$;
alter function app.index_meanings owner to app_lookup;
revoke all on function app.index_meanings from public;
grant execute on function app.index_meanings to app_system;

-- As before, with the embedding itself beside its signs. A function of before calls it without.
drop function app.find_knowledge;
create function app.find_knowledge(asked text[], factors real[], phrases text[], of_audience text, wanted integer, meant text, of_model text,
                                   meaning real[] default null)
returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp
set jit = off set max_parallel_workers_per_gather = 0 set enable_seqscan = off set plan_cache_mode = force_custom_plan as $$
declare
    -- Articles that are compared by terms: those of rare ones come first.
    most_postings constant bigint := 5000;
    company constant uuid := app.company_id();
    count_all constant bigint := (select count(*) from knowledge_articles where company_id = company and removed_at is null);
    synonyms jsonb;
    alike jsonb := '{}';
    near text[];
    counts jsonb := '{}';
    item record;
    articles bigint;
    written text;
    taken text[] := '{}';
    taken_factors real[] := '{}';
    found uuid[] := '{}';
    by_meaning uuid[] := '{}';
begin
    select coalesce(jsonb_object_agg(key, value), '{}')
      into synonyms
      from knowledge_synonyms, jsonb_each(knowledge_synonyms.phrases)
     where company_id = company and key = any (find_knowledge.asked || find_knowledge.phrases);
    for item in
        select term, max(factor) as factor
          from (select term, factor from unnest(asked, factors) given (term, factor)
                union all
                select jsonb_array_elements_text(value), 0.9 from jsonb_each(synonyms)) every
         group by term
    loop
        near := array[item.term];
        if item.factor >= 1 and length(item.term) >= 4 and item.term !~ '[0-9]'
           and not exists (select from knowledge_terms where company_id = company and knowledge_terms.term = item.term) then
            near := array(
                select known.term
                  from knowledge_vocabulary known
                 where known.company_id = company and known.term % item.term
                 order by similarity(known.term, item.term) desc, known.term
                 limit 6);
            alike := alike || jsonb_build_object(item.term, near);
        end if;
        foreach written in array near loop
            select count(*) into articles from knowledge_terms where company_id = company and knowledge_terms.term = written;
            if articles > 0 and not counts ? written then
                counts := counts || jsonb_build_object(written, articles);
                taken := taken || written;
                taken_factors := taken_factors || case when written = item.term then item.factor else 0.8 end::real;
            end if;
        end loop;
    end loop;
    -- What has the rarest terms, up to so many rows; at least those of one term.
    with terms as (
        select term, factor, (counts ->> term)::bigint as articles,
               sum((counts ->> term)::bigint) over (order by (counts ->> term)::bigint, term) as so_far,
               row_number() over (order by (counts ->> term)::bigint, term) as place
          from unnest(taken, taken_factors) given (term, factor)
    ), best as (
        select postings.article_id, sum(postings.weight * terms.factor * ln(1 + count_all::real / terms.articles)) as worth
          from terms
          join knowledge_terms postings on postings.company_id = company and postings.term = terms.term
         where (terms.so_far <= most_postings or terms.place = 1)
           and postings.audience in ('both', of_audience)
           and (postings.valid_from is null or postings.valid_from <= now())
           and (postings.valid_until is null or postings.valid_until > now())
         group by postings.article_id
         order by worth desc, postings.article_id
         limit wanted
    )
    select coalesce(array_agg(article_id order by worth desc, article_id), '{}') into found from best;
    if meaning is not null and to_regtype('vector') is not null then
        -- The nearest, whatever they are; those of them that may be told.
        perform set_config('hnsw.ef_search', '200', true);
        execute format(
            'with near_by as materialized (
                select article_id, embedding::vector(%1$s) <=> $1::vector(%1$s) as distance
                  from knowledge_embeddings
                 where company_id = %2$L and length(signs) = %1$s and model = $2
                 order by embedding::vector(%1$s) <=> $1::vector(%1$s)
                 limit 200
            )
            select coalesce(array_agg(article_id order by distance, article_id), ''{}'')
              from (select near_by.article_id, near_by.distance
                      from near_by
                      join knowledge_articles article on article.company_id = %2$L and article.id = near_by.article_id
                     where article.status = ''active'' and article.removed_at is null
                       and article.audience in (''both'', $3)
                       and (article.valid_from is null or article.valid_from <= now())
                       and (article.valid_until is null or article.valid_until > now())
                     order by near_by.distance, near_by.article_id
                     limit $4) told', length(meant), company)
           into by_meaning using meaning, of_model, of_audience, wanted;
    end if;
    -- The signs say so without the extension, and beside it: an index leaves out a few, and the nearest may not be told.
    if meant is not null then
        by_meaning := by_meaning || array(
            select article_id
              from knowledge_embeddings near_by
              join knowledge_articles article on article.company_id = near_by.company_id and article.id = near_by.article_id
             where near_by.company_id = company
               and near_by.model = of_model
               and length(near_by.signs) = length(meant)
               and article.status = 'active' and article.removed_at is null
               and article.audience in ('both', of_audience)
               and (article.valid_from is null or article.valid_from <= now())
               and (article.valid_until is null or article.valid_until > now())
             order by bit_count(near_by.signs # meant::varbit), article_id
             limit wanted);
    end if;
    return jsonb_build_object(
        'count', count_all, 'counts', counts, 'alike', alike, 'synonyms', synonyms,
        'articles', (
            select coalesce(jsonb_agg(jsonb_build_object('id', id, 'lines', lines, 'terms', terms, 'helped', helped, 'not_helped', not_helped)), '[]')
              from knowledge_articles
             where company_id = company and id = any (found || by_meaning)));
end
$$;
alter function app.find_knowledge owner to app_lookup;
revoke all on function app.find_knowledge from public;
grant execute on function app.find_knowledge to app_staff, app_system;

-- What a question is about, where an answer does for everybody who asks the same at once: a message, and what it is asked for.
alter table ai_runs add column work uuid;
create index ai_runs_work on ai_runs (company_id, work, created_at desc) where work is not null;

-- As before, and of those who ask the same at once, since when they have looked whether it was answered, one does; the others are told which.
drop function app.claim_ai;
create function app.claim_ai(run uuid, run_purpose text, run_prompt text, of_conversation uuid, of_person uuid, wanted integer,
                             of_work uuid default null, since timestamptz default null)
returns table (state text, base_url text, model text, sealed bytea, settings jsonb, asked_by uuid)
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
    -- Whoever was asked and has not answered for half a minute is gone. What they were told is kept a moment later, and looked for there: that of a
    -- recording for good; anything else, asked for anew by who comes after it was kept, unless nobody could use it.
    if of_work is not null then
        select ai_runs.id into asked_by
          from ai_runs
         where company_id = app.company_id() and work = of_work and purpose = run_purpose
           and case when settled_at is null then created_at > clock_timestamp() - interval '30 seconds'
                    when status <> 'done' then false
                    when run_purpose = 'transcribe' then settled_at > clock_timestamp() - interval '30 seconds'
                    else coalesce((select insight.created_at > since
                                     from conversation_insights insight
                                    where insight.company_id = ai_runs.company_id and insight.run_id = ai_runs.id),
                                  settled_at > clock_timestamp() - interval '2 seconds') end
         order by created_at desc
         limit 1;
        if asked_by is not null then
            state := 'asked';
            return next;
            return;
        end if;
    end if;
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
    insert into ai_runs (id, purpose, prompt, model, status, reason, conversation_id, user_id, day, claimed_tokens, claimed_cost, work, settled_at)
    values (run, run_purpose, run_prompt, model, case when refusal is null then 'running' else 'refused' end, refusal, of_conversation,
            of_person, today, wanted, claimed, of_work, case when refusal is not null then now() end);
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
revoke all on function app.claim_ai from public;
grant execute on function app.claim_ai to app_system;

-- A question whose function was killed is ended when it could not be answered any more: every function that asks has ended by then. What was claimed for it
-- stays, for nobody knows what it took.
create index ai_runs_running on ai_runs (created_at) where settled_at is null;
call app.open_to_lookup('ai_runs', 'select, update (status, reason, settled_at)');
create function app.sweep_ai_runs(most integer) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint;
begin
    update ai_runs set status = 'failed', reason = 'abandoned', settled_at = now()
     where ctid in (select ctid from ai_runs
                     where settled_at is null and created_at < now() - interval '2 minutes'
                     limit most for update skip locked);
    get diagnostics gone = row_count;
    return gone;
end
$$;
alter function app.sweep_ai_runs owner to app_lookup;
revoke all on function app.sweep_ai_runs from public;
grant execute on function app.sweep_ai_runs to app;

-- Whether a call of the bot's may be made now: a company whose server or model hangs has so many workers wait for it and no more, and the others are
-- there for everybody's turns. Otherwise how many seconds to wait for it; null when it has waited so long that the client is to be told something else.
create function app.begin_bot_call(wanted uuid) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    -- A quarter of what the queue's worker does at once.
    most constant bigint := 5;
    longest constant integer := 40;
    company constant uuid := app.company_id();
    calls bigint;
    waiting bigint;
    waited integer;
    pause integer;
begin
    perform pg_advisory_xact_lock(hashtext('bot_calls'), hashtext(company::text));
    select coalesce((payload ->> 'waited')::integer, 0) into waited from jobs where company_id = company and id = wanted;
    select count(*) filter (where leased_until > clock_timestamp() and payload ? 'began'),
           count(*) filter (where not payload ? 'began' and payload ? 'waited')
      into calls, waiting
      from jobs
     where company_id = company and queue = 'bot' and kind = 'call_for_bot' and finished_at is null and id <> wanted;
    if calls < most then
        update jobs set payload = payload || '{"began": true}' where company_id = company and id = wanted;
        return 0;
    end if;
    if waited >= longest then
        return null;
    end if;
    pause := least(1 + waiting / most, 8);
    update jobs set payload = payload || jsonb_build_object('waited', waited + pause) where company_id = company and id = wanted;
    return pause;
end
$$;
alter function app.begin_bot_call owner to app_lookup;
revoke all on function app.begin_bot_call from public;
grant execute on function app.begin_bot_call to app_system;

-- Of a client who is unblocked: the conversations that the bot has. What it put off for them is due.
create function app.wake_bot(client uuid) returns uuid[]
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company constant uuid := app.company_id();
    held uuid[];
begin
    select coalesce(array_agg(id order by id), '{}') into held
      from conversations
     where company_id = company and client_id = client and mode = 'bot' and ended_at is null;
    update jobs set run_at = now()
     where company_id = company and finished_at is null and run_at > now() and lane = id::text and kind in ('call_for_bot', 'wake_bot')
       and id in (select bot_job_id from conversations where company_id = company and id = any (held));
    return held;
end
$$;
alter function app.wake_bot owner to app_lookup;
revoke all on function app.wake_bot from public;
grant execute on function app.wake_bot to app_staff;
