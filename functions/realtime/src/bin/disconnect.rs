//! `$disconnect` — forgets the connection and ends its presence. A session that was revoked has been forgotten before.

use realtime::presence;
use shared::{
    prelude::*,
    realtime::{find, forget},
    serve_disconnect,
};

const COMPANY_OF_CONNECTION: &str = "select app.company_of_connection($1) as company_id";

#[derive(FromRow)]
struct Owner {
    company_id: Option<Uuid>,
}

pub fn main() {
    serve_disconnect(disconnect);
}

async fn disconnect(context: Context, connection_id: String) -> Result<(), Error> {
    // The lease is ended whatever DynamoDB answers.
    let known = find(&context, &connection_id).await.unwrap_or_default();
    let company_id = match known {
        Some(connection) if !connection.identity.role.is_staff() => None,
        Some(connection) => Some(connection.identity.company_id),
        None => company_of_lease(&context, &connection_id).await?,
    };
    if let Some(company_id) = company_id {
        presence::end(&context, company_id, &connection_id).await?;
    }
    forget(&context, &connection_id).await
}

async fn company_of_lease(context: &Context, connection_id: &str) -> Result<Option<Uuid>, Error> {
    let transaction = context.begin_nobody().await?;
    let owner: Owner = transaction.one(COMPANY_OF_CONNECTION, &[&connection_id]).await?;
    transaction.commit_unaudited().await?;
    Ok(owner.company_id)
}
