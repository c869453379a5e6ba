-- A company's own mail server is set by its admins: who may show and keep its password, and who vouches for its certificate.

alter table mail_accounts
    -- In PEM, who vouches for the server's certificate besides those whom everybody trusts.
    add column authority text check (char_length(authority) <= 10000);
-- Set-up logs in with the password; what it answers does not hold it.
grant select (sealed, authority), insert (authority), update (authority) on mail_accounts to app_staff;
