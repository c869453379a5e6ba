//! How much a mentee takes part, from 0 to 100: parts with weights, of which those without data drop out.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Serialize;
use shared::{closed_set, percent::rounded};

use crate::month::{Month, day_at};

/// How far back is looked, in days.
pub const DAYS: i64 = 30;

/// Days on which somebody who takes part is seen.
const ACTIVE_DAYS: i64 = 8;

/// Until this day the month before is told of in time.
const IN_TIME: i8 = 10;

closed_set! {
    /// `high` from 70 on, `medium` from 40 on.
    pub EngagementLevel { High = "high", Medium = "medium", Low = "low" }
}

closed_set! {
    /// What engagement is made of.
    pub EngagementPart { Update = "update", Meetings = "meetings", Activity = "activity", Answers = "answers" }
}

closed_set! {
    /// Whether the last closed month was told of by the tenth day of the next one.
    pub UpdateState { InTime = "in_time", Late = "late", Missing = "missing" }
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub done: i64,
    pub of: i64,
}

/// What is known of a mentee; none where there is nothing that could be known. A part that is new gets its field here, its weight in
/// `parts`, and its figures in `standing`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    pub update: Option<UpdateState>,
    /// Held, of those that were scheduled.
    pub meetings: Option<Share>,
    /// Days on which they were seen.
    pub active_days: Option<i64>,
    /// Answers within two days, of what was asked.
    pub answers: Option<Share>,
}

/// What a part adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EngagementEvidence {
    pub part: EngagementPart,
    /// Of the whole, while no part drops out.
    pub weight: i64,
    /// So many …
    pub done: i64,
    /// … of so many. An update in time is 2 of 2, a late one 1 of 2.
    pub of: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Engagement {
    /// 0–100; null where nothing is known.
    pub score: Option<i64>,
    pub level: Option<EngagementLevel>,
    /// The parts that there is data for; the others drop out and the rest is scaled.
    pub evidence: Vec<EngagementEvidence>,
}

impl Engagement {
    #[must_use]
    pub fn of(signals: &Signals) -> Self {
        let evidence = parts(signals);
        let score = score(&evidence);
        Self { score, level: score.map(level), evidence }
    }
}

fn parts(signals: &Signals) -> Vec<EngagementEvidence> {
    let Signals { update, meetings, active_days, answers } = signals;
    let update = update.map(|state| match state {
        UpdateState::InTime => Share { done: 2, of: 2 },
        UpdateState::Late => Share { done: 1, of: 2 },
        UpdateState::Missing => Share { done: 0, of: 2 },
    });
    let activity = active_days.map(|days| Share { done: days.min(ACTIVE_DAYS), of: ACTIVE_DAYS });
    let all = [
        (EngagementPart::Update, 30, update),
        (EngagementPart::Meetings, 30, *meetings),
        (EngagementPart::Activity, 20, activity),
        (EngagementPart::Answers, 20, *answers),
    ];
    let known = all.into_iter().filter_map(|(part, weight, share)| {
        let Share { done, of } = share.filter(|share| share.of > 0)?;
        Some(EngagementEvidence { part, weight, done, of })
    });
    known.collect()
}

/// Σ weight · done ÷ of, of Σ weight, half up.
fn score(parts: &[EngagementEvidence]) -> Option<i64> {
    let whole: i128 = parts.iter().map(|part| i128::from(part.of)).product();
    let reached: i128 = parts.iter().map(|part| i128::from(part.weight * part.done) * (whole / i128::from(part.of))).sum();
    let weights: i128 = parts.iter().map(|part| i128::from(part.weight)).sum();
    rounded(reached * 100, whole * weights)
}

fn level(score: i64) -> EngagementLevel {
    match score {
        70.. => EngagementLevel::High,
        40..70 => EngagementLevel::Medium,
        _ => EngagementLevel::Low,
    }
}

/// How the last closed month was told of; none where the mentoring had not begun then.
#[must_use]
pub fn update_of(entry: Month, current: Month, entered_at: Option<Timestamp>, time_zone: &str) -> Option<UpdateState> {
    let closed = current.plus(-1);
    if closed < entry {
        return None;
    }
    let in_time = |day: Date| Month::of(day) <= closed || Month::of(day) == current && day.day() <= IN_TIME;
    Some(match entered_at {
        Some(at) if in_time(day_at(at, time_zone)) => UpdateState::InTime,
        Some(_) => UpdateState::Late,
        None => UpdateState::Missing,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signals(update: UpdateState, meetings: Option<(i64, i64)>, days: i64, answers: (i64, i64)) -> Signals {
        let share = |(done, of)| Share { done, of };
        Signals { update: Some(update), meetings: meetings.map(share), active_days: Some(days), answers: Some(share(answers)) }
    }

    fn of(signals: &Signals) -> (Option<i64>, Option<EngagementLevel>) {
        let Engagement { score, level, .. } = Engagement::of(signals);
        (score, level)
    }

    #[test]
    fn parts_are_weighed() {
        let one = signals(UpdateState::InTime, Some((3, 4)), 6, (9, 10));
        assert_eq!(of(&one), (Some(86), Some(EngagementLevel::High)));
        let no_meetings = signals(UpdateState::InTime, None, 6, (9, 10));
        assert_eq!(of(&no_meetings), (Some(90), Some(EngagementLevel::High)));
        assert_eq!(of(&signals(UpdateState::InTime, Some((0, 0)), 6, (9, 10))), of(&no_meetings));
        let low = signals(UpdateState::Missing, Some((1, 2)), 2, (1, 5));
        assert_eq!(of(&low), (Some(24), Some(EngagementLevel::Low)));
        assert_eq!(of(&Signals::default()), (None, None));
        // More days than are asked for add nothing.
        assert_eq!(of(&signals(UpdateState::InTime, Some((4, 4)), 31, (1, 1))).0, Some(100));
    }

    #[test]
    fn levels_begin_where_they_are_said_to() {
        for (score, expected) in [
            (100, EngagementLevel::High),
            (70, EngagementLevel::High),
            (69, EngagementLevel::Medium),
            (40, EngagementLevel::Medium),
            (39, EngagementLevel::Low),
            (0, EngagementLevel::Low),
        ] {
            assert_eq!(level(score), expected, "{score}");
        }
    }

    #[test]
    fn an_update_is_in_time_until_the_tenth_day() {
        let (entry, current) = (Month::new(2026, 9), Month::new(2026, 11));
        for (at, expected) in [
            (Some("2026-10-20T12:00:00Z"), UpdateState::InTime),
            (Some("2026-11-01T12:00:00Z"), UpdateState::InTime),
            // Still the tenth where they are.
            (Some("2026-11-11T02:59:59Z"), UpdateState::InTime),
            (Some("2026-11-11T03:00:00Z"), UpdateState::Late),
            (None, UpdateState::Missing),
        ] {
            let entered_at = at.map(|at| at.parse().unwrap());
            assert_eq!(update_of(entry, current, entered_at, "America/Sao_Paulo"), Some(expected), "{at:?}");
        }
        assert_eq!(update_of(current, current, None, "America/Sao_Paulo"), None);
    }

    fn a_share() -> impl Strategy<Value = Option<Share>> {
        prop::option::of((0_i64..50, 0_i64..50).prop_map(|(done, of)| Share { done: done.min(of), of }))
    }

    proptest! {
        /// Whatever is known: within 0 and 100, and more of a part is never less of the whole.
        #[test]
        fn more_is_never_less(update in 0_usize..4, meetings in a_share(), days in prop::option::of(0_i64..40), answers in a_share()) {
            let update = [None, Some(UpdateState::Missing), Some(UpdateState::Late), Some(UpdateState::InTime)][update];
            let known = Signals { update, meetings, active_days: days, answers };
            let score = Engagement::of(&known).score;
            prop_assert!(score.is_none_or(|score| (0..=100).contains(&score)));
            let better = Signals {
                update: update.map(|_| UpdateState::InTime),
                active_days: days.map(|days| days + 1),
                answers: answers.map(|share| Share { done: share.of, ..share }),
                ..known.clone()
            };
            prop_assert!(Engagement::of(&better).score >= score);
            let parts = Engagement::of(&known).evidence.len();
            prop_assert_eq!(parts == 0, score.is_none());
        }
    }
}
