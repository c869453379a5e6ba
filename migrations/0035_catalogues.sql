-- The company's catalogues, of tags with their colours and of its own fields of clients; clients who are blocked; clients joined and parted by hand.

create table tags (
    id         uuid primary key,
    company_id uuid not null default app.company_id() references companies,
    name       text not null check (char_length(name) between 1 and 40),
    colour     text not null default '#8a8f98' check (colour ~ '^#[0-9a-f]{6}$'),
    version    integer not null default 1,
    created_at timestamptz not null default now(),
    unique (company_id, id)
);
create unique index tags_name on tags (company_id, app.look(name));
call app.protect('tags');
alter policy company on tags to app_staff, app_student, app_system;
revoke insert, update, delete on tags from app_system;
grant insert (id, name, colour), update (name, colour, version), delete on tags to app_staff;
create policy lookup on tags to app_lookup using (true);
grant select, insert, update (name) on tags to app_lookup;
create index conversations_tags on conversations using gin (company_id, tags) with (fastupdate = off) where tags <> '{}';
insert into event_rules (type, told_by) values
    ('tag.created', 'agent'),
    ('tag.deleted', 'supervisor'),
    ('tag.updated', 'supervisor');

-- What is put on a client or a conversation is in the catalogue, spelled as it is there. Whoever renames or deletes a tag meanwhile waits, or is
-- waited for.
create function app.catalogue_tags() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    looks text[] := array(select look from (select app.look(tag) as look, min(place) as place
                                              from unnest(new.tags) with ordinality given (tag, place) group by 1) given order by place);
    spelled text[];
begin
    loop
        insert into tags (id, company_id, name)
        select gen_random_uuid(), new.company_id, tag
          from (select distinct on (app.look(tag)) tag
                  from unnest(new.tags) with ordinality given (tag, place) order by app.look(tag), place) given
        on conflict (company_id, app.look(name)) do nothing;
        with held as (
            select name from tags where company_id = new.company_id and app.look(name) = any (looks) order by id for share
        )
        select array_agg(name order by array_position(looks, app.look(name))) into spelled from held;
        exit when cardinality(spelled) = cardinality(looks);
    end loop;
    new.tags := spelled;
    return new;
end
$$;
grant execute on function app.look to app_lookup;
alter function app.catalogue_tags owner to app_lookup;
create trigger clients_tags before insert or update of tags on clients
    for each row when (new.tags <> '{}' and pg_trigger_depth() = 0) execute function app.catalogue_tags();
create trigger conversations_tags before insert or update of tags on conversations
    for each row when (new.tags <> '{}' and pg_trigger_depth() = 0) execute function app.catalogue_tags();

-- Everything that has a tag, in the order of locks, before the tag itself.
create function app.hold_tagged(tag uuid) returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
    company uuid := app.company_id();
    wanted text := (select name from tags where company_id = company and id = tag);
begin
    perform from clients where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
    perform from conversations where company_id = company and tags <> '{}' and tags @> array[wanted] order by id for no key update;
end
$$;
alter function app.hold_tagged owner to app_lookup;
grant execute on function app.hold_tagged to app_staff;
grant update (tags) on clients, conversations to app_lookup;

create function app.follow_tag() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update clients
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end,
           version = version + 1
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    update conversations
       set tags = case when tg_op = 'DELETE' then array_remove(tags, old.name) else array_replace(tags, old.name, new.name) end
     where company_id = old.company_id and tags <> '{}' and tags @> array[old.name];
    return null;
end
$$;
alter function app.follow_tag owner to app_lookup;
create trigger tags_renamed after update of name on tags
    for each row when (new.name <> old.name) execute function app.follow_tag();
create trigger tags_deleted after delete on tags for each row execute function app.follow_tag();

alter table clients no force row level security;
alter table conversations no force row level security;
update clients set tags = tags where tags <> '{}';
update conversations set tags = tags where tags <> '{}';
alter table conversations force row level security;
alter table clients force row level security;

-- What a company keeps of its clients beside what everybody does. A key means one kind of value for good.
create table client_fields (
    company_id uuid primary key default app.company_id() references companies,
    -- One `{key, label, kind, options}` each, in the order of forms.
    fields     jsonb not null default '[]',
    -- Of each key there ever was, its kind.
    kinds      jsonb not null default '{}',
    -- 0 until something is saved.
    version    integer not null default 0
);
call app.protect('client_fields');
revoke insert, update, delete on client_fields from app_system;
grant insert (company_id), update (fields, kinds, version) on client_fields to app_staff;
grant insert (custom_fields), update (custom_fields) on clients to app_staff;
insert into event_rules (type, told_by) values ('client_fields.updated', 'supervisor');
