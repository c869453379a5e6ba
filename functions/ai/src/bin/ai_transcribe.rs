//! POST /ai/transcribe — writes down what is said in a voice note.

use ai::{ai_fails, problem_of, recordings};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/ai/transcribe").fails(ai_fails!(NOT_FOUND, recordings::NO_RECORDING)).needs(Privilege::Files);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TranscribeInput {
    #[garde(skip)]
    message_id: Uuid,
}

/// What a voice note says.
#[derive(Serialize, JsonSchema)]
struct Transcribed {
    message_id: Uuid,
    transcript: String,
}

pub fn main() {
    serve(&ROUTE, ai_transcribe);
}

async fn ai_transcribe(
    context: Context,
    agent: Staff,
    Json(TranscribeInput { message_id }): Json<TranscribeInput>,
) -> Result<Json<Transcribed>, Error> {
    let transaction = context.begin(&agent).await?;
    let recorded = recordings::find(&transaction, message_id).await?.ok_or(NOT_FOUND)?;
    let settings = shared::ai::settings(&transaction).await?;
    transaction.commit_unaudited().await?;
    if !recorded.words.is_empty() {
        return Ok(Json(Transcribed { message_id, transcript: recorded.words }));
    }
    let written = recordings::write_down(&context, agent.company_id, Some(agent.user_id), &settings, &recorded).await?;
    let transcript = written.map_err(problem_of)?;
    Ok(Json(Transcribed { message_id, transcript }))
}
