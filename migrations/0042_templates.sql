-- Templates: messages that WhatsApp has approved, which may be sent outside the window.

create table message_templates (
    id                 uuid primary key,
    company_id         uuid not null default app.company_id() references companies,
    channel_account_id uuid not null,
    -- WhatsApp's id of it.
    provider_id        text not null,
    name               text not null,
    language           text not null,
    category           text not null check (category in ('authentication', 'marketing', 'utility', 'other')),
    status             text not null check (status in ('approved', 'pending', 'rejected', 'paused', 'disabled', 'deleted', 'other')),
    quality            text check (quality in ('green', 'yellow', 'red')),
    -- Why it was rejected, paused or disabled, in WhatsApp's words.
    reason             text,
    -- As WhatsApp has them.
    components         jsonb not null,
    -- When WhatsApp said what it is: nothing older takes its place.
    told_at            timestamptz not null,
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    constraint message_templates_name unique (company_id, channel_account_id, name, language),
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id) on delete cascade
);
create index message_templates_newest on message_templates (company_id, created_at desc, id desc);
create index message_templates_provider on message_templates (company_id, provider_id);
call app.protect('message_templates');
drop policy staff on message_templates;
create policy staff on message_templates for select to app_staff using (true);
create policy leaders on message_templates to app_staff using ((select app.has_role('supervisor', 'admin')));
grant insert (id, channel_account_id, provider_id, name, language, category, status, quality, reason, components, told_at),
      update (provider_id, category, status, quality, reason, components, told_at, updated_at) on message_templates to app_staff;
revoke insert, delete on message_templates from app_system;
insert into event_rules (type, told_by) values ('templates.synced', 'supervisor');
