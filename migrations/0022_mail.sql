-- Mails: what is to be sent, by which server, and what became of it.

alter table companies
    -- Where links in mails lead; null is the stage's.
    add column front_end_url text check (front_end_url ~ '^https?://[^/?#\s]+$' and char_length(front_end_url) <= 300);

create table mails (
    id           uuid primary key,
    company_id   uuid not null default app.company_id() references companies,
    template     text not null,
    to_address   text not null,
    to_name      text not null,
    locale       text not null,
    link_purpose text,
    link_id      uuid,
    data         jsonb not null default '{}',
    -- `refused` and `failed` are final: the server does not take it, or did not for too long.
    state        text not null default 'queued' check (state in ('queued', 'sent', 'refused', 'failed')),
    attempts     integer not null default 0,
    -- What the server said last, its code first.
    reply        text,
    created_at   timestamptz not null default now(),
    sent_at      timestamptz,
    check ((link_purpose is null) = (link_id is null))
);
call app.protect('mails');
call app.open_to_lookup('mails', 'insert');
-- Whom a company writes to is its admins' to know.
drop policy staff on mails;
create policy admins on mails for select to app_staff using ((select app.has_role('admin')));
revoke insert, update, delete on mails from app_system;
grant update (state, attempts, reply, sent_at) on mails to app_system;
create index mails_recent on mails (company_id, created_at desc, id desc);
create index mails_of_link on mails (company_id, link_id) where link_id is not null;

-- Who may have which mail sent, by the least role; whatever is not here is the system's alone.
create table mail_rules (
    template text primary key,
    sent_by  text not null check (sent_by in ('student', 'agent', 'supervisor', 'admin'))
);
alter table mail_rules enable row level security;
alter table mail_rules force row level security;
create policy everybody on mail_rules using (true);
grant select on mail_rules to app_lookup;
insert into mail_rules (template, sent_by) values
    ('invite', 'supervisor'),
    ('password_reset', 'admin'),
    ('password_changed', 'student'),
    ('new_device', 'student'),
    ('approved', 'admin');
insert into job_rules (kind, queue, added_by) values ('send_email', 'mail', 'student');

-- Adds a mail in the name of the company that was entered.
create function app.queue_mail(
    mail uuid, of_template text, address text, person text, language text, purpose text, link uuid, facts jsonb)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    ranks constant text[] := array['student', 'agent', 'supervisor', 'admin'];
begin
    if current_setting('role') <> 'app_system' and not exists (
        select from mail_rules
          join memberships on memberships.company_id = app.company_id() and memberships.user_id = app.user_id()
         where mail_rules.template = of_template
           and array_position(ranks, mail_rules.sent_by) <= array_position(ranks, memberships.role))
    then
        raise insufficient_privilege using message = format('mail %s is not this caller''s to send: see mail_rules', of_template);
    end if;
    insert into mails (id, template, to_address, to_name, locale, link_purpose, link_id, data)
    values (mail, of_template, address, person, language, purpose, link, facts);
end
$$;
alter function app.queue_mail owner to app_lookup;
grant execute on function app.queue_mail to app_staff, app_student, app_system;

-- A company's own mail server; without one its mails go by the stage's.
create table mail_accounts (
    company_id   uuid primary key default app.company_id() references companies,
    host         text not null check (char_length(host) between 1 and 253),
    port         integer not null check (port between 1 and 65535),
    security     text not null check (security in ('tls', 'starttls')),
    username     text,
    -- The password, sealed with the company's id.
    sealed       bytea,
    from_address text not null,
    from_name    text,
    version      integer not null default 1,
    -- In PEM, who vouches for the server's certificate besides those whom everybody trusts.
    authority    text check (char_length(authority) <= 10000),
    check ((username is null) = (sealed is null))
);
call app.protect('mail_accounts', '');
drop policy staff on mail_accounts;
create policy admins on mail_accounts to app_staff using ((select app.has_role('admin')));
-- Set-up logs in with the password; what it answers does not hold it.
grant select (company_id, host, port, security, username, sealed, from_address, from_name, version, authority),
      insert (host, port, security, username, sealed, from_address, from_name, authority),
      update (host, port, security, username, sealed, from_address, from_name, version, authority), delete on mail_accounts to app_staff;
revoke insert, update, delete on mail_accounts from app_system;

-- Mails are kept for half a year.
create function app.sweep_mails(batch integer) returns bigint language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone bigint;
begin
    delete from mails
     where id in (select id from mails where created_at < now() - interval '180 days' order by created_at limit batch);
    get diagnostics gone = row_count;
    return gone;
end
$$;
alter function app.sweep_mails owner to app_lookup;
grant select, delete on mails to app_lookup;
create index mails_age on mails (created_at);
grant execute on function app.sweep_mails to app;
