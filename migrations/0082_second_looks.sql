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
