//! Reads the figures of people: who they are, when their calendars open, and what `app.productivity` says of them.

use std::collections::HashMap;

use companies::BreakKind;
use futures_util::future::try_join3;
use jiff::civil::Date;
use shared::{
    calendar::{self, Written},
    prelude::*,
};

use crate::{
    period::{A_YEAR, Bucket, Grain, Period},
    punctuality::Punctuality,
    tally::{BreakFigures, Tally},
};

/// Which days, counted together by what.
#[derive(Clone, Debug, Deserialize, Validate, JsonSchema)]
pub struct Asked {
    /// The first day, where the company is; the last one alone without it.
    #[garde(skip)]
    pub from: Option<Date>,
    /// The last day; today without it.
    #[garde(skip)]
    pub to: Option<Date>,
    /// `day` without it.
    #[garde(skip)]
    pub by: Option<Grain>,
}

const COMPANY: &str = "select time_zone, locale, breaks from companies where id = app.company_id()";

/// Staff, whether or not they are in still: all, the person `$1`, or the members of the department `$2`.
const PEOPLE: &str = "
    select memberships.user_id, users.name, memberships.status = 'active' as is_active,
           array(select departments.id
                   from department_members members
                   join departments on departments.id = members.department_id
                  where members.user_id = memberships.user_id and departments.deleted_at is null) as department_ids
      from memberships
      join users on users.id = memberships.user_id
     where memberships.role <> 'student' and memberships.status <> 'pending_approval'
       and ($1::uuid is null or memberships.user_id = $1)
       and ($2::uuid is null or exists (select from department_members members
                                         where members.user_id = memberships.user_id and members.department_id = $2))
     order by app.fold(users.name), users.id";

const CALENDARS: &str = "
    select null::uuid as department_id, null as name, app.calendar_of(null) as written
    union all
    select id, name, app.calendar_of(id) from departments where deleted_at is null
    order by 2, 1";

const FIGURES: &str = "select * from app.productivity($1, $2, $3)";

#[derive(FromRow)]
struct Company {
    time_zone: String,
    locale: Locale,
    breaks: Value,
}

/// Somebody of the staff.
#[derive(Clone, Debug, FromRow)]
pub struct Person {
    pub user_id: Uuid,
    pub name: String,
    pub is_active: bool,
    pub department_ids: Vec<Uuid>,
}

#[derive(FromRow)]
struct Hours {
    department_id: Option<Uuid>,
    name: Option<String>,
    written: Option<Value>,
}

#[derive(FromRow)]
struct Row {
    user_id: Uuid,
    bucket: i32,
    online_seconds: i64,
    away_seconds: i64,
    busy_seconds: i64,
    break_seconds: i64,
    active_seconds: i64,
    first_ins: Vec<Timestamp>,
    last_out: Option<Timestamp>,
    breaks: Value,
    messages: i64,
    conversations: i64,
    first_answers: i64,
    first_answer_seconds: i64,
}

/// Figures of people in some days.
pub struct Panel {
    pub period: Period,
    pub time_zone: String,
    pub locale: Locale,
    pub breaks: Vec<BreakKind>,
    pub buckets: Vec<Bucket>,
    pub people: Vec<Person>,
    /// Of each person, of each bucket.
    pub figures: Vec<Vec<Tally>>,
    /// Id and name.
    pub departments: Vec<(Uuid, String)>,
}

/// Reads them, for the person or the department that is given, in two flights.
///
/// # Errors
/// 422 when the days are none.
pub async fn read(
    context: &Context,
    transaction: &Transaction,
    asked: &Asked,
    user_id: Option<Uuid>,
    department_id: Option<Uuid>,
) -> Result<Panel, Error> {
    let people: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&user_id, &department_id];
    let (company, mut people, hours) = try_join3(
        transaction.one::<Company>(COMPANY, &[]),
        transaction.all::<Person>(PEOPLE, &people),
        transaction.all::<Hours>(CALENDARS, &[]),
    )
    .await?;
    let period = Period::new(&company.time_zone, context.now(), asked.from, asked.to, &A_YEAR)?;
    let (buckets, numbers) = period.buckets(asked.by.unwrap_or(Grain::Day));
    let ids: Vec<Uuid> = people.iter().map(|person| person.user_id).collect();
    let edges = period.edges();
    let rows: Vec<Row> = transaction.all(FIGURES, &[&ids, &edges, &numbers]).await?;
    let mut found: HashMap<(Uuid, i32), Row> = rows.into_iter().map(|row| ((row.user_id, row.bucket), row)).collect();
    let departments: Vec<(Uuid, String)> =
        hours.iter().filter_map(|hours| Some((hours.department_id?, hours.name.clone()?))).collect();
    let shifts: HashMap<Option<Uuid>, Vec<Option<Timestamp>>> =
        hours.into_iter().map(|hours| (hours.department_id, openings(hours.written, &period))).collect();
    // Who is in no more is shown while they have left something.
    people.retain(|person| {
        person.is_active || (1..).zip(&buckets).any(|(number, _)| found.contains_key(&(person.user_id, number)))
    });
    let mut figures = Vec::with_capacity(people.len());
    for person in &people {
        let shifts = shifts_of(person, &shifts);
        let of_person = (1..).zip(&buckets).map(|(number, bucket)| {
            let row = found.remove(&(person.user_id, number));
            tally(row, bucket, &period, shifts, context.now())
        });
        figures.push(of_person.collect());
    }
    let breaks = serde_json::from_value(company.breaks).unwrap_or_default();
    let Company { time_zone, locale, .. } = company;
    Ok(Panel { period, time_zone, locale, breaks, buckets, people, figures, departments })
}

/// When a calendar opens on each day; without one it never does.
fn openings(written: Option<Value>, period: &Period) -> Vec<Option<Timestamp>> {
    let calendar = written.and_then(Written::read).map(calendar::Calendar::from);
    let opens = |day| calendar.as_ref()?.open_on(day).first().map(|(from, _)| *from);
    period.days().map(opens).collect()
}

/// Those of somebody's department, where they are in one alone; else the company's.
fn shifts_of<'shifts>(
    person: &Person,
    shifts: &'shifts HashMap<Option<Uuid>, Vec<Option<Timestamp>>>,
) -> &'shifts [Option<Timestamp>] {
    let of_department = match person.department_ids[..] {
        [only] => shifts.get(&Some(only)),
        _ => None,
    };
    of_department.or_else(|| shifts.get(&None)).map(Vec::as_slice).unwrap_or_default()
}

fn tally(row: Option<Row>, bucket: &Bucket, period: &Period, shifts: &[Option<Timestamp>], now: Timestamp) -> Tally {
    let mut came: HashMap<Date, Timestamp> = HashMap::new();
    for at in row.iter().flat_map(|row| &row.first_ins) {
        came.insert(period.date_of(*at), *at);
    }
    let days = period.days().zip(shifts).filter(|(day, _)| (bucket.from..=bucket.to).contains(day));
    let punctuality = Punctuality::of(days.map(|(day, opens)| (*opens, came.get(&day).copied())), now);
    let Some(row) = row else { return Tally { punctuality, ..Tally::default() } };
    let breaks: Vec<BreakFigures> = serde_json::from_value(row.breaks).unwrap_or_default();
    Tally {
        online_seconds: row.online_seconds,
        away_seconds: row.away_seconds,
        busy_seconds: row.busy_seconds,
        break_seconds: row.break_seconds,
        active_seconds: row.active_seconds,
        first_in: row.first_ins.first().copied(),
        last_out: row.last_out,
        breaks,
        messages: row.messages,
        conversations: row.conversations,
        first_answers: row.first_answers,
        first_answer_seconds: row.first_answer_seconds,
        punctuality,
        ..Tally::default()
    }
    .whole()
}
