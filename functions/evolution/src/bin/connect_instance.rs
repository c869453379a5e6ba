//! POST /whatsapp/instances/{id}/connect — shows the code that links a phone; of an instance that is open, that it is. What its server does not have
//! yet is made.

use std::time::Duration;

use evolution::{
    ConnectedNumber, INSTANCE_NAME_TAKEN, Instance, InstanceProblem, Known, NUMBER_CONNECTED, SERVER_FAILS, Telling, Visit,
    instance::INSTANCE, record, refuse,
};
use futures_util::future::try_join;
use integrations::{config::PHONE, is_phone};
use shared::{error::NOT_FOUND, phone, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/instances/{id}/connect").limit(20, Duration::from_mins(1)).fails(&[
    NOT_FOUND,
    INSTANCE_NAME_TAKEN,
    NUMBER_CONNECTED,
    SERVER_FAILS[0],
    SERVER_FAILS[1],
    SERVER_FAILS[2],
    SERVER_FAILS[3],
]);

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Connect {
    /// The number of the phone, for a code to be typed on it besides the one to be scanned.
    #[garde(inner(custom(is_phone)))]
    #[schemars(regex(pattern = PHONE))]
    number: Option<String>,
}

/// The number is open elsewhere in the company.
const CONNECTED: &str = "
    select id as channel_account_id, name as channel_name
      from channel_accounts
     where display_number = $2 and id <> $1 and removed_at is null and status <> 'disabled' and coalesce(state, 'open') = 'open'
     order by created_at
     limit 1";

#[derive(FromRow)]
struct Connected {
    channel_account_id: Uuid,
    channel_name: String,
}

pub fn main() {
    serve(&ROUTE, connect_instance);
}

async fn connect_instance(
    context: Context,
    caller: Admin,
    Path(id): Path<Uuid>,
    Json(input): Json<Connect>,
) -> Result<Json<Instance>, Error> {
    let number = input.number.as_deref().map(phone::canonical);
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let (known, connected): (Vec<Known>, Option<Connected>) = try_join(
        Known::read(&context, &transaction, caller.company_id, Some(&ids), 1),
        transaction.first(CONNECTED, &[&id, &number]),
    )
    .await?;
    let known = known.into_iter().next().ok_or(NOT_FOUND)?;
    if let Some(Connected { channel_account_id, channel_name }) = connected {
        return Err(NUMBER_CONNECTED.with_current(&ConnectedNumber { channel_account_id, channel_name }));
    }
    transaction.commit_unaudited().await?;
    let mut visit = Visit::begin(&context, &known);
    let outcome = visit.connect(number.as_deref()).await;
    let seen = visit.seen;
    record(&context, caller.company_id, id, &seen, Telling::Nobody).await?;
    match outcome {
        Err(_) if seen.problem == Some(InstanceProblem::NameTaken) => return Err(INSTANCE_NAME_TAKEN.into()),
        outcome => outcome.map_err(refuse)?,
    }
    let transaction = context.begin(&caller).await?;
    let instance: Instance = transaction.one(INSTANCE, &[&id]).await?;
    transaction.audit(id, &json!({"state": known.state}), &json!({"state": instance.state}));
    transaction.commit(Json(instance.with_code(&seen).told(&context))).await
}
