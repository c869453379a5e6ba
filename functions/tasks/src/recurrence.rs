//! When a task that comes again is due the next time.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use shared::closed_set;

closed_set! {
    /// At the same time of the day, where its time zone is.
    pub Recurrence { Daily = "daily", Weekly = "weekly", Monthly = "monthly" }
}

impl Recurrence {
    /// Days that lie between two times at most.
    const fn days(self) -> i64 {
        match self {
            Self::Daily => 1,
            Self::Weekly => 7,
            Self::Monthly => 31,
        }
    }
}

/// The next time of a series that began at `first`, and which it is: the first one after `occurrence` that is later than `now`. What was done late is
/// not due again for all that was missed meanwhile. Counted from the beginning: a month after the 31st of January it is the 28th of February, and
/// after that the 31st of March. `None` at the end of time.
#[must_use]
pub fn next_time(
    recurrence: Recurrence,
    first: Timestamp,
    time_zone: &TimeZone,
    occurrence: i32,
    now: Timestamp,
) -> Option<(i32, Timestamp)> {
    let begin = time_zone.to_datetime(first);
    let at = |number: i32| {
        let later = match recurrence {
            Recurrence::Daily => begin.checked_add(number.days()),
            Recurrence::Weekly => begin.checked_add(number.weeks()),
            Recurrence::Monthly => begin.checked_add(number.months()),
        };
        time_zone.to_timestamp(later.ok()?).ok()
    };
    // So many have gone by at least.
    let gone = now.duration_since(first).as_hours() / 24 / recurrence.days() - 1;
    let from = i32::try_from(gone).unwrap_or(0).max(occurrence.checked_add(1)?);
    (from..=from.checked_add(5 + from / 20)?).map_while(|number| Some((number, at(number)?))).find(|(_, at)| *at > now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("America/Sao_Paulo").unwrap()
    }

    fn next(recurrence: Recurrence, first: &str, occurrence: i32, now: &str) -> (i32, String) {
        let (number, at) = next_time(recurrence, first.parse().unwrap(), &zone(), occurrence, now.parse().unwrap()).unwrap();
        (number, zone().to_datetime(at).to_string())
    }

    #[test]
    fn months_are_counted_from_the_first_one() {
        let first = "2026-01-31T12:00:00Z";
        assert_eq!(next(Recurrence::Monthly, first, 0, "2026-01-30T12:00:00Z"), (1, "2026-02-28T09:00:00".to_owned()));
        assert_eq!(next(Recurrence::Monthly, first, 1, "2026-02-28T11:00:00Z"), (2, "2026-03-31T09:00:00".to_owned()));
        assert_eq!(next(Recurrence::Monthly, first, 2, "2026-03-31T12:00:00Z"), (3, "2026-04-30T09:00:00".to_owned()));
    }

    #[test]
    fn what_was_missed_is_not_due_again() {
        let first = "2026-11-02T12:00:00Z";
        assert_eq!(next(Recurrence::Weekly, first, 0, "2026-11-02T13:00:00Z"), (1, "2026-11-09T09:00:00".to_owned()));
        assert_eq!(next(Recurrence::Weekly, first, 0, "2026-11-24T13:00:00Z"), (4, "2026-11-30T09:00:00".to_owned()));
        assert_eq!(next(Recurrence::Daily, first, 3, "2026-11-30T12:00:00Z"), (29, "2026-12-01T09:00:00".to_owned()));
        // Not the time that is just now.
        assert_eq!(next(Recurrence::Daily, first, 0, "2026-11-30T11:59:59Z"), (28, "2026-11-30T09:00:00".to_owned()));
    }

    #[test]
    fn the_time_of_the_day_stays_when_clocks_change() {
        let lisbon = TimeZone::get("Europe/Lisbon").unwrap();
        let first = "2026-10-24T08:00:00Z".parse().unwrap();
        let (_, at) = next_time(Recurrence::Daily, first, &lisbon, 0, first).unwrap();
        assert_eq!(at.to_string(), "2026-10-25T09:00:00Z");
    }

    proptest! {
        #[test]
        fn it_is_the_first_one_that_is_to_come(which in 0_usize..3, occurrence in 0..500, late in 0_i64..40_000_000, from in 0_i64..3_000_000_000) {
            let recurrence = [Recurrence::Daily, Recurrence::Weekly, Recurrence::Monthly][which];
            let first = Timestamp::from_second(from).unwrap();
            let due = next_time(recurrence, first, &zone(), occurrence - 1, Timestamp::MIN).unwrap();
            prop_assert_eq!(due.0, occurrence);
            let now = Timestamp::from_second(due.1.as_second() + late).unwrap();
            let (number, at) = next_time(recurrence, first, &zone(), occurrence, now).unwrap();
            prop_assert!(at > now && number > occurrence);
            let before = next_time(recurrence, first, &zone(), number - 2, Timestamp::MIN).unwrap().1;
            prop_assert!(before <= now);
        }
    }
}
