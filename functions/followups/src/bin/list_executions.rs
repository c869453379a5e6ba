//! GET /followups/executions — leads on their way through sequences, as far as the caller sees them, newest first.

use followups::{
    execution::{Execution, ExecutionStatus},
    execution_columns, execution_joins,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/followups/executions");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    #[garde(skip)]
    sequence_id: Option<Uuid>,
    #[garde(skip)]
    lead_id: Option<Uuid>,
    #[garde(skip)]
    status: Option<CommaSeparated<ExecutionStatus>>,
}

const EXECUTIONS: TimeList = TimeList {
    rows: "select * from followup_executions
            where ($1::uuid is null or sequence_id = $1) and ($2::uuid is null or lead_id = $2) and ($3::text[] is null or status = any ($3))",
    at: "followup_executions.started_at",
    id: "followup_executions.id",
    shown: concat!("select ", execution_columns!(), " from page followup_executions ", execution_joins!()),
};

pub fn main() {
    serve(&ROUTE, list_executions);
}

async fn list_executions(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<Execution>, Error> {
    let Filters { sequence_id, lead_id, status } = &asked.filters;
    let status = status.as_ref().map(|all| all.0.iter().map(|one| one.as_str()).collect::<Vec<_>>());
    let status = status.filter(|all| !all.is_empty());
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&EXECUTIONS, &asked, &[sequence_id, lead_id, &status]).await?;
    Ok(asked.page(rows, |execution: &Execution| (execution.started_at, execution.id)))
}
