//! POST /whatsapp/instances/{id}/logout — unlinks the phone. The instance stays, and can be connected with this or another one.

use std::time::Duration;

use evolution::{Instance, Known, SERVER_FAILS, Telling, Visit, expect_down, instance::INSTANCE, record, refuse};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/instances/{id}/logout").limit(20, Duration::from_mins(1)).fails(&[
    NOT_FOUND,
    SERVER_FAILS[0],
    SERVER_FAILS[1],
    SERVER_FAILS[2],
    SERVER_FAILS[3],
]);

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

pub fn main() {
    serve(&ROUTE, log_out_instance);
}

async fn log_out_instance(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<Instance>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let known = Known::read(&context, &transaction, caller.company_id, Some(&ids), 1).await?;
    let known = known.into_iter().next().ok_or(NOT_FOUND)?;
    transaction.commit_unaudited().await?;
    expect_down(&context, caller.company_id, id).await?;
    let mut visit = Visit::begin(&context, &known);
    let outcome = visit.log_out().await;
    let seen = visit.seen;
    record(&context, caller.company_id, id, &seen, Telling::TheyKnow).await?;
    outcome.map_err(refuse)?;
    let transaction = context.begin(&caller).await?;
    let instance: Instance = transaction.one(INSTANCE, &[&id]).await?;
    transaction.audit(id, &json!({"state": known.state}), &json!({"state": instance.state}));
    transaction.commit(Json(instance.told(&context))).await
}
