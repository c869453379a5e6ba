//! POST /whatsapp/contacts/sync-profiles — asks Evolution API servers what the people on a channel call themselves, as a long job for each
//! channel. The Cloud API gives no profiles: its channels say so.

use channel_accounts::contacts::{ChannelJobs, SYNC_PROFILES, WhichChannel, start};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/contacts/sync-profiles").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, sync_contact_profiles);
}

async fn sync_contact_profiles(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(which): Json<WhichChannel>,
) -> Result<Accepted<ChannelJobs>, Error> {
    start(&context, &caller, SYNC_PROFILES, which).await
}
