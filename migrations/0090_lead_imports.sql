-- Leads that come in as a table, and go out as one. Columns as those of `client_imports`, and where the leads go.

create table lead_imports (
    id            uuid primary key,
    company_id    uuid not null default app.company_id() references companies,
    -- No reference: the file may go while this stays.
    file_id       uuid not null,
    file_name     text not null,
    started_by    uuid default app.user_id() references users,
    on_existing   text not null check (on_existing in ('skip', 'update', 'create')),
    is_dry_run    boolean not null,
    -- The pipeline, the stage of those whose row names none, and the closer of those that have none.
    pipeline_id   uuid not null,
    stage_id      uuid not null,
    closer_id     uuid,
    mapping       jsonb,
    state         text not null default 'going' check (state in ('going', 'done', 'cancelled', 'failed')),
    fault         text,
    headers       text[],
    made          integer not null default 0,
    updated       integer not null default 0,
    skipped       integer not null default 0,
    failed        integer not null default 0,
    errors        jsonb not null default '[]',
    error_count   integer not null default 0,
    created_at    timestamptz not null default now(),
    finished_at   timestamptz,
    undo_job_id   uuid,
    undone_by     uuid references users,
    undone_at     timestamptz,
    removed       integer not null default 0,
    restored      integer not null default 0,
    kept          integer not null default 0,
    unique (company_id, id)
);
create index lead_imports_at on lead_imports (company_id, created_at, id);
create index lead_imports_finished on lead_imports (finished_at);
call app.protect('lead_imports');
alter policy staff on lead_imports using ((select app.sees_all()));
revoke delete, insert, update on lead_imports from app_system;
grant update (mapping, state, fault, headers, made, updated, skipped, failed, errors, error_count, finished_at, undo_job_id, undone_at, removed,
              restored, kept)
    on lead_imports to app_system;
grant insert (id, file_id, file_name, on_existing, is_dry_run, pipeline_id, stage_id, closer_id, mapping), update (undo_job_id, undone_by)
    on lead_imports to app_staff;

-- What an import did to which lead.
create table lead_import_rows (
    company_id uuid not null default app.company_id(),
    import_id  uuid not null,
    lead_id    uuid not null,
    -- Of the file.
    number     bigint not null,
    -- Null where the lead was made; otherwise what people had written of it, and what the import wrote.
    before     jsonb,
    after      jsonb,
    is_undone  boolean not null default false,
    primary key (company_id, import_id, lead_id),
    foreign key (company_id, import_id) references lead_imports (company_id, id),
    foreign key (company_id, lead_id) references leads (company_id, id),
    check ((before is null) = (after is null))
);
create index lead_import_rows_left on lead_import_rows (company_id, import_id, lead_id) where not is_undone;
create index lead_import_rows_lead on lead_import_rows (company_id, lead_id);
call app.protect('lead_import_rows', '');
drop policy staff on lead_import_rows;
revoke delete, update on lead_import_rows from app_system;
grant update (is_undone) on lead_import_rows to app_system;

-- What came to an end elsewhere came to it there.
grant insert (value, close_reason) on leads to app_system;

insert into job_rules (kind, queue, added_by) values
    ('import_leads', 'leads', 'supervisor'),
    ('undo_lead_import', 'leads', 'supervisor');

update notification_types
   set words = jsonb_set(jsonb_set(words,
           '{pt-BR}', words -> 'pt-BR' || '{"title_import_leads": "Importação de leads concluída", "title_undo_lead_import": "Importação de leads desfeita"}'),
           '{en}', words -> 'en' || '{"title_import_leads": "Leads are imported", "title_undo_lead_import": "The import of leads is undone"}')
 where type = 'export_ready';

-- As before, and of imports of leads.
create policy lookup on lead_imports to app_lookup using (true);
create policy lookup on lead_import_rows to app_lookup using (true);
grant select on lead_imports to app_lookup;
grant select, delete on lead_import_rows to app_lookup;
create or replace function app.sweep_imports(most integer) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint;
    more bigint;
begin
    delete from client_import_rows where ctid in (
        select client_import_rows.ctid
          from client_imports
          join client_import_rows on client_import_rows.company_id = client_imports.company_id and import_id = client_imports.id
         where finished_at < now() - interval '31 days'
         limit most);
    get diagnostics gone = row_count;
    delete from lead_import_rows where ctid in (
        select lead_import_rows.ctid
          from lead_imports
          join lead_import_rows on lead_import_rows.company_id = lead_imports.company_id and import_id = lead_imports.id
         where finished_at < now() - interval '31 days'
         limit most);
    get diagnostics more = row_count;
    return gone + more;
end
$$;

insert into event_rules (type, told_by) values ('leads.transferred', 'supervisor');
