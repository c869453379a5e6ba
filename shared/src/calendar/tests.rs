use jiff::{SignedDuration, ToSpan, civil::date};
use proptest::prelude::*;

use super::*;

fn usual() -> Calendar {
    let zone = TimeZone::get("America/Sao_Paulo").unwrap();
    Calendar { zone, week: Week::usual(), keeps_national: true, keeps_optional: true, custom: Vec::new() }
}

fn at(local: &str) -> Timestamp {
    usual().zone.to_timestamp(local.parse().unwrap()).unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

#[test]
fn business_time_is_added_across_nights_weekends_and_holidays() {
    for (from, count, to) in [
        ("2026-11-27T17:30", 60, "2026-11-30T08:30"),
        ("2026-11-27T11:30", 60, "2026-11-27T14:00"),
        ("2026-11-19T17:00", 120, "2026-11-23T09:00"),
        ("2026-12-24T17:30", 60, "2026-12-28T08:30"),
        // Four fifths, and all, of the first answer's half hour.
        ("2026-11-27T17:50", 24, "2026-11-30T08:14"),
        ("2026-11-27T17:50", 30, "2026-11-30T08:20"),
        // The last minute of a day is that day's.
        ("2026-11-27T17:30", 30, "2026-11-27T18:00"),
        ("2026-11-28T10:00", 1, "2026-11-30T08:01"),
        // Carnaval, and Ash Wednesday from 14:00.
        ("2026-02-13T17:00", 120, "2026-02-18T15:00"),
        ("2026-02-13T17:00", 0, "2026-02-13T17:00"),
    ] {
        assert_eq!(usual().add_business_time(at(from), minutes(count)), Ok(at(to)), "{from} + {count}");
    }
}

#[test]
fn business_time_between_two_instants() {
    for (from, to, count) in [
        ("2026-11-19T11:00", "2026-11-23T09:00", 390),
        ("2026-11-23T09:00", "2026-11-19T11:00", 0),
        ("2026-11-23T12:00", "2026-11-23T13:30", 0),
        ("2026-11-23T00:00", "2026-11-23T23:59", 510),
        ("2026-11-21T00:00", "2026-11-22T23:59", 0),
    ] {
        assert_eq!(usual().business_time_between(at(from), at(to)), minutes(count), "{from} – {to}");
    }
}

#[test]
fn intervals_are_half_open() {
    for (local, is_open) in [
        ("2026-11-23T07:59:59", false),
        ("2026-11-23T08:00", true),
        ("2026-11-23T11:59:59.999", true),
        ("2026-11-23T12:00", false),
        ("2026-11-23T17:59:59", true),
        ("2026-11-23T18:00", false),
        ("2026-11-21T09:00", false),
        ("2026-11-20T09:00", false),
        ("2026-12-24T09:00", true),
        ("2026-12-25T09:00", false),
        ("2026-02-18T13:59", false),
        ("2026-02-18T14:00", true),
    ] {
        assert_eq!(usual().is_open_at(at(local)), is_open, "{local}");
    }
    assert_eq!(usual().next_open_at(at("2026-11-23T12:00")), Ok(at("2026-11-23T13:30")));
    assert_eq!(usual().next_open_at(at("2026-11-23T09:10")), Ok(at("2026-11-23T09:10")));
    assert_eq!(usual().next_open_at(at("2026-11-27T18:00")), Ok(at("2026-11-30T08:00")));
}

#[test]
fn what_a_company_adds_and_leaves_out() {
    let yearly = Custom { date: date(2024, 7, 9), name: "Revolução Constitucionalista".into(), yearly: true };
    let once = Custom { date: date(2026, 11, 23), name: "Mudança".into(), yearly: false };
    let calendar = Calendar { keeps_optional: false, custom: vec![yearly, once], ..usual() };
    for (local, is_open) in [
        ("2026-07-09T09:00", false),
        ("2024-07-09T09:00", false),
        ("2023-07-10T09:00", true),
        ("2026-11-23T09:00", false),
        ("2027-11-23T09:00", true),
        ("2026-02-17T09:00", true),
    ] {
        assert_eq!(calendar.is_open_at(at(local)), is_open, "{local}");
    }
    assert_eq!(calendar.holiday(date(2026, 7, 9)).map(|day| day.name).as_deref(), Some("Revolução Constitucionalista"));
}

#[test]
fn a_night_shift_goes_past_midnight() {
    let [evening, night] = [("22:00", "24:00"), ("00:00", "06:00")]
        .map(|(from, to)| serde_json::from_value::<Interval>(serde_json::json!({"from": from, "to": to})).unwrap());
    let week = Week { monday: vec![evening], tuesday: vec![night], ..Week::default() };
    let calendar = Calendar { week, ..usual() };
    assert!(calendar.is_open_at(at("2026-11-23T23:59:59")) && calendar.is_open_at(at("2026-11-24T00:00")));
    assert_eq!(calendar.add_business_time(at("2026-11-23T23:00"), minutes(120)), Ok(at("2026-11-24T01:00")));
    assert_eq!(calendar.business_time_between(at("2026-11-23T12:00"), at("2026-11-24T12:00")), minutes(480));
}

/// On 4 November 2018 the clocks of São Paulo went from 00:00 to 01:00, on 18 February 2018 from 00:00 back to 23:00.
#[test]
fn days_on_which_the_clocks_change() {
    let all_day = Interval { from: Minute::MIDNIGHT, to: Minute::new(24, 0) };
    let week = Week { saturday: vec![all_day], sunday: vec![all_day], ..Week::default() };
    let calendar = Calendar { week, keeps_optional: false, ..usual() };
    let day = |date: civil::Date| {
        let [from, to] = [date, date.tomorrow().unwrap()].map(|day| calendar.instant(day, Minute::MIDNIGHT).unwrap());
        calendar.business_time_between(from, to).as_hours()
    };
    assert_eq!((day(date(2018, 11, 3)), day(date(2018, 11, 4)), day(date(2018, 2, 17))), (24, 23, 25));
    let of_sunday = |from: (u16, u16), to: (u16, u16)| {
        let interval = Interval { from: Minute::new(from.0, from.1), to: Minute::new(to.0, to.1) };
        Calendar { week: Week { sunday: vec![interval], ..Week::default() }, ..calendar.clone() }
    };
    let never_was = of_sunday((0, 0), (0, 30));
    assert_eq!(never_was.next_open_at(at("2018-11-03T12:00")), Ok(at("2018-11-11T00:00")));
    let half = of_sunday((0, 30), (1, 30));
    assert_eq!(half.open_on(date(2018, 11, 4)), [(at("2018-11-04T01:00"), at("2018-11-04T01:30"))], "by the clock on the wall");
}

#[test]
fn a_pause_while_the_clocks_are_put_forward_is_counted_once() {
    let span = |from: &str, to: &str| serde_json::from_value(serde_json::json!({"from": from, "to": to})).unwrap();
    let sunday: Vec<Interval> = vec![span("00:00", "02:30"), span("03:00", "06:00")];
    let zone = TimeZone::get("America/New_York").unwrap();
    let calendar = Calendar { zone: zone.clone(), week: Week { sunday, ..Week::default() }, ..usual() };
    let [from, to] = ["2026-03-08T00:00", "2026-03-08T12:00"].map(|local| zone.to_timestamp(local.parse().unwrap()).unwrap());
    assert_eq!(calendar.business_time_between(from, to), minutes(300), "00:00–02:00 and 03:00–06:00");
}

#[test]
fn a_year_without_an_open_hour_is_said_to_be_one() {
    let closed = Calendar { week: Week::default(), ..usual() };
    assert_eq!(closed.next_open_at(at("2026-11-23T09:00")), Err(NeverOpen));
    assert_eq!(closed.add_business_time(at("2026-11-23T09:00"), minutes(1)), Err(NeverOpen));
    assert_eq!(closed.business_time_between(at("2000-01-01T09:00"), at("2026-11-23T09:00")), SignedDuration::ZERO);
    assert_eq!(usual().add_business_time(at("2026-11-23T09:00"), SignedDuration::from_hours(100_000)), Err(NeverOpen));
    assert_eq!(usual().add_business_time(Timestamp::MAX, minutes(1)), Err(NeverOpen));
    assert_eq!(usual().add_business_time(at("2026-11-23T09:00"), SignedDuration::MAX), Err(NeverOpen));
}

/// Carnaval's Tuesday, Ash Wednesday, Good Friday, Easter and Corpus Christi, by the table of the Observatório Nacional's rule.
#[test]
fn movable_days_to_2035() {
    let table = [
        (2024, (2, 13), (2, 14), (3, 29), (3, 31), (5, 30)),
        (2025, (3, 4), (3, 5), (4, 18), (4, 20), (6, 19)),
        (2026, (2, 17), (2, 18), (4, 3), (4, 5), (6, 4)),
        (2027, (2, 9), (2, 10), (3, 26), (3, 28), (5, 27)),
        (2028, (2, 29), (3, 1), (4, 14), (4, 16), (6, 15)),
        (2029, (2, 13), (2, 14), (3, 30), (4, 1), (5, 31)),
        (2030, (3, 5), (3, 6), (4, 19), (4, 21), (6, 20)),
        (2031, (2, 25), (2, 26), (4, 11), (4, 13), (6, 12)),
        (2032, (2, 10), (2, 11), (3, 26), (3, 28), (5, 27)),
        (2033, (3, 1), (3, 2), (4, 15), (4, 17), (6, 16)),
        (2034, (2, 21), (2, 22), (4, 7), (4, 9), (6, 8)),
        (2035, (2, 6), (2, 7), (3, 23), (3, 25), (5, 24)),
    ];
    for (year, carnaval, ashes, good_friday, sunday, corpus) in table {
        let is = |day: (i8, i8)| date(year, day.0, day.1);
        let optional: Vec<civil::Date> = optional(year).iter().map(|day| day.date).collect();
        assert_eq!(optional, [is(carnaval).yesterday().unwrap(), is(carnaval), is(ashes), is(corpus)], "{year}");
        assert_eq!(easter(year), Some(is(sunday)));
        assert!(national(year).iter().any(|day| day.date == is(good_friday) && day.name == "Sexta-feira Santa"), "{year}");
        assert_eq!(national(year).len(), 10);
    }
    assert_eq!(national(2023).len(), 9, "20 November came in 2024");
}

#[test]
fn times_of_day_are_written_in_one_way() {
    let read = |text: &str| serde_json::from_value::<Minute>(text.into()).ok().map(|minute| minute.to_string());
    for text in ["00:00", "08:30", "23:59", "24:00"] {
        assert_eq!(read(text).as_deref(), Some(text));
    }
    for text in ["", "8:30", "24:01", "25:00", "12:60", "12", "12:3", "+1:00", "12:00:00", "1２:00"] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn flaws_of_a_week_are_named() {
    let span = |from: u16, to: u16| Interval { from: Minute::new(from, 0), to: Minute::new(to, 0) };
    let week = Week {
        monday: vec![span(13, 18), span(8, 12)],
        tuesday: vec![span(12, 18), span(8, 13)],
        friday: vec![span(9, 9)],
        sunday: vec![span(8, 9); 13],
        ..Week::default()
    };
    let flaws = week.flaws();
    assert!(!flaws.iter().any(|(day, ..)| *day == "monday"));
    assert!(
        flaws.contains(&("tuesday", 0, Flaw::Overlapping))
            && flaws.contains(&("friday", 0, Flaw::Inverted))
            && flaws.contains(&("sunday", 12, Flaw::TooMany))
    );
    assert!(Week::usual().flaws().is_empty());
}

fn weeks() -> impl Strategy<Value = Week> {
    let day = proptest::collection::vec((0_u16..48, 1_u16..9), 0..5).prop_map(|spans| {
        let mut end = 0;
        let mut day = Vec::new();
        for (from, length) in spans {
            let (from, to) = (from.max(end), (from.max(end) + length).min(48));
            if from < to {
                day.push(Interval { from: Minute::new(0, from * 30), to: Minute::new(0, to * 30) });
                end = to;
            }
        }
        day
    });
    proptest::collection::vec(day, 7).prop_map(|mut days| {
        let mut next = || days.pop().unwrap_or_default();
        Week {
            monday: next(),
            tuesday: next(),
            wednesday: next(),
            thursday: next(),
            friday: next(),
            saturday: next(),
            sunday: next(),
        }
    })
}

proptest! {
    #[test]
    fn what_is_added_lies_between(week in weeks(), start in 1_500_000_000_i64..1_900_000_000, count in 0_i64..20_000, optional: bool) {
        let calendar = Calendar { week, keeps_optional: optional, ..usual() };
        let from = Timestamp::from_second(start).unwrap();
        if let Ok(to) = calendar.add_business_time(from, minutes(count)) {
            prop_assert!(to >= from);
            prop_assert_eq!(calendar.business_time_between(from, to), minutes(count));
            // It is the first such instant.
            if count > 0 {
                prop_assert!(calendar.business_time_between(from, to - 1.second()) < minutes(count));
            }
        } else {
            prop_assert!(calendar.week.days().iter().all(|(_, day)| day.is_empty()) || count > 10_000);
        }
    }

    /// Quarter by quarter of an hour, over days on which the clocks of three zones are put forward: open is what the clock on the wall says.
    #[test]
    fn it_is_open_when_the_clock_on_the_wall_says_so(week in weeks(), which in 0_usize..3, skew in 0_i64..96) {
        let (name, start) = [
            ("America/Sao_Paulo", "2018-11-03T12:00:00Z"),
            ("America/New_York", "2026-03-07T18:00:00Z"),
            ("Europe/Lisbon", "2026-03-28T12:00:00Z"),
        ][which];
        let calendar = Calendar { zone: TimeZone::get(name).unwrap(), week, keeps_optional: false, ..usual() };
        let start = start.parse::<Timestamp>().unwrap() + (15 * skew).minutes();
        let mut open = 0;
        for quarter in 0..96 {
            let at = start + (15 * quarter).minutes();
            let local = calendar.zone.to_datetime(at);
            let wall = Minute::new(local.hour().unsigned_abs().into(), local.minute().unsigned_abs().into());
            let says = calendar.week.on(local.weekday()).iter().any(|interval| (interval.from..interval.to).contains(&wall));
            prop_assert_eq!(calendar.is_open_at(at), says, "{}", at);
            open += 15 * i64::from(says);
        }
        prop_assert_eq!(calendar.business_time_between(start, start + 1440.minutes()), minutes(open));
    }

    #[test]
    fn business_time_adds_up(week in weeks(), start in 1_500_000_000_i64..1_600_000_000, one in 0_i64..10_000_000, other in 0_i64..10_000_000) {
        let calendar = Calendar { week, ..usual() };
        let [a, b, c] = [start, start + one, start + one + other].map(|second| Timestamp::from_second(second).unwrap());
        prop_assert_eq!(calendar.business_time_between(a, b) + calendar.business_time_between(b, c), calendar.business_time_between(a, c));
        if calendar.is_open_at(a) {
            prop_assert_eq!(calendar.next_open_at(a), Ok(a));
        } else if let Ok(open) = calendar.next_open_at(a) {
            prop_assert!(calendar.is_open_at(open) && calendar.business_time_between(a, open) == SignedDuration::ZERO);
        }
    }
}
