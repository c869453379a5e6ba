//! DELETE /departments/{id}/members/{member} — a member less. What they hold stays theirs; the rest is out of their sight at once.

use futures_util::future::try_join3;
use shared::{error::NOT_FOUND, prelude::*};
use team::{COUNT_VERSION, DEPARTMENT, Department, DepartmentUpdated, LOCK_DEPARTMENT};

const ROUTE: Route = Route::delete("/departments/{id}/members/{member}").fails(&[NOT_FOUND]);

const REMOVE: &str = "delete from department_members where department_id = $1 and user_id = $2 returning user_id";

pub fn main() {
    serve(&ROUTE, remove_department_member);
}

async fn remove_department_member(
    context: Context,
    caller: Supervisor,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, before, removed): (_, Department, _) = try_join3(
        transaction.query(LOCK_DEPARTMENT, &[&id]),
        transaction.one(DEPARTMENT, &[&id]),
        transaction.query(REMOVE, &[&id, &user_id]),
    )
    .await?;
    if removed.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let department: Department = transaction.one(COUNT_VERSION, &[&id]).await?;
    transaction.look_anew(user_id);
    transaction.tell_staff(&DepartmentUpdated { department: &department });
    transaction.audit(id, &before, &department);
    transaction.commit(NoContent).await
}
