//! POST /ai/learn — drafts for the knowledge base out of a conversation that has ended, for somebody to approve.

use ai::{NOTHING_SAID, ai_fails, learning::learn, problem_of, thread::Thread};
use futures_util::future::try_join3;
use shared::{ai as models, error::NOT_FOUND, prelude::*};

pub const NOT_CLOSED: Problem = Problem::new(
    409,
    "not_closed",
    "Só se aprende com conversas encerradas.",
    "Only conversations that have ended teach anything.",
);

const ROUTE: Route = Route::post("/ai/learn").fails(ai_fails!(NOT_FOUND, NOTHING_SAID, NOT_CLOSED));

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LearnInput {
    #[garde(skip)]
    conversation_id: Uuid,
}

/// What is proposed now.
#[derive(Serialize, JsonSchema)]
struct LearnedDrafts {
    /// As `GET /knowledge/proposals` lists them; none where there was nothing new to learn.
    proposal_ids: Vec<Uuid>,
}

const HAS_ENDED: &str = "select from conversations where id = $1 and ended_at is not null";

pub fn main() {
    serve(&ROUTE, ai_learn);
}

async fn ai_learn(context: Context, caller: Supervisor, Json(input): Json<LearnInput>) -> Result<Json<LearnedDrafts>, Error> {
    let transaction = context.begin(&caller).await?;
    let id = input.conversation_id;
    let ended = async { transaction.query(HAS_ENDED, &[&id]).await };
    let (thread, settings, ended) = try_join3(Thread::read(&transaction, id), models::settings(&transaction), ended).await?;
    transaction.commit_unaudited().await?;
    if ended.is_empty() {
        return Err(NOT_CLOSED.into());
    }
    if !thread.has_words() {
        return Err(NOTHING_SAID.into());
    }
    let proposed = learn(&context, &settings, (caller.company_id, Some(caller.user_id)), &thread).await?;
    Ok(Json(LearnedDrafts { proposal_ids: proposed.map_err(problem_of)? }))
}
