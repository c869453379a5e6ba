-- What clients think of how they were served: asked when their conversation is closed, where the company wants it.

alter table companies
    add column asks_rating boolean not null default false,
    add column rating_text text check (char_length(rating_text) <= 1000);
grant select (asks_rating, rating_text), update (asks_rating, rating_text) on companies to app_staff;

alter table conversations
    add column rating smallint check (rating between 1 and 5),
    add column rated_at timestamptz,
    -- The question that waits for its answer, of one that is closed.
    add column rating_message_id uuid,
    add constraint conversations_rated check ((rating is null) = (rated_at is null));
grant update (rating_message_id) on conversations to app_staff;

-- Whoever opens it again, nobody waits for an answer any more.
create function app.end_rating() returns trigger language plpgsql as $$
begin
    new.rating_message_id := null;
    return new;
end
$$;
create trigger conversations_rating before update on conversations
    for each row when (old.rating_message_id is not null and new.ended_at is null) execute function app.end_rating();

create or replace function app.history_entry(kind text, id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
AS $function$
#variable_conflict use_variable
begin
    return case kind
        when 'conversation' then (
            select jsonb_build_object(
                       'conversation_id', c.id, 'channel_account_id', c.channel_account_id, 'status', c.status, 'subject', c.subject,
                       'department_id', c.department_id, 'assignee_id', c.assignee_id, 'ended_at', c.ended_at,
                       'close_reason', c.close_reason, 'last_message_preview', c.last_message_preview, 'rating', c.rating,
                       'rated_at', c.rated_at)
              from public.conversations c where c.id = history_entry.id)
        when 'transfer' then (
            select jsonb_build_object(
                       'conversation_id', t.conversation_id, 'from_user_id', t.from_user_id, 'to_user_id', t.to_user_id,
                       'from_department_id', t.from_department_id, 'to_department_id', t.to_department_id,
                       'by_user_id', t.by_user_id, 'reason', t.reason)
              from public.conversation_transfers t where t.id = history_entry.id)
        when 'consent' then (
            select jsonb_build_object('purpose', c.purpose, 'channel', c.channel, 'granted', c.granted, 'source', c.source)
              from public.client_consents c where c.id = history_entry.id)
        when 'merge' then (
            select jsonb_build_object('merge_id', m.id, 'merged_client_id', m.merged_client_id, 'by_user_id', m.by_user_id,
                                      'undone_at', m.undone_at)
              from public.client_merges m where m.id = history_entry.id)
        when 'note' then (
            select jsonb_build_object(
                       'conversation_id', n.conversation_id, 'author_id', n.author_id, 'text', n.text, 'is_pinned', n.is_pinned)
              from public.notes n where n.id = history_entry.id)
        when 'file' then (
            select jsonb_build_object('file_id', f.file_id, 'added_by_id', f.added_by, 'name', files.name, 'mime_type', files.mime_type)
              from public.client_files f
              join public.files on files.company_id = f.company_id and files.id = f.file_id
             where f.file_id = history_entry.id)
    end;
end
$function$;
