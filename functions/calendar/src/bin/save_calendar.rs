//! PUT /calendar — sets the hours of the company or of a department.

use calendar::{Calendar, CalendarUpdated};
use futures_util::future::try_join;
use jiff::tz::TimeZone;
use shared::{
    calendar::{Flaw, Week},
    error::{FieldProblem, NOT_FOUND, STALE, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/calendar").fails(&[NOT_FOUND, STALE.showing::<Calendar>()]);

/// Until this transaction ends nobody else saves a calendar of this company.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended('calendar:' || app.company_id(), 0))::text";

/// Nothing when it stays as it is.
const SAVE: &str = "
    insert into calendars as own (id, department_id, time_zone, week, keeps_optional)
    values ($1, $2, $3, $4, $5)
    on conflict (company_id, department_id) do update
       set time_zone = excluded.time_zone, week = excluded.week, keeps_optional = excluded.keeps_optional,
           version = own.version + 1, updated_at = now()
     where (own.time_zone, own.week, own.keeps_optional)
           is distinct from (excluded.time_zone, excluded.week, excluded.keeps_optional)";

const FORGET: &str = "delete from calendars where department_id is not distinct from $1";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCalendar {
    /// The company's when absent.
    #[garde(skip)]
    department_id: Option<Uuid>,
    /// IANA name such as `America/Manaus`; absent, the company's.
    #[garde(length(min = 1, max = 64))]
    time_zone: Option<String>,
    /// Null for no hours of its own: a department has the company's again, and a company is always open.
    #[garde(skip)]
    week: Option<Week>,
    /// Whether Carnaval, Ash Wednesday until 14:00 and Corpus Christi are kept.
    #[garde(skip)]
    #[serde(default = "yes")]
    keeps_optional_holidays: bool,
}

fn yes() -> bool {
    true
}

pub fn main() {
    serve(&ROUTE, save_calendar);
}

async fn save_calendar(
    context: Context,
    caller: Supervisor,
    if_match: IfMatch,
    Json(input): Json<NewCalendar>,
) -> Result<Json<Calendar>, Error> {
    let week = input.week.map(Week::in_order);
    refuse(unknown_zone(input.time_zone.as_deref()).into_iter().chain(week.iter().flat_map(problems)))?;
    let transaction = context.begin(&caller).await?;
    let current = calendar::read(&context, &transaction, input.department_id);
    let (_, current) = try_join(transaction.query(LOCK, &[]), current).await?;
    if_match.check(&current)?;
    let changed = match &week {
        Some(week) => {
            let week = json!(week);
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&context.new_id(), &input.department_id, &input.time_zone, &week, &input.keeps_optional_holidays];
            transaction.execute(SAVE, &row).await?
        }
        None => transaction.execute(FORGET, &[&input.department_id]).await?,
    };
    if changed == 0 {
        return transaction.commit(Json(current)).await;
    }
    let saved = calendar::read(&context, &transaction, input.department_id).await?;
    transaction.tell_staff(&CalendarUpdated { department_id: input.department_id });
    transaction.audit(input.department_id.unwrap_or(caller.company_id), &current, &saved);
    transaction.commit(Json(saved)).await
}

fn unknown_zone(name: Option<&str>) -> Option<FieldProblem> {
    let (portuguese, english) = ("Fuso horário desconhecido.", "Unknown time zone.");
    name.filter(|name| TimeZone::get(name).is_err())
        .map(|_| FieldProblem::new("time_zone", "unknown_time_zone", portuguese, english))
}

/// The places are those of the intervals in order of time.
fn problems(week: &Week) -> Vec<FieldProblem> {
    let problem = |(day, place, flaw)| {
        let (code, portuguese, english) = match flaw {
            Flaw::Inverted => ("inverted", "O início deve vir antes do fim.", "The start must be before the end."),
            Flaw::Overlapping => {
                ("overlapping", "Este intervalo se sobrepõe ao anterior.", "This interval overlaps the one before it.")
            }
            Flaw::TooMany => ("too_many", "São no máximo 12 intervalos por dia.", "A day has 12 intervals at most."),
        };
        FieldProblem::new(format!("week.{day}[{place}]"), code, portuguese, english)
    };
    week.flaws().into_iter().map(problem).collect()
}
