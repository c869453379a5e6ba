//! GET /departments — the departments of the company with their members and what waits in each.

use shared::prelude::*;
use team::{Department, department_columns, department_members};

const ROUTE: Route = Route::get("/departments");

const DEPARTMENTS: &str = concat!(
    "select ",
    department_columns!(),
    ", coalesce(waiting.conversations, 0) as waiting_count from departments department ",
    department_members!(),
    " left join (
           select department_id, count(*) as conversations
             from conversations
            where status = 'pending'
            group by department_id) waiting on waiting.department_id = department.id
     where department.deleted_at is null
     order by lower(department.name), department.id"
);

pub fn main() {
    serve(&ROUTE, list_departments);
}

async fn list_departments(context: Context, caller: Staff) -> Result<Page<Department>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(DEPARTMENTS, &[]).await?))
}
