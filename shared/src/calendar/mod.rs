//! Business time: when a company works, and how long something takes in it. Pure; domain `calendar` keeps the rows.
//!
//! An interval is half open: at 12:00 sharp `08:00–12:00` is closed. Days are those of the calendar's zone; time is counted as it passes, so a
//! day on which the clocks change is an hour longer or shorter.

mod holidays;
mod week;

use jiff::{
    SignedDuration, Timestamp, civil,
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};

use crate::log;

pub use self::{
    holidays::{Custom, Day, easter, national, optional},
    week::{Flaw, Interval, Minute, Week},
};

/// Days looked through without an open hour before there is said to be none: a leap year, and the holidays around it.
const MOST_CLOSED_DAYS: i32 = 400;

/// Business time that can be asked for: ten years of it are a mistake.
const MOST_DAYS: i32 = 3660;

/// There is no open hour within a year, or none as far away as was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeverOpen;

/// When somebody works.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub zone: TimeZone,
    pub week: Week,
    /// Whether the nation's holidays are kept.
    pub keeps_national: bool,
    /// Whether Carnaval, Ash Wednesday until 14:00 and Corpus Christi are kept.
    pub keeps_optional: bool,
    pub custom: Vec<Custom>,
}

/// A calendar as its rows say it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Written {
    pub time_zone: String,
    pub week: Week,
    pub keeps_optional: bool,
    #[serde(default)]
    pub custom: Vec<Custom>,
}

impl Written {
    /// What `app.calendar_of` answered. What cannot be read is a fault of ours, and is told in the log; it is open then, as if nothing had been
    /// said.
    #[must_use]
    pub fn read(answer: serde_json::Value) -> Option<Self> {
        serde_json::from_value(answer).map_err(|error| log::error("calendar cannot be read", &error.to_string())).ok()
    }
}

impl From<Written> for Calendar {
    /// A zone nobody knows any more is read as São Paulo's.
    fn from(written: Written) -> Self {
        let Written { time_zone, week, keeps_optional, custom } = written;
        let zone = TimeZone::get(&time_zone).or_else(|_| TimeZone::get("America/Sao_Paulo")).unwrap_or(TimeZone::UTC);
        Self { zone, week, keeps_national: true, keeps_optional, custom }
    }
}

impl Calendar {
    /// Whether it is open at this instant.
    #[must_use]
    pub fn is_open_at(&self, at: Timestamp) -> bool {
        self.open_on(self.date_of(at)).iter().any(|&(from, to)| (from..to).contains(&at))
    }

    /// This instant if it is open, else the next at which it opens.
    pub fn next_open_at(&self, at: Timestamp) -> Result<Timestamp, NeverOpen> {
        self.spans_from(at, MOST_CLOSED_DAYS).next().map(|(from, _)| from).ok_or(NeverOpen)
    }

    /// The first instant by which this much business time has passed. Nothing or less than that has passed at once.
    pub fn add_business_time(&self, at: Timestamp, time: SignedDuration) -> Result<Timestamp, NeverOpen> {
        if time <= SignedDuration::ZERO {
            return Ok(at);
        }
        let (mut left, mut last_open) = (time, self.date_of(at));
        for (from, to) in self.spans_from(at, MOST_DAYS) {
            // However long is asked for, a year without an open hour is the end.
            if self.date_of(from).duration_since(last_open).as_hours() / 24 > i64::from(MOST_CLOSED_DAYS) {
                return Err(NeverOpen);
            }
            last_open = self.date_of(from);
            let open = to.duration_since(from);
            if left <= open {
                return from.checked_add(left).map_err(|_| NeverOpen);
            }
            left -= open;
        }
        Err(NeverOpen)
    }

    /// How much business time lies between two instants; none where the second is not after the first.
    #[must_use]
    pub fn business_time_between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        if to <= from {
            return SignedDuration::ZERO;
        }
        let days = self.date_of(to).duration_since(self.date_of(from)).as_hours() / 24;
        let spans = self.spans_from(from, i32::try_from(days).unwrap_or(i32::MAX));
        let open = spans.take_while(|&(opens, _)| opens < to).map(|(opens, closes)| closes.min(to).duration_since(opens));
        open.fold(SignedDuration::ZERO, SignedDuration::saturating_add)
    }

    /// The open spans from this instant on, to the end of the day that comes so many days later.
    fn spans_from(&self, at: Timestamp, days: i32) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = self.date_of(at);
        let dates = (0..=days).map_while(move |day| first.checked_add(jiff::Span::new().days(day)).ok());
        dates.flat_map(|date| self.open_on(date)).filter(move |&(_, to)| to > at).map(move |(from, to)| (from.max(at), to))
    }

    /// When it is open on a day, in order.
    #[must_use]
    pub fn open_on(&self, date: civil::Date) -> Vec<(Timestamp, Timestamp)> {
        let opens = match self.holiday(date) {
            Some(day) => match day.until {
                Some(until) => until,
                None => return Vec::new(),
            },
            None => Minute::MIDNIGHT,
        };
        let intervals = self.week.on(date.weekday()).iter().filter(|interval| interval.to > opens);
        let spans = intervals
            .filter_map(|interval| Some((self.instant(date, interval.from.max(opens))?, self.instant(date, interval.to)?)));
        // Clocks put forward may leave nothing of one.
        spans.filter(|(from, to)| from < to).collect()
    }

    /// Why a day is not one as others: what the company says of it, else the nation.
    #[must_use]
    pub fn holiday(&self, date: civil::Date) -> Option<Day> {
        let custom = self.custom.iter().filter(|custom| custom.is_on(date)).map(|custom| Day {
            name: custom.name.clone(),
            date,
            until: None,
        });
        custom
            .chain(national(date.year()).into_iter().filter(|day| self.keeps_national && day.date == date))
            .chain(optional(date.year()).into_iter().filter(|day| self.keeps_optional && day.date == date))
            .next()
    }

    fn date_of(&self, at: Timestamp) -> civil::Date {
        self.zone.to_datetime(at).date()
    }

    /// Of a time that comes twice it is the first; one that the clocks leave out is when they are put forward, so that what is open is always
    /// what the clock on the wall says, and no minute counts twice.
    fn instant(&self, date: civil::Date, minute: Minute) -> Option<Timestamp> {
        let at = match minute.time() {
            Some(time) => date.to_datetime(time),
            None => date.tomorrow().ok()?.to_datetime(civil::Time::midnight()),
        };
        let at = self.zone.to_ambiguous_timestamp(at);
        let is_left_out = matches!(at.offset(), AmbiguousOffset::Gap { .. });
        let instant = at.compatible().ok()?;
        if !is_left_out {
            return Some(instant);
        }
        // Of what lies before an instant, itself is no part.
        let after = instant.checked_add(SignedDuration::from_nanos(1)).ok()?;
        Some(self.zone.preceding(after).next().map_or(instant, |change| change.timestamp()))
    }
}

#[cfg(test)]
mod tests;
