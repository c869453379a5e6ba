-- When people were there: what they showed and since when, as their connections and their supervisors say it. And what they did meanwhile.

create extension if not exists btree_gist;

-- What breaks are for, and how long each is meant to be; null for as long as it takes.
alter table companies add column breaks jsonb not null default '[
    {"reason": "lunch", "name": "Almoço", "limit_minutes": 60},
    {"reason": "rest", "name": "Descanso", "limit_minutes": 15},
    {"reason": "bathroom", "name": "Banheiro", "limit_minutes": 10},
    {"reason": "training", "name": "Treinamento", "limit_minutes": null},
    {"reason": "other", "name": "Outro", "limit_minutes": null}
]';
grant update (breaks) on companies to app_staff;

-- What somebody showed from a time until just before another, in whole seconds, so that sums are the same however days are cut. Nobody shows
-- two things at once.
create table presence_intervals (
    id         uuid primary key default gen_random_uuid(),
    company_id uuid not null default app.company_id(),
    user_id    uuid not null,
    started_at timestamptz not null,
    -- Of one that goes on: as far as it is known to, which is where the leases end. So what nobody ends has ended by itself.
    ended_at   timestamptz not null,
    state      text not null check (state in ('online', 'away', 'busy', 'break')),
    -- Of a break.
    reason     text check (char_length(reason) between 1 and 40),
    -- What began it.
    cause      text not null check (cause in ('connect', 'ping', 'set', 'break', 'corrected')),
    -- What ended it; null while it goes on, or until somebody notices that it has lapsed.
    end_cause  text check (end_cause in ('set', 'disconnect', 'revoked', 'lapsed', 'corrected')),
    version    integer not null default 1,
    unique (company_id, id),
    foreign key (company_id, user_id) references memberships (company_id, user_id),
    check (started_at <= ended_at),
    check ((reason is not null) = (state = 'break')),
    constraint presence_intervals_apart
        exclude using gist (company_id with =, user_id with =, tstzrange(started_at, ended_at) with &&)
);
create index presence_intervals_person on presence_intervals (company_id, user_id, started_at desc, ended_at desc);
call app.protect('presence_intervals', 'select');
-- One's own; who leads sees and corrects all.
alter policy staff on presence_intervals
    using (user_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin')));
create policy leaders_insert on presence_intervals as restrictive for insert to app_staff
    with check ((select app.has_role('supervisor', 'admin')));
create policy leaders_update on presence_intervals as restrictive for update to app_staff
    using ((select app.has_role('supervisor', 'admin')));
grant insert (id, user_id, started_at, ended_at, state, reason, cause, end_cause),
      update (started_at, ended_at, state, reason, end_cause, version)
   on presence_intervals to app_staff;
revoke insert, update, delete on presence_intervals from app_system;
call app.open_to_lookup('presence_intervals', 'select, insert, update');

-- Who corrected an interval, why, and what it was before; null for one that was added.
create table presence_corrections (
    id          uuid primary key,
    company_id  uuid not null default app.company_id(),
    interval_id uuid not null,
    user_id     uuid not null,
    by_id       uuid not null default app.user_id() references users,
    note        text not null check (char_length(note) between 1 and 500),
    before      jsonb,
    after       jsonb not null,
    at          timestamptz not null default now(),
    foreign key (company_id, interval_id) references presence_intervals (company_id, id)
);
create index presence_corrections_interval on presence_corrections (company_id, interval_id, at);
call app.protect('presence_corrections', 'select');
alter policy staff on presence_corrections
    using (user_id = (select app.user_id()) or (select app.has_role('supervisor', 'admin')));
create policy leaders_insert on presence_corrections as restrictive for insert to app_staff
    with check ((select app.has_role('supervisor', 'admin')) and by_id = (select app.user_id()));
grant insert (id, interval_id, user_id, note, before, after) on presence_corrections to app_staff;
revoke insert, update, delete on presence_corrections from app_system;

-- The intervals of a person follow their leases, whoever writes these. A lease whose session was revoked is none. `why` is what has happened to
-- the leases, `revoked` when the session of one that went was. Whoever follows holds the last interval before looking at the leases, so of two
-- tabs that close at once the second sees that the first is gone.
--
-- Whoever is back within a minute of closing the last connection was never away: a page that loads again, a socket that ends after its two
-- hours. Who comes back after a lapse was. Clocks that are put back end nothing before its beginning.
create function app.follow_presence(company uuid, person uuid, why text, revoked timestamptz) returns void language plpgsql as $$
declare
    -- Connections that differ show what is most present.
    levels constant text[] := array['online', 'busy', 'away', 'break'];
    moment timestamptz := date_trunc('second', now());
    until timestamptz;
    shows text;
    reason_shown text;
    last public.presence_intervals;
    is_open boolean;
    is_back boolean;
begin
    loop
        select * into last
          from public.presence_intervals
         where company_id = company and user_id = person
         order by started_at desc, ended_at desc
         limit 1
           for no key update;
        -- Another one may have been added while that was waited for.
        exit when last.id is not distinct from (select id from public.presence_intervals
                                                 where company_id = company and user_id = person
                                                 order by started_at desc, ended_at desc
                                                 limit 1);
    end loop;
    select date_trunc('second', max(lease_until)), levels[min(array_position(levels, status))]
      into until, shows
      from public.presence_leases leases
     where leases.company_id = company and leases.user_id = person and lease_until >= now()
       and not exists (select from public.sessions where sessions.id = leases.session_id and sessions.revoked_at is not null);
    is_open := coalesce(last.end_cause is null and last.ended_at >= moment, false);
    is_back := coalesce(last.end_cause = 'disconnect' and last.ended_at >= moment - interval '60 seconds', false);
    if until is null then
        -- A lease that ran out, and one that is made to, ends where it says.
        if last.id is not null and last.end_cause is null then
            if why in ('connect', 'ping', 'set', 'break') then
                until := (select date_trunc('second', max(lease_until)) from public.presence_leases leases
                           where leases.company_id = company and leases.user_id = person);
            elsif is_open then
                until := moment;
            end if;
            update public.presence_intervals
               set ended_at = greatest(started_at, least(ended_at, until, date_trunc('second', revoked))),
                   end_cause = case when revoked <= ended_at then 'revoked' when is_open and why = 'disconnect' then why else 'lapsed' end
             where id = last.id;
        end if;
        return;
    end if;
    if shows = 'break' then
        reason_shown := coalesce(nullif(current_setting('app.break_reason', true), ''), last.reason, 'other');
    end if;
    if (is_open or is_back) and (last.state, last.reason) is not distinct from (shows, reason_shown) then
        update public.presence_intervals
           set ended_at = greatest(started_at, until), end_cause = null
         where id = last.id and (ended_at, end_cause) is distinct from (greatest(started_at, until), null);
        return;
    end if;
    if (is_open or is_back) and last.started_at >= moment then
        -- It has not lasted a second.
        update public.presence_intervals
           set ended_at = greatest(started_at, until), end_cause = null, state = shows, reason = reason_shown, cause = why
         where id = last.id;
        return;
    end if;
    if is_open or is_back then
        update public.presence_intervals set ended_at = moment, end_cause = 'set' where id = last.id;
    else
        if last.end_cause is null then
            update public.presence_intervals set end_cause = 'lapsed' where id = last.id;
        end if;
        moment := greatest(moment, last.ended_at);
    end if;
    insert into public.presence_intervals (company_id, user_id, started_at, ended_at, state, reason, cause)
    values (company, person, moment, greatest(moment, until), shows, reason_shown, why);
end
$$;

create function app.note_presence() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_op = 'DELETE' then
        perform app.follow_presence(old.company_id, old.user_id, 'disconnect', (select revoked_at from sessions where id = old.session_id));
    else
        perform app.follow_presence(new.company_id, new.user_id,
                                    case when tg_op = 'INSERT' then 'connect'
                                         when new.status = old.status then 'ping'
                                         when new.status = 'break' then 'break'
                                         else 'set'
                                    end, null);
    end if;
    return null;
end
$$;
alter function app.note_presence owner to app_lookup;
revoke all on function app.note_presence, app.follow_presence from public;
grant execute on function app.follow_presence to app_lookup;
create trigger presence_leases_followed
    after insert or update of status, lease_until or delete on presence_leases
    for each row execute function app.note_presence();

-- The first answer that a person gave in a conversation, and since when it was waited for: since the client's first message, or, where the bot
-- had spoken with them, since the last one by which they came to wait for people. A fact that stays where it was, whatever the
-- conversation is joined with.
create table first_answers (
    company_id      uuid not null,
    conversation_id uuid not null,
    user_id         uuid not null,
    asked_at        timestamptz not null,
    answered_at     timestamptz not null,
    primary key (company_id, conversation_id),
    foreign key (company_id, conversation_id) references conversations (company_id, id)
);
create index first_answers_person on first_answers (company_id, user_id, answered_at) include (asked_at);
call app.protect('first_answers', '');
drop policy staff on first_answers;
revoke select, insert, update, delete on first_answers from app_system;
call app.open_to_lookup('first_answers', 'select, insert');

create function app.note_first_answer() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (select from first_answers where company_id = new.company_id and conversation_id = new.conversation_id) then
        return null;
    end if;
    insert into first_answers (company_id, conversation_id, user_id, asked_at, answered_at)
    select new.company_id, new.conversation_id, new.sender_id,
           coalesce(max(said.sent_at) filter (
                        where said.sender_type = 'client' and said.sent_at <= conversation.first_pending_at
                          and exists (select from messages bot
                                       where bot.company_id = new.company_id and bot.conversation_id = new.conversation_id
                                         and bot.sender_type = 'bot' and bot.sent_at < conversation.first_pending_at)),
                    min(said.sent_at) filter (where said.sender_type = 'client')),
           new.sent_at
      from conversations conversation
      join messages said on said.company_id = new.company_id and said.conversation_id = new.conversation_id
     where conversation.company_id = new.company_id and conversation.id = new.conversation_id and conversation.imported_at is null
       and said.kind <> 'reaction' and said.sent_at <= new.sent_at
     group by conversation.id
    having bool_or(said.sender_type = 'client')
        on conflict do nothing;
    return null;
end
$$;
alter function app.note_first_answer owner to app_lookup;
revoke all on function app.note_first_answer from public;
create trigger messages_first_answer
    after insert on messages
    for each row when (new.sender_type = 'agent' and new.sender_id is not null and new.kind <> 'reaction' and not new.payload ? 'automatic')
    execute function app.note_first_answer();

-- What people did in conversations: what they wrote, greetings of the company in their name left out, and what they took over themselves.
create index messages_of_agent on messages (company_id, sender_id, sent_at) include (conversation_id)
 where sender_type = 'agent' and kind <> 'reaction' and not payload ? 'automatic';
create index conversation_transfers_taken on conversation_transfers (company_id, by_user_id, at) include (conversation_id, to_user_id)
 where to_user_id is not null;

-- What people were and did: the one place that says what these figures are. `edges` are the beginnings of the days asked for, and the end of the
-- last one; `buckets` says with which others each day is counted together. Only who leads is told of others. Times are whole seconds; what
-- goes on counts until now.
--
-- Somebody is active in the five minutes after each message that they wrote and each conversation that they took over, as far as they show
-- `online` or `busy`; idle is what is left of that. A break's excess is what goes past the limit that its reason has now, counted from its
-- beginning. Conversations are those in which they wrote, or which they took over. `first_ins` are when each day's presence began. Whoever has
-- nothing in a bucket has no row for it.
create function app.productivity(people uuid[], edges timestamptz[], buckets integer[])
returns table (user_id uuid, bucket integer, online_seconds bigint, away_seconds bigint, busy_seconds bigint, break_seconds bigint,
               active_seconds bigint, first_ins timestamptz[], last_out timestamptz, breaks jsonb, messages bigint, conversations bigint,
               first_answers bigint, first_answer_seconds bigint)
language plpgsql stable security definer set search_path = public, pg_temp
set jit = off set max_parallel_workers_per_gather = 0 set enable_seqscan = off set plan_cache_mode = force_custom_plan set work_mem = '32MB' as $$
#variable_conflict use_column
declare
    company constant uuid := app.company_id();
    attention constant interval := '5 minutes';
    begins constant timestamptz := edges[1];
    ends constant timestamptz := edges[cardinality(edges)];
    present constant timestamptz := date_trunc('second', now());
    asked constant uuid[] := case when app.has_role('supervisor', 'admin') then people
                                  else array(select person from unnest(people) person where person = app.user_id()) end;
begin
    return query
    with stretch as materialized (
        -- None overlaps another, so of those that began before only the last may reach into the time asked for.
        select person, spell.state, spell.reason, spell.started_at, greatest(spell.started_at, begins) as begun,
               least(spell.ended_at, present, ends) as done
          from unnest(asked) person
         cross join lateral (select max(earlier.started_at) as at from presence_intervals earlier
                              where earlier.company_id = company and earlier.user_id = person and earlier.started_at <= begins) before
          join presence_intervals spell on spell.company_id = company and spell.user_id = person
                                       and spell.started_at >= coalesce(before.at, begins) and spell.started_at < least(present, ends)
                                       and spell.ended_at > begins and spell.ended_at > spell.started_at
    ), piece as materialized (
        select person, day, buckets[day] as number, state, reason, started_at, greatest(begun, edges[day]) as begun,
               least(done, edges[day + 1]) as done
          from stretch
         cross join lateral generate_series(width_bucket(begun, edges), width_bucket(done - interval '1 second', edges)) day
    ), of_day as (
        select person, number, sum(done - begun) filter (where state = 'online') as online,
               sum(done - begun) filter (where state = 'away') as away, sum(done - begun) filter (where state = 'busy') as busy,
               sum(done - begun) filter (where state = 'break') as on_break, min(begun) as first_in, max(done) as last_out
          from piece
         group by person, number, day
    ), presence as (
        select person, number, sum(online) as online, sum(away) as away, sum(busy) as busy, sum(on_break) as on_break,
               array_agg(first_in order by first_in) as first_ins, max(last_out) as last_out
          from of_day
         group by person, number
    ), meant as (
        select item ->> 'reason' as reason, (item ->> 'limit_minutes')::integer * interval '1 minute' as length
          from companies, jsonb_array_elements(companies.breaks) item
         where companies.id = company
    ), pause as (
        select person, number, piece.reason, extract(epoch from sum(done - begun))::bigint as seconds,
               extract(epoch from sum(greatest(done - greatest(begun, started_at + meant.length), interval '0')))::bigint as excess,
               count(*) filter (where begun = started_at) as times
          from piece
          left join meant on meant.reason = piece.reason
         where piece.state = 'break'
         group by person, number, piece.reason
    ), pauses as (
        select person, number,
               jsonb_agg(jsonb_build_object('reason', reason, 'seconds', seconds, 'over_seconds', coalesce(excess, 0), 'count', times)
                         order by reason) as list
          from pause
         group by person, number
    ), act as materialized (
        select person, done.*
          from unnest(asked) person
         cross join lateral (
               select at, conversation, message, lag(at) over (order by at) as previous
                 from (select said.sent_at as at, said.conversation_id as conversation, 1 as message
                         from messages said
                        where said.company_id = company and said.sender_id = person and said.sender_type = 'agent' and said.kind <> 'reaction'
                          and not said.payload ? 'automatic' and said.sent_at >= begins - attention and said.sent_at < ends
                       union all
                       select taken.at, taken.conversation_id, 0
                         from conversation_transfers taken
                        where taken.company_id = company and taken.by_user_id = person and taken.to_user_id = person
                          and taken.at >= begins - attention and taken.at < ends) acts) done
    ), work as (
        select person, number, sum(messages)::bigint as messages, count(*) as conversations
          from (select person, buckets[width_bucket(at, edges)] as number, sum(message) as messages
                  from act
                 where at >= begins
                 group by 1, 2, conversation) with_one
         group by person, number
    ), burst as (
        -- Acts of which none is five minutes after the one before: what begins one says when the one before has ended.
        select person, at as begun, coalesce(lead(previous) over (partition by person order by at), last) as done
          from act
          join (select person, max(at) as last from act group by person) ends using (person)
         where previous is null or date_trunc('second', at) - date_trunc('second', previous) >= attention
    ), attentive as (
        select person, range_agg(tstzrange(date_trunc('second', begun), date_trunc('second', done) + attention)) as spans
          from burst
         group by person
    ), working as (
        select person, range_agg(tstzrange(begun, done)) as spans from stretch where state in ('online', 'busy') group by person
    ), active as (
        select person, buckets[day] as number, sum(least(upper(span), edges[day + 1]) - greatest(lower(span), edges[day])) as length
          from (select person, unnest(attentive.spans * working.spans) as span from attentive join working using (person)) spans
         cross join lateral generate_series(width_bucket(lower(span), edges), width_bucket(upper(span) - interval '1 second', edges)) day
         group by 1, 2
    ), answer as (
        select first_answers.user_id as person, buckets[width_bucket(answered_at, edges)] as number, count(*) as answers,
               sum(answered_at - asked_at) as waited
          from first_answers
         where company_id = company and first_answers.user_id = any (asked) and answered_at >= begins and answered_at < ends
         group by 1, 2
    )
    select person, number, coalesce(extract(epoch from online), 0)::bigint, coalesce(extract(epoch from away), 0)::bigint,
           coalesce(extract(epoch from busy), 0)::bigint, coalesce(extract(epoch from on_break), 0)::bigint,
           coalesce(extract(epoch from length), 0)::bigint, coalesce(presence.first_ins, '{}'), presence.last_out, coalesce(list, '[]'),
           coalesce(work.messages, 0), coalesce(work.conversations, 0), coalesce(answers, 0), coalesce(extract(epoch from waited), 0)::bigint
      from presence
      full join work using (person, number)
      full join answer using (person, number)
      left join active using (person, number)
      left join pauses using (person, number);
end
$$;
alter function app.productivity owner to app_lookup;
revoke all on function app.productivity from public;
grant execute on function app.productivity to app_staff;

insert into event_rules (type, told_by) values ('presence.corrected', 'supervisor');
