//! GET /productivity/users/{id}/timeline — when somebody was there and what they showed, with who corrected it.

use futures_util::future::try_join;
use jiff::civil::Date;
use presence::{
    interval::{Interval, name_of_staff},
    interval_columns, interval_joins,
    period::{A_MONTH, Period},
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/productivity/users/{id}/timeline").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Days {
    /// The first day, where the company is; the last one alone without it. At most 31 days.
    #[garde(skip)]
    from: Option<Date>,
    /// The last day; today without it.
    #[garde(skip)]
    to: Option<Date>,
}

const ZONE: &str = "select time_zone from companies where id = app.company_id()";

/// Of the person `$1`, what has something in common with the time from `$2` to `$3`: none overlaps another, so of those that began before it only
/// the last may reach into it.
const TIMELINE: &str = concat!(
    "select ",
    interval_columns!(),
    ", (select coalesce(jsonb_agg(jsonb_build_object('at', at, 'by_id', by_id, 'by_name', users.name, 'note', note,
                                                     'before', before, 'after', after) order by at), '[]')
          from presence_corrections
          join users on users.id = by_id
         where interval_id = spell.id) as corrections
      from presence_intervals spell",
    interval_joins!(),
    "where spell.user_id = $1 and spell.started_at < $3 and spell.ended_at > $2
       and spell.started_at >= coalesce((select max(started_at) from presence_intervals where user_id = $1 and started_at <= $2), $2)
     order by spell.started_at, spell.id"
);

#[derive(FromRow)]
struct Zone {
    time_zone: String,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct TimelineInterval {
    #[serde(flatten)]
    #[from_row(flatten)]
    interval: Interval,
    /// The oldest first.
    #[schemars(with = "Vec<PresenceCorrection>")]
    corrections: Value,
}

/// What somebody changed by hand.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct PresenceCorrection {
    at: Timestamp,
    by_id: Uuid,
    by_name: String,
    note: String,
    /// Null for an interval that was added.
    before: Option<CorrectedInterval>,
    after: CorrectedInterval,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct CorrectedInterval {
    started_at: Timestamp,
    ended_at: Timestamp,
    state: String,
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Timeline {
    user_id: Uuid,
    name: String,
    from: Date,
    to: Date,
    time_zone: String,
    /// In order; what reaches beyond the days asked for is whole. Between them, they were not there.
    data: Vec<TimelineInterval>,
}

pub fn main() {
    serve(&ROUTE, get_user_timeline);
}

async fn get_user_timeline(
    context: Context,
    caller: Supervisor,
    Path(user_id): Path<Uuid>,
    Query(days): Query<Days>,
) -> Result<Json<Timeline>, Error> {
    let transaction = context.begin(&caller).await?;
    let (name, Zone { time_zone }) = try_join(name_of_staff(&transaction, user_id), transaction.one::<Zone>(ZONE, &[])).await?;
    let period = Period::new(&time_zone, context.now(), days.from, days.to, &A_MONTH)?;
    let edges = period.edges();
    let data = transaction.all(TIMELINE, &[&user_id, &edges.first(), &edges.last()]).await?;
    Ok(Json(Timeline { user_id, name, from: period.from, to: period.to, time_zone, data }))
}
