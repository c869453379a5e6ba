//! POST /calendar/holidays — adds a holiday of the state, the city, the company or a department.

use calendar::{CalendarUpdated, Holiday, Scope};
use jiff::civil::Date;
use shared::{
    VISIBLE,
    error::{FieldProblem, INVALID},
    prelude::*,
    visible,
};

const HOLIDAY_TAKEN: Problem =
    Problem::new(409, "holiday_taken", "Já existe um feriado nesta data.", "There is a holiday on this date already.");

/// Every answer about business time reads all of them.
const MOST_HOLIDAYS: i64 = 400;

const TOO_MANY_HOLIDAYS: Problem = Problem::new(
    409,
    "too_many_holidays",
    "São no máximo 400 feriados; remova os que já passaram.",
    "There are at most 400 holidays; remove those that have passed.",
);

const ROUTE: Route = Route::post("/calendar/holidays").fails(&[HOLIDAY_TAKEN, TOO_MANY_HOLIDAYS]);

/// Nothing when the department is not there, or there are as many as there may be.
const ADD: &str = "
    with known as (
        select $2::uuid is null or exists (select from departments where departments.id = $2 and deleted_at is null) as is_known,
               (select count(*) from holidays where department_id is not distinct from $2) >= $6 as is_full
    ), added as (
        insert into holidays (id, department_id, date, name, yearly)
        select $1, $2, $3::text::date, $4, $5 from known where is_known and not is_full
    )
    select is_known, is_full from known";

#[derive(FromRow)]
struct Known {
    is_known: bool,
    is_full: bool,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewHoliday {
    #[garde(custom(in_our_time))]
    #[schemars(with = "String", extend("format" = "date", "pattern" = r"^(19[7-9]\d|20\d\d|21\d\d)-\d\d-\d\d$"))]
    date: Date,
    #[garde(length(chars, min = 1, max = 120), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// On this day of every year from then on.
    #[garde(skip)]
    #[serde(default)]
    yearly: bool,
    /// The whole company's when absent.
    #[garde(skip)]
    department_id: Option<Uuid>,
}

fn in_our_time(date: &Date, (): &()) -> garde::Result {
    let rule = || shared::rule("out_of_range", "Use uma data entre 1970 e 2199.", "Use a date between 1970 and 2199.");
    if (1970..2200).contains(&date.year()) { Ok(()) } else { Err(rule()) }
}

pub fn main() {
    serve(&ROUTE, add_holiday);
}

async fn add_holiday(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewHoliday>,
) -> Result<Created<Holiday>, Error> {
    let NewHoliday { date, name, yearly, department_id } = input;
    let transaction = context.begin(&caller).await?;
    let (id, text) = (context.new_id(), date.to_string());
    let added = transaction.one(ADD, &[&id, &department_id, &text, &name, &yearly, &MOST_HOLIDAYS]).await;
    let known: Known = added.on_constraint("holidays_company_id_department_id_date_key", HOLIDAY_TAKEN)?;
    if !known.is_known {
        let (portuguese, english) = ("Departamento não encontrado.", "No such department.");
        return Err(INVALID.in_fields(vec![FieldProblem::new("department_id", "not_found", portuguese, english)]));
    }
    if known.is_full {
        return Err(TOO_MANY_HOLIDAYS.into());
    }
    let scope = if department_id.is_some() { Scope::Department } else { Scope::Company };
    let holiday = Holiday { id: Some(id), department_id, date, name, scope, yearly, until: None, is_kept: true };
    transaction.tell_staff(&CalendarUpdated { department_id });
    transaction.audit(id, &Value::Null, &holiday);
    transaction.commit(Created(holiday)).await
}
