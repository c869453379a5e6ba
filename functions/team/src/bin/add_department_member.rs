//! POST /departments/{id}/members — one more member, or another capacity for one. They see what waits in it at once.

use futures_util::future::try_join3;
use shared::{
    error::{FieldProblem, INVALID, NOT_FOUND},
    prelude::*,
};
use team::{COUNT_VERSION, DEPARTMENT, Department, DepartmentUpdated, LOCK_DEPARTMENT};

const ROUTE: Route = Route::post("/departments/{id}/members").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JoiningMember {
    /// Active staff of this company.
    #[garde(skip)]
    user_id: Uuid,
    /// How many open conversations they may hold and still be given another; the department's without it, and with 0 they are given none.
    #[garde(range(min = 0, max = 200))]
    capacity: Option<i32>,
}

const IS_STAFF: &str = "
    select exists (
        select from memberships where user_id = $1 and status = 'active' and role <> 'student') as is_staff";

/// No row when they are one with this capacity already.
const ADD: &str = "
    insert into department_members (department_id, user_id, capacity)
    values ($1, $2, $3)
    on conflict (company_id, department_id, user_id) do update set capacity = excluded.capacity
     where department_members.capacity is distinct from excluded.capacity
    returning user_id";

pub fn main() {
    serve(&ROUTE, add_department_member);
}

async fn add_department_member(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(JoiningMember { user_id, capacity }): Json<JoiningMember>,
) -> Result<Created<Department>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, before, staff): (_, Department, _) = try_join3(
        transaction.query(LOCK_DEPARTMENT, &[&id]),
        transaction.one(DEPARTMENT, &[&id]),
        transaction.query(IS_STAFF, &[&user_id]),
    )
    .await?;
    if !staff.first().is_some_and(|row| row.get("is_staff")) {
        return Err(INVALID.in_fields(vec![FieldProblem::not_active_staff("user_id")]));
    }
    if transaction.query(ADD, &[&id, &user_id, &capacity]).await?.is_empty() {
        return transaction.commit(Created(before)).await;
    }
    let department: Department = transaction.one(COUNT_VERSION, &[&id]).await?;
    transaction.look_anew(user_id);
    transaction.tell_staff(&DepartmentUpdated { department: &department });
    transaction.audit(id, &before, &department);
    transaction.commit(Created(department)).await
}
