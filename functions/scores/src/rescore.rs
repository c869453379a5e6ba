//! Scores written beside what they are made of.

use futures_util::future::try_join;
use shared::prelude::*;

use crate::{
    Figures,
    facts::{FACTS, Facts},
    figures,
    rules::Scoring,
};

#[derive(FromRow)]
struct RulesRow {
    rules: Value,
    version: i32,
}

const NEWEST_RULES: &str = "select rules, version from lead_scoring order by version desc limit 1";

/// The company's rules, and which version they are; 0 of those that everybody begins with.
///
/// # Errors
/// Those of the database.
pub async fn current_rules(transaction: &Transaction) -> Result<(Scoring, i32), Error> {
    let row: Option<RulesRow> = transaction.first(NEWEST_RULES, &[]).await?;
    Ok(row.map_or_else(Default::default, |row| (serde_json::from_value(row.rules).unwrap_or_default(), row.version)))
}

/// What is known of leads now.
///
/// # Errors
/// Those of the database.
pub async fn facts(transaction: &Transaction, ids: &[Uuid], now: Timestamp) -> Result<Vec<Facts>, Error> {
    transaction.all(FACTS, &[&ids, &now]).await
}

/// Whose rules say nothing is made anew by itself later, when what they ask may be there. What is closed keeps its figures.
const SAVE: &str = "
    update leads
       set qualification_score = made.qualification, score = made.score, temperature = made.temperature,
           scored_by = case when not made.is_broken then $5::integer end, scored_at = $6,
           version = leads.version + case when (leads.qualification_score, leads.score, leads.temperature)
                                               is distinct from (made.qualification, made.score, made.temperature) then $8::integer else 0 end
      from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $7::boolean[]) made (id, qualification, score, temperature, is_broken)
     where leads.id = made.id and leads.status = 'open'";

/// The figures of leads, made anew and not written yet.
struct Made {
    ids: Vec<Uuid>,
    figures: Vec<Figures>,
    version: i32,
}

impl Made {
    async fn of(transaction: &Transaction, ids: &[Uuid], now: Timestamp) -> Result<Self, Error> {
        let ((rules, version), all) = try_join(current_rules(transaction), facts(transaction, ids, now)).await?;
        let figures = all.iter().map(|facts| figures(&rules, facts, now)).collect();
        Ok(Self { ids: all.iter().map(|facts| facts.id).collect(), figures, version })
    }

    /// `step`: by how much the version of those grows that show other figures.
    async fn save(&self, transaction: &Transaction, now: Timestamp, step: i32) -> Result<(), Error> {
        let Self { ids, figures, version } = self;
        let broken: Vec<bool> = figures.iter().map(|figures| !figures.broken.is_empty()).collect();
        let qualifications: Vec<i32> = figures.iter().map(|figures| figures.qualification).collect();
        let scores: Vec<i32> = figures.iter().map(|figures| figures.score).collect();
        let temperatures: Vec<&str> = figures.iter().map(|figures| figures.temperature.as_str()).collect();
        transaction.execute(SAVE, &[ids, &qualifications, &scores, &temperatures, version, &now, &broken, &step]).await.map(drop)
    }
}

/// Makes the scores of these leads anew, whose rows the transaction holds, and reads what is to be shown then, in one flight. They are shown
/// by the version that another change gives them.
///
/// # Errors
/// Those of the database.
pub async fn rescored<T>(
    transaction: &Transaction,
    ids: &[Uuid],
    now: Timestamp,
    read: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    let made = Made::of(transaction, ids, now).await?;
    let ((), read) = try_join(made.save(transaction, now, 0), read).await?;
    Ok(read)
}

/// Makes the scores of these leads anew, whose rows the transaction holds, with a new version of those that change by it. Answers for how many
/// of them a rule of the company's own says nothing.
///
/// # Errors
/// Those of the database.
pub async fn rescore(transaction: &Transaction, ids: &[Uuid], now: Timestamp) -> Result<usize, Error> {
    let made = Made::of(transaction, ids, now).await?;
    made.save(transaction, now, 1).await?;
    Ok(made.figures.iter().filter(|figures| !figures.broken.is_empty()).count())
}
