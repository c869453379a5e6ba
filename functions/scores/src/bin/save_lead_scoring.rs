//! PUT /lead-scoring — the rules by which leads are scored from now on. All open leads are scored by them anew, as a long job.

use scores::{LeadScoringUpdated, Scoring, current_rules, recompute, rules::LeadScoring};
use shared::{
    error::{STALE, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/lead-scoring").fails(&[STALE.showing::<LeadScoring>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewScoring {
    #[garde(dive)]
    rules: Scoring,
}

/// Of two who save at once the second finds the version taken.
const SAVE: &str = "insert into lead_scoring (version, rules) values ($1, $2) on conflict do nothing";

pub fn main() {
    serve(&ROUTE, save_lead_scoring);
}

async fn save_lead_scoring(
    context: Context,
    caller: Supervisor,
    if_match: IfMatch,
    Json(NewScoring { rules }): Json<NewScoring>,
) -> Result<Json<LeadScoring>, Error> {
    refuse(rules.problems())?;
    let transaction = context.begin(&caller).await?;
    let (before, version) = current_rules(&transaction).await?;
    let current = LeadScoring { rules: before, version };
    if_match.check(&current)?;
    if rules == current.rules {
        return transaction.commit(Json(current)).await;
    }
    let saved = LeadScoring { rules, version: version + 1 };
    if transaction.execute(SAVE, &[&saved.version, &json!(saved.rules)]).await? == 0 {
        let (rules, version) = current_rules(&transaction).await?;
        return Err(STALE.with_current(&LeadScoring { rules, version }));
    }
    recompute(&context, &transaction, caller.company_id, saved.version).await?;
    transaction.tell_staff(&LeadScoringUpdated { rules: &saved.rules, version: saved.version, is_applied: false });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}
