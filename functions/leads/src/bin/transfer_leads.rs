//! POST /leads/transfer — the open leads of somebody, and their open tasks about leads, are another's from now on, as when they leave. At most
//! 5,000 leads at once: `left` says how many there are to come.

use futures_util::future::try_join4;
use leads::IS_STAFF;
use shared::{
    error::{FieldProblem, refuse},
    prelude::*,
};

const ROUTE: Route = Route::post("/leads/transfer");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TransferLeads {
    /// Whose they are, whether they still work here or not.
    #[garde(skip)]
    from_id: Uuid,
    /// Active staff, and somebody else.
    #[garde(skip)]
    to_id: Uuid,
}

/// What has become another's.
#[derive(Serialize, JsonSchema)]
struct TransferredLeads {
    leads: u64,
    tasks: u64,
    /// Open leads that are still the first one's.
    left: i64,
}

/// Somebody's leads are another's: boards and lists are read anew.
#[derive(Debug, Serialize, JsonSchema)]
struct LeadsTransferred {
    from_id: Uuid,
    to_id: Uuid,
    leads: u64,
}

event!(LeadsTransferred = "leads.transferred");

const TRANSFER: &str = "
    with held as materialized (
        select id from leads
         where (closer_id = $1 or sdr_id = $1) and status = 'open' and deleted_at is null and merged_into_id is null
           and exists (select from memberships where user_id = $2 and status = 'active' and role <> 'student')
         order by id
         limit 5000
           for no key update
    )
    update leads
       set closer_id = case when closer_id = $1 then $2 else closer_id end, sdr_id = case when sdr_id = $1 then $2 else sdr_id end,
           version = version + 1, updated_at = now()
      from held
     where leads.id = held.id";

/// Once no lead is left.
const TRANSFER_TASKS: &str = "
    update tasks
       set owner_id = $2, given_by = app.user_id(), version = version + 1, updated_at = now()
     where owner_id = $1 and completed_at is null and lead_id is not null
       and exists (select from memberships where user_id = $2 and status = 'active' and role <> 'student')
       and not exists (select from leads where (closer_id = $1 or sdr_id = $1) and status = 'open' and deleted_at is null)";

const COUNT: &str = "select count(*) from leads where (closer_id = $1 or sdr_id = $1) and status = 'open' and deleted_at is null";

#[derive(FromRow)]
struct Left {
    count: i64,
}

pub fn main() {
    serve(&ROUTE, transfer_leads);
}

async fn transfer_leads(
    context: Context,
    caller: Supervisor,
    Json(TransferLeads { from_id, to_id }): Json<TransferLeads>,
) -> Result<Json<TransferredLeads>, Error> {
    let transaction = context.begin(&caller).await?;
    let (staff, leads, tasks, Left { count: left }) = try_join4(
        transaction.query(IS_STAFF, &[&to_id]),
        transaction.execute(TRANSFER, &[&from_id, &to_id]),
        transaction.execute(TRANSFER_TASKS, &[&from_id, &to_id]),
        transaction.one(COUNT, &[&from_id]),
    )
    .await?;
    if from_id == to_id {
        refuse([FieldProblem::new("to_id", "same_person", "Escolha outra pessoa.", "Choose somebody else.")])?;
    }
    if staff.is_empty() {
        refuse([FieldProblem::not_active_staff("to_id")])?;
    }
    if leads + tasks > 0 {
        transaction.tell_staff(&LeadsTransferred { from_id, to_id, leads });
        transaction.audit(from_id, &Value::Null, &json!({"to_id": to_id, "leads": leads, "tasks": tasks}));
    }
    transaction.commit(Json(TransferredLeads { leads, tasks, left })).await
}
