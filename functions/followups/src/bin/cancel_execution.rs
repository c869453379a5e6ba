//! POST /followups/executions/{id}/cancel — a lead goes no further through a sequence.

use followups::execution::{EXECUTION, Execution};
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const IS_OVER: Problem = Problem::new(409, "execution_finished", "Esta execução já terminou.", "This execution is over already.")
    .showing::<Execution>();

const ROUTE: Route = Route::post("/followups/executions/{id}/cancel").fails(&[NOT_FOUND, IS_OVER]);

/// No row when it is over.
const CANCEL: &str = "
    update followup_executions
       set status = 'cancelled', reason = 'by_hand', finished_at = now(), next_run_at = null
     where id = $1 and finished_at is null
    returning id";

pub fn main() {
    serve(&ROUTE, cancel_execution);
}

async fn cancel_execution(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Execution>, Error> {
    let transaction = context.begin(&caller).await?;
    let (cancelled, execution): (_, Execution) =
        try_join(transaction.query(CANCEL, &[&id]), transaction.one(EXECUTION, &[&id])).await?;
    if cancelled.is_empty() {
        return Err(IS_OVER.with_current(&execution));
    }
    transaction.audit(id, &Value::Null, &json!({"status": "cancelled"}));
    transaction.commit(Json(execution)).await
}
