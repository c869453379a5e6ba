//! What somebody was and did in some days, as it is added up and as it is shown.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::punctuality::Punctuality;

/// Breaks for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BreakFigures {
    pub reason: String,
    /// Those that began.
    pub count: i64,
    pub seconds: i64,
    /// What of that went past the limit.
    pub over_seconds: i64,
}

/// Figures of a person, or of several together, in some days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ProductivityFigures")]
pub struct Tally {
    pub online_seconds: i64,
    pub away_seconds: i64,
    pub busy_seconds: i64,
    pub break_seconds: i64,
    /// Of `online` and `busy`, the five minutes after each message written and each conversation taken over.
    pub active_seconds: i64,
    /// The rest of `online` and `busy`.
    pub idle_seconds: i64,
    /// When they came first, and how long they are known to have been there.
    pub first_in: Option<Timestamp>,
    pub last_out: Option<Timestamp>,
    /// By reason.
    pub breaks: Vec<BreakFigures>,
    /// Written to clients.
    pub messages: i64,
    /// In which they wrote, or which they took over; of several people, each one's.
    pub conversations: i64,
    /// Conversations that they were the first to answer.
    pub first_answers: i64,
    /// Seconds that these waited, together.
    pub first_answer_seconds: i64,
    /// And on average, half up; null without any.
    pub average_first_answer_seconds: Option<i64>,
    pub punctuality: Punctuality,
}

impl Tally {
    /// With what follows from the rest.
    #[must_use]
    pub fn whole(self) -> Self {
        let (answers, waited) = (self.first_answers, self.first_answer_seconds);
        Self {
            idle_seconds: self.online_seconds + self.busy_seconds - self.active_seconds,
            average_first_answer_seconds: (answers > 0).then(|| (waited * 2 + answers) / (answers * 2)),
            ..self
        }
    }

    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut breaks = self.breaks.clone();
        for more in &other.breaks {
            match breaks.iter_mut().find(|found| found.reason == more.reason) {
                Some(found) => {
                    found.count += more.count;
                    found.seconds += more.seconds;
                    found.over_seconds += more.over_seconds;
                }
                None => breaks.push(more.clone()),
            }
        }
        breaks.sort_by(|one, two| one.reason.cmp(&two.reason));
        Self {
            online_seconds: self.online_seconds + other.online_seconds,
            away_seconds: self.away_seconds + other.away_seconds,
            busy_seconds: self.busy_seconds + other.busy_seconds,
            break_seconds: self.break_seconds + other.break_seconds,
            active_seconds: self.active_seconds + other.active_seconds,
            first_in: self.first_in.into_iter().chain(other.first_in).min(),
            last_out: self.last_out.into_iter().chain(other.last_out).max(),
            breaks,
            messages: self.messages + other.messages,
            conversations: self.conversations + other.conversations,
            first_answers: self.first_answers + other.first_answers,
            first_answer_seconds: self.first_answer_seconds + other.first_answer_seconds,
            punctuality: self.punctuality.plus(&other.punctuality),
            ..Self::default()
        }
        .whole()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_added_up() {
        let pause = |reason: &str, seconds| BreakFigures { reason: reason.into(), count: 1, seconds, over_seconds: 0 };
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let one = Tally {
            online_seconds: 100,
            busy_seconds: 20,
            active_seconds: 50,
            first_in: at(10),
            last_out: at(200),
            breaks: vec![pause("lunch", 60), pause("rest", 5)],
            first_answers: 1,
            first_answer_seconds: 30,
            ..Tally::default()
        };
        let other = Tally {
            online_seconds: 7,
            first_in: at(5),
            last_out: None,
            breaks: vec![pause("bathroom", 1), pause("lunch", 2)],
            first_answers: 1,
            first_answer_seconds: 31,
            ..Tally::default()
        };
        let both = one.plus(&other);
        assert_eq!((both.online_seconds, both.idle_seconds, both.average_first_answer_seconds), (107, 77, Some(31)));
        assert_eq!((both.first_in, both.last_out), (at(5), at(200)));
        let reasons: Vec<_> = both.breaks.iter().map(|found| (found.reason.as_str(), found.count, found.seconds)).collect();
        assert_eq!(reasons, [("bathroom", 1, 1), ("lunch", 2, 62), ("rest", 1, 5)]);
        assert_eq!(Tally::default().plus(&Tally::default()), Tally::default());
    }
}
