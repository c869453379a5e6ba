//! GET /mentees/dashboard — how the company's mentees do: how many, how they grow month by month, take part, and what they think.

use futures_util::future::try_join3;
use mentees::{
    engagement::EngagementLevel,
    growth::Growth,
    mentee::MenteeStatus,
    month::Month,
    nps::{Satisfaction, counts_since},
    standing::{Facts, Standing, Subject},
};
use shared::{
    money::Money,
    percent::{Percent, rounded},
    prelude::*,
};

const ROUTE: Route = Route::get("/mentees/dashboard").or(&["/mentorados/dashboard"]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Asked {
    /// Months, the present one among them.
    #[serde(default = "a_year")]
    #[garde(range(min = 1, max = 60))]
    period: i32,
}

fn a_year() -> i32 {
    12
}

/// All but those that went on as another, whose months would count twice.
const MENTEES: &str = "
    select mentees.id, mentees.entry_month, mentees.status, companies.time_zone
      from companies
      left join mentees on mentees.company_id = companies.id and mentees.merged_into_id is null";

#[derive(FromRow)]
struct Row {
    id: Option<Uuid>,
    entry_month: Option<Month>,
    status: Option<MenteeStatus>,
    time_zone: String,
}

#[derive(Serialize, JsonSchema)]
struct MenteesDashboard {
    overview: MenteesOverview,
    /// Every month, the first one first.
    growth: Vec<MonthlyGrowth>,
    engagement: EngagementOverview,
    satisfaction: Satisfaction,
}

#[derive(Serialize, JsonSchema)]
struct MenteesOverview {
    active: i64,
    at_risk: i64,
    /// Of all months together.
    revenue: Money,
    /// The plain mean of those who have a month before to compare the last closed month with.
    average_growth: Option<Percent>,
}

#[derive(Serialize, JsonSchema)]
struct MonthlyGrowth {
    month: Month,
    revenue: Money,
    /// The plain mean of those who have one.
    growth: Option<Percent>,
}

/// Of active mentees; those of whom nothing is known count in none of the three.
#[derive(Serialize, JsonSchema)]
struct EngagementOverview {
    average: Option<i64>,
    high: i64,
    medium: i64,
    low: i64,
}

pub fn main() {
    serve(&ROUTE, get_mentees_dashboard);
}

async fn get_mentees_dashboard(
    context: Context,
    agent: Staff,
    Query(asked): Query<Asked>,
) -> Result<Json<MenteesDashboard>, Error> {
    let transaction = context.begin(&agent).await?;
    let early = Month::earliest(context.now()).plus(1 - asked.period);
    let (rows, counts, facts) = try_join3(
        transaction.all::<Row>(MENTEES, &[]),
        counts_since(&transaction, early, None),
        Facts::read(&transaction, None, context.now(), Some(early.plus(-1))),
    )
    .await?;
    let time_zone = rows.first().map(|row| row.time_zone.clone()).unwrap_or_default();
    let subjects = rows.iter().filter_map(|row| {
        let is_active = row.status == Some(MenteeStatus::Active);
        Some(Subject { id: row.id?, entry: row.entry_month?, is_active })
    });
    let subjects: Vec<Subject> = subjects.collect();
    let facts = facts.at(context.now(), &time_zone);
    let months: Vec<Month> = facts.current.plus(1 - asked.period).to(facts.current).collect();
    let growth: Vec<MonthlyGrowth> = months.iter().map(|month| growth_of(&facts, &subjects, *month)).collect();
    let active = subjects.iter().filter(|subject| subject.is_active);
    let standings: Vec<Standing> = active.map(|subject| facts.standing(subject)).collect();
    let overview = MenteesOverview {
        active: count(&standings, |_| true),
        at_risk: count(&standings, |standing| standing.is_at_risk),
        revenue: Money::cents(growth.iter().map(|month| month.revenue.as_cents()).sum()),
        average_growth: growth_of(&facts, &subjects, facts.current.plus(-1)).growth,
    };
    let satisfaction = counts.of(&months).satisfaction();
    Ok(Json(MenteesDashboard { overview, growth, engagement: engagement_of(&standings), satisfaction }))
}

fn count(standings: &[Standing], is_one: impl Fn(&Standing) -> bool) -> i64 {
    standings.iter().filter(|standing| is_one(standing)).map(|_| 1).sum()
}

fn growth_of(facts: &Facts, subjects: &[Subject], month: Month) -> MonthlyGrowth {
    let revenues = subjects.iter().map(|subject| (subject, facts.revenues(subject.id)));
    let (mut revenue, mut growths) = (0, Vec::new());
    for (subject, told) in revenues {
        revenue += told.get(&month).map_or(0, |money| money.as_cents());
        growths.extend(Growth::of(&told, month, subject.entry).month);
    }
    MonthlyGrowth { month, revenue: Money::cents(revenue), growth: Percent::mean(growths) }
}

fn engagement_of(standings: &[Standing]) -> EngagementOverview {
    let scores: Vec<i64> = standings.iter().filter_map(|standing| standing.engagement.score).collect();
    let of = |level: EngagementLevel| count(standings, |standing| standing.engagement.level == Some(level));
    EngagementOverview {
        average: rounded(scores.iter().map(|score| i128::from(*score)).sum(), i128::try_from(scores.len()).unwrap_or(0)),
        high: of(EngagementLevel::High),
        medium: of(EngagementLevel::Medium),
        low: of(EngagementLevel::Low),
    }
}
