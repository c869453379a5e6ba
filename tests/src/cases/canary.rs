//! Looks for secrets where they must not be: every row of the database and every line of the logs.

use tests::Stack;

const TABLES: &str = "
    select format('%I.%I', table_schema, table_name)
      from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE'";

/// # Panics
/// When one of the secrets is in a row of a table that is not `except`, or in a log.
pub async fn assert_nowhere(stack: &Stack, secrets: &[&str], except: &[&str]) {
    let database = stack.database().await;
    for table in database.query(TABLES, &[]).await.expect("the database answers") {
        let table: String = table.get(0);
        if except.iter().any(|except| table == format!("public.{except}")) {
            continue;
        }
        for secret in secrets {
            // Bytes are shown as hexadecimal digits.
            let sql = format!("select count(*) from {table} t where position($1 in t::text) > 0 or position($2 in t::text) > 0");
            let row = database.query_one(&sql, &[secret, &hex::encode(secret)]).await.expect("the database answers");
            assert_eq!(row.get::<_, i64>(0), 0, "{table} holds a secret");
        }
    }
    let logs = std::fs::read_dir(stack.directory.join("logs")).expect("the folder of the logs");
    let files = logs.filter_map(Result::ok).map(|file| file.path()).chain([stack.directory.join("local.log")]);
    for file in files {
        let text = std::fs::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{} holds a secret", file.display());
    }
}
