-- What a file is for: to be sent, a picture of somebody, a document of a client.

alter table files add column purpose text not null default 'message' check (purpose in ('message', 'avatar', 'document'));
grant insert (purpose) on files to app_staff, app_student;
