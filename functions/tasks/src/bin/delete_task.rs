//! DELETE /tasks/{id} — takes away a task that nobody has completed; nobody is told any more that its time is over.

use shared::{error::NOT_FOUND, prelude::*};
use tasks::{TASK_DONE, TaskDeleted, hold};

const ROUTE: Route = Route::delete("/tasks/{id}").fails(&[NOT_FOUND, TASK_DONE]);

const DELETE: &str = "delete from tasks where id = $1";

pub fn main() {
    serve(&ROUTE, delete_task);
}

async fn delete_task(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&agent).await?;
    let current = hold(&transaction, id).await?;
    // What was done counts: goals and coins are made of it.
    if current.task.completed_at.is_some() {
        return Err(TASK_DONE.with_current(&current.task));
    }
    transaction.execute(DELETE, &[&id]).await?;
    current.tell(&transaction, agent.company_id, &TaskDeleted { task_id: id });
    transaction.audit(id, &current.task, &Value::Null);
    transaction.commit(NoContent).await
}
