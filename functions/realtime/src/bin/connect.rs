//! `$connect` — redeems a ticket, opens the person's presence and puts the connection on its own topics.

use realtime::{TICKET_INVALID, presence};
use shared::{
    ConnectRequest,
    prelude::*,
    realtime::{Connection, redeem_ticket, remember},
    serve_connect,
};

fn main() {
    serve_connect(connect);
}

async fn connect(context: Context, request: ConnectRequest) -> Result<(), Error> {
    let ticket = request.ticket.ok_or(TICKET_INVALID)?;
    let identity = redeem_ticket(&context, &ticket).await?.ok_or(TICKET_INVALID)?;
    let (reader, name) = presence::open(&context, &identity, &request.connection_id).await?;
    let mut topics = vec![Topic::User(identity.user_id)];
    if identity.role.is_staff() {
        topics.push(Topic::Company(identity.company_id));
    }
    // After the commit: a frame that came before the handshake is over would find the connection gone.
    let connection = Connection::new(&context, request.connection_id, identity, reader, name);
    remember(&context, &connection, &topics).await
}
