//! GET /integrations/config — the configured channels, without their secrets.

use integrations::Integration;
use shared::prelude::*;

const ROUTE: Route = Route::get("/integrations/config");

const INTEGRATIONS: &str = "
    select channel_accounts.id, kind, name, status, department_id, bot_flows.key as bot_flow_key, settings,
           channel_accounts.created_at, version
      from channel_accounts
      left join bot_flows on bot_flows.id = channel_accounts.bot_flow_id
     order by channel_accounts.created_at, channel_accounts.id";

pub fn main() {
    serve(&ROUTE, list_integrations);
}

async fn list_integrations(context: Context, caller: Admin) -> Result<Page<Integration>, Error> {
    let transaction = context.begin(&caller).await?;
    let data = transaction.all(INTEGRATIONS, &[]).await?;
    Ok(Page { data, next_cursor: None })
}
