//! GET /whatsapp/conversations/{id}/insights — what models have said of a conversation, the newest first.

use ai::{insight_columns, insights::Insight};
use futures_util::future::try_join;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/whatsapp/conversations/{id}/insights").fails(&[NOT_FOUND]);

/// All that was ever said of a conversation is little; the newest of it.
#[derive(Serialize, JsonSchema)]
struct Insights {
    data: Vec<Insight>,
}

const IS_SEEN: &str = "select from conversations where id = $1";

const INSIGHTS: &str = concat!(
    "select ",
    insight_columns!(),
    " from conversation_insights where conversation_id = $1 order by conversation_insights.id desc limit 200"
);

pub fn main() {
    serve(&ROUTE, list_insights);
}

async fn list_insights(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<Json<Insights>, Error> {
    let transaction = context.begin(&agent).await?;
    let (seen, data) = try_join(transaction.query(IS_SEEN, &[&id]), transaction.all(INSIGHTS, &[&id])).await?;
    if seen.is_empty() {
        return Err(NOT_FOUND.into());
    }
    transaction.commit(Json(Insights { data })).await
}
