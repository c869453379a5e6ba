//! POST /whatsapp/sentiment/analyze — says how the client feels, by what was said last.

use ai::{
    NOTHING_SAID, ai_fails,
    insights::{Insight, Kind},
    made,
};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/whatsapp/sentiment/analyze").fails(ai_fails!(NOT_FOUND, NOTHING_SAID));

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AnalyzeInput {
    #[garde(skip)]
    conversation_id: Uuid,
}

pub fn main() {
    serve(&ROUTE, analyze_sentiment);
}

async fn analyze_sentiment(context: Context, agent: Staff, Json(input): Json<AnalyzeInput>) -> Result<Created<Insight>, Error> {
    made(&context, &agent, input.conversation_id, Kind::Sentiment).await.map(Created)
}
