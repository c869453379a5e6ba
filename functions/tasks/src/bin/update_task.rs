//! PUT /tasks/{id} — another title, owner, time or thing that it is about; what is not given stays, null takes it away.

use shared::{
    VISIBLE,
    error::{FieldProblem, NOT_FOUND, STALE, refuse},
    known_zone,
    prelude::*,
    visible,
};
use tasks::{
    Links, PlacedTask, Recurrence, TASK_DONE, Task, TaskKind, TaskUpdated, hold, is_in_this_millennium, placed_task, places,
};
use team::given::Given;

const ROUTE: Route = Route::put("/tasks/{id}").or(&["PATCH /tasks/{id}"]).fails(&[NOT_FOUND, TASK_DONE, STALE.showing::<Task>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TaskChanges {
    #[garde(skip)]
    kind: Option<TaskKind>,
    #[garde(length(chars, min = 1, max = 200), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    title: Option<String>,
    #[garde(length(chars, max = 5000))]
    notes: Option<String>,
    /// Active staff.
    #[garde(skip)]
    owner_id: Option<Uuid>,
    #[garde(custom(is_a_time))]
    #[serde(default)]
    #[schemars(with = "Option<Timestamp>", regex(pattern = "^2[0-9]{3}-"))]
    due_at: Given<Timestamp>,
    #[garde(custom(is_a_zone))]
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    time_zone: Given<String>,
    /// Needs a time that it is due.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Recurrence>")]
    recurrence: Given<Recurrence>,
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    lead_id: Given<Uuid>,
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    client_id: Given<Uuid>,
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    mentee_id: Given<Uuid>,
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    conversation_id: Given<Uuid>,
}

/// No row when it stays as it is. Another time begins another series.
const UPDATE: &str = concat!(
    "with changed as (
        select tasks.id as of_task, (due_at, time_zone, recurrence) is distinct from ($6::timestamptz, $7::text, $8::text) as is_another_series,
               (owner_id, lead_id, client_id, mentee_id, conversation_id) is distinct from ($5::uuid, $10::uuid, $11::uuid, $12::uuid, $13::uuid) as is_given
          from tasks where id = $1
    ), tasks as (
        update tasks
           set kind = $2, title = $3, notes = $4, owner_id = $5, due_at = $6, time_zone = $7, recurrence = $8,
               series_id = case when is_another_series then $9 else series_id end,
               series_at = case when $8 is null then null when is_another_series then $6 else series_at end,
               occurrence = case when is_another_series then 0 else occurrence end,
               lead_id = $10, client_id = $11, mentee_id = $12, conversation_id = $13,
               given_by = case when is_given then app.user_id() else given_by end, version = version + 1, updated_at = now()
          from changed
         where id = of_task and (is_another_series or is_given or (kind, title, notes) is distinct from ($2, $3, $4))
        returning tasks.*
    ) ",
    placed_task!()
);

pub fn main() {
    serve(&ROUTE, update_task);
}

async fn update_task(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<TaskChanges>,
) -> Result<Json<Task>, Error> {
    let transaction = context.begin(&agent).await?;
    let current = hold(&transaction, id).await?;
    if_match.check(&current.task)?;
    if current.task.completed_at.is_some() {
        return Err(TASK_DONE.with_current(&current.task));
    }
    let (before, task) = (current.task.links(), current.task.clone());
    let wanted = Links {
        lead_id: input.lead_id.after(before.lead_id),
        client_id: input.client_id.after(before.client_id),
        mentee_id: input.mentee_id.after(before.mentee_id),
        conversation_id: input.conversation_id.after(before.conversation_id),
    };
    let owner = input.owner_id.unwrap_or(task.owner_id);
    let (due_at, recurrence) = (input.due_at.after(task.due_at), input.recurrence.after(task.recurrence));
    refuse((recurrence.is_some() && due_at.is_none()).then(|| {
        FieldProblem::new("due_at", "lacks_time", "O que se repete precisa de uma data.", "What comes again needs a time.")
    }))?;
    let places = places(&transaction, &wanted, owner).await?;
    let Links { lead_id, client_id, mentee_id, conversation_id } = places.judge(&wanted, &before, owner != task.owner_id)?;
    let (kind, recurrence) = (input.kind.unwrap_or(task.kind).as_str(), recurrence.map(Recurrence::as_str));
    let (title, notes) = (input.title.unwrap_or(task.title), input.notes.unwrap_or(task.notes));
    let (time_zone, series) = (input.time_zone.after(task.time_zone), context.new_id());
    let updated: Option<PlacedTask> = transaction
        .first(
            UPDATE,
            &[
                &id,
                &kind,
                &title,
                &notes,
                &owner,
                &due_at,
                &time_zone,
                &recurrence,
                &series,
                &lead_id,
                &client_id,
                &mentee_id,
                &conversation_id,
            ],
        )
        .await?;
    let Some(updated) = updated else { return transaction.commit(Json(current.task)).await };
    let payload = TaskUpdated { task: updated.task.clone() };
    transaction.emit(Event::new(Topic::Company(agent.company_id), current.audience().or(updated.audience()), &payload));
    transaction.audit(id, &current.task, &updated.task);
    transaction.commit(Json(updated.task)).await
}

fn is_a_time(given: &Given<Timestamp>, (): &()) -> garde::Result {
    given.set().map_or(Ok(()), |time| is_in_this_millennium(time, &()))
}

fn is_a_zone(given: &Given<String>, (): &()) -> garde::Result {
    given.set().map_or(Ok(()), |zone| known_zone(zone, &()))
}
