//! What supervisors may write into the ledger: nothing to come, nothing older than a year, nothing that overlaps.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::error::FieldProblem;

use crate::interval::{Interval, IntervalState};

/// How far back corrections reach.
const REACH: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What a break is for that nobody gave a reason of.
const OTHER: &str = "other";

/// What an interval is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub state: IntervalState,
    /// Of a break.
    pub reason: Option<String>,
}

/// What is given of it.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub state: Option<IntervalState>,
    pub reason: Option<String>,
}

impl Said {
    /// What an interval says; one that goes on ends now.
    #[must_use]
    pub fn by(interval: &Interval, now: Timestamp) -> Self {
        let Interval { started_at, ended_at, state, reason, .. } = interval.clone();
        Self { started_at, ended_at: ended_at.unwrap_or(now), state, reason }
    }

    /// With what is given; times in whole seconds. A break has a reason, anything else has none.
    #[must_use]
    pub fn with(self, given: Given) -> Self {
        let state = given.state.unwrap_or(self.state);
        let reason = given.reason.or(self.reason.filter(|_| state == IntervalState::Break));
        Self {
            started_at: whole_second(given.started_at.unwrap_or(self.started_at)),
            ended_at: whole_second(given.ended_at.unwrap_or(self.ended_at)),
            reason: reason.or_else(|| (state == IntervalState::Break).then(|| OTHER.to_owned())),
            state,
        }
    }

    /// What is wrong with it, whatever else there is.
    #[must_use]
    pub fn problems(&self, now: Timestamp) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut add = |field: &str, code, portuguese: &'static str, english: &'static str| {
            problems.push(FieldProblem::new(field, code, portuguese, english));
        };
        if self.ended_at <= self.started_at {
            add("ended_at", "inverted", "O fim deve vir depois do início.", "The end must come after the beginning.");
        }
        if self.ended_at > now {
            add("ended_at", "in_the_future", "Não pode terminar no futuro.", "It cannot end in the future.");
        }
        if now.duration_since(self.started_at) > REACH {
            add("started_at", "too_long_ago", "Correções alcançam 366 dias.", "Corrections reach back 366 days.");
        }
        if self.reason.is_some() && self.state != IntervalState::Break {
            add("reason", "no_break", "Só pausas têm motivo.", "Only breaks have a reason.");
        }
        problems
    }

    /// As corrections keep it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self { started_at, ended_at, state, reason } = self;
        json!({"started_at": started_at, "ended_at": ended_at, "state": state, "reason": reason})
    }
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Whether the company has a reason `$1`; none is one.
pub const HAS_REASON: &str = "
    select from companies
     where id = app.company_id()
       and ($1::text is null or breaks @> jsonb_build_array(jsonb_build_object('reason', $1::text)))";

/// A reason that the company does not have.
#[must_use]
pub fn unknown_reason() -> FieldProblem {
    FieldProblem::new("reason", "unknown_reason", "A empresa não tem este motivo.", "The company has no such reason.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn codes(said: &Said) -> Vec<String> {
        said.problems(at(1_000_000_000)).into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn what_is_nonsense_is_said() {
        let said = Said { started_at: at(999_999_000), ended_at: at(1_000_000_000), state: IntervalState::Online, reason: None };
        assert!(codes(&said).is_empty());
        assert_eq!(codes(&Said { ended_at: said.started_at, ..said.clone() }), ["inverted"]);
        assert_eq!(codes(&Said { ended_at: at(1_000_000_001), ..said.clone() }), ["in_the_future"]);
        assert_eq!(codes(&Said { started_at: Timestamp::MIN, ..said.clone() }), ["too_long_ago"]);
        assert_eq!(codes(&Said { ended_at: Timestamp::MAX, ..said.clone() }), ["in_the_future"]);
        assert_eq!(codes(&Said { reason: Some("lunch".into()), ..said }), ["no_break"]);
    }

    #[test]
    fn a_break_has_a_reason_and_nothing_else_has() {
        let lunch = Said { started_at: at(0), ended_at: at(60), state: IntervalState::Break, reason: Some("lunch".into()) };
        let state = |state| Given { state: Some(state), ..Given::default() };
        let online = lunch.clone().with(state(IntervalState::Online));
        assert_eq!(online.reason, None);
        assert_eq!(online.with(state(IntervalState::Break)).reason.as_deref(), Some("other"));
        assert_eq!(lunch.clone().with(Given::default()), lunch);
    }

    proptest! {
        #[test]
        fn times_are_whole_seconds(nanoseconds in 0_i128..4_000_000_000_000_000_000) {
            let given = Given { started_at: Some(Timestamp::from_nanosecond(nanoseconds).unwrap()), ..Given::default() };
            let said = Said { started_at: at(0), ended_at: at(1), state: IntervalState::Busy, reason: None }.with(given);
            prop_assert_eq!(said.started_at.subsec_nanosecond(), 0);
            prop_assert_eq!(i128::from(said.started_at.as_second()), nanoseconds / 1_000_000_000);
        }
    }
}
