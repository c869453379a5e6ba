-- What the outside sees of a row has an order of its own; names that look alike are alike.

-- How often a conversation's row has changed: of two copies the one with the greater number is the newer, however they came.
alter table conversations add column revision integer not null default 1;
create function app.count_revision() returns trigger language plpgsql as $$
begin
    new.revision := old.revision + 1;
    return new;
end
$$;
create trigger conversations_revision before update on conversations for each row execute function app.count_revision();

-- What is the same for names that look alike, however they are written, composed and spaced.
create function app.look(name text) returns text language sql immutable strict parallel safe as
    $$ select lower(regexp_replace(normalize(name, nfkc), '\s+', ' ', 'g')) $$;
grant execute on function app.look to app_staff;
drop index departments_name_key;
create unique index departments_name_key on departments (company_id, app.look(name));
