//! POST /ai/runs/{id}/feedback — says what an answer of a model was worth.

use shared::{closed_set, error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/ai/runs/{id}/feedback").fails(&[NOT_FOUND]);

closed_set! {
    /// What became of an answer.
    #[schemars(rename = "AiFeedback")]
    Worth {
        /// It was used as it was.
        Accepted = "accepted",
        /// It was used with changes.
        Edited = "edited",
        Rejected = "rejected",
    }
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FeedbackInput {
    #[garde(skip)]
    feedback: Worth,
    #[garde(length(chars, max = 500))]
    note: Option<String>,
}

/// Said again, it is what was said last.
const RATE: &str = "
    update ai_runs set feedback = $2, feedback_note = $3
     where id = $1
    returning id, jsonb_build_object('feedback', feedback, 'note', feedback_note) as told";

#[derive(FromRow)]
struct Rated {
    id: Uuid,
    told: Value,
}

pub fn main() {
    serve(&ROUTE, rate_ai_run);
}

async fn rate_ai_run(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<FeedbackInput>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&agent).await?;
    let rated: Option<Rated> = transaction.first(RATE, &[&id, &input.feedback.as_str(), &input.note]).await?;
    let Rated { id, told } = rated.ok_or(NOT_FOUND)?;
    transaction.audit(id, &Value::Null, &told);
    transaction.commit(NoContent).await
}
