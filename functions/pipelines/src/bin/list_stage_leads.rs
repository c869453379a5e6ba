//! GET /pipelines/{id}/stages/{stage}/leads — the cards of a column, from the top; below a rank.

use futures_util::future::try_join;
use leads::{Lead, STAGE, Stage, lead_columns, lead_joins};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/pipelines/{id}/stages/{stage}/leads").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wanted {
    /// The `next_rank` of the page before.
    #[garde(pattern("^[0-9]{8}([.][0-9]{1,60})?$"))]
    after: Option<String>,
    #[garde(range(min = 1, max = 100))]
    limit: Option<u32>,
}

const CARDS: &str = concat!(
    "with page as (
         select * from leads
          where leads.stage_id = $1 and leads.deleted_at is null and leads.rank > coalesce($2::text::numeric, 0)
          order by leads.rank
          limit $3)
     select ",
    lead_columns!(),
    " from page leads ",
    lead_joins!(),
    " order by leads.rank"
);

/// Cards of a column.
#[derive(Serialize, JsonSchema)]
struct StageLeads {
    data: Vec<Lead>,
    /// What to pass as `after` for the cards below; null where there are none.
    next_rank: Option<String>,
}

pub fn main() {
    serve(&ROUTE, list_stage_leads);
}

async fn list_stage_leads(
    context: Context,
    caller: Staff,
    Path((id, stage_id)): Path<(Uuid, Uuid)>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<StageLeads>, Error> {
    let limit = wanted.limit.unwrap_or(50);
    let transaction = context.begin(&caller).await?;
    let rows = i64::from(limit) + 1;
    let (stage, mut data): (Stage, Vec<Lead>) =
        try_join(transaction.one(STAGE, &[&stage_id]), transaction.all(CARDS, &[&stage_id, &wanted.after, &rows])).await?;
    if stage.pipeline_id != id {
        return Err(NOT_FOUND.into());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = data.len() > limit;
    data.truncate(limit);
    let next_rank = data.last().filter(|_| has_more).map(|lead| lead.rank.clone());
    Ok(Json(StageLeads { data, next_rank }))
}
