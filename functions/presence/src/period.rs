//! The days that figures are asked of, cut where the company is: a day on which clocks change is an hour longer or shorter.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use shared::{
    closed_set,
    error::{Error, FieldProblem, refuse},
};

/// How many days an answer is about, at most.
pub struct Longest {
    days: i32,
    portuguese: &'static str,
    english: &'static str,
}

pub const A_YEAR: Longest = Longest {
    days: 366,
    portuguese: "Peça no máximo 366 dias, do primeiro ao último.",
    english: "Ask for 366 days at most, from the first to the last.",
};
pub const A_MONTH: Longest = Longest {
    days: 31,
    portuguese: "Peça no máximo 31 dias, do primeiro ao último.",
    english: "Ask for 31 days at most, from the first to the last.",
};

closed_set! {
    /// What is counted together: weeks begin on Monday; `total` is all of it.
    pub Grain { Day = "day", Week = "week", Month = "month", Total = "total" }
}

/// Days, from the first to the last.
#[derive(Clone, Debug)]
pub struct Period {
    pub from: Date,
    pub to: Date,
    zone: TimeZone,
}

/// Days that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub from: Date,
    pub to: Date,
}

impl Period {
    /// Today without a last day; the last day alone without a first one. A zone that nobody knows any more is read as São Paulo's.
    ///
    /// # Errors
    /// 422 when the first day comes after the last, or they are too many.
    pub fn new(time_zone: &str, now: Timestamp, from: Option<Date>, to: Option<Date>, longest: &Longest) -> Result<Self, Error> {
        let zone = zone(time_zone);
        let to = to.unwrap_or_else(|| zone.to_datetime(now).date());
        let from = from.unwrap_or(to);
        let days = from.until(to).map_or(-1, |span| span.get_days());
        let is_known = (2000..2200).contains(&from.year()) && (2000..2200).contains(&to.year());
        let is_right = is_known && (0..longest.days).contains(&days);
        refuse((!is_right).then(|| FieldProblem::new("from", "period", longest.portuguese, longest.english)))?;
        Ok(Self { from, to, zone })
    }

    pub fn days(&self) -> impl Iterator<Item = Date> {
        self.from.series(1.day()).take_while(|day| *day <= self.to)
    }

    /// When each day begins, and when the last one ends.
    #[must_use]
    pub fn edges(&self) -> Vec<Timestamp> {
        let end = self.to.tomorrow().ok();
        self.days().chain(end).filter_map(|day| self.begin(day)).collect()
    }

    fn begin(&self, day: Date) -> Option<Timestamp> {
        let begin = day.to_zoned(self.zone.clone()).and_then(|midnight| midnight.start_of_day());
        begin.ok().map(|begin| begin.timestamp())
    }

    /// The day that the clock on the wall shows.
    #[must_use]
    pub fn date_of(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// What is counted together, in order, and for each day in which of them it is, from 1.
    #[must_use]
    pub fn buckets(&self, by: Grain) -> (Vec<Bucket>, Vec<i32>) {
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut numbers = Vec::new();
        for day in self.days() {
            let begins = match by {
                Grain::Day => true,
                Grain::Week => day.weekday() == Weekday::Monday,
                Grain::Month => day.day() == 1,
                Grain::Total => false,
            };
            match buckets.last_mut().filter(|_| !begins) {
                Some(bucket) => bucket.to = day,
                None => buckets.push(Bucket { from: day, to: day }),
            }
            numbers.push(i32::try_from(buckets.len()).unwrap_or(i32::MAX));
        }
        (buckets, numbers)
    }

    #[must_use]
    pub fn local(&self, at: Timestamp) -> jiff::civil::DateTime {
        self.zone.to_datetime(at)
    }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).or_else(|_| TimeZone::get("America/Sao_Paulo")).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn period(zone: &str, from: Date, to: Date) -> Period {
        Period::new(zone, Timestamp::UNIX_EPOCH, Some(from), Some(to), &A_YEAR).unwrap()
    }

    #[test]
    fn a_day_has_as_many_hours_as_the_clock_says() {
        let hours = |zone, day| {
            let edges = period(zone, day, day).edges();
            edges[1].duration_since(edges[0]).as_hours()
        };
        assert_eq!(hours("America/Sao_Paulo", date(2026, 11, 29)), 24);
        // The clock goes from 23:59 to 01:00, and from 23:59 to 23:00.
        assert_eq!(hours("America/Sao_Paulo", date(2018, 11, 4)), 23);
        assert_eq!(hours("America/Sao_Paulo", date(2018, 2, 17)), 25);
        assert_eq!(hours("America/New_York", date(2026, 3, 8)), 23);
        assert_eq!(hours("Europe/Lisbon", date(2026, 10, 25)), 25);
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let asked = period("America/Sao_Paulo", date(2026, 10, 30), date(2026, 11, 3));
        let spans = |by| asked.buckets(by).0.iter().map(|bucket| (bucket.from.day(), bucket.to.day())).collect::<Vec<_>>();
        assert_eq!(spans(Grain::Week), [(30, 1), (2, 3)]);
        assert_eq!(spans(Grain::Month), [(30, 31), (1, 3)]);
        assert_eq!(spans(Grain::Total), [(30, 3)]);
        assert_eq!(asked.buckets(Grain::Day).1, [1, 2, 3, 4, 5]);
        assert_eq!(asked.buckets(Grain::Week).1, [1, 1, 1, 2, 2]);
    }

    #[test]
    fn what_is_no_period_is_refused() {
        let now: Timestamp = "2026-11-30T01:00:00Z".parse().unwrap();
        let asked = |from, to| Period::new("America/Sao_Paulo", now, from, to, &A_YEAR);
        let day = |year, month, day| Some(date(year, month, day));
        assert!(asked(day(2026, 1, 1), day(2027, 1, 1)).is_ok());
        for (from, to) in [
            (day(2026, 1, 2), day(2026, 1, 1)),
            (day(2026, 1, 1), day(2027, 1, 2)),
            (day(-9999, 1, 1), day(-9999, 1, 1)),
            (day(9999, 12, 31), day(9999, 12, 31)),
            (day(-9999, 1, 1), day(9999, 12, 31)),
        ] {
            assert!(asked(from, to).is_err(), "{from:?} {to:?}");
        }
        // Where the company is, it is still the 29th.
        assert_eq!(asked(None, None).unwrap().from, date(2026, 11, 29));
        assert_eq!(Period::new("Mars/Olympus", now, None, None, &A_YEAR).unwrap().from, date(2026, 11, 29));
    }

    proptest! {
        /// Second by second around the change of clocks, in three zones: each belongs to the day that the clock on the wall shows.
        #[test]
        fn a_second_is_of_the_day_on_the_wall(which in 0_usize..6, offset in -200_000_i64..200_000) {
            let (zone, change) = [
                ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
                ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
                ("America/New_York", "2026-03-08T07:00:00Z"),
                ("America/New_York", "2026-11-01T06:00:00Z"),
                ("Europe/Lisbon", "2026-03-29T01:00:00Z"),
                ("America/Havana", "2026-11-01T05:00:00Z"),
            ][which];
            let at = change.parse::<Timestamp>().unwrap() + offset.seconds();
            let today = TimeZone::get(zone).unwrap().to_datetime(at).date();
            let asked = period(zone, today - 3.days(), today + 3.days());
            let edges = asked.edges();
            let day = edges.iter().filter(|edge| **edge <= at).count();
            prop_assert_eq!(asked.days().nth(day - 1), Some(today));
        }
    }
}
