//! The hours of a week.

use std::fmt;

use jiff::civil::{Time, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A minute of the day, `00:00` to `24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(transparent, inline)]
pub struct Minute(#[schemars(with = "String", regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"))] u16);

impl Minute {
    pub const MIDNIGHT: Self = Self(0);

    #[must_use]
    pub const fn new(hour: u16, minute: u16) -> Self {
        Self(hour * 60 + minute)
    }

    /// The minute after it; midnight stays.
    #[must_use]
    pub fn next(self) -> Self {
        Self((self.0 + 1).min(24 * 60))
    }

    /// `None` at 24:00, which is the next day's midnight.
    pub(super) fn time(self) -> Option<Time> {
        Time::new(i8::try_from(self.0 / 60).ok()?, i8::try_from(self.0 % 60).ok()?, 0, 0).ok()
    }

    fn read(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |digits: &str| {
            (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
        };
        let (hour, minute): (u16, u16) = (number(hour)?, number(minute)?);
        (minute < 60 && (hour < 24 || (hour, minute) == (24, 0))).then_some(Self::new(hour, minute))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for Minute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Minute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| D::Error::custom("not a time of day such as 08:30"))
    }
}

/// From a time until just before another, on one day. What goes past midnight is one until 24:00 and the next day's from 00:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    pub from: Minute,
    pub to: Minute,
}

/// Intervals of each day; a day without any is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Week {
    #[schemars(length(max = 12))]
    pub monday: Vec<Interval>,
    #[schemars(length(max = 12))]
    pub tuesday: Vec<Interval>,
    #[schemars(length(max = 12))]
    pub wednesday: Vec<Interval>,
    #[schemars(length(max = 12))]
    pub thursday: Vec<Interval>,
    #[schemars(length(max = 12))]
    pub friday: Vec<Interval>,
    #[schemars(length(max = 12))]
    pub saturday: Vec<Interval>,
    #[schemars(length(max = 12))]
    pub sunday: Vec<Interval>,
}

/// Intervals that a day may have.
const MOST_INTERVALS: usize = 12;

/// What is wrong with an interval, or with the number of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Inverted,
    Overlapping,
    TooMany,
}

impl Week {
    /// Monday to Friday, 08:00–12:00 and 13:30–18:00: what most work. Who has said nothing is always open, not this.
    #[must_use]
    pub fn usual() -> Self {
        let day = || {
            vec![
                Interval { from: Minute::new(8, 0), to: Minute::new(12, 0) },
                Interval { from: Minute::new(13, 30), to: Minute::new(18, 0) },
            ]
        };
        Self { monday: day(), tuesday: day(), wednesday: day(), thursday: day(), friday: day(), ..Self::default() }
    }

    /// Around the clock.
    #[must_use]
    pub fn always() -> Self {
        let day = || vec![Interval { from: Minute::MIDNIGHT, to: Minute::new(24, 0) }];
        Self { monday: day(), tuesday: day(), wednesday: day(), thursday: day(), friday: day(), saturday: day(), sunday: day() }
    }

    /// Each day with its name.
    #[must_use]
    pub fn days(&self) -> [(&'static str, &[Interval]); 7] {
        [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ]
    }

    pub(super) fn on(&self, weekday: Weekday) -> &[Interval] {
        self.days()[usize::try_from(weekday.to_monday_zero_offset()).unwrap_or_default()].1
    }

    /// With the intervals of each day in order.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        let days = [
            &mut self.monday,
            &mut self.tuesday,
            &mut self.wednesday,
            &mut self.thursday,
            &mut self.friday,
            &mut self.saturday,
            &mut self.sunday,
        ];
        for day in days {
            day.sort_by_key(|interval| (interval.from, interval.to));
        }
        self
    }

    /// What is wrong, by day and by the interval's place in it as it was given.
    #[must_use]
    pub fn flaws(&self) -> Vec<(&'static str, usize, Flaw)> {
        let of_day = |(name, intervals): (&'static str, &[Interval])| {
            let mut in_order: Vec<_> = intervals.iter().enumerate().collect();
            in_order.sort_by_key(|(_, interval)| (interval.from, interval.to));
            let inverted = intervals.iter().enumerate().filter(|(_, interval)| interval.from >= interval.to);
            let inverted = inverted.map(|(place, _)| (name, place, Flaw::Inverted));
            let overlapping = in_order.windows(2).filter(|pair| pair[0].1.to > pair[1].1.from);
            let overlapping = overlapping.map(|pair| (name, pair[1].0, Flaw::Overlapping));
            let too_many = (intervals.len() > MOST_INTERVALS).then_some((name, MOST_INTERVALS, Flaw::TooMany));
            too_many.into_iter().chain(inverted).chain(overlapping).collect::<Vec<_>>()
        };
        self.days().into_iter().flat_map(of_day).collect()
    }
}
