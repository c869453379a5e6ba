//! Whether people came when their calendar opens.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use shared::percent::Percent;

/// Up to five minutes nobody counts: art. 58, § 1º, CLT.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// Days on which the calendar opens, and when they came. Without a calendar there are none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Punctuality {
    /// Days on which the calendar opened, until now.
    pub shifts: i64,
    /// Of these, with any presence.
    pub attended: i64,
    /// Of these, more than five minutes after the calendar opened.
    pub late: i64,
    /// How late altogether, of those that were late.
    pub late_seconds: i64,
    /// `(attended − late) ÷ attended × 100`; null without any.
    pub rate: Option<f64>,
}

impl Punctuality {
    /// Of days, when the calendar opens on each and when somebody came, if they did.
    pub fn of(days: impl Iterator<Item = (Option<Timestamp>, Option<Timestamp>)>, now: Timestamp) -> Self {
        let mut found = Self::default();
        for (opens, came) in days {
            let Some(opens) = opens.filter(|opens| *opens <= now) else { continue };
            found.shifts += 1;
            let Some(came) = came else { continue };
            found.attended += 1;
            let late = came.duration_since(opens);
            if late > GRACE {
                found.late += 1;
                found.late_seconds += late.as_secs();
            }
        }
        found.rated()
    }

    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            shifts: self.shifts + other.shifts,
            attended: self.attended + other.attended,
            late: self.late + other.late,
            late_seconds: self.late_seconds + other.late_seconds,
            rate: None,
        }
        .rated()
    }

    fn rated(self) -> Self {
        Self { rate: Percent::of(self.attended - self.late, self.attended).map(f64::from), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_are_no_delay_and_a_day_to_come_is_none() {
        let at = |text: &str| Some(format!("2026-11-{text}Z").parse::<Timestamp>().unwrap());
        let days = [
            (at("23T11:00:00"), at("23T10:40:00")),
            (at("24T11:00:00"), at("24T11:05:00")),
            (at("25T11:00:00"), at("25T11:05:01")),
            (at("26T11:00:00"), None),
            // A Saturday on which they worked.
            (None, at("28T12:00:00")),
            (at("30T11:00:00"), None),
        ];
        let found = Punctuality::of(days.into_iter(), at("30T10:59:59").unwrap());
        let expected = Punctuality { shifts: 4, attended: 3, late: 1, late_seconds: 301, rate: Some(66.7) };
        assert_eq!(found, expected);
        assert_eq!(found.plus(&Punctuality::default()), expected);
        assert_eq!(Punctuality::default().plus(&Punctuality::default()).rate, None);
    }
}
