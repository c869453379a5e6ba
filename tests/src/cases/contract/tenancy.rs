//! Row-level security, seen from the catalog and from the login of the functions.

use std::sync::Arc;

use tests::{Stack, Wanted, forge};
use tokio_postgres::{Client, NoTls, error::SqlState};
use uuid::Uuid;

/// A connection as the functions have it.
pub async fn as_app(stack: &Stack) -> Client {
    let (client, connection) = tokio_postgres::connect(&stack.addresses.database_url, NoTls).await.expect("the database answers");
    tokio::spawn(connection);
    client
}

async fn names(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.expect("the database answers").iter().map(|row| row.get(0)).collect()
}

const TABLES: &str = "
    select relname::text from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') and relname <> 'schema_migrations'
     order by 1";

pub async fn every_table_has_row_level_security(stack: Arc<Stack>) {
    let open = "
        select relname::text from pg_class
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
           and not (relrowsecurity and relforcerowsecurity)
           and relname <> 'schema_migrations'";
    assert_eq!(names(&stack.database().await, open).await, Vec::<String>::new());
}

pub async fn every_table_of_a_company_forces_it_with_a_policy(stack: Arc<Stack>) {
    let unprotected = "
        select relname::text
          from pg_class
          join pg_attribute on attrelid = pg_class.oid and attname = 'company_id' and not attisdropped
         where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
           and not (relrowsecurity and relforcerowsecurity
                    and attnotnull
                    and exists (select from pg_policy
                                 where polrelid = pg_class.oid and not polpermissive and polcmd = '*'
                                   and pg_get_expr(polqual, polrelid) like '%company_id = ( SELECT app.company_id()%'))";
    assert_eq!(names(&stack.database().await, unprotected).await, Vec::<String>::new());
}

pub async fn the_login_of_the_functions_reads_nothing_by_itself(stack: Arc<Stack>) {
    stack.company(Wanted::default()).await;
    let app = as_app(&stack).await;
    let tables = names(&stack.database().await, TABLES).await;
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        for sql in [
            format!("select from {table}"),
            format!("delete from {table}"),
            format!("truncate {table}"),
            format!("copy {table} to stdout"),
        ] {
            let refused = app.batch_execute(&sql).await.expect_err(&sql);
            let of_no_table = [SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, SqlState::WRONG_OBJECT_TYPE];
            let is_of_view = !sql.starts_with("select") && refused.code().is_some_and(|code| of_no_table.contains(code));
            assert!(is_of_view || refused.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {refused}");
        }
    }
}

pub async fn the_login_of_the_functions_cannot_make_itself_more(stack: Arc<Stack>) {
    let app = as_app(&stack).await;
    for sql in [
        "set role app_lookup",
        "set role balcao_owner",
        "set session authorization postgres",
        "alter role app bypassrls",
        "create table mine (id int)",
        "create function app.company_id() returns uuid language sql as 'select null::uuid'",
        "alter table users disable row level security",
        "select pg_read_file('/etc/passwd')",
    ] {
        let refused = app.batch_execute(sql).await.expect_err(sql);
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}");
    }
    // Even with a role of the tenants, nothing without a company.
    let seen = "begin; set local role app_staff; select 1 / count(*) from conversations; rollback";
    stack.company(Wanted::default()).await;
    assert_eq!(app.batch_execute(seen).await.expect_err(seen).code(), Some(&SqlState::DIVISION_BY_ZERO));
}

pub async fn a_tenant_is_left_with_the_transaction(stack: Arc<Stack>) {
    let (one, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let app = as_app(&stack).await;
    let claims = forge::claims_of(one.admin.api.token.as_deref().unwrap_or_default());
    let session: Uuid = claims["sid"].as_str().and_then(|text| text.parse().ok()).expect("a session");
    app.batch_execute("begin").await.expect("begins");
    let enter = "select app.enter($1, $2, 'admin', $3)";
    app.query_one(enter, &[&one.id, &one.admin.id, &session]).await.expect("enters");
    let seen = "select count(*), count(*) filter (where company_id = $1) from memberships";
    let row = app.query_one(seen, &[&one.id]).await.expect("reads");
    assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1));
    assert_eq!(row.get::<_, i64>(0), 5);
    let forged = "insert into departments (id, company_id, name) values ($1, $2, 'x')";
    let refused = app.execute(forged, &[&Uuid::new_v4(), &other.id]).await.expect_err("a row of another company");
    assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    app.batch_execute("rollback").await.expect("ends");
    let refused = app.query(seen, &[&one.id]).await.expect_err("outside");
    assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
}
