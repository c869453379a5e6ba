//! PUT /calendar — sets the hours of the company or of a department.

use calendar::{Calendar, CalendarUpdated};
use futures_util::future::try_join;
use shared::{
    calendar::{Flaw, Week},
    error::{FieldProblem, NOT_FOUND, STALE, refuse},
    known_zone,
    prelude::*,
};

const ROUTE: Route = Route::put("/calendar").fails(&[NOT_FOUND, STALE.showing::<Calendar>()]);

/// Until this transaction ends nobody else saves a calendar of this company.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended('calendar:' || app.company_id(), 0))::text";

/// Nothing when it stays as it is. A row that is there stays when its hours are taken away, so that its version goes on.
const SAVE: &str = "
    insert into calendars as own (id, department_id, time_zone, week, keeps_optional)
    select $1, $2, $3, $4, $5
     where $4::jsonb is not null or exists (select from calendars where department_id is not distinct from $2)
    on conflict (company_id, department_id) do update
       set time_zone = excluded.time_zone, week = excluded.week, keeps_optional = excluded.keeps_optional,
           version = own.version + 1, updated_at = now()
     where (own.time_zone, own.week, own.keeps_optional)
           is distinct from (excluded.time_zone, excluded.week, excluded.keeps_optional)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCalendar {
    /// The company's when absent.
    #[garde(skip)]
    department_id: Option<Uuid>,
    /// IANA name such as `America/Manaus`; absent, the company's.
    #[garde(inner(custom(known_zone)))]
    #[schemars(length(min = 1, max = 60))]
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
    let NewCalendar { department_id, time_zone, week, keeps_optional_holidays } = input;
    refuse(week.iter().flat_map(problems))?;
    let time_zone = time_zone.filter(|_| week.is_some());
    let week = week.map(|week| json!(week.in_order()));
    let transaction = context.begin(&caller).await?;
    let current = calendar::read(&context, &transaction, department_id);
    let (_, current) = try_join(transaction.query(LOCK, &[]), current).await?;
    if_match.check(&current)?;
    let changed =
        transaction.execute(SAVE, &[&context.new_id(), &department_id, &time_zone, &week, &keeps_optional_holidays]).await?;
    if changed == 0 {
        return transaction.commit(Json(current)).await;
    }
    let saved = calendar::read(&context, &transaction, department_id).await?;
    transaction.tell_staff(&CalendarUpdated { department_id });
    transaction.audit(department_id.unwrap_or(caller.company_id), &current, &saved);
    transaction.commit(Json(saved)).await
}

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
