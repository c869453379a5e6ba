-- What somebody wants of a conversation for themselves: to hear nothing of it.

create table conversation_preferences (
    company_id      uuid not null default app.company_id() references companies,
    user_id         uuid not null default app.user_id(),
    conversation_id uuid not null,
    -- Null for good.
    muted_until     timestamptz,
    -- The conversations that it was on before they became part of others, the first one first.
    moved_from      uuid[] not null default '{}',
    primary key (company_id, user_id, conversation_id),
    foreign key (company_id, user_id) references memberships (company_id, user_id),
    foreign key (company_id, conversation_id) references conversations (company_id, id)
);
create index conversation_preferences_conversation on conversation_preferences (company_id, conversation_id);
call app.protect('conversation_preferences');
create policy own on conversation_preferences as restrictive to app_staff using (user_id = (select app.user_id()));
grant insert (conversation_id, muted_until), update (muted_until), delete on conversation_preferences to app_staff;
revoke insert, update, delete on conversation_preferences from app_system;
insert into event_rules (type, told_by) values ('conversation.preferences_saved', 'agent');

-- They are on the conversation that has the messages, back again when that is undone. Of two of one person's that hold the kept conversation's
-- stays, and what comes back takes the place of what was said meanwhile.
create function app.move_preferences() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.merged_into_id is not null then
        delete from conversation_preferences past
         where past.company_id = new.company_id and past.conversation_id = new.merged_into_id and past.muted_until <= now();
        delete from conversation_preferences gone
         where gone.company_id = new.company_id and gone.conversation_id = new.id
           and exists (select from conversation_preferences kept
                        where kept.company_id = new.company_id and kept.user_id = gone.user_id and kept.conversation_id = new.merged_into_id);
        update conversation_preferences
           set conversation_id = new.merged_into_id, moved_from = moved_from || new.id
         where company_id = new.company_id and conversation_id = new.id;
    else
        delete from conversation_preferences meanwhile
         where meanwhile.company_id = new.company_id and meanwhile.conversation_id = new.id
           and exists (select from conversation_preferences back
                        where back.company_id = new.company_id and back.user_id = meanwhile.user_id
                          and back.conversation_id = old.merged_into_id and new.id = any (back.moved_from));
        update conversation_preferences
           set conversation_id = new.id, moved_from = moved_from[:array_position(moved_from, new.id) - 1]
         where company_id = new.company_id and conversation_id = old.merged_into_id and new.id = any (moved_from);
    end if;
    return null;
end
$$;
create policy lookup on conversation_preferences to app_lookup using (true);
grant select, update (conversation_id, moved_from), delete on conversation_preferences to app_lookup;
alter function app.move_preferences owner to app_lookup;
create trigger conversations_preferences after update of merged_into_id on conversations
    for each row when ((new.merged_into_id is null) <> (old.merged_into_id is null)) execute function app.move_preferences();
