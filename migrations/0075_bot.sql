-- Flows without code: drawn by supervisors, published, and taken back. A row is a version; the one with the number 0 is the draft.

alter table bot_flows
    add column name text not null default '' check (char_length(name) <= 80),
    -- Who drew it; null of those that were made with the company.
    add column author_id uuid,
    -- The number of the version that this one brings back.
    add column restored_from integer,
    add column updated_at timestamptz not null default now(),
    -- Grows with each change of what is drawn or published under the key.
    add column version integer not null default 1,
    -- It begins no more; conversations that are in it go on.
    add column removed_at timestamptz,
    add constraint bot_flows_draft check ((number = 0) = (published_at is null)),
    add foreign key (company_id, author_id) references memberships (company_id, user_id);
create index bot_flows_author on bot_flows (company_id, author_id) where author_id is not null;
drop policy admins_inserts on bot_flows;
create policy leaders_insert on bot_flows as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on bot_flows as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));
create policy leaders_delete on bot_flows as restrictive for delete to app_staff using (number = 0 and (select app.has_role('supervisor', 'admin')));
grant insert (number, name, author_id, restored_from, version), update (name, definition, author_id, updated_at, version, removed_at), delete
    on bot_flows to app_staff;
grant select (name, removed_at) on bot_flows to app_system;

-- What was published stays as it was: conversations are in it.
create function app.keep_published_flows() returns trigger language plpgsql as $$
begin
    -- Whoever owns the database may mend what nobody can draw anew.
    if current_user not like 'app%' then
        return new;
    end if;
    raise insufficient_privilege using message = 'a published flow is not changed: publish another version';
end
$$;
create trigger bot_flows_published before update of definition, name on bot_flows
    for each row when (old.number > 0 and (old.definition, old.name) is distinct from (new.definition, new.name))
    execute function app.keep_published_flows();

-- Channels whose flow has the same key follow a version that has just been published. Supervisors may publish, and not set up channels.
grant update (bot_flow_id) on channel_accounts to app_lookup;
call app.open_to_lookup('bot_flows', 'select');
create function app.follow_flow(flow uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not app.has_role('supervisor', 'admin') then
        raise insufficient_privilege using message = 'flows are the supervisors'' to publish';
    end if;
    update channel_accounts
       set bot_flow_id = flow
     where company_id = app.company_id()
       and bot_flow_id in (select other.id
                             from bot_flows published
                             join bot_flows other on other.company_id = published.company_id and other.key = published.key
                            where published.company_id = app.company_id() and published.id = flow and other.id <> flow);
end
$$;
alter function app.follow_flow owner to app_lookup;
revoke all on function app.follow_flow from public;
grant execute on function app.follow_flow to app_staff;

-- The company's own words for what its bot says and hears; without a row, or with one that is not active, as built in.
create table bot_config (
    company_id  uuid not null default app.company_id() references companies,
    key         text not null check (key in ('not_understood', 'goodbye', 'human_words', 'menu_words', 'leave_words')),
    value       jsonb not null,
    description text check (char_length(description) <= 200),
    is_active   boolean not null default true,
    updated_at  timestamptz not null default now(),
    primary key (company_id, key)
);
call app.protect('bot_config', 'select');
create policy leaders_insert on bot_config as restrictive for insert to app_staff with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on bot_config as restrictive for update to app_staff using ((select app.has_role('supervisor', 'admin')));
grant insert (key, value, description, is_active, updated_at), update (value, description, is_active, updated_at) on bot_config to app_staff;
revoke insert, update, delete on bot_config from app_system;

-- Answers to the node that a conversation rests at which were none.
alter table conversations add column bot_misses integer not null default 0;
grant select (bot_misses) on conversations to app_system;

-- The nodes that conversations went through.
create table bot_steps (
    id              bigint generated always as identity,
    company_id      uuid not null default app.company_id(),
    conversation_id uuid not null,
    bot_flow_id     uuid not null,
    turn            integer not null,
    node            text not null,
    outcome         text not null check (outcome in ('passed', 'asked', 'answered', 'missed', 'timed_out', 'slept', 'called', 'handed_over', 'closed')),
    -- What was said where it was no answer.
    said            text,
    at              timestamptz not null default now(),
    primary key (company_id, id),
    foreign key (company_id, conversation_id) references conversations (company_id, id) on delete cascade,
    foreign key (company_id, bot_flow_id) references bot_flows (company_id, id)
);
create index bot_steps_conversation on bot_steps (company_id, conversation_id, id);
create index bot_steps_at on bot_steps (company_id, at);
call app.protect('bot_steps', 'select');
revoke update, delete on bot_steps from app_system;

insert into event_rules (type, told_by) values ('bot_flow.updated', 'supervisor'), ('bot_config.updated', 'supervisor');
