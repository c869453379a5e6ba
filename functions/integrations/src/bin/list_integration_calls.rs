//! GET /integrations/logs — calls to providers, the last first, with how long they took and what they cost.

use integrations::calls::IntegrationCall;
use shared::prelude::*;

const ROUTE: Route = Route::get("/integrations/logs");

#[derive(Debug, Deserialize, Validate, JsonSchema)]
struct CallFilters {
    /// Such as `whatsapp_cloud`.
    #[garde(length(chars, min = 1, max = 60))]
    provider: Option<String>,
    /// Such as `send`.
    #[garde(length(chars, min = 1, max = 60))]
    operation: Option<String>,
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
    /// `true`: only those that failed; `false`: only those that did not.
    #[garde(skip)]
    failed: Option<bool>,
    /// Those that took at least this many milliseconds.
    #[garde(range(min = 0, max = 1_000_000))]
    slower_than: Option<i32>,
    /// At or after this time.
    #[garde(skip)]
    from: Option<Timestamp>,
    /// Before this time.
    #[garde(skip)]
    to: Option<Timestamp>,
}

const CALLS: TimeList = TimeList {
    rows: "
    select * from integration_calls calls
     where ($1::text is null or provider = $1)
       and ($2::text is null or operation = $2)
       and ($3::uuid is null or channel_account_id = $3)
       and ($4::boolean is null or (error_code is not null or status is null) = $4)
       and ($5::integer is null or took_ms >= $5)
       and ($6::timestamptz is null or at >= $6)
       and ($7::timestamptz is null or at < $7)",
    at: "calls.at",
    id: "calls.id",
    shown: "
    select calls.id, calls.provider, calls.operation, calls.channel_account_id, channel_accounts.name as channel_name, calls.status,
           calls.error_code, calls.took_ms, calls.cost::text as cost, calls.currency, calls.at
      from page calls
      left join channel_accounts on channel_accounts.id = calls.channel_account_id",
};

pub fn main() {
    serve(&ROUTE, list_integration_calls);
}

async fn list_integration_calls(
    context: Context,
    caller: Supervisor,
    asked: List<CallFilters>,
) -> Result<Page<IntegrationCall>, Error> {
    let transaction = context.begin(&caller).await?;
    let CallFilters { provider, operation, channel_account_id, failed, slower_than, from, to } = &asked.filters;
    let rows =
        transaction.list(&CALLS, &asked, &[provider, operation, channel_account_id, failed, slower_than, from, to]).await?;
    Ok(asked.page(rows, |call: &IntegrationCall| (call.at, call.id)))
}
