//! GET /integrations/config — the configured channels and the CRM, without their secrets, and how each channel fares.

use futures_util::future::try_join;
use integrations::{
    Integration,
    crm::{CRM, CrmConnection},
    integration_columns,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/integrations/config");

/// A channel, and how it fares.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct ListedIntegration {
    #[from_row(flatten)]
    #[serde(flatten)]
    integration: Integration,
    /// When a client last wrote by it.
    last_inbound_at: Option<Timestamp>,
    /// When its provider last took a message.
    last_outbound_at: Option<Timestamp>,
    /// Calls to its provider in the last 24 hours.
    calls_24h: i64,
    /// Those of them that failed.
    errors_24h: i64,
    /// Of a hundred calls, so many failed, with two places; null without any call.
    error_rate_24h: Option<String>,
}

/// What is configured, by its kind.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Listed {
    Channel(Box<ListedIntegration>),
    Crm(Box<CrmConnection>),
}

/// Each channel's figures are read where its own are: by index.
const INTEGRATIONS: &str = concat!(
    "select ",
    integration_columns!(),
    ", (select sent_at from messages
          where messages.company_id = channel.company_id and messages.channel_account_id = channel.id and sender_type = 'client'
          order by sent_at desc limit 1) as last_inbound_at,
       (select at from integration_calls calls
         where calls.company_id = channel.company_id and calls.channel_account_id = channel.id
           and operation = 'send' and calls.status between 200 and 299
         order by at desc limit 1) as last_outbound_at,
       lately.calls as calls_24h, lately.errors as errors_24h,
       round(100.0 * lately.errors / nullif(lately.calls, 0), 2)::text as error_rate_24h
      from channel_accounts channel
     cross join lateral (
        select count(*) as calls, count(*) filter (where calls.error_code is not null or calls.status is null) as errors
          from integration_calls calls
         where calls.company_id = channel.company_id and calls.channel_account_id = channel.id
           and calls.at > now() - interval '24 hours') lately
     where channel.removed_at is null
     order by channel.created_at, channel.id"
);

pub fn main() {
    serve(&ROUTE, list_integrations);
}

async fn list_integrations(context: Context, caller: Admin) -> Result<Page<Listed>, Error> {
    let transaction = context.begin(&caller).await?;
    let (channels, crm): (Vec<ListedIntegration>, Option<CrmConnection>) =
        try_join(transaction.all(INTEGRATIONS, &[]), transaction.first(CRM, &[])).await?;
    let channels = channels.into_iter().map(|channel| Listed::Channel(Box::new(channel)));
    Ok(Page::whole(channels.chain(crm.map(|crm| Listed::Crm(Box::new(crm)))).collect()))
}
