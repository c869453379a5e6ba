//! GET /tasks — tasks that the caller sees, by when they are due; those without a time come after all others.

use shared::{closed_set, prelude::*, rule};
use tasks::{Task, TaskKind, is_in_this_millennium, task_columns, task_joins};

const ROUTE: Route = Route::get("/tasks");

closed_set! {
    /// `overdue` is open, too.
    TaskState { Open = "open", Done = "done", Overdue = "overdue" }
}

closed_set! {
    DueDay { Today = "today" }
}

/// The caller or a user.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code, reason = "only its schema is used")]
enum TaskOwner {
    Me,
    #[schemars(untagged)]
    User(Uuid),
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// `me` or a user's id.
    #[garde(inner(custom(names_one)))]
    #[schemars(with = "Option<TaskOwner>")]
    owner: Option<String>,
    /// Due at or after.
    #[garde(inner(custom(is_in_this_millennium)))]
    #[schemars(regex(pattern = "^2[0-9]{3}-"))]
    due_from: Option<Timestamp>,
    /// Due before.
    #[garde(inner(custom(is_in_this_millennium)))]
    #[schemars(regex(pattern = "^2[0-9]{3}-"))]
    due_to: Option<Timestamp>,
    /// Due on the day that it is where the company is.
    #[garde(skip)]
    day: Option<DueDay>,
    #[garde(skip)]
    state: Option<TaskState>,
    #[garde(skip)]
    kind: Option<TaskKind>,
    #[garde(skip)]
    lead_id: Option<Uuid>,
    #[garde(skip)]
    client_id: Option<Uuid>,
    #[garde(skip)]
    mentee_id: Option<Uuid>,
    #[garde(skip)]
    conversation_id: Option<Uuid>,
}

/// One list for each index; what else is asked for is the same in all.
macro_rules! tasks_where {
    ($condition:literal) => {
        TimeList {
            rows: concat!(
                "select * from tasks
                  where ",
                $condition,
                " and ($1::uuid is null or owner_id = $1) and ($2::uuid is null or lead_id = $2) and ($3::uuid is null or client_id = $3)
                    and ($4::uuid is null or mentee_id = $4) and ($5::uuid is null or conversation_id = $5)
                    and ($6::text is null or kind = $6)
                    and case $7::text
                            when 'open' then completed_at is null
                            when 'done' then completed_at is not null
                            when 'overdue' then completed_at is null and due_at < now()
                            else true
                        end
                    and listed_at >= coalesce($8::timestamptz, '-infinity') and listed_at < coalesce($9::timestamptz, 'infinity')
                    and ($10::text is null
                         or listed_at >= (select date_trunc('day', now() at time zone time_zone) at time zone time_zone from companies)
                            and listed_at < (select (date_trunc('day', now() at time zone time_zone) + interval '1 day') at time zone time_zone
                                               from companies))"
            ),
            at: "tasks.listed_at",
            id: "tasks.id",
            shown: concat!("select ", task_columns!(), " from page tasks ", task_joins!()),
        }
    };
}

const OF_CONVERSATION: TimeList = tasks_where!("conversation_id = $5");
const OF_LEAD: TimeList = tasks_where!("lead_id = $2");
const OF_MENTEE: TimeList = tasks_where!("mentee_id = $4");
const OF_CLIENT: TimeList = tasks_where!("client_id = $3");
const OPEN_OF_OWNER: TimeList = tasks_where!("owner_id = $1 and completed_at is null");
const OF_OWNER: TimeList = tasks_where!("owner_id = $1");
const OPEN: TimeList = tasks_where!("completed_at is null");
const ALL: TimeList = tasks_where!("true");

pub fn main() {
    serve(&ROUTE, list_tasks);
}

async fn list_tasks(context: Context, agent: Staff, asked: List<Filters>) -> Result<Page<Task>, Error> {
    let Filters { due_from, due_to, day, state, kind, lead_id, client_id, mentee_id, conversation_id, .. } = &asked.filters;
    let owner = asked.filters.owner.as_deref().and_then(|who| if who == "me" { Some(agent.user_id) } else { who.parse().ok() });
    let is_open = matches!(state, Some(TaskState::Open | TaskState::Overdue));
    let list = match (conversation_id, lead_id, mentee_id, client_id, owner) {
        (Some(_), ..) => &OF_CONVERSATION,
        (_, Some(_), ..) => &OF_LEAD,
        (_, _, Some(_), ..) => &OF_MENTEE,
        (_, _, _, Some(_), _) => &OF_CLIENT,
        (.., Some(_)) if is_open => &OPEN_OF_OWNER,
        (.., Some(_)) => &OF_OWNER,
        _ if is_open => &OPEN,
        _ => &ALL,
    };
    let (kind, state, day) = (kind.map(TaskKind::as_str), state.map(TaskState::as_str), day.map(DueDay::as_str));
    let transaction = context.begin(&agent).await?;
    let rows: Vec<Task> = transaction
        .list(list, &asked, &[&owner, lead_id, client_id, mentee_id, conversation_id, &kind, &state, due_from, due_to, &day])
        .await?;
    Ok(asked.page(rows, |task: &Task| (task.listed_at, task.id)))
}

fn names_one(word: &str, (): &()) -> garde::Result {
    if word == "me" || word.parse::<Uuid>().is_ok() {
        return Ok(());
    }
    Err(rule("unknown_value", "Use me ou o id de alguém.", "Use me or somebody's id."))
}
