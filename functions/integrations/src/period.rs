//! The days that figures are asked of.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use shared::error::FieldProblem;

/// Days of one answer; calls are kept for some more.
const MOST_DAYS: i32 = 93;

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
