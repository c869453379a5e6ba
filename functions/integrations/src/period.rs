//! The days that figures are asked of.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use shared::error::FieldProblem;

/// Days of one answer; calls are kept for some more.
const MOST_DAYS: i32 = 93;

/// The days from `$1` to `$2` in the company's time zone, as `asked (first_day, last_day, time_zone)` among the tables of a `with`.
#[macro_export]
macro_rules! asked_days {
    () => {
        "zone as (
            select time_zone from companies where id = app.company_id()
        ), asked as (
            select coalesce($1::date, last.day - 29) as first_day, last.day as last_day, time_zone
              from zone
             cross join lateral (select coalesce($2::date, (now() at time zone time_zone)::date) as day) last
        )"
    };
}

/// What is wrong with a first and a last day: they are too far apart, or the other way round. Without a last one it is today, of which nobody
/// knows here where the company is.
#[must_use]
pub fn too_long(from: Option<Date>, to: Option<Date>, now: Timestamp) -> Option<FieldProblem> {
    let to = to.unwrap_or_else(|| now.to_zoned(TimeZone::UTC).date());
    let days = to.since(from?).map_or(MOST_DAYS + 1, |span| span.get_days());
    let (portuguese, english) =
        ("Peça no máximo 93 dias, do primeiro ao último.", "Ask for 93 days at most, from the first to the last.");
    (!(-1..MOST_DAYS).contains(&days)).then(|| FieldProblem::new("from", "period", portuguese, english))
}
