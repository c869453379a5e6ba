//! The table of dates, to the minute, and what holds whatever the hours.

use jiff::{ToSpan, civil::date};
use proptest::prelude::*;

use super::*;

fn usual() -> Hours {
    Hours {
        window_start: Minute::new(9, 0),
        window_end: Minute::new(18, 0),
        weekdays: DayOfWeek::ALL.to_vec(),
        pause_weekends: true,
        pause_holidays: true,
    }
}

fn all_kept() -> Holidays {
    Holidays { keeps_optional: true, custom: Vec::new() }
}

fn zone() -> TimeZone {
    TimeZone::get("America/Sao_Paulo").unwrap()
}

fn at(local: &str) -> Timestamp {
    zone().to_timestamp(local.parse().unwrap()).unwrap()
}

fn runs(hours: &Hours, holidays: &Holidays, due: &str) -> Timestamp {
    hours.next_run(&zone(), holidays, at(due)).unwrap()
}

#[test]
fn both_ends_of_the_window_count_to_the_minute() {
    for (due, expected) in [
        ("2026-11-23T09:00:00", "2026-11-23T09:00:00"),
        ("2026-11-23T18:00:59", "2026-11-23T18:00:59"),
        ("2026-11-23T08:59:59", "2026-11-23T09:00:00"),
        ("2026-11-23T18:01:00", "2026-11-24T09:00:00"),
    ] {
        assert_eq!(runs(&usual(), &all_kept(), due), at(expected), "{due}");
    }
    let to_midnight = Hours { window_end: Minute::new(23, 59), ..usual() };
    assert_eq!(runs(&to_midnight, &all_kept(), "2026-11-23T23:59:59"), at("2026-11-23T23:59:59"));
}

#[test]
fn weekends_holidays_and_the_turn_of_the_year_are_gone_round() {
    for (due, expected) in [
        // The Friday is Consciência Negra.
        ("2026-11-19T18:00", "2026-11-19T18:00"),
        ("2026-11-19T18:01", "2026-11-23T09:00"),
        ("2026-11-20T10:00", "2026-11-23T09:00"),
        // Good Friday.
        ("2026-04-02T18:01", "2026-04-06T09:00"),
        ("2026-12-31T18:01", "2027-01-04T09:00"),
        // Carnaval, and Ash Wednesday until two.
        ("2027-02-05T18:30", "2027-02-10T14:00"),
    ] {
        assert_eq!(runs(&usual(), &all_kept(), due), at(expected), "{due}");
    }
    let working = Holidays { keeps_optional: false, ..all_kept() };
    assert_eq!(runs(&usual(), &working, "2027-02-05T18:30"), at("2027-02-08T09:00"));
    let never_pauses = Hours { pause_weekends: false, pause_holidays: false, ..usual() };
    assert_eq!(runs(&never_pauses, &all_kept(), "2026-11-20T10:00"), at("2026-11-20T10:00"));
    assert_eq!(runs(&never_pauses, &all_kept(), "2026-11-20T18:01"), at("2026-11-21T09:00"), "a Saturday");
}

#[test]
fn what_the_company_adds_is_kept_too() {
    let custom = vec![Custom { date: date(2026, 7, 9), name: "Revolução".into(), yearly: true }];
    let holidays = Holidays { custom, ..all_kept() };
    assert_eq!(runs(&usual(), &holidays, "2027-07-09T10:00"), at("2027-07-12T09:00"));
    let working = Hours { pause_holidays: false, ..usual() };
    assert_eq!(runs(&working, &holidays, "2027-07-09T10:00"), at("2027-07-09T10:00"));
}

#[test]
fn a_delay_is_counted_from_the_run_of_the_step_before() {
    let plan = |from: &str, delays: &[i32]| usual().plan(&zone(), &all_kept(), at(from), delays.iter().copied()).unwrap();
    assert_eq!(plan("2026-11-18T10:00", &[2880]), [at("2026-11-23T09:00")]);
    let expected = ["2026-11-18T10:00", "2026-11-19T10:00", "2026-11-23T09:00", "2026-11-24T09:00"].map(at);
    assert_eq!(plan("2026-11-18T10:00", &[0, 1440, 1440, 1440]), expected);
}

#[test]
fn a_window_shorter_than_a_step_goes_to_the_next_day() {
    let short = Hours { window_end: Minute::new(9, 9), ..usual() };
    let plan = short.plan(&zone(), &all_kept(), at("2026-11-23T09:00"), [0, 30, 30]).unwrap();
    assert_eq!(plan, ["2026-11-23T09:00", "2026-11-24T09:00", "2026-11-25T09:00"].map(at));
}

#[test]
fn no_second_day_is_the_same_one() {
    let next = |due: &str| usual().next_day(&zone(), &all_kept(), at(due)).unwrap();
    assert_eq!(next("2026-11-18T10:00"), at("2026-11-19T09:00"));
    assert_eq!(next("2026-11-19T17:59"), at("2026-11-23T09:00"));
}

#[test]
fn hours_that_are_never_open_are_refused() {
    let codes = |hours: &Hours| hours.problems().into_iter().map(|problem| (problem.field, problem.code)).collect::<Vec<_>>();
    assert!(codes(&usual()).is_empty());
    for end in [Minute::new(9, 0), Minute::new(8, 0)] {
        assert_eq!(codes(&Hours { window_end: end, ..usual() }), [("window_end".to_owned(), "inverted".to_owned())]);
    }
    let weekends = Hours { weekdays: vec![DayOfWeek::Saturday, DayOfWeek::Sunday], ..usual() };
    assert_eq!(codes(&weekends), [("weekdays".to_owned(), "never_open".to_owned())]);
    assert_eq!(weekends.next_run(&zone(), &all_kept(), at("2026-11-18T10:00")), Err(NeverOpen));
    assert!(codes(&Hours { pause_weekends: false, ..weekends }).is_empty());
}

#[test]
fn a_year_whose_every_day_is_a_holiday_has_no_run() {
    let first = date(2026, 1, 1);
    let day = |day: i32| Custom { date: first + day.days(), name: "Férias".into(), yearly: true };
    let closed = Holidays { keeps_optional: true, custom: (0..366).map(day).collect() };
    assert_eq!(usual().next_run(&zone(), &closed, at("2027-03-01T10:00")), Err(NeverOpen));
    assert_eq!(usual().plan(&zone(), &closed, at("2027-03-01T10:00"), [0]), Err(NeverOpen));
}

#[test]
fn a_zone_nobody_knows_is_the_companys() {
    let name = |lead: Option<&str>| {
        let (zone, is_own) = zone_of(lead, "America/Manaus");
        (zone.iana_name().map(str::to_owned), is_own)
    };
    assert_eq!(name(Some("America/Rio_Branco")), (Some("America/Rio_Branco".into()), true));
    for lead in [None, Some(""), Some("Marte/Olympus"), Some("../etc/passwd")] {
        assert_eq!(name(lead), (Some("America/Manaus".into()), false), "{lead:?}");
    }
    assert_eq!(zone_of(None, "nowhere").0.iana_name(), Some("America/Sao_Paulo"));
}

#[test]
fn the_window_is_the_leads_own() {
    let acre = TimeZone::get("America/Rio_Branco").unwrap();
    // 08:30 there is 10:30 in São Paulo.
    assert_eq!(usual().next_run(&acre, &all_kept(), at("2026-11-23T10:30")), Ok(at("2026-11-23T11:00")));
}

proptest! {
    /// Nothing runs before it is due, outside of the window, or later than it must; and what may run, runs at once.
    #[test]
    fn a_run_is_the_first_minute_that_is_open(
        due in 1_600_000_000_i64..1_900_000_000,
        start in 0_u16..1439,
        length in 1_u16..1439,
        days in proptest::sample::subsequence(DayOfWeek::ALL.to_vec(), 1..=7),
        pause_weekends: bool,
        pause_holidays: bool,
        keeps_optional: bool,
    ) {
        let (window_start, window_end) = (Minute::new(0, start), Minute::new(0, (start + length).min(1439)));
        prop_assume!(window_start < window_end);
        let hours = Hours { window_start, window_end, weekdays: days, pause_weekends, pause_holidays };
        let holidays = Holidays { keeps_optional, custom: Vec::new() };
        let due = Timestamp::from_second(due).unwrap();
        match hours.next_run(&zone(), &holidays, due) {
            Ok(run) => {
                prop_assert!(run >= due);
                prop_assert_eq!(hours.next_run(&zone(), &holidays, run), Ok(run), "it is open then");
                let local = zone().to_datetime(run);
                let minute = Minute::new(local.hour().unsigned_abs().into(), local.minute().unsigned_abs().into());
                prop_assert!((window_start..=window_end).contains(&minute));
                if run > due {
                    let before = run.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
                    prop_assert_eq!(hours.next_run(&zone(), &holidays, before), Ok(run), "it was closed until then");
                }
            }
            Err(NeverOpen) => prop_assert!(!hours.problems().is_empty()),
        }
    }

    #[test]
    fn steps_come_in_their_order(due in 1_600_000_000_i64..1_900_000_000, delays in proptest::collection::vec(0_i32..20_000, 1..8)) {
        let from = Timestamp::from_second(due).unwrap();
        let plan = usual().plan(&zone(), &all_kept(), from, delays.iter().copied()).unwrap();
        prop_assert!(plan.is_sorted());
        let waits = std::iter::once(from).chain(plan.iter().copied()).zip(&plan).zip(&delays);
        for ((before, run), delay) in waits {
            prop_assert!(run.duration_since(before) >= jiff::SignedDuration::from_mins((*delay).into()));
        }
    }
}
