//! POST /realtime/tickets — a ticket for one socket, so that no token travels in a URL.

use futures_util::future::join;
use shared::{
    environment::variable,
    prelude::*,
    realtime::{TICKET_LIFE, save_ticket},
};

const ROUTE: Route = Route::post("/realtime/tickets");

reads!(WEBSOCKET_URL);

/// Only entering the tenant matters: a session that has ended gets no ticket.
const NOTHING: &str = "select";

#[derive(Serialize, JsonSchema)]
struct RealtimeTicket {
    ticket: String,
    /// Connect to it as it is: the ticket is in it.
    url: String,
    /// Seconds within which to connect.
    expires_in: i64,
}

pub fn main() {
    serve(&ROUTE, create_realtime_ticket);
}

async fn create_realtime_ticket(context: Context, caller: Member) -> Result<Created<RealtimeTicket>, Error> {
    let transaction = context.begin(&caller).await?;
    let (entered, ticket) = join(transaction.query(NOTHING, &[]), save_ticket(&context, &caller)).await;
    entered?;
    let ticket = ticket?;
    let url = format!("{}?ticket={ticket}", variable("WEBSOCKET_URL"));
    Ok(Created(RealtimeTicket { ticket, url, expires_in: TICKET_LIFE }))
}
