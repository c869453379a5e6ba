-- Every conversation has a number of its company and local day, which people quote: AAAAMMDD-NNNNN.
--
-- Numbers are given in blocks of a hundred. A transaction takes one from the first block that no other holds, so that whoever comes next
-- does not wait for it; what one holds is free again with its end.

create table protocol_blocks (
    company_id uuid not null default app.company_id() references companies,
    day        date not null,
    block      integer not null,
    used       integer not null check (used between 1 and 100),
    primary key (company_id, day, block)
);
alter table conversations add column protocol text;

alter table conversations no force row level security;
alter table companies no force row level security;
alter table conversations disable trigger user;
create temporary table numbered as
    select id, company_id, day, row_number() over (partition by company_id, day order by started_at, id) as number
      from (select conversations.id, company_id, started_at, (started_at at time zone companies.time_zone)::date as day
              from conversations
              join companies on companies.id = company_id) conversations;
update conversations
   set protocol = to_char(day, 'YYYYMMDD') || '-' || lpad(number::text, greatest(5, length(number::text)), '0')
  from numbered
 where conversations.id = numbered.id;
insert into protocol_blocks (company_id, day, block, used)
select company_id, day, (number - 1) / 100, count(*) from numbered group by company_id, day, (number - 1) / 100;
drop table numbered;
alter table conversations enable trigger user;
alter table conversations force row level security;
alter table companies force row level security;

alter table conversations alter column protocol set not null;
create unique index conversations_protocol on conversations (company_id, protocol);
call app.protect('protocol_blocks');
revoke insert, update, delete on protocol_blocks from app_system;
call app.open_to_lookup('protocol_blocks', 'select, insert, update');

create function app.number_conversation() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    today date;
    newest integer;
    number integer;
begin
    select (now() at time zone time_zone)::date into today from companies where id = new.company_id;
    select coalesce(max(block), 0) into newest from protocol_blocks where company_id = new.company_id and day = today;
    for place in greatest(newest - 7, 0) .. newest + 1000 loop
        continue when exists (select from protocol_blocks
                               where company_id = new.company_id and day = today and block = place and used = 100)
                   or not pg_try_advisory_xact_lock(hashtext('protocol' || new.company_id || today), place);
        insert into protocol_blocks as blocks (company_id, day, block, used)
        values (new.company_id, today, place, 1)
        on conflict (company_id, day, block) do update set used = blocks.used + 1 where blocks.used < 100
        returning place * 100 + used into number;
        if found then
            new.protocol := to_char(today, 'YYYYMMDD') || '-' || lpad(number::text, greatest(5, length(number::text)), '0');
            return new;
        end if;
    end loop;
    raise serialization_failure using message = 'every block of numbers is held';
end
$$;
alter function app.number_conversation owner to app_lookup;
create trigger conversations_number before insert on conversations
    for each row when (new.protocol is null) execute function app.number_conversation();

-- What has ended today.
create index conversations_ended on conversations (company_id, ended_at) where ended_at is not null;
