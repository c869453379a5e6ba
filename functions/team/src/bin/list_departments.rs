//! GET /departments — the departments of the company with their members and what waits in each.

use shared::prelude::*;
use team::Department;

const ROUTE: Route = Route::get("/departments");

const DEPARTMENTS: &str = "
    select departments.id, departments.name, departments.description, departments.created_at, departments.version,
           members.ids as member_ids, cardinality(members.ids) as member_count,
           coalesce(waiting.conversations, 0) as waiting_count
      from departments
      cross join lateral (
           select array(
               select user_id from department_members
                where department_members.department_id = departments.id
                order by user_id) as ids) members
      left join (
           select department_id, count(*) as conversations
             from conversations
            where status = 'pending'
            group by department_id) waiting on waiting.department_id = departments.id
     order by lower(departments.name), departments.id";

pub fn main() {
    serve(&ROUTE, list_departments);
}

async fn list_departments(context: Context, caller: Staff) -> Result<Page<Department>, Error> {
    let transaction = context.begin(&caller).await?;
    let data = transaction.all(DEPARTMENTS, &[]).await?;
    Ok(Page { data, next_cursor: None })
}
