//! GET /clients/{id} — one client, with what they have agreed to. Who became another one is shown as that one.

use clients::{Client, client_columns};
use shared::prelude::*;

const ROUTE: Route = Route::get("/clients/{id}");

const SHOWN: &str = concat!(
    "select ",
    client_columns!(),
    ", (select coalesce(jsonb_agg(jsonb_build_object(
                   'purpose', consent.purpose, 'channel', consent.channel, 'granted', consent.granted, 'source', consent.source,
                   'at', app.rfc3339(consent.at))
                   order by consent.purpose, consent.channel), '[]')
          from (select distinct on (purpose, channel) *
                  from client_consents
                 where client_consents.company_id = clients.company_id and client_consents.client_id = clients.id
                 order by purpose, channel, at desc, granted) consent) as consents
       from clients
      where clients.id = (select coalesce(known.merged_into_id, known.id) from clients known where known.id = $1)"
);

/// What a client last said to a purpose on a channel.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the description of what is JSON already")]
struct ClientConsent {
    purpose: String,
    channel: String,
    granted: bool,
    /// How it came to be known.
    source: String,
    at: Timestamp,
}

/// A client with what they have agreed to.
#[derive(Serialize, JsonSchema, FromRow)]
struct ClientDetail {
    #[serde(flatten)]
    #[from_row(flatten)]
    client: Client,
    #[schemars(with = "Vec<ClientConsent>")]
    consents: Value,
}

pub fn main() {
    serve(&ROUTE, get_client);
}

async fn get_client(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<ClientDetail>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(SHOWN, &[&id]).await?))
}
