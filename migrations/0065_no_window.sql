-- WhatsApp's window of a day is the Cloud API's: an instance of an Evolution server may always be written from.

-- A time that does not come, so that whoever compares with the clock need not know of channels.
create function app.keep_window() returns trigger language plpgsql as $$
begin
    if exists (select from channel_accounts where id = new.channel_account_id and kind = 'evolution') then
        new.window_expires_at := '9999-01-01T00:00:00Z';
    end if;
    return new;
end
$$;
create trigger conversations_window before insert on conversations for each row execute function app.keep_window();
create trigger conversations_window_kept before update of window_expires_at on conversations
    for each row when (old.window_expires_at = '9999-01-01T00:00:00Z' and new.window_expires_at is distinct from old.window_expires_at)
    execute function app.keep_window();
