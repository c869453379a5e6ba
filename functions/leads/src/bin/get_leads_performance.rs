//! GET /leads/performance — how sales go: what came in, what was won and lost, how far leads get, and who sells most.

use futures_util::future::try_join5;
use jiff::SignedDuration;
use shared::{money::Money, percent::Percent, prelude::*};

const ROUTE: Route = Route::get("/leads/performance");

/// Days when nothing is said.
const USUAL: u32 = 30;

#[derive(Deserialize, Validate, JsonSchema)]
struct PerformanceFilters {
    /// Days up to now.
    #[garde(range(min = 1, max = 1100))]
    period: Option<u32>,
    /// Of this pipeline; the funnel is the company's first one's where nothing is said.
    #[garde(skip)]
    pipeline_id: Option<Uuid>,
    #[garde(skip)]
    closer_id: Option<Uuid>,
    #[garde(skip)]
    sdr_id: Option<Uuid>,
    #[garde(length(chars, max = 80))]
    origin: Option<String>,
}

/// `$2` … `$5`.
macro_rules! of_filters {
    () => {
        " leads.deleted_at is null
           and ($2::uuid is null or leads.pipeline_id = $2)
           and ($3::uuid is null or leads.closer_id = $3)
           and ($4::uuid is null or leads.sdr_id = $4)
           and ($5::text is null or leads.origin = $5) "
    };
}

const METRICS: &str = concat!(
    "select made.new_leads, closed.won, closed.lost, going.open, closed.value_won::text, going.value_open::text,
            round(closed.won * 100.0 / nullif(closed.won + closed.lost, 0), 1)::float8 as conversion_rate,
            round(closed.value_won / nullif(closed.won, 0), 2)::text as average_ticket, closed.average_cycle_days,
            case when app.sees_all() and num_nonnulls($2::uuid, $3::uuid, $4::uuid, $5::text) = 0 then app.count_all_lead_work($1)
                 else (select count(*)
                         from lead_interactions
                         join leads on leads.company_id = lead_interactions.company_id and leads.id = lead_interactions.lead_id
                        where lead_interactions.at >= $1
                          and ($2::uuid is null or leads.pipeline_id = $2) and ($3::uuid is null or leads.closer_id = $3)
                          and ($4::uuid is null or leads.sdr_id = $4) and ($5::text is null or leads.origin = $5)) end as interactions
       from (select count(*) as new_leads from leads where leads.created_at >= $1 and ",
    of_filters!(),
    ") made
      cross join (
          select count(*) filter (where status = 'won') as won, count(*) filter (where status = 'lost') as lost,
                 round(coalesce(sum(value) filter (where status = 'won'), 0), 2) as value_won,
                 round((avg(extract(epoch from closed_at - created_at)) filter (where status = 'won') / 86400)::numeric, 1)::float8
                     as average_cycle_days
            from leads where leads.closed_at >= $1 and ",
    of_filters!(),
    ") closed
      cross join (
          select count(*) as open, round(coalesce(sum(potential_value), 0), 2) as value_open
            from leads where leads.status = 'open' and ",
    of_filters!(),
    ") going"
);

/// Of the leads that came in: how many got to each stage, or beyond it.
const FUNNEL: &str = concat!(
    "select stages.id as stage_id, stages.name as stage, coalesce(sum(got.count), 0)::bigint as count,
            round(coalesce(sum(got.value), 0), 2)::text as value
       from stages
       left join (
            select furthest.pipeline_id, furthest.position, count(*), sum(leads.potential_value) as value
              from leads
              join stages furthest on furthest.company_id = leads.company_id and furthest.id = leads.furthest_stage_id
             where leads.created_at >= $1 and ",
    of_filters!(),
    "       group by furthest.pipeline_id, furthest.position) got
         on got.pipeline_id = stages.pipeline_id and got.position >= stages.position
      where stages.kind <> 'lost' and stages.pipeline_id = coalesce($2, (select id from pipelines where is_default))
      group by stages.id
      order by stages.position"
);

const CLOSERS: &str = concat!(
    "select jsonb_build_object('id', closer_id, 'name', (select name from users where users.id = closer_id)) as closer, won,
            value_won::text, round(won * 100.0 / nullif(won + lost, 0), 1)::float8 as conversion_rate
       from (select leads.closer_id, count(*) filter (where status = 'won') as won, count(*) filter (where status = 'lost') as lost,
                    round(coalesce(sum(value) filter (where status = 'won'), 0), 2) as value_won
               from leads where leads.closed_at >= $1 and leads.closer_id is not null and ",
    of_filters!(),
    "       group by leads.closer_id) sold
      where won > 0
      order by sold.value_won desc, won desc, (select app.look(name) from users where users.id = closer_id), closer_id
      limit 10"
);

const REASONS: &str = concat!(
    "select leads.status as outcome, coalesce(leads.close_reason, '') as reason, count(*)
       from leads where leads.closed_at >= $1 and ",
    of_filters!(),
    " group by 1, 2 order by count(*) desc, 1, 2 limit 20"
);

const TIMES: &str = concat!(
    "select lead_stages.stage_id, lead_stages.stage_name as stage,
            round((avg(extract(epoch from lead_stages.left_at - lead_stages.entered_at)) / 86400)::numeric, 1)::float8 as average_days,
            count(*)
       from lead_stages
       join leads on leads.company_id = lead_stages.company_id and leads.id = lead_stages.lead_id
      where lead_stages.left_at >= $1 and lead_stages.stage_kind = 'open' and ",
    of_filters!(),
    " group by 1, 2 order by count(*) desc, 1 limit 60"
);

#[derive(Serialize, JsonSchema, FromRow)]
struct LeadMetrics {
    /// That came in in the period.
    new_leads: i64,
    /// That ended in the period.
    won: i64,
    lost: i64,
    /// Now.
    open: i64,
    /// Percent of those that ended; null where none did.
    conversion_rate: Option<f64>,
    value_won: Money,
    /// What the open ones may bring.
    value_open: Money,
    average_ticket: Option<Money>,
    /// From coming in to being won.
    average_cycle_days: Option<f64>,
    interactions: i64,
}

#[derive(FromRow)]
struct FunnelRow {
    stage_id: Uuid,
    stage: String,
    count: i64,
    value: Money,
}

/// Leads that came in in the period and got to a stage, or beyond it.
#[derive(Serialize, JsonSchema)]
struct FunnelStage {
    stage_id: Uuid,
    stage: String,
    count: i64,
    /// What they may bring.
    value: Money,
    /// Percent of those of the stage before; null of the first one, and where none got there.
    conversion_from_previous: Option<Percent>,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct TopCloser {
    #[schemars(with = "Map<String, Value>")]
    closer: Value,
    won: i64,
    value_won: Money,
    conversion_rate: Option<f64>,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct CloseReason {
    outcome: leads::LeadStatus,
    /// Empty where none was given.
    reason: String,
    count: i64,
}

/// How long leads stayed that left a stage in the period.
#[derive(Serialize, JsonSchema, FromRow)]
struct StageTime {
    stage_id: Uuid,
    stage: String,
    average_days: f64,
    count: i64,
}

#[derive(Serialize, JsonSchema)]
struct LeadsPerformance {
    metrics: LeadMetrics,
    /// From left to right, without the lost.
    funnel: Vec<FunnelStage>,
    /// At most ten, by what they won.
    #[serde(rename = "topClosers")]
    top_closers: Vec<TopCloser>,
    /// Why leads were won and lost, the most frequent first.
    reasons: Vec<CloseReason>,
    stage_times: Vec<StageTime>,
}

pub fn main() {
    serve(&ROUTE, get_leads_performance);
}

async fn get_leads_performance(
    context: Context,
    caller: Staff,
    Query(filters): Query<PerformanceFilters>,
) -> Result<Json<LeadsPerformance>, Error> {
    let PerformanceFilters { period, pipeline_id, closer_id, sdr_id, origin } = filters;
    let since = context.now() - SignedDuration::from_hours(24 * i64::from(period.unwrap_or(USUAL)));
    let origin = origin.filter(|origin| !origin.is_empty());
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [&since, &pipeline_id, &closer_id, &sdr_id, &origin];
    let transaction = context.begin(&caller).await?;
    let (metrics, rows, top_closers, reasons, stage_times): (_, Vec<FunnelRow>, _, _, _) = try_join5(
        transaction.one(METRICS, &parameters),
        transaction.all(FUNNEL, &parameters),
        transaction.all(CLOSERS, &parameters),
        transaction.all(REASONS, &parameters),
        transaction.all(TIMES, &parameters),
    )
    .await?;
    Ok(Json(LeadsPerformance { metrics, funnel: funnel(rows), top_closers, reasons, stage_times }))
}

fn funnel(rows: Vec<FunnelRow>) -> Vec<FunnelStage> {
    let mut previous = None;
    let stage = |FunnelRow { stage_id, stage, count, value }| {
        let conversion_from_previous = previous.replace(count).and_then(|before: i64| Percent::of(count, before));
        FunnelStage { stage_id, stage, count, value, conversion_from_previous }
    };
    rows.into_iter().map(stage).collect()
}
