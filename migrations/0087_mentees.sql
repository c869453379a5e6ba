-- Clients who are mentored, what they tell of each month and what they think of it. Students write their own and see nobody else's.

create table mentees (
    id              uuid primary key,
    company_id      uuid not null default app.company_id() references companies,
    client_id       uuid not null,
    -- Of the staff; who has left stays named.
    mentor_id       uuid not null,
    entry_month     date not null check (entry_month = date_trunc('month', entry_month)),
    status          text not null default 'active' check (status in ('active', 'paused', 'ended')),
    goals           text not null default '' check (char_length(goals) <= 5000),
    target_revenue  numeric(14, 2) check (target_revenue >= 0),
    target_sales    integer check (target_sales between 0 and 1000000000),
    version         integer not null default 1,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    -- The clients that it was of before they became others, the first one first.
    moved_from      uuid[] not null default '{}',
    -- The mentoring that went on where two of one person met, what this one was until then, and whose becoming another did it.
    merged_into_id  uuid,
    status_before   text check (status_before in ('active', 'paused')),
    ended_with      uuid,
    unique (company_id, id),
    foreign key (company_id, client_id) references clients (company_id, id),
    foreign key (company_id, mentor_id) references memberships (company_id, user_id),
    foreign key (company_id, merged_into_id) references mentees (company_id, id)
);
-- One mentoring at a time; those that have ended are history.
create unique index mentees_client_key on mentees (company_id, client_id) where status <> 'ended';
create index mentees_client on mentees (company_id, client_id);
create index mentees_at on mentees (company_id, created_at, id);
create index mentees_mentor on mentees (company_id, mentor_id, created_at, id);
create index mentees_merged on mentees (company_id, merged_into_id) where merged_into_id is not null;
call app.protect('mentees');
-- Seen as a conversation of no department that the mentor holds.
alter policy staff on mentees
    using ((select app.sees_all()) or mentor_id = (select app.user_id()) or (select app.visibility()) = 'department')
    with check (true);
create policy own_changes on mentees as restrictive for update to app_staff
    using (mentor_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin')))
    with check (mentor_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin')));
create policy own_mentees on mentees as restrictive for insert to app_staff
    with check (mentor_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin')));
create policy student on mentees for select to app_student using (client_id = (select app.client_id()));
create policy lookup on mentees to app_lookup using (true);
grant select on mentees to app_student;
grant insert (id, client_id, mentor_id, entry_month, status, goals, target_revenue, target_sales),
      update (mentor_id, entry_month, status, goals, target_revenue, target_sales, version, updated_at, merged_into_id, status_before, ended_with)
   on mentees to app_staff;
grant select, update on mentees to app_lookup;
revoke insert, update, delete on mentees from app_system;

-- What they tell of a month: whoever told last is named, and what was told before is kept.
create table mentee_evolutions (
    id         uuid primary key,
    company_id uuid not null default app.company_id() references companies,
    mentee_id  uuid not null,
    month      date not null check (month = date_trunc('month', month) and month >= '2000-01-01'),
    revenue    numeric(14, 2) not null check (revenue >= 0),
    profit     numeric(14, 2),
    team       integer check (team between 0 and 1000000000),
    leads      integer check (leads between 0 and 1000000000),
    sales      integer check (sales between 0 and 1000000000),
    notes      text not null default '' check (char_length(notes) <= 5000),
    version    integer not null default 1,
    entered_at timestamptz not null default now(),
    entered_by uuid not null default app.user_id() references users,
    updated_at timestamptz not null default now(),
    updated_by uuid not null default app.user_id() references users,
    unique (company_id, id),
    constraint mentee_evolutions_month unique (company_id, mentee_id, month),
    foreign key (company_id, mentee_id) references mentees (company_id, id)
);
create table mentee_evolution_revisions (
    company_id   uuid not null default app.company_id() references companies,
    evolution_id uuid not null,
    version      integer not null,
    figures      jsonb not null,
    told_by      uuid not null references users,
    told_at      timestamptz not null,
    primary key (company_id, evolution_id, version),
    foreign key (company_id, evolution_id) references mentee_evolutions (company_id, id)
);
call app.protect('mentee_evolutions');
call app.protect('mentee_evolution_revisions');
create policy sight on mentee_evolutions as restrictive to app_staff
    using (exists (select from mentees where mentees.company_id = mentee_evolutions.company_id and mentees.id = mentee_id));
create policy sight on mentee_evolution_revisions as restrictive to app_staff
    using (exists (select from mentee_evolutions evolutions where evolutions.company_id = mentee_evolution_revisions.company_id and evolutions.id = evolution_id));
create policy student on mentee_evolutions to app_student
    using (exists (select from mentees where mentees.company_id = mentee_evolutions.company_id and mentees.id = mentee_id))
    with check (exists (select from mentees
                         where mentees.company_id = mentee_evolutions.company_id and mentees.id = mentee_id and mentees.status <> 'ended'));
create policy lookup on mentee_evolutions to app_lookup using (true);
create policy lookup on mentee_evolution_revisions to app_lookup using (true);
grant select on mentee_evolutions to app_student, app_lookup;
grant insert on mentee_evolution_revisions to app_lookup;
grant insert (id, mentee_id, month, revenue, profit, team, leads, sales, notes),
      update (revenue, profit, team, leads, sales, notes, version, updated_at, updated_by)
   on mentee_evolutions to app_staff, app_student;
revoke insert, update, delete on mentee_evolutions, mentee_evolution_revisions from app_system;

create function app.hold_mentee_month() returns trigger language plpgsql as $$
begin
    if new.month > (now() at time zone (select time_zone from public.companies where id = new.company_id))::date then
        raise check_violation using message = 'a month to come has no figures', constraint = 'mentee_evolutions_to_come';
    end if;
    return new;
end
$$;
create trigger mentee_evolutions_held before insert on mentee_evolutions for each row execute function app.hold_mentee_month();

create function app.keep_mentee_evolution() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into mentee_evolution_revisions (company_id, evolution_id, version, figures, told_by, told_at)
    values (old.company_id, old.id, old.version,
            jsonb_build_object('revenue', old.revenue, 'profit', old.profit, 'team', old.team, 'leads', old.leads, 'sales', old.sales, 'notes', old.notes),
            old.updated_by, old.updated_at);
    return null;
end
$$;
alter function app.keep_mentee_evolution owner to app_lookup;
create trigger mentee_evolutions_kept after update on mentee_evolutions
    for each row when (new.version > old.version) execute function app.keep_mentee_evolution();

create table mentee_feedback (
    id         uuid primary key,
    company_id uuid not null default app.company_id() references companies,
    mentee_id  uuid not null,
    date       date not null,
    overall    smallint check (overall between 0 and 10),
    nps        smallint check (nps between 0 and 10),
    areas      jsonb not null default '[]',
    text       text not null default '' check (char_length(text) <= 5000),
    author_id  uuid not null default app.user_id() references users,
    created_at timestamptz not null default now(),
    unique (company_id, id),
    foreign key (company_id, mentee_id) references mentees (company_id, id),
    check (overall is not null or nps is not null or text <> '')
);
create index mentee_feedback_mentee on mentee_feedback (company_id, mentee_id, created_at, id);
create index mentee_feedback_date on mentee_feedback (company_id, date);
call app.protect('mentee_feedback');
create policy sight on mentee_feedback as restrictive to app_staff
    using (exists (select from mentees where mentees.company_id = mentee_feedback.company_id and mentees.id = mentee_id));
create policy student on mentee_feedback to app_student
    using (exists (select from mentees where mentees.company_id = mentee_feedback.company_id and mentees.id = mentee_id))
    with check (exists (select from mentees
                         where mentees.company_id = mentee_feedback.company_id and mentees.id = mentee_id and mentees.status <> 'ended'));
grant select on mentee_feedback to app_student;
grant insert (id, mentee_id, date, overall, nps, areas, text) on mentee_feedback to app_staff, app_student;
revoke insert, update, delete on mentee_feedback from app_system;

insert into event_rules (type, told_by) values
    ('mentee.created', 'agent'),
    ('mentee.updated', 'agent'),
    ('mentee_evolution.saved', 'student'),
    ('mentee_feedback.added', 'student');

-- Whoever became another client while somebody wrote.
create trigger mentees_placed before insert on mentees for each row execute function app.follow_client();

-- Mentoring follows its client. Where both were mentored, that of the one who stays goes on and the other ends, with all that was told of it; undone,
-- it is what it was.
create function app.move_mentees() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    kept uuid;
begin
    if new.merged_into_id is not null then
        select id into kept from mentees
         where company_id = new.company_id and client_id = new.merged_into_id and status <> 'ended' for no key update;
        update mentees
           set client_id = new.merged_into_id, moved_from = moved_from || new.id, version = version + 1, updated_at = now(),
               status = case when kept is null then status else 'ended' end,
               status_before = case when kept is null or status = 'ended' then status_before else status end,
               ended_with = case when kept is null or status = 'ended' then ended_with else new.id end,
               merged_into_id = case when kept is null or status = 'ended' then merged_into_id else kept end
         where company_id = new.company_id and client_id = new.id;
    else
        update mentees
           set client_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1], version = version + 1, updated_at = now(),
               status = case when ended_with = new.id and status = 'ended' then status_before else status end,
               status_before = case when ended_with = new.id then null else status_before end,
               merged_into_id = case when ended_with = new.id then null else merged_into_id end,
               ended_with = nullif(ended_with, new.id)
         where company_id = new.company_id and client_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
alter function app.move_mentees owner to app_lookup;
create trigger clients_mentees after update of merged_into_id on clients
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null)) execute function app.move_mentees();

-- What mentees do by themselves, since a time: on how many days they were seen or wrote, how often staff wrote to them, and how often they answered within
-- two days. What was asked less than two days ago and is not answered yet counts as nothing. Whoever sees a mentee may know it, whatever conversations
-- they see. Of all mentees of the company where nobody is named; of students always their own.
create function app.mentee_signals(wanted uuid[], since timestamptz)
returns table (mentee_id uuid, is_reached boolean, active_days bigint, asked bigint, answered bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    zone text;
begin
    select time_zone into zone from companies where id = app.company_id();
    if current_setting('role') = 'app_student' or wanted is null then
        wanted := array(select id from mentees
                         where company_id = app.company_id() and (wanted is null or id = any (wanted))
                           and (current_setting('role') <> 'app_student' or client_id = app.client_id()));
    end if;
    return query
    select mentees.id, logins.people <> '{}' or exists (
               select from conversations where conversations.company_id = mentees.company_id and conversations.client_id = mentees.client_id),
           (select count(distinct seen.day)
              from (select (theirs.sent_at at time zone zone)::date as day from unnest(said.times) with ordinality theirs (sent_at, place)
                     where said.are_theirs[theirs.place]
                    union all
                    select (intervals.started_at at time zone zone)::date
                      from presence_intervals intervals
                     where intervals.company_id = mentees.company_id and intervals.user_id = any (logins.people) and intervals.started_at >= since) seen),
           said.asked, said.answered
      from mentees
     cross join lateral (
            select coalesce(array_agg(memberships.user_id), '{}') as people
              from memberships
             where memberships.company_id = mentees.company_id and memberships.client_id = mentees.client_id
               and memberships.role = 'student') logins
     cross join lateral (
            select coalesce(array_agg(told.sent_at order by told.sent_at, told.id), '{}') as times,
                   coalesce(array_agg(told.is_theirs order by told.sent_at, told.id), '{}') as are_theirs,
                   count(*) filter (where told.asks and (told.is_answered or told.sent_at <= now() - interval '48 hours')) as asked,
                   count(*) filter (where told.asks and told.is_answered) as answered
              from (select turns.id, turns.sent_at, turns.is_theirs,
                           not turns.is_theirs and coalesce(turns.before_is_theirs, true) as asks,
                           coalesce(turns.next_of_theirs <= turns.sent_at + interval '48 hours', false) as is_answered
                      from (select messages.id, messages.sent_at, messages.sender_type = 'client' as is_theirs,
                                   lag(messages.sender_type = 'client') over (order by messages.sent_at, messages.id) as before_is_theirs,
                                   min(messages.sent_at) filter (where messages.sender_type = 'client')
                                       over (order by messages.sent_at, messages.id rows between current row and unbounded following) as next_of_theirs
                              from conversations
                              join messages on messages.company_id = conversations.company_id and messages.conversation_id = conversations.id
                             where conversations.company_id = mentees.company_id and conversations.client_id = mentees.client_id
                               and messages.sent_at >= since
                               and (messages.sender_type = 'client' or messages.sender_type = 'agent' and not messages.payload ? 'automatic')) turns) told) said
     where mentees.company_id = app.company_id() and mentees.id = any (wanted);
end
$$;
alter function app.mentee_signals owner to app_lookup;
revoke all on function app.mentee_signals from public;
grant execute on function app.mentee_signals to app_staff, app_student;

-- What a mentor is called, for whom they mentor.
create function app.my_mentor(person uuid) returns text
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return (select users.name
              from mentees
              join users on users.id = mentees.mentor_id
             where mentees.company_id = app.company_id() and mentees.client_id = app.client_id() and mentees.mentor_id = person
             limit 1);
end
$$;
alter function app.my_mentor owner to app_lookup;
revoke all on function app.my_mentor from public;
grant execute on function app.my_mentor to app_student;
