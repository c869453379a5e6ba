//! All rows of a company, to see that nothing has changed.

use std::collections::BTreeMap;

use tests::Stack;
use uuid::Uuid;

/// Number and digest of a company's rows, by table.
pub type Rows = BTreeMap<String, String>;

const TABLES: &str = "
    select columns.table_name::text
      from information_schema.columns
      join information_schema.tables using (table_schema, table_name)
     where table_schema = 'public' and column_name = 'company_id' and table_type = 'BASE TABLE'
     order by 1";

pub async fn of_company(stack: &Stack, company_id: Uuid) -> Rows {
    let database = stack.database().await;
    let tables = database.query(TABLES, &[]).await.expect("the database answers");
    let mut rows = Rows::new();
    for table in tables {
        let table: String = table.get(0);
        let sql = format!(
            "select count(*)::text || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {table} t where company_id = $1"
        );
        let digest = database.query_one(&sql, &[&company_id]).await.expect("the database answers").get(0);
        rows.insert(table, digest);
    }
    rows
}
