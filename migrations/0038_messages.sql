-- What staff do with messages that are there: hide them, send again what failed, react.

-- Who of the staff hid it; null for what its sender took back.
alter table messages add column deleted_by_id uuid;

-- Staff hide what the company said; what a client said, those who lead do.
create policy own_side on messages as restrictive for update to app_staff using (
    sender_type in ('agent', 'bot')
    or exists (select from memberships
                where memberships.company_id = app.company_id() and memberships.user_id = app.user_id()
                  and memberships.role in ('supervisor', 'admin')));
grant update (status, error_code, error_detail, provider_id, sending_at, deleted_at, deleted_by_id) on messages to app_staff;

insert into event_rules (type, told_by, is_private) values
    ('message.deleted', 'agent', false),
    ('message.status', 'agent', false);
