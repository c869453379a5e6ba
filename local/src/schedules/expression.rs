//! `rate(…)` and `cron(…)` expressions.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail, ensure};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Days looked ahead: the 29th of February comes after at most eight years.
const HORIZON: i32 = 8 * 366 + 1;

/// The first time after `instant` at which the expression is due; `None` when there is none.
///
/// A local time that a clock change skips is due right after the change; one that happens twice is
/// due the first time.
///
/// # Errors
/// When the expression or the time zone is not understood.
pub fn next_after(expression: &str, time_zone: &str, instant: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    let expression = expression.trim();
    if let Some(rate) = inside(expression, "rate") {
        return Ok(Some(instant.checked_add(parse_rate(rate)?)?));
    }
    let Some(cron) = inside(expression, "cron") else {
        bail!("{expression} is neither rate(…) nor cron(…)");
    };
    let time_zone = TimeZone::get(time_zone).with_context(|| format!("there is no time zone {time_zone}"))?;
    Cron::parse(cron).with_context(|| format!("{expression} is not understood"))?.next_after(&time_zone, instant)
}

fn inside<'a>(expression: &'a str, name: &str) -> Option<&'a str> {
    expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

fn parse_rate(rate: &str) -> anyhow::Result<SignedDuration> {
    let (count, unit) = rate.trim().split_once(' ').context("a rate is a number and a unit")?;
    let count: i64 = count.parse().with_context(|| format!("{count} is not a number"))?;
    ensure!(count > 0, "a rate is at least 1");
    let hours = match unit.trim() {
        "minute" | "minutes" => return Ok(SignedDuration::from_mins(count)),
        "hour" | "hours" => 1,
        "day" | "days" => 24,
        unit => bail!("{unit} is not minutes, hours or days"),
    };
    Ok(SignedDuration::from_hours(count * hours))
}

/// Which days the two day fields let through.
#[derive(Debug)]
enum DayRule {
    Every,
    OfMonth(BTreeSet<i32>),
    LastOfMonth,
    OfWeek(BTreeSet<i32>),
    /// Weekday and which one in its month.
    NthOfWeek(i32, i8),
    LastOfWeek(i32),
}

#[derive(Debug)]
struct Cron {
    minutes: BTreeSet<i32>,
    hours: BTreeSet<i32>,
    months: BTreeSet<i32>,
    years: BTreeSet<i32>,
    days: DayRule,
}

impl Cron {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, day_of_month, months, day_of_week, years] = fields[..] else {
            bail!("cron has six fields: minutes, hours, day of month, month, day of week, year");
        };
        Ok(Self {
            minutes: numbers(minutes, 0, 59, &[])?,
            hours: numbers(hours, 0, 23, &[])?,
            months: numbers(months, 1, 12, &MONTHS)?,
            years: numbers(years, 1970, 2199, &[])?,
            days: DayRule::parse(day_of_month, day_of_week)?,
        })
    }

    fn next_after(&self, time_zone: &TimeZone, instant: Timestamp) -> anyhow::Result<Option<Timestamp>> {
        // The day before counts too: a skipped local time may be moved past midnight.
        let mut date = instant.to_zoned(time_zone.clone()).date().yesterday()?;
        for _ in 0..HORIZON {
            if self.allows(date) {
                for &hour in &self.hours {
                    for &minute in &self.minutes {
                        let time = date.at(i8::try_from(hour)?, i8::try_from(minute)?, 0, 0);
                        let at = time_zone.to_ambiguous_timestamp(time).compatible()?;
                        if at > instant {
                            return Ok(Some(at));
                        }
                    }
                }
            }
            date = date.tomorrow()?;
        }
        Ok(None)
    }

    fn allows(&self, date: Date) -> bool {
        self.years.contains(&date.year().into()) && self.months.contains(&date.month().into()) && self.days.allows(date)
    }
}

impl DayRule {
    fn parse(day_of_month: &str, day_of_week: &str) -> anyhow::Result<Self> {
        let open = |field: &str| field == "?" || field == "*";
        ensure!((day_of_month == "?") != (day_of_week == "?"), "exactly one of day of month and day of week is ?");
        if open(day_of_month) && open(day_of_week) {
            return Ok(Self::Every);
        }
        if day_of_month == "L" {
            return Ok(Self::LastOfMonth);
        }
        if !open(day_of_month) {
            return Ok(Self::OfMonth(numbers(day_of_month, 1, 31, &[])?));
        }
        if let Some((day, nth)) = day_of_week.split_once('#') {
            return Ok(Self::NthOfWeek(number(day, 1, 7, &DAYS)?, i8::try_from(number(nth, 1, 5, &[])?)?));
        }
        match day_of_week.strip_suffix('L') {
            Some("") => Ok(Self::OfWeek(BTreeSet::from([7]))),
            Some(day) => Ok(Self::LastOfWeek(number(day, 1, 7, &DAYS)?)),
            None => Ok(Self::OfWeek(numbers(day_of_week, 1, 7, &DAYS)?)),
        }
    }

    fn allows(&self, date: Date) -> bool {
        let weekday = weekday_number(date.weekday());
        match self {
            Self::Every => true,
            Self::OfMonth(days) => days.contains(&date.day().into()),
            Self::LastOfMonth => date.day() == date.days_in_month(),
            Self::OfWeek(days) => days.contains(&weekday),
            Self::NthOfWeek(day, nth) => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
            Self::LastOfWeek(day) => weekday == *day && date.day() + 7 > date.days_in_month(),
        }
    }
}

/// Sunday is 1.
fn weekday_number(weekday: Weekday) -> i32 {
    i32::from(weekday.to_sunday_zero_offset()) + 1
}

/// The values a field stands for: `*`, `5`, `1-5`, `0/15`, `MON-FRI`, and lists of these.
fn numbers(field: &str, first: i32, last: i32, names: &[&str]) -> anyhow::Result<BTreeSet<i32>> {
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step, 1, last, &[])?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (number(from, first, last, names)?, number(to, first, last, names)?),
            None => {
                let value = number(range, first, last, names)?;
                (value, if step.is_some() { last } else { value })
            }
        };
        let step = usize::try_from(step.unwrap_or(1))?;
        if from <= to {
            all.extend((from..=to).step_by(step));
        } else {
            all.extend((from..=last).chain(first..=to).step_by(step));
        }
    }
    Ok(all)
}

fn number(text: &str, first: i32, last: i32, names: &[&str]) -> anyhow::Result<i32> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let value = match named {
        Some(position) => first + i32::try_from(position)?,
        None => text.parse().with_context(|| format!("{text:?} is not a number"))?,
    };
    ensure!((first..=last).contains(&value), "{value} is not between {first} and {last}");
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, time_zone: &str, instant: &str) -> String {
        let next = next_after(expression, time_zone, instant.parse().unwrap()).unwrap();
        next.map_or_else(|| "never".to_owned(), |next| next.to_string())
    }

    #[test]
    fn rates() {
        assert_eq!(next("rate(1 minute)", "UTC", "2026-11-22T10:00:30Z"), "2026-11-22T10:01:30Z");
        assert_eq!(next("rate(5 minutes)", "UTC", "2026-11-22T10:00:00Z"), "2026-11-22T10:05:00Z");
        assert_eq!(next("rate(2 hours)", "UTC", "2026-11-22T10:00:00Z"), "2026-11-22T12:00:00Z");
        assert_eq!(next("rate(1 day)", "UTC", "2026-11-22T10:00:00Z"), "2026-11-23T10:00:00Z");
    }

    #[test]
    fn a_daily_time_in_a_time_zone() {
        let daily = "cron(0 3 * * ? *)";
        assert_eq!(next(daily, "America/Sao_Paulo", "2026-11-22T05:59:59Z"), "2026-11-22T06:00:00Z");
        assert_eq!(next(daily, "America/Sao_Paulo", "2026-11-22T06:00:00Z"), "2026-11-23T06:00:00Z");
        assert_eq!(next(daily, "America/Sao_Paulo", "2026-12-31T23:00:00Z"), "2027-01-01T06:00:00Z");
    }

    #[test]
    fn steps_lists_and_names() {
        assert_eq!(next("cron(0/15 * * * ? *)", "UTC", "2026-11-22T10:46:00Z"), "2026-11-22T11:00:00Z");
        assert_eq!(next("cron(30 8 ? * MON-FRI *)", "UTC", "2026-11-20T08:30:00Z"), "2026-11-23T08:30:00Z");
        assert_eq!(next("cron(0 9,18 ? * 1 *)", "UTC", "2026-11-22T10:00:00Z"), "2026-11-22T18:00:00Z");
        assert_eq!(next("cron(0 0 1 JAN ? *)", "UTC", "2026-01-01T00:00:00Z"), "2027-01-01T00:00:00Z");
    }

    #[test]
    fn last_and_nth_days() {
        assert_eq!(next("cron(0 0 L * ? *)", "UTC", "2028-02-01T00:00:00Z"), "2028-02-29T00:00:00Z");
        assert_eq!(next("cron(0 0 ? * 6L *)", "UTC", "2026-11-01T00:00:00Z"), "2026-11-27T00:00:00Z");
        assert_eq!(next("cron(0 0 ? * MON#2 *)", "UTC", "2026-11-01T00:00:00Z"), "2026-11-09T00:00:00Z");
        assert_eq!(next("cron(0 0 29 2 ? *)", "UTC", "2096-03-01T00:00:00Z"), "2104-02-29T00:00:00Z");
    }

    #[test]
    fn clock_changes() {
        // New York skips 02:00 to 03:00 on 2026-03-08 and repeats 01:00 to 02:00 on 2026-11-01.
        assert_eq!(next("cron(30 2 * * ? *)", "America/New_York", "2026-03-08T05:00:00Z"), "2026-03-08T07:30:00Z");
        assert_eq!(next("cron(30 1 * * ? *)", "America/New_York", "2026-11-01T04:00:00Z"), "2026-11-01T05:30:00Z");
        assert_eq!(next("cron(30 1 * * ? *)", "America/New_York", "2026-11-01T05:30:00Z"), "2026-11-02T06:30:00Z");
    }

    #[test]
    fn a_year_that_is_over() {
        assert_eq!(next("cron(0 0 1 1 ? 2020)", "UTC", "2026-01-01T00:00:00Z"), "never");
    }

    #[test]
    fn what_is_not_understood() {
        for expression in
            ["every minute", "rate(0 minutes)", "rate(1 week)", "cron(0 0 * * *)", "cron(0 0 1 * 1 *)", "cron(60 0 * * ? *)"]
        {
            assert!(next_after(expression, "UTC", Timestamp::UNIX_EPOCH).is_err(), "{expression}");
        }
        assert!(next_after("cron(0 0 * * ? *)", "Mars/Olympus", Timestamp::UNIX_EPOCH).is_err());
    }
}
