//! What a mentee tells of a month: one row for each, whoever tells it.

use futures_util::future::{join, try_join};
use shared::{
    error::{FieldProblem, refuse},
    money::{Money, SignedMoney},
    prelude::*,
};

use crate::{
    growth::{Growth, Revenues},
    mentee::{Place, tell},
    month::Month,
    own_mentee,
};

/// Figures of a month. What is not given stays as it was told before.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvolutionInput {
    #[garde(range(min = 2000, max = 2099))]
    pub year: i32,
    /// From 1; no month to come.
    #[garde(range(min = 1, max = 12))]
    pub month: i32,
    #[garde(skip)]
    pub revenue: Money,
    /// May be below zero.
    #[garde(skip)]
    pub profit: Option<SignedMoney>,
    /// How many people work for them.
    #[garde(range(min = 0, max = 1_000_000_000))]
    pub team: Option<i32>,
    #[garde(range(min = 0, max = 1_000_000_000))]
    pub leads: Option<i32>,
    #[garde(range(min = 0, max = 1_000_000_000))]
    pub sales: Option<i32>,
    #[garde(length(chars, max = 5000))]
    pub notes: Option<String>,
}

macro_rules! evolution_columns {
    () => {
        "id, mentee_id, month as of_month, revenue::text, profit::text, team, leads, sales, notes, version, entered_at, entered_by, updated_at, updated_by"
    };
}

#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct EvolutionRow {
    pub id: Uuid,
    pub mentee_id: Uuid,
    #[serde(skip)]
    pub of_month: Month,
    pub revenue: Money,
    pub profit: Option<SignedMoney>,
    pub team: Option<i32>,
    pub leads: Option<i32>,
    pub sales: Option<i32>,
    pub notes: String,
    /// How often this month was told of.
    pub version: i32,
    pub entered_at: Timestamp,
    pub entered_by: Uuid,
    /// Who told of it last.
    pub updated_at: Timestamp,
    pub updated_by: Uuid,
}

/// A month with how it compares.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Evolution {
    pub year: i32,
    pub month: i32,
    #[serde(flatten)]
    pub row: EvolutionRow,
    pub growth: Growth,
}

impl Evolution {
    #[must_use]
    pub fn of(row: EvolutionRow, revenues: &Revenues, entry: Month) -> Self {
        let growth = Growth::of(revenues, row.of_month, entry);
        Self { year: row.of_month.year(), month: row.of_month.month(), row, growth }
    }
}

/// There is something to read of a mentee's month. Mentees say so themselves, too, so what was told is not in it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MenteeEvolutionSaved {
    pub mentee_id: Uuid,
    pub month: Month,
}
event!(MenteeEvolutionSaved = "mentee_evolution.saved");

/// All months of the mentee `$1`, the first one first.
pub const EVOLUTIONS: &str =
    concat!("select ", evolution_columns!(), " from mentee_evolutions where mentee_id = $1 order by month");

/// All months of the caller's own mentoring, the first one first.
pub const OWN_EVOLUTIONS: &str =
    concat!("select ", evolution_columns!(), " from mentee_evolutions where mentee_id = ", own_mentee!(), " order by month");

/// All months of a mentee with their growth.
#[must_use]
pub fn compared(rows: Vec<EvolutionRow>, entry: Month) -> Vec<Evolution> {
    let revenues = rows.iter().map(|row| (row.of_month, row.revenue)).collect();
    rows.into_iter().map(|row| Evolution::of(row, &revenues, entry)).collect()
}

/// What was told of the month, which nobody else changes meanwhile.
const TOLD_BEFORE: &str =
    concat!("select ", evolution_columns!(), " from mentee_evolutions where mentee_id = $1 and month = $2 for no key update");

/// No row when it stays as it is.
const SAVE: &str = concat!(
    "insert into mentee_evolutions as kept (id, mentee_id, month, revenue, profit, team, leads, sales, notes)
     values ($1, $2, $3, $4::text::numeric, $5::text::numeric, $6, $7, $8, coalesce($9, ''))
     on conflict on constraint mentee_evolutions_month do update
        set revenue = $4::text::numeric, profit = coalesce($5::text::numeric, kept.profit), team = coalesce($6, kept.team), leads = coalesce($7, kept.leads),
            sales = coalesce($8, kept.sales), notes = coalesce($9, kept.notes), version = kept.version + 1, updated_at = now(),
            updated_by = app.user_id()
      where (kept.revenue, kept.profit, kept.team, kept.leads, kept.sales, kept.notes) is distinct from
            ($4::text::numeric, coalesce($5::text::numeric, kept.profit), coalesce($6, kept.team), coalesce($7, kept.leads), coalesce($8, kept.sales),
             coalesce($9, kept.notes))
     returning ",
    evolution_columns!()
);

/// The months that this one is compared with, itself among them.
const COMPARED: &str = "select month, revenue::text from mentee_evolutions where mentee_id = $1 and month = any ($2)";

#[derive(FromRow)]
struct Revenue {
    month: Month,
    revenue: Money,
}

/// Keeps what is told of a month, of two who tell of it at once what the second one says; what was told before is kept beside it. Commits.
///
/// # Errors
/// 422 for a month to come; as `Transaction::query`.
pub async fn save(
    context: &Context,
    transaction: Transaction,
    company_id: Uuid,
    place: &Place,
    input: EvolutionInput,
) -> Result<Json<Evolution>, Error> {
    let month = Month::new(input.year, input.month);
    let is_to_come = month > Month::at(context.now(), &place.time_zone);
    refuse(is_to_come.then(|| {
        let (portuguese, english) = ("Este mês ainda não começou.", "This month has not begun yet.");
        FieldProblem::new("month", "in_the_future", portuguese, english)
    }))?;
    let id = context.new_id();
    let EvolutionInput { team, leads, sales, notes, .. } = &input;
    let (revenue, profit) = (input.revenue.to_string(), input.profit.map(|profit| profit.to_string()));
    let (mentee, entry) = (place.id, place.entry_month);
    let compared = [month, month.plus(-1), month.plus(-3), month.plus(-12), entry];
    let compared = &compared[..];
    let figures: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&id, &mentee, &month, &revenue, &profit, team, leads, sales, notes];
    let (save, revenues) = join(
        try_join(
            transaction.first::<EvolutionRow>(TOLD_BEFORE, &[&mentee, &month]),
            transaction.first::<EvolutionRow>(SAVE, &figures),
        ),
        transaction.all::<Revenue>(COMPARED, &[&mentee, &compared]),
    )
    .await;
    let ((before, saved), revenues) = (save?, revenues?);
    let revenues = revenues.into_iter().map(|row| (row.month, row.revenue)).collect();
    let Some(row) = saved else {
        // It stays as it is. Who told the same at once and was first is not in `before`, but there now.
        let row = match before {
            Some(row) => row,
            None => transaction.one(TOLD_BEFORE, &[&mentee, &month]).await?,
        };
        return transaction.commit(Json(Evolution::of(row, &revenues, entry))).await;
    };
    tell(&transaction, company_id, place.mentor_id, &MenteeEvolutionSaved { mentee_id: mentee, month });
    transaction.audit(row.id, &before, &row);
    transaction.commit(Json(Evolution::of(row, &revenues, entry))).await
}
