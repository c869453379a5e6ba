//! GET /me/mentoring — a mentee's own mentoring: goals, months with their growth, engagement, and what they have said of it.

use futures_util::future::{join, join4};
use mentees::{
    engagement::Engagement,
    evolution::{Evolution, EvolutionRow, OWN_EVOLUTIONS, compared},
    feedback::{Feedback, OWN_FEEDBACK},
    growth::Growth,
    mentee::{MenteeStatus, OWN_PLACE, Place},
    month::Month,
    own_mentee,
    series::EvolutionSeries,
    standing::{Facts, Subject},
};
use shared::{error::NOT_FOUND, money::Money, prelude::*};

const ROUTE: Route = Route::get("/me/mentoring").fails(&[NOT_FOUND]);

/// Months of the charts.
const MONTHS: i32 = 12;

const OWN: &str = concat!(
    "select id, mentor_id, coalesce(app.my_mentor(mentor_id), '') as mentor_name, entry_month, status, goals, target_revenue::text, target_sales
       from mentees
      where id = ",
    own_mentee!()
);

#[derive(Serialize, JsonSchema, FromRow)]
struct OwnMentoring {
    id: Uuid,
    mentor_id: Uuid,
    mentor_name: String,
    entry_month: Month,
    status: MenteeStatus,
    goals: String,
    target_revenue: Option<Money>,
    target_sales: Option<i32>,
}

#[derive(Serialize, JsonSchema)]
struct MyMentoring {
    #[serde(flatten)]
    mentoring: OwnMentoring,
    /// The last month told of within a year, which `growth` is of.
    last_month: Option<Month>,
    growth: Growth,
    engagement: Engagement,
    /// All months, the first one first.
    evolution: Vec<Evolution>,
    series: EvolutionSeries,
    /// The latest twelve, the newest first.
    feedback: Vec<Feedback>,
}

pub fn main() {
    serve(&ROUTE, get_my_mentoring);
}

async fn get_my_mentoring(context: Context, student: Student) -> Result<Json<MyMentoring>, Error> {
    let transaction = context.begin(&student).await?;
    let (own, facts, told, feedback) = join4(
        join(transaction.one::<OwnMentoring>(OWN, &[]), transaction.one::<Place>(OWN_PLACE, &[])),
        Facts::read(&transaction, None, context.now(), None),
        transaction.all::<EvolutionRow>(OWN_EVOLUTIONS, &[]),
        transaction.all::<Feedback>(OWN_FEEDBACK, &[]),
    )
    .await;
    let (mentoring, place) = (own.0?, own.1?);
    let (id, entry) = (place.id, place.entry_month);
    let (facts, evolution, feedback) = (facts?.at(context.now(), &place.time_zone), compared(told?, entry), feedback?);
    let standing = facts.standing(&Subject { id, entry, is_active: false });
    let series = EvolutionSeries::of(&evolution, facts.current, MONTHS);
    Ok(Json(MyMentoring {
        mentoring,
        last_month: standing.last_month,
        growth: standing.growth,
        engagement: standing.engagement,
        evolution,
        series,
        feedback,
    }))
}
