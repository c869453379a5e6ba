//! GET /integrations/usage — calls to providers by day: how many, how many failed, how long they took, what they cost.

use integrations::{asked_days, period::too_long};
use jiff::civil::Date;
use shared::{error::refuse, prelude::*};

const ROUTE: Route = Route::get("/integrations/usage");

#[derive(Debug, Deserialize, Validate, JsonSchema)]
struct UsageFilters {
    /// First day, in the company's time zone; 29 days before the last one by default.
    #[garde(skip)]
    from: Option<Date>,
    /// Last day; today by default.
    #[garde(skip)]
    to: Option<Date>,
    #[garde(length(chars, min = 1, max = 60))]
    provider: Option<String>,
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
}

/// One provider's calls of one day.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct IntegrationUsage {
    day: Date,
    provider: String,
    calls: i64,
    failed: i64,
    average_ms: i32,
    /// Of a hundred calls, 95 took no longer.
    p95_ms: i32,
    /// The day's sum, with two places; null where nobody has said what calls cost.
    cost: Option<String>,
    currency: Option<String>,
}

/// Sums are rounded once.
const USAGE: &str = concat!(
    "with ",
    asked_days!(),
    "
    select (calls.at at time zone asked.time_zone)::date as day, calls.provider,
           count(*) as calls,
           count(*) filter (where calls.error_code is not null or calls.status is null) as failed,
           round(avg(calls.took_ms))::integer as average_ms,
           percentile_disc(0.95) within group (order by calls.took_ms) as p95_ms,
           round(sum(calls.cost), 2)::text as cost, calls.currency
      from asked
      join integration_calls calls on calls.at >= asked.first_day::timestamp at time zone asked.time_zone
                                  and calls.at < (asked.last_day + 1)::timestamp at time zone asked.time_zone
     where ($3::text is null or calls.provider = $3)
       and ($4::uuid is null or calls.channel_account_id = $4)
     group by 1, 2, calls.currency
     order by 1 desc, 2, calls.currency"
);

pub fn main() {
    serve(&ROUTE, get_integration_usage);
}

async fn get_integration_usage(
    context: Context,
    caller: Supervisor,
    Query(asked): Query<UsageFilters>,
) -> Result<Page<IntegrationUsage>, Error> {
    let UsageFilters { from, to, provider, channel_account_id } = asked;
    refuse(too_long(from, to, context.now()))?;
    let transaction = context.begin(&caller).await?;
    Ok(Page::whole(transaction.all(USAGE, &[&from, &to, &provider, &channel_account_id]).await?))
}
