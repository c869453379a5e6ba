//! Percentages with one decimal, half away from zero; what has no data is none, never 0.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// Tenths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent, inline)]
pub struct Percent(#[schemars(with = "f64")] pub i64);

impl Percent {
    /// A part of a whole; none of nothing.
    #[must_use]
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        rounded(i128::from(part) * 1000, i128::from(whole)).map(Self)
    }

    /// The plain mean of those there are.
    pub fn mean(those: impl IntoIterator<Item = Self>) -> Option<Self> {
        let (sum, count) = those.into_iter().fold((0_i128, 0_i128), |(sum, count), one| (sum + i128::from(one.0), count + 1));
        rounded(sum, count).map(Self)
    }
}

/// A quotient, half away from zero; none without a positive divisor.
#[must_use]
pub fn rounded(dividend: i128, divisor: i128) -> Option<i64> {
    if divisor <= 0 {
        return None;
    }
    let away = (dividend.abs() * 2 + divisor) / (divisor * 2);
    i64::try_from(away * dividend.signum()).ok()
}

impl From<Percent> for f64 {
    fn from(Percent(tenths): Percent) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a percentage with one decimal is far below 2⁵³")]
        let tenths = tenths as Self;
        tenths / 10.0
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((*self).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        for (part, whole, tenths) in
            [(1, 8, Some(125)), (1, 16, Some(63)), (-1, 16, Some(-63)), (6, 13, Some(462)), (0, 5, Some(0)), (1, 0, None)]
        {
            assert_eq!(Percent::of(part, whole).map(|percent| percent.0), tenths, "{part} of {whole}");
        }
        assert_eq!(serde_json::to_string(&Percent(-250)).unwrap(), "-25.0");
        assert_eq!(Percent::mean([]), None);
        assert_eq!(Percent::mean([Percent(100), Percent(-51)]), Some(Percent(25)));
    }

    proptest! {
        #[test]
        fn what_is_rounded_is_half_a_tenth_away_at_most(part in -1_000_000_000_i64..1_000_000_000, whole in 1_i64..1_000_000) {
            let Percent(tenths) = Percent::of(part, whole).unwrap();
            prop_assert!((i128::from(tenths) * i128::from(whole) - i128::from(part) * 1000).abs() * 2 <= i128::from(whole));
            prop_assert_eq!(Percent::of(-part, whole), Some(Percent(-tenths)));
        }
    }
}
