-- What people are told of and choose about their own account.

-- Mails

insert into mail_rules (template, sent_by) values
    ('two_factor_enabled', 'student'),
    ('two_factor_disabled', 'student'),
    ('recovery_codes_renewed', 'student');

-- The company that a login enters

alter table memberships no force row level security;
update memberships set is_primary = false where is_primary and status <> 'active';
alter table memberships force row level security;
alter table memberships add constraint memberships_primary_active check (status = 'active' or not is_primary);

drop function app.companies_of_user;
-- As before; `is_primary` is the one that a login enters which names none: the chosen one, else the oldest.
create function app.companies_of_user() returns table (id uuid, name text, slug text, role text, is_primary boolean)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select companies.id, companies.name, companies.slug, memberships.role,
           row_number() over (order by memberships.is_primary desc, memberships.created_at, companies.id) = 1
      from memberships
      join companies on companies.id = memberships.company_id
     where memberships.user_id = app.user_id() and memberships.status = 'active'
     order by companies.name, companies.id;
end
$$;
alter function app.companies_of_user owner to app_lookup;
grant execute on function app.companies_of_user to app_staff, app_student;

-- Pictures of who signs in

drop function app.find_login;
-- As before, with where the person's picture is.
create function app.find_login(address text)
returns table (user_id uuid, name text, password_hash text, company_id uuid, company_name text, company_slug text, role text, status text,
               has_second_factor boolean, avatar_url text)
language sql stable security definer set search_path = public, pg_temp as $$
    select users.id, users.name, users.password_hash, companies.id, companies.name, companies.slug, memberships.role, memberships.status,
           exists (select from second_factors where second_factors.user_id = users.id and second_factors.enabled_at is not null),
           '/storage/download/' || memberships.avatar_file_id
      from users
      left join memberships on memberships.user_id = users.id
      left join companies on companies.id = memberships.company_id
     where users.email = lower(address)
     order by memberships.status = 'active' desc, memberships.is_primary desc, memberships.created_at, companies.id
$$;
alter function app.find_login owner to app_lookup;
grant execute on function app.find_login to app;

drop function app.find_challenge;
-- As before, with where the person's picture is.
create function app.find_challenge(hash bytea)
returns table (user_id uuid, name text, email text, company_id uuid, company_name text, company_slug text, role text, avatar_url text,
               secret bytea)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select users.id, users.name, users.email, companies.id, companies.name, companies.slug, memberships.role,
           '/storage/download/' || memberships.avatar_file_id, second_factors.secret
      from login_challenges
      join users on users.id = login_challenges.user_id
      join companies on companies.id = login_challenges.company_id
      join memberships on memberships.company_id = login_challenges.company_id and memberships.user_id = login_challenges.user_id
      join second_factors on second_factors.user_id = login_challenges.user_id
     where login_challenges.token_hash = hash
       and login_challenges.expires_at > now()
       and memberships.status = 'active'
       and second_factors.enabled_at is not null;
end
$$;
alter function app.find_challenge owner to app_lookup;
grant execute on function app.find_challenge to app;
