//! When a step may run: hours, weekdays and holidays where the lead is. Pure.

use jiff::tz::TimeZone;
use shared::{
    calendar::{Calendar, Custom, Interval, Minute, NeverOpen, Week},
    closed_set,
    error::FieldProblem,
    prelude::*,
};

closed_set! {
    /// A day of the week.
    pub DayOfWeek {
        Monday = "monday",
        Tuesday = "tuesday",
        Wednesday = "wednesday",
        Thursday = "thursday",
        Friday = "friday",
        Saturday = "saturday",
        Sunday = "sunday",
    }
}

impl DayOfWeek {
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];
}

/// When a sequence writes. Both ends of the window count, to the minute: `09:00`–`18:00` is open until 18:00:59.
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    pub window_start: Minute,
    pub window_end: Minute,
    pub weekdays: Vec<DayOfWeek>,
    pub pause_weekends: bool,
    pub pause_holidays: bool,
}

/// When a window opens and closes where nothing is said.
pub const START: Minute = Minute::new(9, 0);
pub const END: Minute = Minute::new(18, 0);

/// What a company says of its holidays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holidays {
    pub keeps_optional: bool,
    pub custom: Vec<Custom>,
}

impl Hours {
    /// What is wrong with them.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        if self.window_start >= self.window_end {
            let (portuguese, english) = ("O fim vem depois do início.", "The end comes after the start.");
            problems.push(FieldProblem::new("window_end", "inverted", portuguese, english));
        } else if self.week().days().iter().all(|(_, day)| day.is_empty()) {
            let portuguese = "Nenhum dia fica aberto: escolha um dia útil ou não pause os fins de semana.";
            let english = "No day is left open: choose a working day, or do not pause weekends.";
            problems.push(FieldProblem::new("weekdays", "never_open", portuguese, english));
        }
        problems
    }

    /// The first instant from `at` on at which a step may run.
    ///
    /// # Errors
    /// When there is none within a year.
    pub fn next_run(&self, zone: &TimeZone, holidays: &Holidays, at: Timestamp) -> Result<Timestamp, NeverOpen> {
        self.calendar(zone, holidays).next_open_at(at)
    }

    /// The first instant at which a step may run on a later day than that of `at`.
    ///
    /// # Errors
    /// When there is none within a year.
    pub fn next_day(&self, zone: &TimeZone, holidays: &Holidays, at: Timestamp) -> Result<Timestamp, NeverOpen> {
        let tomorrow = zone.to_datetime(at).date().tomorrow().map_err(|_| NeverOpen)?;
        let midnight = tomorrow.to_zoned(zone.clone()).map_err(|_| NeverOpen)?;
        self.next_run(zone, holidays, midnight.timestamp())
    }

    /// When each step runs that comes so many minutes after the run of the one before, the first one after `from`.
    ///
    /// # Errors
    /// When there is no time for one.
    pub fn plan(
        &self,
        zone: &TimeZone,
        holidays: &Holidays,
        from: Timestamp,
        delays: impl IntoIterator<Item = i32>,
    ) -> Result<Vec<Timestamp>, NeverOpen> {
        let mut last = from;
        let next = |delay| {
            last = self.next_run(zone, holidays, later(last, delay)?)?;
            Ok(last)
        };
        delays.into_iter().map(next).collect()
    }

    fn calendar(&self, zone: &TimeZone, holidays: &Holidays) -> Calendar {
        let custom = if self.pause_holidays { holidays.custom.clone() } else { Vec::new() };
        Calendar {
            zone: zone.clone(),
            week: self.week(),
            keeps_national: self.pause_holidays,
            keeps_optional: self.pause_holidays && holidays.keeps_optional,
            custom,
        }
    }

    fn week(&self) -> Week {
        let open = vec![Interval { from: self.window_start, to: self.window_end.next() }];
        let on = |day: DayOfWeek| {
            let is_weekend = matches!(day, DayOfWeek::Saturday | DayOfWeek::Sunday);
            if self.weekdays.contains(&day) && !(self.pause_weekends && is_weekend) { open.clone() } else { Vec::new() }
        };
        Week {
            monday: on(DayOfWeek::Monday),
            tuesday: on(DayOfWeek::Tuesday),
            wednesday: on(DayOfWeek::Wednesday),
            thursday: on(DayOfWeek::Thursday),
            friday: on(DayOfWeek::Friday),
            saturday: on(DayOfWeek::Saturday),
            sunday: on(DayOfWeek::Sunday),
        }
    }
}

/// So many minutes later, as time passes.
///
/// # Errors
/// At the end of time.
pub fn later(at: Timestamp, minutes: i32) -> Result<Timestamp, NeverOpen> {
    at.checked_add(jiff::SignedDuration::from_mins(minutes.into())).map_err(|_| NeverOpen)
}

/// A lead's zone, where it says one that there is, else the company's; whether it is the lead's.
#[must_use]
pub fn zone_of(lead: Option<&str>, company: &str) -> (TimeZone, bool) {
    let own = lead.map(str::trim).filter(|name| shared::known_zone(name, &()).is_ok()).and_then(|name| TimeZone::get(name).ok());
    let is_own = own.is_some();
    let zone = own.or_else(|| TimeZone::get(company).ok()).or_else(|| TimeZone::get("America/Sao_Paulo").ok());
    (zone.unwrap_or(TimeZone::UTC), is_own)
}

#[cfg(test)]
mod tests;
