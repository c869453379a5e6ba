//! When a company and its departments work, as they say it. What follows from it is `shared::calendar`.

use shared::{
    calendar::{self, Week, Written},
    closed_set,
    prelude::*,
};

/// The calendar of the department `$1`, or of the company. No row for a department that is not there.
pub const CALENDAR: &str = "
    select $1::uuid as department_id, own.week is not null as is_own, coalesce(own.version, 0) as version, own.updated_at,
           companies.time_zone, app.calendar_of($1) as written
      from companies
      left join calendars own on own.company_id = companies.id and own.department_id is not distinct from $1
     where companies.id = app.company_id()
       and ($1::uuid is null or exists (select from departments where departments.id = $1 and deleted_at is null))";

#[derive(FromRow)]
struct Row {
    department_id: Option<Uuid>,
    is_own: bool,
    version: i32,
    updated_at: Option<Timestamp>,
    time_zone: String,
    written: Option<Value>,
}

/// A calendar as it counts now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Calendar {
    /// Null for the company's.
    pub department_id: Option<Uuid>,
    /// Whether it was saved for just this; a department without hours of its own has the company's, and a company that never saved any is
    /// always open.
    pub is_own: bool,
    /// IANA name.
    pub time_zone: String,
    pub week: Week,
    /// Whether Carnaval, Ash Wednesday until 14:00 and Corpus Christi are kept beside the national holidays.
    pub keeps_optional_holidays: bool,
    /// 0 where none was ever saved for just this.
    pub version: i32,
    pub updated_at: Option<Timestamp>,
    pub is_open: bool,
    /// Now when it is open; null where there is no open hour within a year.
    pub next_open_at: Option<Timestamp>,
}

impl Versioned for Calendar {
    fn version(&self) -> i32 {
        self.version
    }
}

/// Reads a calendar.
///
/// # Errors
/// 404 when there is no such department.
pub async fn read(context: &Context, transaction: &Transaction, department_id: Option<Uuid>) -> Result<Calendar, Error> {
    let row: Row = transaction.one(CALENDAR, &[&department_id]).await?;
    let written = row.written.and_then(Written::read);
    let now = context.now();
    let (is_open, next_open_at) = match written.clone().map(calendar::Calendar::from) {
        Some(calendar) => (calendar.is_open_at(now), calendar.next_open_at(now).ok()),
        None => (true, Some(now)),
    };
    let (time_zone, week, keeps_optional_holidays) = match written {
        Some(Written { time_zone, week, keeps_optional, .. }) => (time_zone, week, keeps_optional),
        None => (row.time_zone, Week::always(), false),
    };
    let Row { department_id, is_own, version, updated_at, .. } = row;
    Ok(Calendar { department_id, is_own, time_zone, week, keeps_optional_holidays, version, updated_at, is_open, next_open_at })
}

closed_set! {
    /// Whose holiday it is.
    pub Scope { National = "national", Optional = "optional", Company = "company", Department = "department" }
}

/// A day on which is not worked as on others.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Holiday {
    /// Null for those that come by law or custom.
    pub id: Option<Uuid>,
    /// The department whose it is.
    pub department_id: Option<Uuid>,
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: jiff::civil::Date,
    pub name: String,
    pub scope: Scope,
    /// On this day of every year from then on.
    pub yearly: bool,
    /// Closed until this time; null for the whole day.
    pub until: Option<calendar::Minute>,
    /// Whether the calendar keeps it: of the optional ones, as it says; others always.
    pub is_kept: bool,
}

/// The hours or the holidays of the company, or of a department, have changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CalendarUpdated {
    /// Null for the company's, which are also those of the departments without their own.
    pub department_id: Option<Uuid>,
}

event!(CalendarUpdated = "calendar.updated");
