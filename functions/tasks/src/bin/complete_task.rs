//! POST /tasks/{id}/complete — a task is done; one that comes again is there for the next time, and so is what is to be done after it.

use futures_util::future::{join3, try_join3};
use jiff::tz::TimeZone;
use shared::{VISIBLE, error::NOT_FOUND, prelude::*, visible};
use tasks::{
    FOLLOWING, NewTask, PlacedTask, TASK_DONE, Task, TaskCompleted, TaskKind, hold, insert, is_in_this_millennium, next_time,
    placed_task,
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

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NextTask {
    #[garde(length(chars, min = 1, max = 200), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    title: String,
    #[garde(inner(custom(is_in_this_millennium)))]
    #[schemars(regex(pattern = "^2[0-9]{3}-"))]
    due_at: Option<Timestamp>,
    /// The same without it.
    #[garde(skip)]
    kind: Option<TaskKind>,
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

/// Where the company is, and who of the task's owner and the caller does what comes after it.
const WHO_GOES_ON: &str = "
    select companies.time_zone, coalesce(memberships.user_id, app.user_id()) as owner_id
      from companies
      left join tasks on tasks.id = $1
      left join memberships on memberships.company_id = tasks.company_id and memberships.user_id = tasks.owner_id
            and memberships.status = 'active' and memberships.role <> 'student'";

#[derive(FromRow)]
struct WhoGoesOn {
    time_zone: String,
    owner_id: Uuid,
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
    let (current, following, who) = join3(
        hold(&transaction, id),
        transaction.all::<PlacedTask>(FOLLOWING, &[&id]),
        transaction.one::<WhoGoesOn>(WHO_GOES_ON, &[&id]),
    )
    .await;
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

/// What was said to come after it.
fn after(context: &Context, done: &PlacedTask, who: &WhoGoesOn, next: NextTask) -> NewTask {
    let (id, task) = (context.new_id(), &done.task);
    NewTask {
        id,
        kind: next.kind.unwrap_or(task.kind),
        title: next.title,
        notes: String::new(),
        owner_id: who.owner_id,
        due_at: next.due_at,
        time_zone: task.time_zone.clone(),
        recurrence: None,
        series_id: id,
        series_at: None,
        occurrence: 0,
        follows_id: Some(task.id),
        links: task.links(),
    }
}

/// The next one of its series.
fn again(context: &Context, done: &PlacedTask, who: &WhoGoesOn) -> Option<NewTask> {
    let task = &done.task;
    let (recurrence, first) = task.recurrence.zip(done.series_at)?;
    let zone = TimeZone::get(task.time_zone.as_ref().unwrap_or(&who.time_zone)).unwrap_or(TimeZone::UTC);
    let (occurrence, due_at) = next_time(recurrence, first, &zone, done.occurrence, context.now())?;
    Some(NewTask {
        id: context.new_id(),
        kind: task.kind,
        title: task.title.clone(),
        notes: task.notes.clone(),
        owner_id: who.owner_id,
        due_at: Some(due_at),
        time_zone: task.time_zone.clone(),
        recurrence: task.recurrence,
        series_id: done.series_id,
        series_at: done.series_at,
        occurrence,
        follows_id: Some(task.id),
        links: task.links(),
    })
}
