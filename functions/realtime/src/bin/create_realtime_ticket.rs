//! POST /realtime/tickets — a ticket for one socket, so that no token travels in a URL.

use shared::{
    prelude::*,
    realtime::{TICKET_LIFE, save_ticket},
    settings::variable,
};

const ROUTE: Route = Route::post("/realtime/tickets");

#[derive(Serialize, JsonSchema)]
struct RealtimeTicket {
    ticket: String,
    /// Connect to `url?ticket=…`.
    url: String,
    /// Seconds within which to connect.
    expires_in: i64,
}

fn main() {
    serve(&ROUTE, create_realtime_ticket);
}

async fn create_realtime_ticket(context: Context, caller: Member) -> Result<Created<RealtimeTicket>, Error> {
    let ticket = save_ticket(&context, &caller).await?;
    Ok(Created(RealtimeTicket { ticket, url: variable("WEBSOCKET_URL"), expires_in: TICKET_LIFE }))
}
