//! PUT /presence — what the caller shows on all their connections, as the action `setPresence` does.

use presence::interval::NOT_CONNECTED;
use realtime::presence::{PresenceChoice, PresenceStatus, choose};
use shared::prelude::*;

const ROUTE: Route = Route::put("/presence").or(&["PATCH /presence"]).fails(&[NOT_CONNECTED]);

/// What all connections of the caller show now.
#[derive(Serialize, JsonSchema)]
struct ShownPresence {
    status: PresenceStatus,
}

pub fn main() {
    serve(&ROUTE, set_presence_status);
}

async fn set_presence_status(
    context: Context,
    caller: Staff,
    Json(PresenceChoice { status }): Json<PresenceChoice>,
) -> Result<Json<ShownPresence>, Error> {
    let transaction = context.begin(&caller).await?;
    let chosen = choose(&transaction, &caller, None, status).await?;
    if !chosen.is_connected {
        return Err(NOT_CONNECTED.into());
    }
    transaction.commit(Json(ShownPresence { status })).await
}
