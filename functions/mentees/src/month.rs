//! Months of the calendar, which is how mentoring counts.

use std::{error::Error, fmt, str::FromStr};

use bytes::BytesMut;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// What a month is written as.
const WRITING: &str = r"^20[0-9]{2}-(0[1-9]|1[0-2])$";

/// A month from 2000 on: months since the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    #[must_use]
    pub fn new(year: i32, month: i32) -> Self {
        Self(year * 12 + month - 1)
    }

    /// The month of a day.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self::new(day.year().into(), day.month().into())
    }

    /// The month that it is in a time zone. A zone that nobody knows any more is read as São Paulo's.
    #[must_use]
    pub fn at(now: Timestamp, time_zone: &str) -> Self {
        Self::of(day_at(now, time_zone))
    }

    /// The month that it is where it is earliest.
    #[must_use]
    pub fn earliest(now: Timestamp) -> Self {
        Self::at(now, "Pacific/Pago_Pago")
    }

    #[must_use]
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// From 1.
    #[must_use]
    pub fn month(self) -> i32 {
        self.0.rem_euclid(12) + 1
    }

    /// So many months later, or before.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// From this one to that one, both among them.
    pub fn to(self, last: Self) -> impl Iterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }

    #[must_use]
    pub fn first_day(self) -> Date {
        let parts = i16::try_from(self.year()).ok().zip(i8::try_from(self.month()).ok());
        parts.and_then(|(year, month)| Date::new(year, month, 1).ok()).unwrap_or(Date::MAX)
    }
}

/// The day that it is in a time zone.
#[must_use]
pub fn day_at(now: Timestamp, time_zone: &str) -> Date {
    let zone = TimeZone::get(time_zone).or_else(|_| TimeZone::get("America/Sao_Paulo")).unwrap_or(TimeZone::UTC);
    zone.to_datetime(now).date()
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year(), self.month())
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = |part: &str| part.parse::<i32>().ok().filter(|_| part.bytes().all(|sign| sign.is_ascii_digit()));
        let parts = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2);
        let (year, month) = parts.and_then(|(year, month)| read(year).zip(read(month))).unwrap_or_default();
        if (2000..2100).contains(&year) && (1..=12).contains(&month) {
            Ok(Self::new(year, month))
        } else {
            Err("invalid value, expected a month as 2026-01".to_owned())
        }
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Month {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": WRITING, "description": "A month of the calendar: `2026-01`."})
    }
}

impl<'row> FromSql<'row> for Month {
    fn from_sql(kind: &Type, raw: &'row [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Date::from_sql(kind, raw).map(Self::of)
    }

    fn accepts(kind: &Type) -> bool {
        <Date as FromSql>::accepts(kind)
    }
}

impl ToSql for Month {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.first_day().to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <Date as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_month_is_that_of_the_place() {
        let at: Timestamp = "2026-12-01T02:30:00Z".parse().unwrap();
        assert_eq!(Month::at(at, "America/Sao_Paulo").to_string(), "2026-11");
        assert_eq!(Month::at(at, "Europe/Lisbon").to_string(), "2026-12");
        assert_eq!(Month::at(at, "Mars/Olympus").to_string(), "2026-11");
    }

    #[test]
    fn what_is_no_month_is_none() {
        for text in ["2026-13", "2026-00", "1999-12", "2100-01", "2026-1", "26-01", "2026-+1", "2026", "", "-", "2026-01-01"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn months_are_counted_across_years(year in 2000..2100, month in 1..=12, more in -300..300) {
            let one = Month::new(year, month);
            prop_assert_eq!((one.year(), one.month()), (year, month));
            prop_assert_eq!(one.to_string().parse::<Month>().unwrap(), one);
            prop_assert_eq!(Month::of(one.first_day()), one);
            prop_assert_eq!(one.plus(more).plus(-more), one);
            prop_assert_eq!(one.plus(12), Month::new(year + 1, month));
            prop_assert_eq!(one.to(one.plus(more)).count(), usize::try_from(more + 1).unwrap_or(0));
        }
    }
}
