//! GET /productivity/me — the caller's own figures, what they show now, and what breaks there are.

use companies::BreakKind;
use futures_util::future::try_join;
use jiff::civil::Date;
use presence::{
    interval::{CURRENT, Interval},
    panel::{self, Asked},
    tally::Tally,
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/productivity/me");

#[derive(Serialize, JsonSchema)]
struct MyProductivity {
    from: Date,
    to: Date,
    /// In which days are cut.
    time_zone: String,
    /// Null for who is not there.
    current: Option<Interval>,
    /// What the company has breaks for.
    breaks: Vec<BreakKind>,
    data: Vec<MyFigures>,
}

#[derive(Serialize, JsonSchema)]
struct MyFigures {
    from: Date,
    to: Date,
    #[serde(flatten)]
    figures: Tally,
}

pub fn main() {
    serve(&ROUTE, get_my_productivity);
}

async fn get_my_productivity(context: Context, caller: Staff, Query(asked): Query<Asked>) -> Result<Json<MyProductivity>, Error> {
    let transaction = context.begin(&caller).await?;
    let (current, panel) =
        try_join(transaction.first(CURRENT, &[]), panel::read(&context, &transaction, &asked, Some(caller.user_id), None))
            .await?;
    let figures = panel.figures.into_iter().flatten().zip(&panel.buckets);
    let data = figures.map(|(figures, bucket)| MyFigures { from: bucket.from, to: bucket.to, figures }).collect();
    let (from, to) = (panel.period.from, panel.period.to);
    Ok(Json(MyProductivity { from, to, time_zone: panel.time_zone, current, breaks: panel.breaks, data }))
}
