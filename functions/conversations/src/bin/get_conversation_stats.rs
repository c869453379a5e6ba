//! GET /conversations/stats — how many conversations there are now and who they wait for, of those the caller sees.

use shared::prelude::*;

const ROUTE: Route = Route::get("/conversations/stats");

/// Of what is open, whatever its age, and of what has ended since the company's midnight.
const STATS: &str = "
    with today as materialized (
        select date_trunc('day', now() at time zone time_zone) at time zone time_zone as began from companies where id = app.company_id()
    ), counted as materialized (
        select department_id, assignee_id, status, pending_since from conversations where ended_at is null
        union all
        select department_id, assignee_id, status, null
          from conversations
         where ended_at >= (select began from today) and merged_into_id is null and imported_at is null
    ), by_department as (
        select department_id, (select name from departments where departments.id = department_id) as department_name,
               count(*) filter (where status = 'bot') as bot, count(*) filter (where status = 'pending') as pending,
               count(*) filter (where status = 'active') as active, count(*) filter (where status = 'closed') as closed_today,
               min(pending_since) as oldest_waiting_at
          from counted
         group by department_id
    ), by_agent as (
        select assignee_id, (select name from users where users.id = assignee_id) as assignee_name,
               count(*) filter (where status = 'active') as active, count(*) filter (where status = 'closed') as closed_today
          from counted
         where assignee_id is not null
         group by assignee_id
    )
    select count(*) filter (where status = 'bot') as bot, count(*) filter (where status = 'pending') as pending,
           count(*) filter (where status = 'active') as active, count(*) filter (where status = 'closed') as closed_today,
           count(*) filter (where status in ('bot', 'active')) as open, count(*) filter (where status = 'pending') as waiting,
           round(extract(epoch from avg(now() - pending_since)))::bigint as average_wait_seconds,
           min(pending_since) as oldest_waiting_at,
           (select coalesce(jsonb_agg(to_jsonb(by_department) order by department_name, department_id), '[]') from by_department)
               as by_department,
           (select coalesce(jsonb_agg(to_jsonb(by_agent) order by assignee_name, assignee_id), '[]') from by_agent) as by_agent
      from counted";

#[derive(Serialize, JsonSchema, FromRow)]
struct ConversationStats {
    bot: i64,
    pending: i64,
    active: i64,
    /// Since the company's midnight.
    closed_today: i64,
    /// `bot` and `active`.
    open: i64,
    /// `pending`.
    waiting: i64,
    /// Of those that wait for a human now; null when none does.
    average_wait_seconds: Option<i64>,
    oldest_waiting_at: Option<Timestamp>,
    #[schemars(with = "Vec<DepartmentStats>")]
    by_department: Value,
    #[schemars(with = "Vec<AgentStats>")]
    by_agent: Value,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct DepartmentStats {
    /// Null for those of no department.
    department_id: Option<Uuid>,
    department_name: Option<String>,
    bot: i64,
    pending: i64,
    active: i64,
    closed_today: i64,
    oldest_waiting_at: Option<Timestamp>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct AgentStats {
    assignee_id: Uuid,
    assignee_name: Option<String>,
    active: i64,
    closed_today: i64,
}

pub fn main() {
    serve(&ROUTE, get_conversation_stats);
}

async fn get_conversation_stats(context: Context, agent: Staff) -> Result<Json<ConversationStats>, Error> {
    let transaction = context.begin(&agent).await?;
    Ok(Json(transaction.one(STATS, &[]).await?))
}
