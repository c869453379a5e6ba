//! POST /knowledge/proposals/{id}/reject — nothing comes of a proposal, and the same is not proposed again.

use knowledge::proposals::{DECIDE, PROPOSAL, PROPOSAL_DECIDED, Proposal, State};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/knowledge/proposals/{id}/reject").fails(&[NOT_FOUND, PROPOSAL_DECIDED]);

#[derive(Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

pub fn main() {
    serve(&ROUTE, reject_knowledge_proposal);
}

async fn reject_knowledge_proposal(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    Json(Nothing {}): Json<Nothing>,
) -> Result<Json<Proposal>, Error> {
    let transaction = context.begin(&caller).await?;
    let nothing: Option<Uuid> = None;
    let Some(proposal): Option<Proposal> = transaction.first(DECIDE, &[&id, &State::Rejected.as_str(), &nothing]).await? else {
        let current: Proposal = transaction.one(PROPOSAL, &[&id]).await?;
        return Err(PROPOSAL_DECIDED.with_current(&current));
    };
    proposal.tell(&transaction);
    transaction.audit(id, &json!({"state": State::Open}), &json!({"state": proposal.state}));
    transaction.commit(Json(proposal)).await
}
