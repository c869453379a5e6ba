-- Whoever uploaded a file takes it away again while nothing holds it.

grant delete on files to app_staff, app_student;
create policy own_deletes on files as restrictive for delete to app_staff, app_student
    using (uploaded_by = (select app.user_id()) and app.use_of_file(id) = 'unsent');
