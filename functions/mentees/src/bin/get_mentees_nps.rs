//! GET /mentees/nps — what mentees think of the mentoring in some months: altogether, and month by month.

use futures_util::future::try_join;
use mentees::{
    month::Month,
    nps::{FeedbackCounts, Satisfaction, counts_since},
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/mentees/nps").or(&["/mentorados/nps"]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Asked {
    /// Months, the present one among them.
    #[serde(default = "a_year")]
    #[garde(range(min = 1, max = 60))]
    period: i32,
    /// What their mentees think.
    #[garde(skip)]
    mentor_id: Option<Uuid>,
}

fn a_year() -> i32 {
    12
}

const TIME_ZONE: &str = "select time_zone from companies";

#[derive(FromRow)]
struct Place {
    time_zone: String,
}

#[derive(Serialize, JsonSchema)]
struct MenteesNps {
    #[serde(flatten)]
    whole: Satisfaction,
    /// Every month, the first one first.
    months: Vec<MonthlyNps>,
}

#[derive(Serialize, JsonSchema)]
struct MonthlyNps {
    month: Month,
    #[serde(flatten)]
    satisfaction: Satisfaction,
}

pub fn main() {
    serve(&ROUTE, get_mentees_nps);
}

async fn get_mentees_nps(context: Context, agent: Staff, Query(asked): Query<Asked>) -> Result<Json<MenteesNps>, Error> {
    let transaction = context.begin(&agent).await?;
    // Where it is another month already, or not yet, a month more is read and not shown.
    let early = Month::earliest(context.now()).plus(1 - asked.period);
    let (place, counts) =
        try_join(transaction.one::<Place>(TIME_ZONE, &[]), counts_since(&transaction, early, asked.mentor_id)).await?;
    let current = Month::at(context.now(), &place.time_zone);
    let counts: FeedbackCounts = counts;
    let months: Vec<Month> = current.plus(1 - asked.period).to(current).collect();
    let whole = counts.of(&months).satisfaction();
    let months = months.iter().map(|month| MonthlyNps { month: *month, satisfaction: counts.of(&[*month]).satisfaction() });
    Ok(Json(MenteesNps { whole, months: months.collect() }))
}
