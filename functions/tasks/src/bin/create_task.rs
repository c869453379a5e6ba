//! POST /tasks — a task for somebody of the staff, by when and about whom.

use shared::{VISIBLE, known_zone, prelude::*, rule, visible};
use tasks::{Links, NewTask, Recurrence, Task, TaskKind, insert, is_in_this_millennium, places};

const ROUTE: Route = Route::post("/tasks");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTask", transform = recurs_from_a_time)]
struct Input {
    /// `generic` without it.
    #[garde(skip)]
    kind: Option<TaskKind>,
    #[garde(length(chars, min = 1, max = 200), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    title: String,
    #[garde(length(chars, max = 5000))]
    notes: Option<String>,
    /// Active staff; the caller without it.
    #[garde(skip)]
    owner_id: Option<Uuid>,
    /// Its owner is told when it is over.
    #[garde(inner(custom(is_in_this_millennium)))]
    #[schemars(regex(pattern = "^2[0-9]{3}-"))]
    due_at: Option<Timestamp>,
    /// In which its days are; the company's without it.
    #[garde(inner(custom(known_zone)))]
    time_zone: Option<String>,
    /// It comes again once it was completed, from `due_at` on.
    #[garde(custom(has_a_time(&self.due_at)))]
    recurrence: Option<Recurrence>,
    #[garde(skip)]
    lead_id: Option<Uuid>,
    /// Not needed beside a conversation or a mentee, whose client it must be.
    #[garde(skip)]
    client_id: Option<Uuid>,
    #[garde(skip)]
    mentee_id: Option<Uuid>,
    #[garde(skip)]
    conversation_id: Option<Uuid>,
}

pub fn main() {
    serve(&ROUTE, create_task);
}

async fn create_task(
    context: Context,
    agent: Staff,
    _: IdempotencyKey,
    Json(input): Json<Input>,
) -> Result<Created<Task>, Error> {
    let Input { lead_id, client_id, mentee_id, conversation_id, due_at, recurrence, .. } = input;
    let (wanted, owner_id) = (Links { lead_id, client_id, mentee_id, conversation_id }, input.owner_id.unwrap_or(agent.user_id));
    let transaction = context.begin(&agent).await?;
    let places = places(&transaction, &wanted, owner_id).await?;
    let links = places.judge(&wanted, &Links::default(), true)?;
    let id = context.new_id();
    let new = NewTask {
        id,
        kind: input.kind.unwrap_or(TaskKind::Generic),
        title: input.title,
        notes: input.notes.unwrap_or_default(),
        owner_id,
        due_at,
        time_zone: input.time_zone,
        recurrence,
        series_id: id,
        series_at: due_at.filter(|_| recurrence.is_some()),
        occurrence: 0,
        follows_id: None,
        links,
    };
    let created = insert(&transaction, agent.company_id, new).await?;
    transaction.audit(id, &Value::Null, &created.task);
    transaction.commit(Created(created.task)).await
}

fn has_a_time(due_at: &Option<Timestamp>) -> impl FnOnce(&Option<Recurrence>, &()) -> garde::Result {
    move |recurrence, ()| {
        if recurrence.is_none() || due_at.is_some() {
            return Ok(());
        }
        Err(rule("lacks_time", "Informe até quando (due_at).", "Give by when (due_at)."))
    }
}

/// As `has_a_time` says it, for the description.
fn recurs_from_a_time(schema: &mut schemars::Schema) {
    let once = json!({"title": "once", "type": "object", "properties": {"recurrence": {"type": "null"}}});
    let timed = json!({"title": "timed", "type": "object", "required": ["due_at"], "properties": {"due_at": {"type": "string"}}});
    schema.insert("anyOf".into(), json!([once, timed]));
}
