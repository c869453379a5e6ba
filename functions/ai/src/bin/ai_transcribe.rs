//! POST /ai/transcribe — writes down what is said in a voice note.

use ai::{ai_fails, problem_of, recordings};
use futures_util::future::try_join;
use shared::{ai as models, error::NOT_FOUND, prelude::*};

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
    let (recorded, settings) = try_join(recordings::find(&transaction, message_id), models::settings(&transaction)).await?;
    transaction.commit_unaudited().await?;
    let recorded = recorded.ok_or(NOT_FOUND)?;
    if !recorded.words.is_empty() {
        return Ok(Json(Transcribed { message_id, transcript: recorded.words }));
    }
    let written = recordings::write_down(&context, agent.company_id, Some(agent.user_id), &settings, &recorded).await?;
    let transcript = written.map_err(problem_of)?;
    Ok(Json(Transcribed { message_id, transcript }))
}
