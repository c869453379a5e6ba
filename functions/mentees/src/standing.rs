//! How mentees stand: what is known of many at once, and what follows from it.

use std::collections::HashMap;

use futures_util::future::{join, try_join};
use shared::{money::Money, prelude::*};

use crate::{
    engagement::{DAYS, Engagement, Share, Signals, update_of},
    growth::{Growth, Revenues},
    month::Month,
    risk::{Known, Risk, risks},
};

/// Revenue of so many months back says how somebody stands.
const MONTHS: i32 = 12;

/// Whom it is asked of.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub id: Uuid,
    pub entry: Month,
    /// Whether they are looked after: nobody else is at risk.
    pub is_active: bool,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "MenteeStanding")]
pub struct Standing {
    /// The last month told of within a year, which `revenue` and `growth` are of.
    pub last_month: Option<Month>,
    pub revenue: Option<Money>,
    pub growth: Growth,
    pub engagement: Engagement,
    pub last_overall: Option<i16>,
    pub is_at_risk: bool,
    pub risks: Vec<Risk>,
}

/// Months of mentees from `$2` on, and those in which they began.
macro_rules! told_of {
    ($mentees:literal) => {
        concat!(
            "select evolutions.mentee_id, evolutions.month, evolutions.revenue::text, evolutions.entered_at
               from mentees
               join mentee_evolutions evolutions on evolutions.company_id = mentees.company_id and evolutions.mentee_id = mentees.id
              where ",
            $mentees,
            " and (evolutions.month >= $2 or evolutions.month = mentees.entry_month)"
        )
    };
}

macro_rules! last_overalls_of {
    ($mentees:literal) => {
        concat!(
            "select last.mentee_id, last.overall
               from mentees
              cross join lateral (
                     select mentee_id, overall from mentee_feedback
                      where mentee_feedback.company_id = mentees.company_id and mentee_id = mentees.id and overall is not null
                      order by created_at desc, id desc
                      limit 1) last
              where ",
            $mentees
        )
    };
}

/// Of the mentees `$1`, and of all that the caller sees, `$1` being null.
const TOLD: [&str; 2] = [told_of!("mentees.id = any ($1)"), told_of!("$1::uuid[] is null")];
const LAST_OVERALLS: [&str; 2] = [last_overalls_of!("mentees.id = any ($1)"), last_overalls_of!("$1::uuid[] is null")];
const SIGNALS: &str = "
    select mentee_id, is_reached, active_days, asked, answered from app.mentee_signals($1, now() - make_interval(days => $2))";

#[derive(Clone, Debug, FromRow)]
struct Told {
    mentee_id: Uuid,
    month: Month,
    revenue: Money,
    entered_at: Timestamp,
}

#[derive(FromRow)]
struct LastOverall {
    mentee_id: Uuid,
    overall: i16,
}

#[derive(Clone, Debug, FromRow)]
struct Seen {
    mentee_id: Uuid,
    /// Whether they have a login, or ever wrote.
    is_reached: bool,
    active_days: i64,
    asked: i64,
    answered: i64,
}

/// What is known of some mentees.
#[derive(Debug)]
pub struct Facts {
    pub current: Month,
    time_zone: String,
    told: HashMap<Uuid, Vec<Told>>,
    overalls: HashMap<Uuid, i16>,
    seen: HashMap<Uuid, Seen>,
}

impl Facts {
    /// Reads it in one flight, months at least from `since` on; of all mentees that the caller sees where no ids are given.
    /// Where the company is, is said with `at`.
    ///
    /// # Errors
    /// As `Transaction::query`.
    pub async fn read(
        transaction: &Transaction,
        ids: Option<&[Uuid]>,
        now: Timestamp,
        since: Option<Month>,
    ) -> Result<Self, Error> {
        let current = Month::earliest(now);
        let least = current.plus(-2 * MONTHS);
        let from = since.map_or(least, |since| since.min(least));
        let (days, which) = (i32::try_from(DAYS).unwrap_or(i32::MAX), usize::from(ids.is_none()));
        let (told, rest) = join(
            transaction.all::<Told>(TOLD[which], &[&ids, &from]),
            try_join(
                transaction.all::<LastOverall>(LAST_OVERALLS[which], &[&ids]),
                transaction.all::<Seen>(SIGNALS, &[&ids, &days]),
            ),
        )
        .await;
        let (overalls, seen) = rest?;
        let mut of_each: HashMap<Uuid, Vec<Told>> = HashMap::new();
        for row in told? {
            of_each.entry(row.mentee_id).or_default().push(row);
        }
        Ok(Self {
            current,
            time_zone: String::new(),
            told: of_each,
            overalls: overalls.into_iter().map(|row| (row.mentee_id, row.overall)).collect(),
            seen: seen.into_iter().map(|row| (row.mentee_id, row)).collect(),
        })
    }

    /// As of the month that it is in the company's time zone.
    #[must_use]
    pub fn at(self, now: Timestamp, time_zone: &str) -> Self {
        Self { current: Month::at(now, time_zone), time_zone: time_zone.to_owned(), ..self }
    }

    fn told_by(&self, id: Uuid) -> &[Told] {
        self.told.get(&id).map_or(&[], Vec::as_slice)
    }

    #[must_use]
    pub fn revenues(&self, id: Uuid) -> Revenues {
        self.told_by(id).iter().map(|row| (row.month, row.revenue)).collect()
    }

    #[must_use]
    pub fn standing(&self, subject: &Subject) -> Standing {
        let Subject { id, entry, is_active } = *subject;
        let revenues = self.revenues(id);
        let last = revenues.range(self.current.plus(-MONTHS)..).next_back().map(|(month, revenue)| (*month, *revenue));
        let engagement = Engagement::of(&self.signals(id, entry));
        let last_overall = self.overalls.get(&id).copied();
        let known = Known { entry, current: self.current, revenues: &revenues, engagement: engagement.score, last_overall };
        let risks = if is_active { risks(&known) } else { Vec::new() };
        Standing {
            last_month: last.map(|(month, _)| month),
            revenue: last.map(|(_, revenue)| revenue),
            growth: last.map(|(month, _)| Growth::of(&revenues, month, entry)).unwrap_or_default(),
            engagement,
            last_overall,
            is_at_risk: !risks.is_empty(),
            risks,
        }
    }

    fn signals(&self, id: Uuid, entry: Month) -> Signals {
        let closed = self.current.plus(-1);
        let entered_at = self.told_by(id).iter().find(|row| row.month == closed).map(|row| row.entered_at);
        let seen = self.seen.get(&id);
        Signals {
            update: update_of(entry, self.current, entered_at, &self.time_zone),
            // Nobody plans meetings here yet.
            meetings: None,
            active_days: seen.filter(|seen| seen.is_reached).map(|seen| seen.active_days),
            answers: seen.map(|seen| Share { done: seen.answered, of: seen.asked }),
        }
    }
}
