//! What is made for a company once: its first departments, its hours, and a flow for its bot.

use futures_util::future::{try_join, try_join3};
use shared::{calendar::Week, error::NOT_FOUND, prelude::*};
use team::{Department, department_columns, department_members};

/// Names of the first departments. Everybody who serves customers is in the first.
const DEPARTMENTS: [&str; 3] = ["Atendimento", "Comercial", "Financeiro"];

/// What is made, by the words in `company_setup.made`.
const OF_DEPARTMENTS: &str = "departments";
const OF_BOT: &str = "bot_flow";

/// The key and the name of the first flow.
const FLOW: [&str; 2] = ["menu", "Menu"];

pub const OF_CALENDAR: &str = "calendar";

/// Whoever comes second waits, and finds all of it made.
pub const ENSURE_ROW: &str = "insert into company_setup (company_id) values (app.company_id()) on conflict do nothing";

const LOCKED: &str = "
    select made, version from company_setup where company_id = app.company_id() for update";

/// Those that are there, and the first ones where there are none and they were never made.
const MAKE_DEPARTMENTS: &str = "
    with existing as (
        select id, name from departments where deleted_at is null
    ), made as (
        insert into departments (id, name)
        select new.id, new.name
          from unnest($1::uuid[], $2::text[]) new (id, name)
         where $3 and not exists (select from existing)
        returning id, name
    ), joined as (
        insert into department_members (department_id, user_id)
        select made.id, memberships.user_id
          from made
          join memberships on memberships.status = 'active' and memberships.role <> 'student'
         where made.name = $2[1]
    )
    select id, true as is_new from made
     union all
    select id, false from existing";

const NEW_DEPARTMENTS: &str = concat!(
    "select ",
    department_columns!(),
    ", 0::bigint as waiting_count from departments department ",
    department_members!(),
    " where department.id = any ($1) order by department.name"
);

/// No row where there is a flow already.
const MAKE_FLOW: &str = "
    insert into bot_flows (id, key, name, definition, published_at)
    select $1, $2, $5, $3, now()
     where $4 and not exists (select from bot_flows)
    returning id";

/// No row where hours were ever saved.
const MAKE_CALENDAR: &str = "
    insert into calendars (id, department_id, week, keeps_optional)
    select $1, null, $2, true
     where $3 and not exists (select from calendars where department_id is null)
    returning id";

const NOTE: &str = "update company_setup set made = $1, version = version + 1 where company_id = app.company_id() and made <> $1";

/// Something that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MadeDefault {
    /// `departments`, `calendar` or `bot_flow`.
    pub key: String,
    pub id: Uuid,
    pub name: String,
}

/// What a run has made.
pub struct Made {
    pub made: Vec<MadeDefault>,
    /// Those of it that are departments.
    pub departments: Vec<Department>,
    /// Of the set-up, from now on.
    pub version: i32,
}

#[derive(FromRow)]
struct Locked {
    made: Vec<String>,
    version: i32,
}

#[derive(FromRow)]
struct Place {
    id: Uuid,
    is_new: bool,
}

/// Makes what was not made before, and is not there. Twice, it makes nothing.
///
/// # Errors
/// As the database fails.
pub async fn make(context: &Context, transaction: &Transaction) -> Result<Made, Error> {
    let (_, locked) = try_join(transaction.execute(ENSURE_ROW, &[]), transaction.first::<Locked>(LOCKED, &[])).await?;
    let Locked { made, version } = locked.ok_or(NOT_FOUND)?;
    let is_due = |key: &str| !made.iter().any(|made| made == key);
    let (departments_due, calendar_due, bot_due) = (is_due(OF_DEPARTMENTS), is_due(OF_CALENDAR), is_due(OF_BOT));
    if !departments_due && !calendar_due && !bot_due {
        return Ok(Made { made: Vec::new(), departments: Vec::new(), version });
    }
    let ids = DEPARTMENTS.map(|_| context.new_id());
    let places: Vec<Place> =
        transaction.all(MAKE_DEPARTMENTS, &[&ids.as_slice(), &DEPARTMENTS.as_slice(), &departments_due]).await?;
    let definition = bot::templates::starter();
    let (flow_id, calendar_id, week) = (context.new_id(), context.new_id(), json!(Week::usual()));
    let new: Vec<Uuid> = places.iter().filter(|place| place.is_new).map(|place| place.id).collect();
    let (flows, calendars, departments) = try_join3(
        transaction.query(MAKE_FLOW, &[&flow_id, &FLOW[0], &definition, &bot_due, &FLOW[1]]),
        transaction.query(MAKE_CALENDAR, &[&calendar_id, &week, &calendar_due]),
        transaction.all::<Department>(NEW_DEPARTMENTS, &[&new]),
    )
    .await?;
    let mut words = made;
    words.extend(
        [(OF_DEPARTMENTS, departments_due), (OF_CALENDAR, calendar_due), (OF_BOT, bot_due)]
            .into_iter()
            .filter(|(_, due)| *due)
            .map(|(key, _)| key.to_owned()),
    );
    transaction.defer(NOTE, shared::parameters![words]);
    let of_departments = departments.iter().map(|department| MadeDefault {
        key: OF_DEPARTMENTS.to_owned(),
        id: department.id,
        name: department.name.clone(),
    });
    let of_calendar = calendars.iter().map(|_| MadeDefault {
        key: OF_CALENDAR.to_owned(),
        id: calendar_id,
        name: "Seg–sex 08:00–12:00, 13:30–18:00".to_owned(),
    });
    let of_bot = flows.iter().map(|_| MadeDefault { key: OF_BOT.to_owned(), id: flow_id, name: FLOW[0].to_owned() });
    Ok(Made { made: of_departments.chain(of_calendar).chain(of_bot).collect(), departments, version: version + 1 })
}
