//! Net promoter score, and what mentees think on average.

use std::collections::HashMap;

use shared::{
    percent::{Percent, rounded},
    prelude::*,
};

use crate::month::Month;

/// Answers of some time, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// 9 and 10.
    pub promoters: i64,
    /// 7 and 8.
    pub passives: i64,
    /// 0 to 6.
    pub detractors: i64,
    pub overall_sum: i64,
    pub overall_count: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Satisfaction {
    /// From −100 to 100; null without an answer.
    pub nps: Option<Percent>,
    pub promoters: i64,
    pub passives: i64,
    pub detractors: i64,
    /// Of 10, with one decimal; null where nobody gave one.
    pub average_overall: Option<Percent>,
    /// Those with an NPS.
    pub answers: i64,
}

impl Answers {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            promoters: self.promoters + other.promoters,
            passives: self.passives + other.passives,
            detractors: self.detractors + other.detractors,
            overall_sum: self.overall_sum + other.overall_sum,
            overall_count: self.overall_count + other.overall_count,
        }
    }

    #[must_use]
    pub fn satisfaction(self) -> Satisfaction {
        let Self { promoters, passives, detractors, overall_sum, overall_count } = self;
        let answers = promoters + passives + detractors;
        Satisfaction {
            nps: Percent::of(promoters - detractors, answers),
            promoters,
            passives,
            detractors,
            average_overall: rounded(i128::from(overall_sum) * 10, i128::from(overall_count)).map(Percent),
            answers,
        }
    }
}

/// Answers by month.
#[derive(Debug)]
pub struct FeedbackCounts(HashMap<Month, Answers>);

impl FeedbackCounts {
    /// Of some months together.
    #[must_use]
    pub fn of(&self, months: &[Month]) -> Answers {
        months.iter().filter_map(|month| self.0.get(month)).fold(Answers::default(), |sum, one| sum.plus(*one))
    }
}

/// From the month `$1` on, of all mentees or those of the mentor `$2`.
const COUNTS: &str = "
    select date_trunc('month', mentee_feedback.date)::date as month,
           count(*) filter (where nps >= 9) as promoters,
           count(*) filter (where nps between 7 and 8) as passives,
           count(*) filter (where nps <= 6) as detractors,
           coalesce(sum(overall), 0)::bigint as overall_sum,
           count(overall) as overall_count
      from mentee_feedback
      join mentees on mentees.company_id = mentee_feedback.company_id and mentees.id = mentee_feedback.mentee_id
     where mentee_feedback.date >= $1 and ($2::uuid is null or mentees.mentor_id = $2)
     group by 1";

#[derive(FromRow)]
struct Counted {
    month: Month,
    promoters: i64,
    passives: i64,
    detractors: i64,
    overall_sum: i64,
    overall_count: i64,
}

/// # Errors
/// As `Transaction::query`.
pub async fn counts_since(transaction: &Transaction, first: Month, mentor: Option<Uuid>) -> Result<FeedbackCounts, Error> {
    let rows: Vec<Counted> = transaction.all(COUNTS, &[&first, &mentor]).await?;
    let answers = rows.into_iter().map(|row| {
        let Counted { month, promoters, passives, detractors, overall_sum, overall_count } = row;
        (month, Answers { promoters, passives, detractors, overall_sum, overall_count })
    });
    Ok(FeedbackCounts(answers.collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(scores: &[i64]) -> Answers {
        let count = |range: std::ops::RangeInclusive<i64>| {
            i64::try_from(scores.iter().filter(|score| range.contains(score)).count()).unwrap()
        };
        Answers { promoters: count(9..=10), passives: count(7..=8), detractors: count(0..=6), ..Answers::default() }
    }

    fn nps(promoters: i64, passives: i64, detractors: i64) -> Option<i64> {
        let answers = Answers { promoters, passives, detractors, ..Answers::default() };
        answers.satisfaction().nps.map(|nps| nps.0)
    }

    #[test]
    fn promoters_less_detractors_of_all() {
        assert_eq!(counted(&[10, 10, 9, 9, 8, 7, 7, 6, 3, 0]).satisfaction().nps, Some(Percent(100)));
        assert_eq!(nps(9, 1, 3), Some(462));
        assert_eq!(nps(2, 1, 5), Some(-375));
        assert_eq!(nps(0, 0, 0), None);
    }

    #[test]
    fn an_average_is_of_those_who_gave_one() {
        let answers = Answers { overall_sum: 22, overall_count: 3, ..Answers::default() };
        assert_eq!(answers.satisfaction().average_overall, Some(Percent(73)));
        assert_eq!(Answers::default().satisfaction().average_overall, None);
    }

    proptest! {
        #[test]
        fn it_is_between_the_ends(promoters in 0_i64..1000, passives in 0_i64..1000, detractors in 0_i64..1000) {
            let score = nps(promoters, passives, detractors);
            prop_assert_eq!(score.is_none(), promoters + passives + detractors == 0);
            prop_assert!(score.is_none_or(|score| (-1000..=1000).contains(&score)));
            prop_assert_eq!(nps(detractors, passives, promoters), score.map(|score| -score));
        }
    }
}
