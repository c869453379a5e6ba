-- Views are of the inbox or of leads; each person has 50 of each.

alter table views add column kind text not null default 'conversations' check (kind in ('conversations', 'leads'));
drop index views_name_key;
create unique index views_name_key on views (company_id, kind, owner_id, app.look(name)) nulls not distinct;
grant insert (kind) on views to app_staff;

create or replace function app.hold_views() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    others integer;
begin
    perform pg_advisory_xact_lock(hashtextextended(format('views %s %s %s', new.company_id, new.owner_id, new.kind), 0));
    select count(*), coalesce(max(position), 0) + 1 into others, new.position
      from views where company_id = new.company_id and kind = new.kind and owner_id is not distinct from new.owner_id;
    if others >= 50 then
        raise check_violation using message = 'there are 50 views already', constraint = 'views_most';
    end if;
    return new;
end
$$;

-- Leads are not asked for by departments.
create or replace function app.move_views() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update views
       set filters = jsonb_set(filters, '{department}', (
               select jsonb_agg(distinct case when department = new.id::text then new.moved_to_id::text else department end)
                 from jsonb_array_elements_text(filters -> 'department') department)),
           version = version + 1, updated_at = now()
     where company_id = new.company_id and kind = 'conversations' and filters -> 'department' ? new.id::text;
    return null;
end
$$;
