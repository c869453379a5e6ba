//! GET /integrations/costs — what messages cost: of the last 24 hours, and by day, channel, category and country.

use futures_util::future::try_join;
use integrations::{asked_days, period::too_long};
use jiff::civil::Date;
use shared::{error::refuse, prelude::*};

const ROUTE: Route = Route::get("/integrations/costs");

#[derive(Debug, Deserialize, Validate, JsonSchema)]
struct CostFilters {
    /// First day, in the company's time zone; 29 days before the last one by default.
    #[garde(skip)]
    from: Option<Date>,
    /// Last day; today by default.
    #[garde(skip)]
    to: Option<Date>,
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
    /// As WhatsApp calls it, such as `marketing`.
    #[garde(length(chars, min = 1, max = 60))]
    category: Option<String>,
}

/// What messages cost together.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct CostSum {
    /// Null: of messages without a price.
    currency: Option<String>,
    messages: i64,
    /// With six places: the sum of what each cost. Null without a price.
    amount: Option<String>,
}

/// What messages of one day, channel, category and country cost together.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct MessageCost {
    day: Date,
    channel_account_id: Uuid,
    channel_name: String,
    category: String,
    /// Two letters; null where nobody can tell.
    country: Option<String>,
    #[from_row(flatten)]
    #[serde(flatten)]
    sum: CostSum,
}

/// Messages that their provider takes money for.
#[derive(Debug, Serialize, JsonSchema)]
struct MessageCosts {
    /// Of the last 24 hours, by currency, with the same filters but days.
    last_24_hours: Vec<CostSum>,
    data: Vec<MessageCost>,
}

const LATELY: &str = "
    select currency, count(*) as messages, sum(amount)::text as amount
      from external_api_usage
     where at > now() - interval '24 hours'
       and ($1::uuid is null or channel_account_id = $1)
       and ($2::text is null or category = $2)
     group by currency
     order by currency";

const BY_DAY: &str = concat!(
    "with ",
    asked_days!(),
    ", sums as (
        select (usage.at at time zone asked.time_zone)::date as day, usage.channel_account_id, usage.category, usage.country,
               usage.currency, count(*) as messages, sum(usage.amount) as amount
          from asked
          join external_api_usage usage on usage.at >= asked.first_day::timestamp at time zone asked.time_zone
                                       and usage.at < (asked.last_day + 1)::timestamp at time zone asked.time_zone
         where ($3::uuid is null or usage.channel_account_id = $3)
           and ($4::text is null or usage.category = $4)
         group by 1, 2, 3, 4, 5
    )
    select sums.day, sums.channel_account_id, channel.name as channel_name, sums.category, sums.country, sums.currency, sums.messages,
           sums.amount::text as amount
      from sums
      join channel_accounts channel on channel.id = sums.channel_account_id
     order by sums.day desc, channel.name, sums.channel_account_id, sums.category, sums.country, sums.currency"
);

pub fn main() {
    serve(&ROUTE, get_message_costs);
}

async fn get_message_costs(
    context: Context,
    caller: Supervisor,
    Query(asked): Query<CostFilters>,
) -> Result<Json<MessageCosts>, Error> {
    let CostFilters { from, to, channel_account_id, category } = asked;
    refuse(too_long(from, to, context.now()))?;
    let transaction = context.begin(&caller).await?;
    let lately: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&channel_account_id, &category];
    let by_day: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&from, &to, &channel_account_id, &category];
    let (last_24_hours, data) = try_join(transaction.all(LATELY, &lately), transaction.all(BY_DAY, &by_day)).await?;
    Ok(Json(MessageCosts { last_24_hours, data }))
}
