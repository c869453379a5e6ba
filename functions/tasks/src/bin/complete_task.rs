//! POST /tasks/{id}/complete — a task is done; one that comes again is there for the next time, and so is what is to be done after it.

use futures_util::future::{join3, try_join3};
use shared::{error::NOT_FOUND, prelude::*};
use tasks::{
    FOLLOWING, NewTask, NextTask, PlacedTask, TASK_DONE, Task, TaskCompleted, after, again, hold, insert, placed_task,
    who_goes_on,
};

const ROUTE: Route = Route::post("/tasks/{id}/complete").fails(&[NOT_FOUND, TASK_DONE]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Completion {
    /// What came of it.
    #[garde(length(chars, max = 5000))]
    result: Option<String>,
    /// What is to be done after it: of the same owner, about the same.
    #[garde(dive)]
    next: Option<NextTask>,
}

/// A task that was completed, and what comes after it.
#[derive(Serialize, JsonSchema)]
struct CompletedTask {
    #[serde(flatten)]
    task: Task,
    /// What was said to come after it.
    next: Option<Task>,
    /// The next one of its series.
    recurring: Option<Task>,
}

const COMPLETE: &str = concat!(
    "with tasks as (
        update tasks
           set completed_at = now(), completed_by = app.user_id(), result = coalesce($2, result), version = version + 1, updated_at = now()
         where id = $1
        returning *
    ) ",
    placed_task!()
);

pub fn main() {
    serve(&ROUTE, complete_task);
}

async fn complete_task(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<Completion>,
) -> Result<Json<CompletedTask>, Error> {
    let transaction = context.begin(&agent).await?;
    let (current, following, who) =
        join3(hold(&transaction, id), transaction.all::<PlacedTask>(FOLLOWING, &[&id]), who_goes_on(&transaction, id)).await;
    let (current, following, who) = (current?, following?, who?);
    if current.task.completed_at.is_some() {
        // Said twice, it is done once; what says more than what was said first is not.
        let says_more = input.next.is_some() || input.result.is_some_and(|result| result != current.task.result);
        if says_more {
            return Err(TASK_DONE.with_current(&current.task));
        }
        let (recurring, next): (Vec<_>, Vec<_>) = following.into_iter().partition(|task| task.series_id == current.series_id);
        let one = |tasks: Vec<PlacedTask>| tasks.into_iter().next().map(|placed| placed.task);
        return transaction.commit(Json(CompletedTask { task: current.task, next: one(next), recurring: one(recurring) })).await;
    }
    let make = async |new: Option<NewTask>| match new {
        Some(new) => insert(&transaction, agent.company_id, new).await.map(|made| Some(made.task)),
        None => Ok(None),
    };
    let next = input.next.map(|next| after(&context, &current, &who, next));
    let (completed, next, recurring) = try_join3(
        transaction.one::<PlacedTask>(COMPLETE, &[&id, &input.result]),
        make(next),
        make(again(&context, &current, &who)),
    )
    .await?;
    completed.tell(&transaction, agent.company_id, &TaskCompleted { task: completed.task.clone() });
    let answer = CompletedTask { task: completed.task, next, recurring };
    transaction.audit(id, &current.task, &answer);
    transaction.commit(Json(answer)).await
}
