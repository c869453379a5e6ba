-- What a company knows: articles, the words that find them, whether they helped, and what could be better.

create table knowledge_articles (
    id             uuid primary key,
    company_id     uuid not null default app.company_id() references companies,
    title          text not null check (char_length(title) between 1 and 200),
    answer         text not null check (char_length(answer) between 1 and 20000),
    -- As people ask for it.
    questions      text[] not null default '{}' check (cardinality(questions) <= 50),
    tags           text[] not null default '{}' check (cardinality(tags) <= 20),
    audience       text not null default 'both' check (audience in ('both', 'bot', 'agents')),
    status         text not null default 'active' check (status in ('draft', 'active', 'archived')),
    valid_from     timestamptz,
    valid_until    timestamptz,
    -- The file, page or conversation that it is from.
    source         jsonb,
    -- The stems of the title's and of each question's words, and those of the whole with what each weighs. Made by `knowledge::words`.
    lines          text[] not null,
    terms          text[] not null,
    weights        real[] not null,
    author_id      uuid default app.user_id() references users,
    -- Of the version that a change brings back.
    restored_from  integer,
    version        integer not null default 1,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    -- Since when it is nowhere; its row and its versions stay.
    removed_at     timestamptz,
    title_key      text not null generated always as (app.look(title)) stored,
    -- Of what `knowledge_uses` say.
    helped         integer not null default 0,
    not_helped     integer not null default 0,
    last_used_at   timestamptz,
    unique (company_id, id),
    check (valid_until > valid_from),
    check (cardinality(terms) = cardinality(weights)),
    check (cardinality(lines) = cardinality(questions) + 1)
);
create index knowledge_articles_created on knowledge_articles (company_id, created_at desc, id desc) where removed_at is null;
create index knowledge_articles_title on knowledge_articles (company_id, title_key) where removed_at is null;
call app.protect('knowledge_articles', 'select');
-- What is not for others yet, or no longer, is for who leads.
alter policy staff on knowledge_articles
    using (removed_at is null and status = 'active' or (select app.has_role('supervisor', 'admin')));
create policy leaders_insert on knowledge_articles as restrictive for insert to app_staff
    with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on knowledge_articles as restrictive for update to app_staff
    using ((select app.has_role('supervisor', 'admin')));
grant insert (id, title, answer, questions, tags, audience, status, valid_from, valid_until, source, lines, terms, weights),
      update (title, answer, questions, tags, audience, status, valid_from, valid_until, lines, terms, weights, author_id, restored_from,
              version, updated_at, removed_at)
   on knowledge_articles to app_staff;
revoke delete, update on knowledge_articles from app_system;
grant update (title, answer, questions, tags, audience, status, valid_from, valid_until, source, lines, terms, weights, author_id,
              restored_from, version, updated_at)
   on knowledge_articles to app_system;
call app.open_to_lookup('knowledge_articles', 'select');
grant update (helped, not_helped, last_used_at) on knowledge_articles to app_lookup;

-- Every version of an article as it was.
create table knowledge_revisions (
    company_id    uuid not null,
    article_id    uuid not null,
    version       integer not null,
    title         text not null,
    answer        text not null,
    questions     text[] not null,
    tags          text[] not null,
    audience      text not null,
    status        text not null,
    valid_from    timestamptz,
    valid_until   timestamptz,
    author_id     uuid,
    restored_from integer,
    at            timestamptz not null default now(),
    primary key (company_id, article_id, version),
    foreign key (company_id, article_id) references knowledge_articles (company_id, id)
);
call app.protect('knowledge_revisions', 'select');
alter policy staff on knowledge_revisions using ((select app.has_role('supervisor', 'admin')));
revoke insert, update, delete on knowledge_revisions from app_system;
call app.open_to_lookup('knowledge_revisions', 'select, insert');

-- Where a term is: an article may be found by it now, by this audience. Only of what is active.
create table knowledge_terms (
    company_id  uuid not null,
    term        text not null,
    article_id  uuid not null,
    weight      real not null,
    audience    text not null,
    valid_from  timestamptz,
    valid_until timestamptz,
    primary key (company_id, article_id, term),
    foreign key (company_id, article_id) references knowledge_articles (company_id, id)
);
create index knowledge_terms_term on knowledge_terms (company_id, term) include (article_id, weight, audience, valid_from, valid_until);
call app.protect('knowledge_terms', '');
drop policy staff on knowledge_terms;
revoke select, insert, update, delete on knowledge_terms from app_system;
call app.open_to_lookup('knowledge_terms', 'select, insert, update, delete');

-- All terms that a company's articles ever had: what is misspelled is looked for among them.
create table knowledge_vocabulary (
    company_id uuid not null,
    term       text not null,
    primary key (company_id, term)
);
create index knowledge_vocabulary_alike on knowledge_vocabulary using gin (company_id, term gin_trgm_ops) with (fastupdate = off);
call app.protect('knowledge_vocabulary', '');
drop policy staff on knowledge_vocabulary;
revoke select, insert, update, delete on knowledge_vocabulary from app_system;
call app.open_to_lookup('knowledge_vocabulary', 'select, insert');

-- Whoever writes an article, its versions and its terms follow.
create function app.follow_knowledge() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    is_found constant boolean := new.status = 'active' and new.removed_at is null;
begin
    if tg_op = 'INSERT' or new.version <> old.version then
        insert into knowledge_revisions (company_id, article_id, version, title, answer, questions, tags, audience, status, valid_from,
                                         valid_until, author_id, restored_from, at)
        values (new.company_id, new.id, new.version, new.title, new.answer, new.questions, new.tags, new.audience, new.status, new.valid_from,
                new.valid_until, new.author_id, new.restored_from, new.updated_at);
    end if;
    delete from knowledge_terms
     where company_id = new.company_id and article_id = new.id and not (is_found and term = any (new.terms));
    if is_found then
        insert into knowledge_terms (company_id, term, article_id, weight, audience, valid_from, valid_until)
        select new.company_id, term, new.id, weight, new.audience, new.valid_from, new.valid_until
          from unnest(new.terms, new.weights) of_article (term, weight)
            on conflict (company_id, article_id, term) do update
           set weight = excluded.weight, audience = excluded.audience, valid_from = excluded.valid_from, valid_until = excluded.valid_until
         where (knowledge_terms.weight, knowledge_terms.audience, knowledge_terms.valid_from, knowledge_terms.valid_until)
               is distinct from (excluded.weight, excluded.audience, excluded.valid_from, excluded.valid_until);
        insert into knowledge_vocabulary (company_id, term)
        select new.company_id, term
          from unnest(new.terms) of_article (term)
         where not exists (select from knowledge_vocabulary known where known.company_id = new.company_id and known.term = of_article.term)
         order by term
            on conflict do nothing;
    end if;
    return null;
end
$$;
alter function app.follow_knowledge owner to app_lookup;
revoke all on function app.follow_knowledge from public;
create trigger knowledge_articles_followed
    after insert or update of terms, weights, audience, status, valid_from, valid_until, removed_at, version on knowledge_articles
    for each row execute function app.follow_knowledge();

-- What language models make of an article's words, for who asks in other words. Its signs alone are compared with all; the rest is read of few.
create table knowledge_embeddings (
    company_id uuid not null default app.company_id(),
    article_id uuid not null,
    model      text not null check (char_length(model) between 1 and 200),
    -- The article's version that it was made of.
    version    integer not null,
    signs      bit varying not null,
    embedding  real[] not null check (cardinality(embedding) between 1 and 4096 and length(signs) = cardinality(embedding)),
    primary key (company_id, article_id),
    foreign key (company_id, article_id) references knowledge_articles (company_id, id)
);
-- Signs stay in the row, where all of them are read.
alter table knowledge_embeddings alter column signs set storage plain;
call app.protect('knowledge_embeddings', 'select');
revoke delete, update, insert on knowledge_embeddings from app_system;
grant insert (article_id, model, version, signs, embedding), update (model, version, signs, embedding) on knowledge_embeddings to app_system;
call app.open_to_lookup('knowledge_embeddings', 'select');

-- Groups of words that mean the same in a company, as they were given, and as they are looked for: of the stems of each, those of the others.
create table knowledge_synonyms (
    company_id uuid primary key default app.company_id() references companies,
    groups     jsonb not null default '[]',
    phrases    jsonb not null default '{}',
    version    integer not null default 0
);
call app.protect('knowledge_synonyms', 'select');
create policy leaders_insert on knowledge_synonyms as restrictive for insert to app_staff
    with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on knowledge_synonyms as restrictive for update to app_staff
    using ((select app.has_role('supervisor', 'admin')));
grant insert (company_id), update (groups, phrases, version) on knowledge_synonyms to app_staff;
revoke insert, update, delete on knowledge_synonyms from app_system;
call app.open_to_lookup('knowledge_synonyms', 'select');

-- The articles that may answer a question, best first by the terms that they share with it, and what is needed to judge them: how many articles
-- there are, how many have each term, which terms are spelled like those that none has, and the company's synonyms.
--
-- `asked` are the question's terms, and those that mean the same; `factors` say how much each counts. `phrases` are sequences of its terms.
-- `meant` are the signs of its embedding by a model. A definer: the operators of trigrams and bits use no index under a policy, and the terms are
-- nobody's to read. It answers what is active, valid now and for this audience, which all staff of the company may read.
create function app.find_knowledge(asked text[], factors real[], phrases text[], of_audience text, wanted integer, meant text, of_model text)
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
    if meant is not null then
        by_meaning := array(
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

-- Whether an article helped, by whom and in which conversation; the same person may say otherwise later. Without a person it was the bot.
create table knowledge_uses (
    id              uuid primary key,
    company_id      uuid not null default app.company_id(),
    article_id      uuid not null,
    user_id         uuid default app.user_id() references users,
    conversation_id uuid,
    -- Null: it was used, and nobody says how that went.
    helped          boolean,
    -- What was looked for.
    query           text check (char_length(query) <= 500),
    created_at      timestamptz not null default now(),
    unique nulls not distinct (company_id, article_id, user_id, conversation_id),
    foreign key (company_id, article_id) references knowledge_articles (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id) on delete cascade
);
create index knowledge_uses_conversation on knowledge_uses (company_id, conversation_id) where conversation_id is not null;
create index knowledge_uses_failed on knowledge_uses (company_id, created_at) where not helped and query is not null;
call app.protect('knowledge_uses', 'select');
create policy own_inserts on knowledge_uses as restrictive for insert to app_staff with check (user_id = (select app.user_id()));
create policy own_updates on knowledge_uses as restrictive for update to app_staff using (user_id = (select app.user_id()));
grant insert (id, article_id, conversation_id, helped, query), update (helped, query) on knowledge_uses to app_staff;
revoke delete, update on knowledge_uses from app_system;
grant update (helped, query) on knowledge_uses to app_system;

create function app.count_knowledge_use() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update knowledge_articles
       set helped = knowledge_articles.helped + coalesce(new.helped, false)::integer
                    - case when tg_op = 'UPDATE' then coalesce(old.helped, false)::integer else 0 end,
           not_helped = not_helped + coalesce(not new.helped, false)::integer
                    - case when tg_op = 'UPDATE' then coalesce(not old.helped, false)::integer else 0 end,
           last_used_at = now()
     where company_id = new.company_id and id = new.article_id;
    return null;
end
$$;
alter function app.count_knowledge_use owner to app_lookup;
revoke all on function app.count_knowledge_use from public;
create trigger knowledge_uses_counted after insert or update of helped on knowledge_uses
    for each row execute function app.count_knowledge_use();

-- What was looked for and not found, by the terms of the question.
create table knowledge_misses (
    id         bigint generated always as identity,
    company_id uuid not null default app.company_id(),
    query      text not null check (char_length(query) <= 500),
    -- In their order, each once.
    terms      text[] not null,
    audience   text not null check (audience in ('bot', 'agents')),
    -- The best that was found.
    score      real not null,
    at         timestamptz not null default now(),
    primary key (company_id, id)
);
create index knowledge_misses_at on knowledge_misses (company_id, at);
call app.protect('knowledge_misses', '');
drop policy staff on knowledge_misses;
create policy staff on knowledge_misses for insert to app_staff with check (true);
grant insert (query, terms, audience, score) on knowledge_misses to app_staff;
revoke update on knowledge_misses from app_system;

-- What could be better, with what speaks for it. Nothing of it counts before somebody has approved it; what was decided is not proposed again.
create table knowledge_proposals (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    kind            text not null check (kind in ('duplicate', 'contradiction', 'stale', 'unanswered', 'learned')),
    state           text not null default 'open' check (state in ('open', 'approved', 'rejected')),
    -- What speaks for it, in short: the same is proposed once.
    evidence_key    text not null,
    evidence        jsonb not null,
    -- The articles that it is about, as they were.
    article_id      uuid,
    article_version integer,
    other_id        uuid,
    other_version   integer,
    -- The article that there would be.
    draft           jsonb,
    -- The one that came of it.
    result_id       uuid,
    decided_by      uuid references users,
    decided_at      timestamptz,
    created_at      timestamptz not null default now(),
    unique (company_id, id),
    unique (company_id, evidence_key),
    foreign key (company_id, article_id) references knowledge_articles (company_id, id),
    foreign key (company_id, other_id) references knowledge_articles (company_id, id),
    foreign key (company_id, result_id) references knowledge_articles (company_id, id),
    check ((state = 'open') = (decided_at is null))
);
create index knowledge_proposals_created on knowledge_proposals (company_id, state, created_at desc, id desc);
call app.protect('knowledge_proposals', 'select');
alter policy staff on knowledge_proposals using ((select app.has_role('supervisor', 'admin')));
grant update (state, result_id, decided_by, decided_at) on knowledge_proposals to app_staff;
revoke insert, update, delete on knowledge_proposals from app_system;
call app.open_to_lookup('knowledge_proposals', 'select, insert, update');

-- Adds a proposal, or what speaks for it to the one that is there: questions, and conversations. Null when it was decided, or nothing of it is new. A
-- definer: whoever may propose need not see what others do.
create function app.propose_knowledge(proposal uuid, of_kind text, key text, article uuid, article_seen integer, other uuid, other_seen integer,
                                      drafted jsonb, speaks jsonb)
returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company constant uuid := app.company_id();
    -- As short as an index wants it.
    short constant text := of_kind || ':' || encode(sha256(convert_to(key, 'utf8')), 'hex');
    open knowledge_proposals;
    conversations jsonb;
    questions jsonb;
begin
    insert into knowledge_proposals (id, company_id, kind, evidence_key, evidence, article_id, article_version, other_id, other_version, draft)
    values (proposal, company, of_kind, short, speaks, article, article_seen, other, other_seen, drafted)
        on conflict (company_id, evidence_key) do nothing;
    if found then
        return proposal;
    end if;
    select * into open from knowledge_proposals where company_id = company and evidence_key = short for update;
    if open.state <> 'open' or of_kind <> 'learned' then
        return null;
    end if;
    conversations := (
        select jsonb_agg(distinct value)
          from (select value from jsonb_array_elements(open.evidence -> 'conversation_ids')
                union all
                select value from jsonb_array_elements(speaks -> 'conversation_ids')) every);
    questions := (
        select jsonb_agg(value order by place)
          from (select value, min(place) as place
                  from (select value, ordinality as place from jsonb_array_elements(open.draft -> 'questions') with ordinality
                        union all
                        select value, 100 + ordinality from jsonb_array_elements(drafted -> 'questions') with ordinality) every
                 group by value
                 order by place
                 limit 50) kept);
    update knowledge_proposals
       set evidence = evidence || jsonb_build_object('conversation_ids', coalesce(conversations, '[]')),
           draft = draft || jsonb_build_object('questions', coalesce(questions, '[]'))
     where id = open.id;
    return open.id;
end
$$;
alter function app.propose_knowledge owner to app_lookup;
revoke all on function app.propose_knowledge from public;
grant execute on function app.propose_knowledge to app_staff, app_system;

insert into event_rules (type, told_by) values
    ('knowledge.updated', 'supervisor'),
    ('knowledge_synonyms.updated', 'supervisor'),
    ('knowledge_proposal.updated', 'agent');
insert into job_rules (kind, queue, added_by) values
    ('import_knowledge', 'knowledge', 'supervisor'),
    ('optimize_knowledge', 'knowledge', 'supervisor');
