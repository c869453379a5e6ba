//! GET /bot/analytics — how conversations fare with the bot: who came in, where they left, who was handed over, what was not understood.

use futures_util::future::try_join4;
use integrations::asked_days;
use jiff::civil::Date;
use shared::{
    error::{FieldProblem, refuse},
    prelude::*,
};

const ROUTE: Route = Route::get("/bot/analytics");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Of one flow, by its key.
    #[garde(length(max = 80))]
    key: Option<String>,
    /// The first day, where the company is; 29 days before the last without it.
    #[garde(skip)]
    from: Option<Date>,
    /// The last day; today without it.
    #[garde(skip)]
    to: Option<Date>,
}

#[derive(Serialize, JsonSchema)]
struct BotAnalytics {
    from: Date,
    to: Date,
    #[serde(flatten)]
    totals: Totals,
    /// By node, those that most came to first.
    nodes: Vec<NodeFigures>,
    /// What was no answer, the most frequent first; whatever its writing.
    not_understood: Vec<NotUnderstood>,
}

/// Conversations that were in a flow.
#[derive(Serialize, JsonSchema, FromRow)]
struct Totals {
    entries: i64,
    /// Those that people took over.
    handed_over: i64,
    /// Those that the bot brought to an end, and no person wrote in.
    resolved_by_bot: i64,
    /// Those that are with the bot now.
    in_progress: i64,
    /// Seconds from the first to the last node, in the middle of all; null without any.
    median_seconds: Option<f64>,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct NodeFigures {
    key: String,
    node: String,
    /// Conversations that came to it.
    entries: i64,
    answered: i64,
    missed: i64,
    timed_out: i64,
    /// Conversations that went no further, and are no longer with the bot.
    dropped: i64,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct NotUnderstood {
    key: String,
    node: String,
    text: String,
    count: i64,
}

const PERIOD: &str = concat!("with ", asked_days!(), " select first_day as first, last_day as last from asked");

#[derive(FromRow)]
struct Period {
    first: Date,
    last: Date,
}

macro_rules! steps {
    ($rest:literal) => {
        concat!(
            "with ",
            asked_days!(),
            ", steps as (
                select bot_steps.*, bot_flows.key,
                       lead(bot_steps.id) over (partition by bot_steps.conversation_id order by bot_steps.id) is null as is_last
                  from bot_steps
                  join bot_flows on bot_flows.id = bot_steps.bot_flow_id
                 where bot_steps.at >= (select first_day::timestamp at time zone time_zone from asked)
                   and bot_steps.at < (select (last_day + 1)::timestamp at time zone time_zone from asked)
                   and ($3::text is null or bot_flows.key = $3)
            ) ",
            $rest
        )
    };
}

const TOTALS: &str = steps!(
    ", entered as (
        select conversation_id, extract(epoch from max(at) - min(at))::double precision as seconds from steps group by conversation_id
    )
    select count(*) as entries,
           count(*) filter (where conversations.mode = 'human' or conversations.first_human_at is not null) as handed_over,
           count(*) filter (where conversations.ended_at is not null and conversations.mode = 'bot' and conversations.first_human_at is null)
               as resolved_by_bot,
           count(*) filter (where conversations.ended_at is null and conversations.mode = 'bot') as in_progress,
           percentile_cont(0.5) within group (order by entered.seconds) as median_seconds
      from entered
      join conversations on conversations.id = entered.conversation_id"
);

const NODES: &str = steps!(
    "select steps.key, steps.node, count(distinct steps.conversation_id) as entries,
           count(*) filter (where outcome = 'answered') as answered, count(*) filter (where outcome = 'missed') as missed,
           count(*) filter (where outcome = 'timed_out') as timed_out,
           count(*) filter (where is_last and outcome not in ('handed_over', 'closed')
                              and not (conversations.mode = 'bot' and conversations.ended_at is null)) as dropped
      from steps
      join conversations on conversations.id = steps.conversation_id
     group by steps.key, steps.node
     order by entries desc, steps.key, steps.node
     limit 500"
);

const NOT_UNDERSTOOD: &str = steps!(
    "select key, node, min(trim(said)) as text, count(*) as count
      from steps
     where said is not null and trim(said) <> ''
     group by key, node, app.look(trim(said))
     order by count desc, key, node, text
     limit 100"
);

pub fn main() {
    serve(&ROUTE, get_bot_analytics);
}

async fn get_bot_analytics(
    context: Context,
    caller: Supervisor,
    Query(filters): Query<Filters>,
) -> Result<Json<BotAnalytics>, Error> {
    let transaction = context.begin(&caller).await?;
    let asked: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&filters.from, &filters.to, &filters.key];
    let (period, totals, nodes, not_understood) = try_join4(
        transaction.one::<Period>(PERIOD, &asked[..2]),
        transaction.one::<Totals>(TOTALS, &asked),
        transaction.all::<NodeFigures>(NODES, &asked),
        transaction.all::<NotUnderstood>(NOT_UNDERSTOOD, &asked),
    )
    .await?;
    let Period { first, last } = period;
    let is_right = first <= last && first.until(last).is_ok_and(|span| span.get_days() <= 366);
    refuse((!is_right).then(|| {
        let (portuguese, english) = ("Escolha um período de até um ano.", "Choose a period of up to a year.");
        FieldProblem::new("from", "period", portuguese, english)
    }))?;
    Ok(Json(BotAnalytics { from: first, to: last, totals, nodes, not_understood }))
}
