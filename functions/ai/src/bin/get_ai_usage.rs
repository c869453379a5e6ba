//! GET /ai/usage — what the company's models have taken, by day and by purpose, and what is left.

use futures_util::future::try_join4;
use jiff::civil::Date;
use shared::{
    ai::{self as models, Purpose},
    error::{FieldProblem, refuse},
    prelude::*,
};

const ROUTE: Route = Route::get("/ai/usage");

/// Days of one answer.
const MOST_DAYS: i32 = 366;

#[derive(Deserialize, Validate, JsonSchema)]
struct UsageSpan {
    /// Days of the company; the current month without them.
    #[garde(skip)]
    from: Option<Date>,
    #[garde(skip)]
    to: Option<Date>,
}

/// What models have taken.
#[derive(Serialize, JsonSchema)]
struct AiUsage {
    from: Date,
    to: Date,
    /// Days on which something was asked.
    days: Vec<AiUsageDay>,
    purposes: Vec<AiUsagePurpose>,
    today: AiLeft,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct AiUsageDay {
    day: Date,
    /// What was claimed for calls that have not come back counts until they do.
    tokens: i64,
    /// In millionths of the currency of the company's prices; 0 without prices.
    cost_micros: i64,
    runs: i32,
    /// Not asked, as the budget was gone.
    refused: i32,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct AiUsagePurpose {
    purpose: Purpose,
    runs: i64,
    /// Without an answer that could be used.
    failed: i64,
    tokens: i64,
    cost_micros: i64,
    /// Half of the answers came within this.
    median_ms: Option<i32>,
    accepted: i64,
    edited: i64,
    rejected: i64,
}

/// What may still be taken; null is without a limit.
#[derive(Serialize, JsonSchema)]
struct AiLeft {
    daily_tokens: Option<i64>,
    daily_tokens_left: Option<i64>,
    monthly_tokens: Option<i64>,
    monthly_tokens_left: Option<i64>,
    daily_cost: Option<f64>,
    cost_micros: i64,
}

const TODAY: &str = "
    select today, coalesce((select tokens from ai_days where day = today), 0) as of_day,
           coalesce((select sum(tokens)::bigint from ai_days where day between date_trunc('month', today) and today), 0) as of_month,
           coalesce((select cost from ai_days where day = today), 0) as cost,
           coalesce($1::date, date_trunc('month', today)::date) as from_day, coalesce($2::date, today) as to_day
      from (select (now() at time zone time_zone)::date as today from companies where id = app.company_id()) now";

#[derive(FromRow)]
struct Today {
    of_day: i64,
    of_month: i64,
    cost: i64,
    from_day: Date,
    to_day: Date,
}

/// The span is asked for by the same words in each, so that one flight does.
const DAYS: &str = "
    select day, tokens, cost as cost_micros, runs, refused
      from ai_days, (select (now() at time zone time_zone)::date as today from companies where id = app.company_id()) now
     where day between coalesce($1::date, date_trunc('month', today)::date) and coalesce($2::date, today)
     order by day";

const PURPOSES: &str = "
    select purpose, count(*) as runs, count(*) filter (where status = 'failed') as failed,
           coalesce(sum(coalesce(input_tokens + output_tokens, claimed_tokens)), 0)::bigint as tokens,
           coalesce(sum(cost), 0)::bigint as cost_micros,
           percentile_disc(0.5) within group (order by took_ms) as median_ms,
           count(*) filter (where feedback = 'accepted') as accepted, count(*) filter (where feedback = 'edited') as edited,
           count(*) filter (where feedback = 'rejected') as rejected
      from ai_runs, (select (now() at time zone time_zone)::date as today from companies where id = app.company_id()) now
     where day between coalesce($1::date, date_trunc('month', today)::date) and coalesce($2::date, today) and status <> 'refused'
     group by purpose
     order by purpose";

pub fn main() {
    serve(&ROUTE, get_ai_usage);
}

async fn get_ai_usage(context: Context, supervisor: Supervisor, Query(span): Query<UsageSpan>) -> Result<Json<AiUsage>, Error> {
    if let (Some(from), Some(to)) = (span.from, span.to) {
        let days = from.until(to).map_or(-1, |span| span.get_days());
        if !(0..MOST_DAYS).contains(&days) {
            refuse(vec![FieldProblem::new("to", "too_far", "Informe até 366 dias.", "Give up to 366 days.")])?;
        }
    }
    let transaction = context.begin(&supervisor).await?;
    let (today, days, purposes, settings): (Today, _, _, _) = try_join4(
        transaction.one(TODAY, &[&span.from, &span.to]),
        transaction.all(DAYS, &[&span.from, &span.to]),
        transaction.all(PURPOSES, &[&span.from, &span.to]),
        models::settings(&transaction),
    )
    .await?;
    let left = |most: Option<i64>, taken: i64| most.map(|most| (most - taken).max(0));
    let usage = AiUsage {
        from: today.from_day,
        to: today.to_day,
        days,
        purposes,
        today: AiLeft {
            daily_tokens: settings.daily_tokens,
            daily_tokens_left: left(settings.daily_tokens, today.of_day),
            monthly_tokens: settings.monthly_tokens,
            monthly_tokens_left: left(settings.monthly_tokens, today.of_month),
            daily_cost: settings.daily_cost,
            cost_micros: today.cost,
        },
    };
    transaction.commit(Json(usage)).await
}
