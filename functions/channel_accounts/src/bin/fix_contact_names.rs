//! POST /whatsapp/contacts/fix-names — gives clients who are known by a number alone the best name that is known of them, as a long job for each
//! channel. A name that somebody typed stays.

use channel_accounts::contacts::{ChannelJobs, FIX_NAMES, WhichChannel, start};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/contacts/fix-names").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, fix_contact_names);
}

async fn fix_contact_names(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(which): Json<WhichChannel>,
) -> Result<Accepted<ChannelJobs>, Error> {
    start(&context, &caller, FIX_NAMES, which).await
}
