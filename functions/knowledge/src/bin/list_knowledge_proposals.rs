//! GET /knowledge/proposals — what could be better, newest first: what is open, unless another state is asked for.

use knowledge::{
    proposal_columns,
    proposals::{Kind, Proposal, State},
};
use shared::prelude::*;

const ROUTE: Route = Route::get("/knowledge/proposals");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// Open ones without it.
    #[garde(skip)]
    state: Option<State>,
    #[garde(skip)]
    kind: Option<Kind>,
}

const PROPOSALS: TimeList = TimeList {
    rows: "select * from knowledge_proposals where state = $1 and ($2::text is null or kind = $2)",
    at: "knowledge_proposals.created_at",
    id: "knowledge_proposals.id",
    shown: concat!("select ", proposal_columns!(), " from page knowledge_proposals"),
};

pub fn main() {
    serve(&ROUTE, list_knowledge_proposals);
}

async fn list_knowledge_proposals(context: Context, caller: Supervisor, asked: List<Filters>) -> Result<Page<Proposal>, Error> {
    let Filters { state, kind } = &asked.filters;
    let (state, kind) = (state.unwrap_or(State::Open).as_str(), kind.map(Kind::as_str));
    let transaction = context.begin(&caller).await?;
    let rows = transaction.list(&PROPOSALS, &asked, &[&state, &kind]).await?;
    Ok(asked.page(rows, |proposal: &Proposal| (proposal.created_at, proposal.id)))
}
