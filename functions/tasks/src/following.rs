//! What comes after a task that is done: what was said to, and the next one of its series.

use jiff::tz::TimeZone;
use shared::{VISIBLE, prelude::*, visible};

use crate::{NewTask, PlacedTask, TaskKind, is_in_this_millennium, next_time};

/// What is to be done after a task: of the same owner, about the same.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextTask {
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

/// Where the company is, and who of the task's owner and the caller does what comes after it.
const WHO_GOES_ON: &str = "
    select companies.time_zone, coalesce(memberships.user_id, app.user_id()) as owner_id
      from companies
      left join tasks on tasks.id = $1
      left join memberships on memberships.company_id = tasks.company_id and memberships.user_id = tasks.owner_id
            and memberships.status = 'active' and memberships.role <> 'student'";

/// Where the company is, and who does what comes after a task.
#[derive(FromRow)]
pub struct WhoGoesOn {
    time_zone: String,
    owner_id: Uuid,
}

/// # Errors
/// As `Transaction::query`.
pub async fn who_goes_on(transaction: &Transaction, task: Uuid) -> Result<WhoGoesOn, Error> {
    transaction.one(WHO_GOES_ON, &[&task]).await
}

/// What was said to come after it.
#[must_use]
pub fn after(context: &Context, done: &PlacedTask, who: &WhoGoesOn, next: NextTask) -> NewTask {
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
#[must_use]
pub fn again(context: &Context, done: &PlacedTask, who: &WhoGoesOn) -> Option<NewTask> {
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
