//! GET /calendar/holidays — the holidays of a year: the nation's, those many keep, the company's and the department's.

use calendar::{Holiday, Scope};
use futures_util::future::try_join;
use jiff::{civil::Date, tz::TimeZone};
use shared::{
    calendar::{Day, national, optional},
    error::NOT_FOUND,
    prelude::*,
};

const ROUTE: Route = Route::get("/calendar/holidays").fails(&[NOT_FOUND]);

const CUSTOM: &str = "
    select id, department_id, date::text as date, name, yearly
      from holidays
     where (department_id is null or department_id = $1)
       and case when yearly then extract(year from date)::integer <= $2 else extract(year from date)::integer = $2 end";

#[derive(Deserialize, Validate, JsonSchema)]
struct Wanted {
    /// This year, in the calendar's time zone, when absent.
    #[garde(range(min = 1970, max = 2200))]
    year: Option<i16>,
    /// Whose holidays are shown beside the company's.
    #[garde(skip)]
    department_id: Option<Uuid>,
}

#[derive(FromRow)]
struct Custom {
    id: Uuid,
    department_id: Option<Uuid>,
    date: String,
    name: String,
    yearly: bool,
}

pub fn main() {
    serve(&ROUTE, list_holidays);
}

async fn list_holidays(context: Context, caller: Staff, Query(wanted): Query<Wanted>) -> Result<Page<Holiday>, Error> {
    let transaction = context.begin(&caller).await?;
    let calendar = calendar::read(&context, &transaction, wanted.department_id);
    let custom = async |year: i16| transaction.all::<Custom>(CUSTOM, &[&wanted.department_id, &i32::from(year)]).await;
    let (calendar, year, custom) = if let Some(year) = wanted.year {
        let (calendar, custom) = try_join(calendar, custom(year)).await?;
        (calendar, year, custom)
    } else {
        // Which year it is depends on where it is asked.
        let calendar = calendar.await?;
        let zone = TimeZone::get(&calendar.time_zone).unwrap_or(TimeZone::UTC);
        let year = zone.to_datetime(context.now()).year();
        (calendar, year, custom(year).await?)
    };
    let by_law = |day: Day, scope: Scope, is_kept: bool| {
        let Day { date, name, until } = day;
        Holiday { id: None, department_id: None, date, name, scope, yearly: true, until, is_kept }
    };
    let mut holidays: Vec<Holiday> = national(year).into_iter().map(|day| by_law(day, Scope::National, true)).collect();
    holidays.extend(optional(year).into_iter().map(|day| by_law(day, Scope::Optional, calendar.keeps_optional_holidays)));
    holidays.extend(custom.into_iter().filter_map(|custom| in_year(custom, year)));
    holidays.sort_by(|one, other| (one.date, &one.name).cmp(&(other.date, &other.name)));
    Ok(Page::whole(holidays))
}

/// A yearly one of 29 February is only in leap years.
fn in_year(custom: Custom, year: i16) -> Option<Holiday> {
    let Custom { id, department_id, date, name, yearly } = custom;
    let first: Date = date.parse().ok()?;
    let date = Date::new(year, first.month(), first.day()).ok()?;
    let scope = if department_id.is_some() { Scope::Department } else { Scope::Company };
    Some(Holiday { id: Some(id), department_id, date, name, scope, yearly, until: None, is_kept: true })
}
