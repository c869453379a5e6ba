//! How revenue grows, by months of the calendar: a month without a row, or with nothing, is compared with by nobody.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use shared::{
    money::Money,
    percent::{Percent, rounded},
};

use crate::month::Month;

/// What was told of the months.
pub type Revenues = BTreeMap<Month, Money>;

/// Growth of a month in percent; null where there is nothing to compare with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Growth {
    /// Against the month before.
    pub month: Option<Percent>,
    /// Against three months before.
    pub three_months: Option<Percent>,
    /// Against twelve months before.
    pub twelve_months: Option<Percent>,
    /// Against the month in which the mentoring began.
    pub since_entry: Option<Percent>,
}

impl Growth {
    #[must_use]
    pub fn of(revenues: &Revenues, month: Month, entry: Month) -> Self {
        let Some(now) = revenues.get(&month) else { return Self::default() };
        let against = |then: Month| {
            let (now, then) = (i128::from(now.as_cents()), i128::from(revenues.get(&then)?.as_cents()));
            rounded((now - then) * 1000, then).map(Percent)
        };
        Self {
            month: against(month.plus(-1)),
            three_months: against(month.plus(-3)),
            twelve_months: against(month.plus(-12)),
            since_entry: if month < entry { None } else { against(entry) },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn months(rows: &[(i32, u64)]) -> Revenues {
        rows.iter().map(|(month, revenue)| (Month::new(2026, *month), Money::cents(revenue * 100))).collect()
    }

    fn growth(revenues: &Revenues, month: i32) -> [Option<i64>; 4] {
        let Growth { month: last, three_months, twelve_months, since_entry } =
            Growth::of(revenues, Month::new(2026, month), Month::new(2026, 1));
        [last, three_months, twelve_months, since_entry].map(|percent| percent.map(|percent| percent.0))
    }

    #[test]
    fn the_first_months_of_a_mentee() {
        let told = months(&[(1, 10_000), (2, 12_000), (3, 9_000), (4, 13_500)]);
        assert_eq!(growth(&told, 1), [None, None, None, Some(0)]);
        assert_eq!(growth(&told, 2), [Some(200), None, None, Some(200)]);
        assert_eq!(growth(&told, 3), [Some(-250), None, None, Some(-100)]);
        assert_eq!(growth(&told, 4), [Some(500), Some(350), None, Some(350)]);
    }

    #[test]
    fn a_missing_month_is_not_the_last_row() {
        let told = months(&[(1, 10_000), (2, 12_000), (4, 13_500)]);
        assert_eq!(growth(&told, 4), [None, Some(350), None, Some(350)]);
        assert_eq!(growth(&told, 3), [None; 4]);
        // Nothing is no measure either.
        let told = months(&[(1, 0), (2, 12_000), (4, 0)]);
        assert_eq!(growth(&told, 2), [None; 4]);
        assert_eq!(growth(&told, 4), [None; 4]);
    }

    #[test]
    fn twelve_months_are_the_same_month_a_year_before() {
        let mut told = months(&[(5, 15_000)]);
        told.insert(Month::new(2025, 5), Money::cents(1_000_000));
        assert_eq!(growth(&told, 5), [None, None, Some(500), None]);
        // What was before the mentoring did not grow by it.
        let before = Growth::of(&told, Month::new(2025, 5), Month::new(2026, 5));
        assert_eq!(before, Growth::default());
    }

    proptest! {
        /// Only the four months that are named matter.
        #[test]
        fn other_months_say_nothing(rows in prop::collection::btree_map(0_i32..40, 0_u64..1_000_000, 0..40), at in 0_i32..40, entry in 0_i32..40) {
            let month = |number: i32| Month::new(2024, 1).plus(number);
            let told: Revenues = rows.iter().map(|(number, cents)| (month(*number), Money::cents(*cents))).collect();
            let named = [at, at - 1, at - 3, at - 12, entry].map(month);
            let few: Revenues = told.iter().filter(|(one, _)| named.contains(one)).map(|(one, money)| (*one, *money)).collect();
            prop_assert_eq!(Growth::of(&told, month(at), month(entry)), Growth::of(&few, month(at), month(entry)));
        }
    }
}
