-- Leads that are kept alike with the CRM that a company has beside this one.

create table crm_connections (
    company_id   uuid primary key default app.company_id() references companies,
    -- What the address of its webhooks is made of.
    id           uuid not null unique,
    kind         text not null check (kind in ('hubspot', 'pipedrive', 'generic_rest')),
    name         text not null check (char_length(name) between 1 and 80),
    -- Of a CRM that the company names itself; its key is in `company_secrets`.
    base_url     text check (char_length(base_url) <= 300),
    key_hint     text not null,
    -- What the CRM calls our fields, by our names, where that is not the usual name; null of what it is not told.
    fields       jsonb not null default '{}',
    status       text not null default 'active' check (status in ('active', 'broken', 'disabled')),
    -- Up to when its changes were read.
    read_until   timestamptz,
    synced_at    timestamptz,
    -- When it last told that there is something to read.
    hinted_at    timestamptz,
    -- Calls in a row that came to nothing, and until when it is left alone.
    failures     integer not null default 0,
    paused_until timestamptz,
    last_error   text,
    version      integer not null default 1,
    created_at   timestamptz not null default now(),
    check ((kind = 'generic_rest') = (base_url is not null))
);
call app.protect('crm_connections');
revoke insert, delete on crm_connections from app_system;
drop policy staff on crm_connections;
create policy staff on crm_connections to app_staff using ((select app.has_role('supervisor', 'admin')));
create policy admins_insert on crm_connections as restrictive for insert to app_staff with check ((select app.has_role('admin')));
create policy admins_update on crm_connections as restrictive for update to app_staff using ((select app.has_role('admin')));
grant insert (id, kind, name, base_url, key_hint, fields, status),
      update (name, base_url, key_hint, fields, status, failures, paused_until, last_error, version) on crm_connections to app_staff;

-- Which record there is which lead here, and what both sides last said alike.
create table crm_records (
    company_id   uuid not null default app.company_id() references companies,
    lead_id      uuid not null,
    -- Null while the CRM has not said it.
    crm_id       text check (char_length(crm_id) between 1 and 120),
    -- By our fields' names: from here on a difference is a change of whoever differs.
    agreed       jsonb not null default '{}',
    -- The version of the lead that the CRM was told of.
    lead_version integer not null default 0,
    -- When it was last asked to make one, whose answer nobody has kept yet.
    asked_at     timestamptz,
    -- Times that it has failed with this one, and why it is not tried any more.
    attempts     integer not null default 0,
    refused      text check (char_length(refused) <= 500),
    pushed_at    timestamptz,
    -- It was taken away there because it is gone here; it has gone there by itself.
    archived_at  timestamptz,
    gone_at      timestamptz,
    -- The lead that had it, which has become part of this one.
    came_with    uuid,
    primary key (company_id, lead_id),
    constraint crm_records_crm_id unique (company_id, crm_id),
    foreign key (company_id, lead_id) references leads (company_id, id)
);
call app.protect('crm_records');
revoke delete on crm_records from app_system;
drop policy staff on crm_records;
create policy staff on crm_records to app_staff using ((select app.has_role('supervisor', 'admin')));
grant update (crm_id, agreed, lead_version, attempts, refused, asked_at, gone_at) on crm_records to app_staff;

create policy lookup on crm_records to app_lookup using (true);
alter policy company on crm_records to app_staff, app_student, app_system;
grant select, update (lead_id, came_with, lead_version, agreed), delete on crm_records to app_lookup;

-- The record of a lead that becomes part of another is the other's, where that has none; undone, it goes back.
create function app.move_crm_record() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.merged_into_id is null then
        update crm_records set lead_id = new.id, came_with = null, lead_version = 0
         where company_id = new.company_id and lead_id = old.merged_into_id and came_with = new.id;
    elsif exists (select from crm_records where company_id = new.company_id and lead_id = new.id and crm_id is not null) then
        delete from crm_records where company_id = new.company_id and lead_id = new.merged_into_id and crm_id is null;
        update crm_records set lead_id = new.merged_into_id, came_with = new.id, lead_version = 0
         where company_id = new.company_id and lead_id = new.id
           and not exists (select from crm_records other where other.company_id = new.company_id and other.lead_id = new.merged_into_id);
    end if;
    return null;
end
$$;
alter function app.move_crm_record owner to app_lookup;
create trigger leads_crm_record after update of merged_into_id on leads for each row
    when (new.merged_into_id is distinct from old.merged_into_id) execute function app.move_crm_record();

-- What is called otherwise from now on was agreed about nobody: it is read and told anew.
create function app.forget_crm_fields() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update crm_records
       set lead_version = 0,
           agreed = agreed - array(select key from jsonb_object_keys(old.fields || new.fields) key
                                    where old.fields -> key is distinct from new.fields -> key)
     where company_id = new.company_id;
    new.read_until := null;
    return new;
end
$$;
alter function app.forget_crm_fields owner to app_lookup;
create trigger crm_connections_fields before update of fields on crm_connections for each row
    when (new.fields <> old.fields) execute function app.forget_crm_fields();

-- What both sides have changed since they last said the same, or what is gone there.
create table crm_conflicts (
    id             uuid primary key default gen_random_uuid(),
    company_id     uuid not null default app.company_id() references companies,
    lead_id        uuid not null,
    crm_id         text not null,
    kind           text not null check (kind in ('field', 'deleted')),
    -- Our name of it; null where the record is gone there.
    field          text,
    agreed         text,
    ours           text,
    theirs         text,
    created_at     timestamptz not null default now(),
    -- `same`: both sides say the same again.
    resolution     text check (resolution in ('ours', 'theirs', 'same')),
    resolved_at    timestamptz,
    resolved_by_id uuid references users,
    unique (company_id, id),
    foreign key (company_id, lead_id) references leads (company_id, id),
    check ((kind = 'field') = (field is not null)),
    check ((resolution is null) = (resolved_at is null))
);
create unique index crm_conflicts_open on crm_conflicts (company_id, lead_id, coalesce(field, '')) where resolved_at is null;
create index crm_conflicts_newest on crm_conflicts (company_id, created_at, id);
call app.protect('crm_conflicts');
revoke delete on crm_conflicts from app_system;
create policy seen_leads on crm_conflicts as restrictive to app_staff
    using ((select app.has_role('supervisor', 'admin'))
           and exists (select from leads where leads.company_id = crm_conflicts.company_id and leads.id = lead_id));
grant update (resolution, resolved_at, resolved_by_id) on crm_conflicts to app_staff;

-- Whose a CRM is that tells of changes.
create policy lookup on crm_connections to app_lookup using (true);
alter policy company on crm_connections to app_staff, app_student, app_system;
grant select on crm_connections to app_lookup;
create function app.find_crm(wanted uuid) returns table (company_id uuid)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query select connection.company_id from crm_connections connection where connection.id = wanted and connection.status <> 'disabled';
end
$$;
alter function app.find_crm owner to app_lookup;
revoke all on function app.find_crm from public;
grant execute on function app.find_crm to app;

insert into event_rules (type, told_by) values ('crm.conflict_resolved', 'supervisor');
insert into job_rules (kind, queue, added_by) values ('sync_crm', 'crm', 'supervisor');

update notification_types
   set words = jsonb_set(jsonb_set(words, '{pt-BR,title_sync_crm}', '"CRM sincronizado"'), '{en,title_sync_crm}', '"The CRM is synchronised"')
 where type = 'export_ready';
