-- Accounts of BotConversa: channels whose flows tell us of people, and which are kept like our clients.

-- Of an account `account_key` is the fingerprint of its key.
create unique index channel_accounts_botconversa on channel_accounts (account_key) where kind = 'botconversa' and removed_at is null;

-- As before, and of accounts that are on WhatsApp Web. Those on its official API have its window.
create or replace function app.keep_window() returns trigger language plpgsql as $$
begin
    if exists (select from channel_accounts
                where id = new.channel_account_id
                  and (kind = 'evolution' or kind = 'botconversa' and not coalesce((settings ->> 'has_window')::boolean, false))) then
        new.window_expires_at := '9999-01-01T00:00:00Z';
    end if;
    return new;
end
$$;

-- Somebody whom an account can write to: what we have last seen and put there. Who they are here, their identity says
-- (`<channel account>:<subscriber>`), so that they follow who becomes another client.
create table botconversa_subscribers (
    company_id         uuid not null default app.company_id(),
    channel_account_id uuid not null,
    subscriber_id      text not null check (length(subscriber_id) between 1 and 64),
    -- Those both sides have told each other of: none of them is news.
    tags               text[] not null default '{}',
    -- Custom fields by the ids they have there, as they were last set by us.
    fields             jsonb not null default '{}',
    -- What they were last made to show of their conversation: its status and holder.
    shown              text,
    synced_at          timestamptz not null default now(),
    primary key (company_id, channel_account_id, subscriber_id),
    foreign key (company_id, channel_account_id) references channel_accounts (company_id, id) on delete cascade
);
call app.protect('botconversa_subscribers', '');
revoke delete on botconversa_subscribers from app_system;

insert into job_rules (kind, queue, added_by) values ('sync_botconversa', 'sync', 'supervisor');
