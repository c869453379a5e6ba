//! Who may be about to give up.

use shared::{closed_set, percent::Percent};

use crate::{growth::Growth, growth::Revenues, month::Month};

/// From here on downwards satisfaction is low.
pub const LOW_OVERALL: i16 = 5;

/// Below this, engagement is too low.
const LEAST_ENGAGEMENT: i64 = 40;

/// Revenue that falls so much, or more, twice running.
const FALL: Percent = Percent(-200);

closed_set! {
    /// Why a mentee is at risk: engagement below 40, two closed months of which nothing is told, a last overall of 5 or less, revenue that
    /// has fallen by 20 % or more twice running.
    pub Risk {
        LowEngagement = "low_engagement",
        MissingUpdates = "missing_updates",
        LowSatisfaction = "low_satisfaction",
        FallingRevenue = "falling_revenue",
    }
}

/// What is known of a mentee.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub entry: Month,
    pub current: Month,
    pub revenues: &'a Revenues,
    pub engagement: Option<i64>,
    pub last_overall: Option<i16>,
}

/// Every reason there is.
#[must_use]
pub fn risks(known: &Known<'_>) -> Vec<Risk> {
    let Known { entry, current, revenues, engagement, last_overall } = *known;
    let closed = [current.plus(-1), current.plus(-2)];
    let is_silent = closed.iter().all(|month| *month >= entry && !revenues.contains_key(month));
    let has_fallen = |month: Month| Growth::of(revenues, month, entry).month.is_some_and(|growth| growth <= FALL);
    let last = revenues.keys().next_back();
    [
        (Risk::LowEngagement, engagement.is_some_and(|score| score < LEAST_ENGAGEMENT)),
        (Risk::MissingUpdates, is_silent),
        (Risk::LowSatisfaction, last_overall.is_some_and(|overall| overall <= LOW_OVERALL)),
        (Risk::FallingRevenue, last.is_some_and(|last| has_fallen(*last) && has_fallen(last.plus(-1)))),
    ]
    .into_iter()
    .filter_map(|(risk, holds)| holds.then_some(risk))
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use shared::money::Money;

    fn of(revenues: &[(i32, u64)], engagement: Option<i64>, last_overall: Option<i16>) -> Vec<Risk> {
        let revenues: Revenues = revenues.iter().map(|(month, cents)| (Month::new(2026, *month), Money::cents(*cents))).collect();
        let (entry, current) = (Month::new(2026, 1), Month::new(2026, 6));
        risks(&Known { entry, current, revenues: &revenues, engagement, last_overall })
    }

    const STEADY: &[(i32, u64)] = &[(4, 100), (5, 100)];

    #[test]
    fn each_reason_begins_where_it_is_said_to() {
        assert_eq!(of(STEADY, Some(40), Some(6)), []);
        assert_eq!(of(STEADY, None, None), []);
        assert_eq!(of(STEADY, Some(39), None), [Risk::LowEngagement]);
        assert_eq!(of(STEADY, None, Some(5)), [Risk::LowSatisfaction]);
        assert_eq!(of(STEADY, None, Some(0)), [Risk::LowSatisfaction]);
        assert_eq!(of(&[(3, 100)], None, None), [Risk::MissingUpdates]);
        assert_eq!(of(&[(5, 100)], None, None), []);
        // What is told of the month that is not over is no update of one that is.
        assert_eq!(of(&[(6, 100)], None, None), [Risk::MissingUpdates]);
    }

    #[test]
    fn revenue_falls_twice_running() {
        assert_eq!(of(&[(3, 1000), (4, 800), (5, 640)], None, None), [Risk::FallingRevenue]);
        assert_eq!(of(&[(3, 1000), (4, 801), (5, 640)], None, None), []);
        assert_eq!(of(&[(3, 1000), (4, 800), (5, 641)], None, None), []);
        assert_eq!(of(&[(2, 1000), (4, 800), (5, 640)], None, None), []);
        assert_eq!(of(&[(2, 1000), (3, 800), (4, 640), (5, 640)], None, None), []);
    }

    #[test]
    fn who_has_only_begun_has_missed_nothing() {
        let revenues = Revenues::new();
        let known =
            |entry| Known { entry, current: Month::new(2026, 6), revenues: &revenues, engagement: None, last_overall: None };
        assert_eq!(risks(&known(Month::new(2026, 4))), [Risk::MissingUpdates]);
        assert_eq!(risks(&known(Month::new(2026, 5))), []);
        assert_eq!(risks(&known(Month::new(2026, 6))), []);
    }

    proptest! {
        #[test]
        fn revenue_that_never_falls_is_no_reason(mut cents in prop::collection::vec(1_u64..1_000_000, 1..6)) {
            cents.sort_unstable();
            let rows: Vec<(i32, u64)> = (1..).zip(cents).collect();
            prop_assert!(!of(&rows, None, None).contains(&Risk::FallingRevenue));
        }
    }
}
