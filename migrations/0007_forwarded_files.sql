-- A file sent in a second conversation is seen by those who see its message there, as students see theirs.
alter policy staff on files
    using ((select app.sees_all()) or uploaded_by = (select app.user_id()) or exists (
        select from conversations
         where conversations.company_id = files.company_id and conversations.id = files.conversation_id)
        or exists (select from messages where messages.company_id = files.company_id and messages.file_id = files.id));
