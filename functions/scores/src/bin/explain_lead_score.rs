//! GET /leads/{id}/score — what makes a lead's score, rule by rule, by what is known now.

use futures_util::future::try_join;
use scores::{Evidence, Temperature, current_rules, facts, figures, qualification};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/leads/{id}/score").fails(&[NOT_FOUND]);

/// A score with what makes it.
#[derive(Serialize, JsonSchema)]
struct LeadScore {
    lead_id: Uuid,
    /// 0–100.
    score: i32,
    temperature: Temperature,
    /// 0–100.
    qualification_score: i32,
    /// Whose points make the score, but for its bounds.
    evidence: Vec<Evidence>,
    /// Whose points make the qualification score.
    qualification: Vec<Evidence>,
    /// Rules of the company's own that say nothing for this lead: what they divide by is nothing, or is no figure.
    broken_rules: Vec<String>,
    /// Which version of the rules; 0 of those that every company begins with.
    version: i32,
}

pub fn main() {
    serve(&ROUTE, explain_lead_score);
}

async fn explain_lead_score(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<LeadScore>, Error> {
    let transaction = context.begin(&caller).await?;
    let now = context.now();
    let ((rules, version), all) = try_join(current_rules(&transaction), facts(&transaction, &[id], now)).await?;
    let facts = all.first().ok_or(NOT_FOUND)?;
    let made = figures(&rules, facts, now);
    let parts = qualification(facts).into_iter().filter(|(.., points)| *points > 0);
    let part = |(rule, label, points): (&'static str, &str, i32)| Evidence { rule: rule.into(), label: label.to_owned(), points };
    Ok(Json(LeadScore {
        lead_id: id,
        score: made.score,
        temperature: made.temperature,
        qualification_score: made.qualification,
        evidence: made.evidence,
        qualification: parts.map(part).collect(),
        broken_rules: made.broken,
        version,
    }))
}
