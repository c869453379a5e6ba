//! POST /whatsapp/instances/{id}/restart — connects an instance again, with the same phone.

use std::time::Duration;

use evolution::{Instance, Known, NOT_LINKED, SERVER_FAILS, Telling, Visit, instance::INSTANCE, record, refuse};
use shared::{error::NOT_FOUND, evolution::InstanceState, prelude::*, provider::Failure};

const ROUTE: Route = Route::post("/whatsapp/instances/{id}/restart").limit(20, Duration::from_mins(1)).fails(&[
    NOT_FOUND,
    NOT_LINKED,
    SERVER_FAILS[0],
    SERVER_FAILS[1],
    SERVER_FAILS[2],
    SERVER_FAILS[3],
]);

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

pub fn main() {
    serve(&ROUTE, restart_instance);
}

async fn restart_instance(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<Instance>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let known = Known::read(&context, &transaction, caller.company_id, Some(&ids), 1).await?;
    let known = known.into_iter().next().ok_or(NOT_FOUND)?;
    transaction.commit_unaudited().await?;
    let mut visit = Visit::begin(&context, &known);
    let outcome = restart(&mut visit).await;
    let seen = visit.seen;
    record(&context, caller.company_id, id, &seen, Telling::Nobody).await?;
    if !outcome.map_err(refuse)? {
        return Err(NOT_LINKED.into());
    }
    let transaction = context.begin(&caller).await?;
    let instance: Instance = transaction.one(INSTANCE, &[&id]).await?;
    transaction.audit(id, &json!({"state": known.state}), &json!({"state": instance.state}));
    transaction.commit(Json(instance.told(&context))).await
}

/// Whether there was a phone to connect with.
async fn restart(visit: &mut Visit<'_>) -> Result<bool, Failure> {
    if visit.look().await? == InstanceState::Close {
        return Ok(false);
    }
    visit.restart().await?;
    visit.look().await.map(|_| true)
}
