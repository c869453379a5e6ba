//! POST /whatsapp/templates/sync — fetches the templates of one number or of all, as WhatsApp has them now.

use std::time::Duration;

use conversations::outbox;
use futures_util::future::try_join_all;
use shared::{error::NOT_FOUND, prelude::*};
use whatsapp::templates::{self, Fetched, REFUSED_BY_WHATSAPP, Synced, TemplatesSynced, WHATSAPP_SILENT};

/// Each fetches everything; WhatsApp allows some hundreds an hour. Done again, it finds nothing new.
const ROUTE: Route = Route::post("/whatsapp/templates/sync").limit(10, Duration::from_mins(1)).fails(&[
    NOT_FOUND,
    REFUSED_BY_WHATSAPP,
    WHATSAPP_SILENT,
]);

reads!(WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sync {
    /// All of the company's numbers without it.
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
}

/// What is different now, number by number.
#[derive(Serialize, JsonSchema)]
struct SyncedAll {
    data: Vec<Synced>,
}

const NUMBERS: &str = "
    select id, coalesce(account_key, settings ->> 'waba_id', '') as business_account
      from channel_accounts
     where kind = 'whatsapp_cloud' and status <> 'disabled' and ($1::uuid is null or id = $1)
     order by created_at, id";

#[derive(FromRow)]
struct Number {
    id: Uuid,
    business_account: String,
}

pub fn main() {
    serve(&ROUTE, sync_templates);
}

async fn sync_templates(context: Context, caller: Supervisor, Json(input): Json<Sync>) -> Result<Json<SyncedAll>, Error> {
    let transaction = context.begin(&caller).await?;
    let numbers: Vec<Number> = transaction.all(NUMBERS, &[&input.channel_account_id]).await?;
    if numbers.is_empty() && input.channel_account_id.is_some() {
        return Err(NOT_FOUND.into());
    }
    // Nothing is held open while WhatsApp is asked.
    transaction.commit_unaudited().await?;
    let fetch = async |number: Number| -> Result<Fetched, Error> {
        let account = outbox::account(&context, caller.company_id, number.id).await?;
        templates::fetch(&context, &account, number.id, &number.business_account).await
    };
    let fetched = try_join_all(numbers.into_iter().map(fetch)).await?;
    let transaction = context.begin(&caller).await?;
    let mut data = Vec::new();
    for fetched in &fetched {
        data.push(templates::keep(&transaction, fetched).await?);
    }
    for synced in data.iter().filter(|synced| synced.has_changes()) {
        transaction.tell_staff(&TemplatesSynced::from(synced));
        transaction.audit(synced.channel_account_id, &Value::Null, synced);
    }
    transaction.commit(Json(SyncedAll { data })).await
}
