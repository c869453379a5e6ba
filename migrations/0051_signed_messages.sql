-- Clients may be told who writes to them.
alter table companies add column signs_messages boolean not null default false;
grant update (signs_messages) on companies to app_staff;
