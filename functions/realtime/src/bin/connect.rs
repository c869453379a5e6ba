//! `$connect` — redeems a ticket, opens the person's presence and puts the connection on its own topics.

use realtime::{TICKET_INVALID, presence};
use shared::{
    ConnectRequest, log,
    prelude::*,
    realtime::{Connection, forget, look_anew, redeem_ticket, remember},
    serve_connect,
};

pub fn main() {
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
    let mut connection = Connection::new(&context, request.connection_id, identity, reader, name);
    connection.topics.clone_from(&topics);
    let remembered = remember(&context, &connection, &topics).await;
    // Who ended the session or changed its sight until now has not seen the connection; who does from now on sees it.
    let outcome = if remembered.is_ok() { look_anew(&context, &connection).await } else { remembered };
    if outcome.is_err() {
        withdraw(&context, &connection).await;
    }
    outcome
}

/// Takes back a connection that is refused: nobody tells `$disconnect` of it.
async fn withdraw(context: &Context, connection: &Connection) {
    let ended = presence::end(context, connection.identity.company_id, &connection.id).await;
    let forgotten = forget(context, &connection.id).await;
    for error in [ended, forgotten].into_iter().filter_map(Result::err) {
        log::warn("refused connection not withdrawn", error.cause().unwrap_or_default());
    }
}
