-- Who writes what, within a company. A route that lets people write more says so in its own migration.

-- Clients, what was said, and who held a conversation when: written by webhooks, workers and triggers, read by people.
do $$
declare
    target text;
begin
    foreach target in array array['clients', 'messages', 'conversation_transfers', 'conversation_handlers'] loop
        execute format('create policy system_updates on %I as restrictive for update to app_staff using ((select app.user_id()) is null)', target);
        execute format('create policy system_deletes on %I as restrictive for delete to app_staff using ((select app.user_id()) is null)', target);
    end loop;
end
$$;
create policy system_inserts on clients as restrictive for insert to app_staff with check ((select app.user_id()) is null);
-- People speak for themselves alone.
create policy own_words on messages as restrictive for insert to app_staff
    with check ((select app.user_id()) is null
                or (sender_type in ('agent', 'system') and sender_id = (select app.user_id())));
create policy trigger_inserts on conversation_transfers as restrictive for insert to app_staff
    with check ((select app.user_id()) is null or pg_trigger_depth() > 0);
create policy trigger_inserts on conversation_handlers as restrictive for insert to app_staff
    with check ((select app.user_id()) is null or pg_trigger_depth() > 0);
