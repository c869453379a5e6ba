//! Opening hours of a flow: several intervals a day in a time zone, and dates on which it is closed.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// When people are there to answer. Without any, they always are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// IANA name.
    pub time_zone: String,
    /// `mon` … `sun`: intervals such as `["08:00", "12:00"]`; the end is not included. A missing day is closed.
    #[serde(default)]
    pub weekly: BTreeMap<Day, Vec<(civil::Time, civil::Time)>>,
    #[serde(default)]
    pub closed_on: Vec<civil::Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<civil::Weekday> for Day {
    fn from(day: civil::Weekday) -> Self {
        match day {
            civil::Weekday::Monday => Self::Mon,
            civil::Weekday::Tuesday => Self::Tue,
            civil::Weekday::Wednesday => Self::Wed,
            civil::Weekday::Thursday => Self::Thu,
            civil::Weekday::Friday => Self::Fri,
            civil::Weekday::Saturday => Self::Sat,
            civil::Weekday::Sunday => Self::Sun,
        }
    }
}

impl Hours {
    /// Whether it is open at this instant. A time zone nobody knows is read as UTC.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let zone = TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC);
        let local = at.to_zoned(zone);
        if self.closed_on.contains(&local.date()) {
            return false;
        }
        let intervals = self.weekly.get(&Day::from(local.weekday()));
        intervals.into_iter().flatten().any(|(from, to)| (*from..*to).contains(&local.time()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours() -> Hours {
        serde_json::from_value(serde_json::json!({
            "time_zone": "America/Sao_Paulo",
            "weekly": {"mon": [["08:00", "12:00"], ["13:30", "18:00"]]},
            "closed_on": ["2026-12-28"],
        }))
        .unwrap()
    }

    fn is_open(local: &str) -> bool {
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let at = local.parse::<civil::DateTime>().unwrap().to_zoned(zone).unwrap().timestamp();
        hours().is_open(at)
    }

    #[test]
    fn several_intervals_a_day_and_none_on_others() {
        assert!(is_open("2026-11-23T08:00"));
        assert!(!is_open("2026-11-23T12:00"));
        assert!(!is_open("2026-11-23T13:00"));
        assert!(is_open("2026-11-23T17:59"));
        assert!(!is_open("2026-11-24T09:00"));
    }

    #[test]
    fn closed_dates_win() {
        assert!(!is_open("2026-12-28T09:00"));
    }
}
