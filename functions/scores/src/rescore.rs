//! Scores written beside what they are made of.

use futures_util::future::try_join;
use shared::prelude::*;

use crate::{
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
           scored_by = case when not made.is_broken then $5 end, scored_at = $6,
           version = leads.version + case when (leads.qualification_score, leads.score, leads.temperature)
                                               is distinct from (made.qualification, made.score, made.temperature) then $8::integer else 0 end
      from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $7::boolean[]) made (id, qualification, score, temperature, is_broken)
     where leads.id = made.id and leads.status = 'open'
    returning leads.id";

/// Makes the scores of these leads anew, whose rows the transaction holds. `is_seen`: they show it by a new version; what is shown anyway
/// with another change needs none of its own. Answers for how many of them a rule of the company's own says nothing.
///
/// # Errors
/// Those of the database.
pub async fn rescore(transaction: &Transaction, ids: &[Uuid], now: Timestamp, is_seen: bool) -> Result<usize, Error> {
    let ((rules, version), all) = try_join(current_rules(transaction), facts(transaction, ids, now)).await?;
    let made: Vec<_> = all.iter().map(|facts| (facts.id, figures(&rules, facts, now))).collect();
    let broken: Vec<bool> = made.iter().map(|(_, figures)| !figures.broken.is_empty()).collect();
    let ids: Vec<Uuid> = made.iter().map(|(id, _)| *id).collect();
    let qualifications: Vec<i32> = made.iter().map(|(_, figures)| figures.qualification).collect();
    let scores: Vec<i32> = made.iter().map(|(_, figures)| figures.score).collect();
    let temperatures: Vec<&str> = made.iter().map(|(_, figures)| figures.temperature.as_str()).collect();
    let step = i32::from(is_seen);
    transaction.execute(SAVE, &[&ids, &qualifications, &scores, &temperatures, &version, &now, &broken, &step]).await?;
    Ok(broken.into_iter().filter(|is_broken| *is_broken).count())
}
